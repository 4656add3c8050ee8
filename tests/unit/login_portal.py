# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's side of a login's security stage (RFC 7143 11.12, 11.13, 12.1), for hosts that are scripts."""

from __future__ import annotations

import hashlib

HASHES = {"5": hashlib.md5, "6": hashlib.sha1, "7": hashlib.sha256, "8": hashlib.sha3_256}


class LoginPortal:
    """A connection to a portal that serves targets: {name: {initiators: [...], chap: {user, secret, ...}, hashes: "5,7"}}."""

    def __init__(self, targets):
        self.targets, self.buffer, self.closed = targets, b"", False
        self.said, self.rounds, self.challenge = {}, 0, bytes(range(16))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.closed = True

    def close(self):
        self.closed = True

    def recv(self, size):
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def sendall(self, pdu):
        assert pdu[0] == 0x43 and pdu[8] & 0xC0 == 0x80, "a login request with a random ISID"
        assert pdu[1] & 3 in (0, 1), "never on to the full feature phase"
        length = int.from_bytes(pdu[5:8], "big")
        texts = pdu[48 : 48 + length].decode().split("\0")
        self.said.update(text.split("=", 1) for text in texts if text)
        status, answer = self.answer()
        data = "".join(f"{key}={value}\0" for key, value in answer.items()).encode()
        header = bytearray(48)
        header[0], header[5:8], header[36:38] = (
            0x23,
            len(data).to_bytes(3, "big"),
            status.to_bytes(2, "big"),
        )
        self.buffer += bytes(header) + data + bytes(-len(data) % 4)

    def answer(self):
        """The status and the keys of the next response."""
        self.rounds += 1
        target = self.targets.get(self.said["TargetName"])
        if target == "busy":
            return 0x0301, {}
        if target is None or self.said["InitiatorName"] not in target["initiators"]:
            return 0x0203, {}
        chap, methods = target.get("chap"), self.said["AuthMethod"].split(",")
        if self.rounds == 1:
            if chap is None:
                return 0, {"AuthMethod": "None"} if "None" in methods else {"AuthMethod": "Reject"}
            return (0, {"AuthMethod": "CHAP"}) if "CHAP" in methods else (0x0201, {})
        if self.rounds == 2:
            offered = [
                one for one in self.said["CHAP_A"].split(",") if one in target.get("hashes", "5").split(",")
            ]
            if not offered:
                return 0, {"CHAP_A": "Reject"}
            self.function = HASHES[offered[0]]
            number = "seven" if target.get("nonsense") else "7"
            return 0, {"CHAP_A": offered[0], "CHAP_I": number, "CHAP_C": f"0x{self.challenge.hex()}"}
        right = self.function(bytes([7]) + chap["secret"].encode() + self.challenge).hexdigest()
        if (self.said["CHAP_N"], self.said["CHAP_R"]) != (chap["user"], f"0x{right}"):
            return 0x0201, {}
        if "CHAP_C" not in self.said:
            return 0, {}
        asked = bytes.fromhex(self.said["CHAP_C"][2:])
        secret = bytes([int(self.said["CHAP_I"])]) + chap.get("mutual_secret", "").encode() + asked
        return 0, {
            "CHAP_N": chap.get("mutual_user", ""),
            "CHAP_R": f"0x{self.function(secret).hexdigest()}",
        }
