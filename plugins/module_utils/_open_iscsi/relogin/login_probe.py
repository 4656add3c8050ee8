# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would a target let this host in? A login up to the end of its security stage, then broken off (RFC 7143 6.3, 11.12, 12).

No session comes of it, on neither side: the connection ends before the full feature phase. Its ISID is a random one, so
that no session of this host is reinstated by it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
from dataclasses import dataclass

from ..._arguments import Portal
from ..._chap import NO_CHAP, Chap
from ..._host import Connection, Host

REQUEST, RESPONSE = 0x43, 0x23  # a login request, marked immediate, and its response
TRANSIT, SECURITY, OPERATIONAL = 0x80, 0 << 2, 1
HEADER = 48
PATIENCE = 5  # seconds for each answer
ROUNDS = 8
SILENT = "does not answer"
HASHES = {"MD5": "5", "SHA1": "6", "SHA256": "7", "SHA3-256": "8"}  # IANA, "iSCSI authentication methods"
FUNCTIONS = {"5": "md5", "6": "sha1", "7": "sha256", "8": "sha3_256"}
WRONG_SECRET = "rejects the CHAP user or secret, or requires CHAP and got none"
# RFC 7143 11.13.5, the classes 2 (initiator error) and 3 (target error).
REFUSALS = {
    0x0201: WRONG_SECRET,
    0x0202: "does not let this initiator in. Is its name in an igroup (ACL) there?",
    0x0203: "is not there, or does not let this initiator in. Is its name in an igroup (ACL) there?",
    0x0204: "has been removed there",
    0x0206: "has too many connections already",
    0x0301: "is not being served at the moment",
    0x0302: "is out of resources at the moment",
}


@dataclass(frozen=True)
class LoginProbe:
    """Who would log in, where, through which network interface ('' for any), and with which proof."""

    initiator: str
    target: str
    portal: Portal
    nic: str = ""
    chap: Chap = NO_CHAP
    hashes: str = "MD5"  # as in node.session.auth.chap_algs
    insist: bool = (
        False  # offer CHAP alone, so that a target that wants no proof cannot hide what it thinks of this one
    )


class _Refused(Exception):
    """The target said no."""


def probe_login(host: Host, probe: LoginProbe) -> str:
    """Why the target would refuse this login; empty when it would not."""
    where = f"'{probe.target}' at {probe.portal}"
    try:
        with host.dial(probe.portal.address, probe.portal.port, probe.nic, PATIENCE) as connection:
            _Login(connection, probe).run()
    except _Refused as refused:
        return f"{where} {refused}"
    except ValueError:  # numbers that are none; targets are other people's programs
        return f"{where} answers the login with something that is not a login response (RFC 7143)"
    except OSError as error:
        return f"{where} {SILENT} ({error.strerror or error})"
    return ""


class _Login:
    """One connection through its security stage."""

    def __init__(self, connection: Connection, probe: LoginProbe) -> None:
        self.connection, self.probe = connection, probe
        self.isid = bytes([0x80]) + secrets.token_bytes(5)  # RFC 7143 11.12.5: type 10b, random
        self.heard = 0

    def run(self) -> None:
        """Ask to log in, and answer what the target asks until it says yes or no."""
        probe, chap = self.probe, self.probe.chap
        method = ("CHAP" if probe.insist or chap.mutual_user else "CHAP,None") if chap.user else "None"
        first = {
            "InitiatorName": probe.initiator,
            "TargetName": probe.target,
            "SessionType": "Normal",
            "AuthMethod": method,
        }
        said = self._say(first, ready=not chap.user)
        if not chap.user or said.get("AuthMethod") == "None":
            return
        if said.get("AuthMethod") != "CHAP":
            raise _Refused(f"does not accept CHAP (it answers {said.get('AuthMethod', 'nothing')!r})")
        numbers = [HASHES[name] for name in probe.hashes.split(",") if name in HASHES]
        said = self._say({"CHAP_A": ",".join(numbers)})
        if said.get("CHAP_A") not in numbers or not {"CHAP_I", "CHAP_C"} <= set(said):
            raise _Refused(f"accepts none of the CHAP algorithms {probe.hashes}")
        self._prove(FUNCTIONS[said["CHAP_A"]], int(said["CHAP_I"], 0), _bytes(said["CHAP_C"]))

    def _prove(self, function: str, number: int, challenge: bytes) -> None:
        chap = self.probe.chap
        proof = {"CHAP_N": chap.user, "CHAP_R": _proof(function, number, chap.secret.reveal(), challenge)}
        mine, ours = secrets.randbelow(256), secrets.token_bytes(16)
        if chap.mutual_user:
            proof.update({"CHAP_I": str(mine), "CHAP_C": f"0x{ours.hex()}"})
        said = self._say(proof, ready=True)
        wanted = _proof(function, mine, chap.mutual_secret.reveal(), ours)
        right = said.get("CHAP_N") == chap.mutual_user and _bytes(said.get("CHAP_R", "")) == _bytes(wanted)
        if chap.mutual_user and not right:
            raise _Refused("does not prove itself with the mutual CHAP user and secret")

    def _say(self, texts: dict[str, str], ready: bool = False) -> dict[str, str]:
        """Send these, and gather the answer; an answer that is not whole yet is asked on."""
        data = "".join(f"{key}={value}\0" for key, value in texts.items()).encode()
        heard = b""
        for _round in range(ROUNDS):
            self._send(data, ready and bool(data))
            flags, part = self._receive()
            heard, data = heard + part, b""
            if not flags & 0x40:  # C: more of this answer is to come
                break
        pairs = (text.partition("=") for text in heard.decode(errors="replace").split("\0"))
        return {key: value for key, equals, value in pairs if equals}

    def _send(self, data: bytes, ready: bool) -> None:
        flags = SECURITY | (TRANSIT | OPERATIONAL if ready else 0)
        header = struct.pack(
            ">BBBBI6sHIHHII16x", REQUEST, flags, 0, 0, len(data), self.isid, 0, 1, 0, 0, 1, self.heard
        )
        self.connection.sendall(header + data + bytes(-len(data) % 4))

    def _receive(self) -> tuple[int, bytes]:
        header = self._read(HEADER)
        length = int.from_bytes(header[5:8], "big")
        data = self._read(header[4] * 4 + length + -length % 4)[header[4] * 4 :][:length]
        if header[0] & 0x3F != RESPONSE:
            raise _Refused(f"answers the login with a PDU of type {header[0] & 0x3F:#x}")
        self.heard = (int.from_bytes(header[24:28], "big") + 1) % (1 << 32)
        status = int.from_bytes(header[36:38], "big")
        if status >> 8 not in (0, 1):  # 1: moved to another portal, which would be asked then
            raise _Refused(REFUSALS.get(status, f"refuses the login with status {status:#06x}"))
        return header[1], data

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.connection.recv(size - len(found))
            if not part:
                raise _Refused("ends the connection without an answer")
            found += part
        return found


def _proof(function: str, number: int, secret: str, challenge: bytes) -> str:
    """RFC 1994 4.1: the hash of the identifier, the secret and the challenge."""
    return "0x" + hashlib.new(function, bytes([number]) + secret.encode() + challenge).hexdigest()


def _bytes(text: str) -> bytes:
    """A binary value as RFC 7143 6.1 writes it: 0x and hex digits, or 0b and base64."""
    if text[:2].lower() == "0x":
        return bytes.fromhex(text[2:].rjust(len(text[2:]) + len(text) % 2, "0"))
    return base64.b64decode(text[2:]) if text[:2].lower() == "0b" else b""
