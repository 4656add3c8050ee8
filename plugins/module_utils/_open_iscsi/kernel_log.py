# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's log still has of lost connections (dmesg(1): a ring, in which the oldest lines are overwritten)."""

from __future__ import annotations

from typing import Any

from .._host import Host, Problem
from .._timers.conn_errors import parse_log, tell
from .session import look_sessions

PATIENCE = 15  # seconds


def look_losses(host: Host) -> list[dict[str, Any]] | None:
    """The losses by session; None where the log cannot be read."""
    try:
        ran = host.run("dmesg", ok=None, timeout=PATIENCE)
    except Problem:  # there is no dmesg
        return None
    if ran.rc:
        return None
    sessions = {one.number: f"the session of {one.name}" for one in look_sessions(host)}
    return tell(parse_log(ran.out, host.booted()), sessions)
