# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel says when it loses a connection, in words: 'connection1:0: detected conn error (1022)'.

The codes are those of include/scsi/iscsi_if.h (enum iscsi_err), which begin at 1000; open-iscsi's README (8.1.3) and old kernels
leave that out. The lines are those of drivers/scsi/scsi_transport_iscsi.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Iterable, Mapping

BASE = 1000
LOST = re.compile(r"^(?:<\d+>)?(?:\[ *(\d+\.\d+)\])?.*\bconnection(\d+):\d+: +detected conn error \((\d+)\)")
EXPIRED = re.compile(
    r"^(?:<\d+>)?(?:\[ *(\d+\.\d+)\])?.*\bsession(\d+): +session recovery timed out after (\d+) secs"
)

PROTOCOL = (
    "The target, or an offload card between, breaks the protocol. Look at the log of the storage host, and update its target "
    "software or firmware."
)
NETWORK = (
    "Look at the link and the counters of the storage NIC ('ip -s link'), at the switch, at the MTU on the whole way, and at the "
    "storage host."
)
DIGEST = (
    "Something on the way changes data: look at the error counters of both NICs and of the switch, and at offload functions. "
    "Leave the digest on: it has kept wrong data out."
)
PINGS = (
    "Where link and storage host are well and only busy, raise noop_out_interval and noop_out_timeout (node.conn[0].timeo): "
    "module nodes. Otherwise: " + NETWORK
)
SILENT_LUN = (
    "The target is there, but a LUN answers no command: look at its disks on the storage host. How long a command may take is "
    "the SCSI command timer (module disk_timers), and how long its abort and the resets after it, node.session.err_timeo."
)
CLOSED = (
    "The storage host has restarted its target, ended the session, or another host has logged in under the same initiator name "
    "(playbook report names those). If it does not come back, ask 'journalctl -u iscsid' what the target says to the login."
)
SOFTWARE = "iscsid and the kernel do not fit together: update both, and reboot into the newer kernel."
GOING = "Normal where the driver of a card is unloaded or the host shuts down; otherwise look at the card and its driver."

# code - 1000: the kernel's name, what it means, what to do
CODES: dict[int, tuple[str, str, str]] = {
    1: ("ISCSI_ERR_DATASN", "data came with a wrong sequence number", PROTOCOL),
    2: ("ISCSI_ERR_DATA_OFFSET", "data was to be read or written past the end of its buffer", PROTOCOL),
    3: ("ISCSI_ERR_MAX_CMDSN", "the target sent an invalid MaxCmdSN", PROTOCOL),
    4: ("ISCSI_ERR_EXP_CMDSN", "the target expects another command number (ExpCmdSN)", PROTOCOL),
    5: ("ISCSI_ERR_BAD_OPCODE", "the target sent a PDU with an unknown opcode", PROTOCOL),
    6: ("ISCSI_ERR_DATALEN", "the target sent a PDU with an invalid data length", PROTOCOL),
    7: ("ISCSI_ERR_AHSLEN", "the target sent a PDU with an invalid additional header length", PROTOCOL),
    8: ("ISCSI_ERR_PROTO", "the target did what the iSCSI RFC forbids", PROTOCOL),
    9: ("ISCSI_ERR_LUN", "the target named an invalid LUN", PROTOCOL),
    10: ("ISCSI_ERR_BAD_ITT", "the target sent an invalid task tag", PROTOCOL),
    11: ("ISCSI_ERR_CONN_FAILED", "sending failed or timed out, or the link went down", NETWORK),
    12: ("ISCSI_ERR_R2TSN", "the target asked for data (R2T) out of sequence", PROTOCOL),
    13: ("ISCSI_ERR_SESSION_FAILED", "the session failed; no kernel driver reports this by itself", NETWORK),
    14: ("ISCSI_ERR_HDR_DGST", "a header did not have the digest that it came with", DIGEST),
    15: ("ISCSI_ERR_DATA_DGST", "data did not have the digest that it came with", DIGEST),
    16: ("ISCSI_ERR_PARAM_NOT_FOUND", "iscsid set what this kernel does not know", SOFTWARE),
    17: ("ISCSI_ERR_NO_SCSI_CMD", "the target answered a command that nobody had sent", PROTOCOL),
    18: ("ISCSI_ERR_INVALID_HOST", "the iSCSI host is gone or going", GOING),
    19: ("ISCSI_ERR_XMIT_FAILED", "the network layer refused to send", NETWORK),
    20: ("ISCSI_ERR_TCP_CONN_CLOSE", "the target closed the connection", CLOSED),
    21: ("ISCSI_ERR_SCSI_EH_SESSION_RST", "a command timed out and so did its abort", SILENT_LUN),
    22: ("ISCSI_ERR_NOP_TIMEDOUT", "the target did not answer a ping in time", PINGS),
}
RECOVERY = "replacement_timeout was over before the session came back, and its I/O was given back as failed"
WAITED = (
    "With multipath another path goes on; a disk without it has returned errors, and its file system may be read-only now. "
    + NETWORK
)


@dataclass(frozen=True)
class Lost:
    """One kind of loss of one session."""

    session_number: int
    code: int | None  # None: the session was not back in time
    name: str
    meaning: str
    advice: str
    count: int
    last: str  # UTC; empty where the kernel's log has no times

    def text(self, node: str) -> str:
        """In one sentence, and what to do."""
        times = "once" if self.count == 1 else f"{self.count} times"
        when = f", last at {self.last}" if self.last else ""
        error = f"conn error {self.code} ({self.name})" if self.code else "session recovery timed out"
        return f"{node}: {error} {times}{when}: {self.meaning}. {self.advice}"


def parse_log(text: str, booted: float) -> list[Lost]:
    """The losses in a kernel log, those of one session and code together, the latest first."""
    found: dict[tuple[int, int | None], list[float | None]] = {}
    for line in text.split("\n"):
        lost, expired = LOST.match(line), EXPIRED.match(line)
        match = lost or expired
        if match:
            code = int(match[3]) % BASE + BASE if lost else None
            found.setdefault((int(match[2]), code), []).append(float(match[1]) if match[1] else None)
    ordered = sorted(found.items(), key=lambda one: one[1][-1] or 0.0, reverse=True)
    return [_lost(number, code, times, booted) for (number, code), times in ordered]


def _lost(number: int, code: int | None, times: list[float | None], booted: float) -> Lost:
    name, meaning, advice = "", RECOVERY, WAITED
    if code is not None:
        unknown = ("unknown", "the kernel has a reason that is not among those documented", NETWORK)
        name, meaning, advice = CODES.get(code - BASE, unknown)
    last = times[-1]
    when = (
        "" if last is None else datetime.fromtimestamp(booted + last, timezone.utc).isoformat(" ", "seconds")
    )
    return Lost(number, code, name, meaning, advice, len(times), when.replace("+00:00", " UTC"))


def tell(losses: Iterable[Lost], nodes: Mapping[int, str]) -> list[dict[str, object]]:
    """The losses as people and templates get them; the kernel's log has numbers of sessions, which may be over."""
    return [
        {
            "session_number": one.session_number,
            "session": nodes.get(one.session_number),
            "code": one.code,
            "name": one.name or None,
            "count": one.count,
            "last": one.last or None,
            "text": one.text(nodes.get(one.session_number) or f"session {one.session_number}, which is over"),
        }
        for one in losses
    ]
