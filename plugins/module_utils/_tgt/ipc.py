# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgtd's own socket, for what must not stand in a process list: tgtadm takes secrets as arguments alone.

The message is a struct of the C compiler (tgt, usr/tgtadm.h, tgtadm_req), the same since tgt 1.0.38 of 2013. Before a secret is
sent, tgtd is asked a question that changes nothing, so that another layout is found by its answer.
"""

from __future__ import annotations

import struct

from .._host import Host, Problem
from .._step import Secret

SOCKET = "/var/run/tgtd/socket.0"
REQUEST = struct.Struct("@ii64sIiQQIIIIII")
ANSWER = struct.Struct("@II")
SYSTEM, ACCOUNT = 0, 7  # enum tgtadm_mode
NEW, SHOW = 0, 2  # enum tgtadm_op
ALL = -1


def _ask(host: Host, mode: int, op: int, body: str = "") -> tuple[int, bytes]:
    """The error number and the text of the answer."""
    data = body.encode(errors="surrogateescape") + b"\0" if body else b""
    head = REQUEST.pack(mode, op, b"iscsi", REQUEST.size + len(data), ALL, 0, (1 << 64) - 1, 0, 0, 0, 0, 0, 0)
    answer = host.dialogue(SOCKET, head + data)
    if len(answer) < ANSWER.size:
        return ALL, b""
    error, length = ANSWER.unpack(answer[: ANSWER.size])
    return (error if length == len(answer) or error else ALL), answer[ANSWER.size :]


def logged() -> Problem:
    """The secret would be in the log."""
    return Problem(
        "tgtd writes all that it is told to the log now (debug: on), so no CHAP secret was sent. Switch that off first: "
        "tgtadm --op update --mode sys --name debug --value off"
    )


def prove(host: Host) -> None:
    """That tgtd can be given a secret: it answers as we know it, and logs nothing."""
    error, text = _ask(host, SYSTEM, SHOW)
    if error or not text.startswith(b"System:"):
        raise Problem(
            f"tgtd does not answer on '{SOCKET}' as tgt 1.0.38 to 1.0.97 do, so no CHAP secret was sent: "
            "only as an argument of tgtadm, which every user of this host can read, could it be given to this version."
        )
    if b"debug: on" in text:  # usr/mgmt.c, mtask_execute
        raise logged()


def make_account(host: Host, user: str, secret: Secret) -> None:
    """A new CHAP account of tgtd, which is in no target yet."""
    prove(host)
    error, _text = _ask(host, ACCOUNT, NEW, f"user={user},password={secret.reveal()}")
    if error:
        raise Problem(f"tgtd did not make a CHAP account (error {error} of tgt's tgtadm_error.h).")
