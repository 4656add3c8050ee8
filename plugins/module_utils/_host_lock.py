# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks that end with their holder (flock(2)), and who holds one (proc(5), /proc/locks)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

PATIENCE = 120  # seconds that a lock is waited for
VOLUMES = "/run/lunworks-volumes.lock"  # whoever changes LVM or mounts of this host has it, from look to look


def open_lock(path: str) -> int:
    """A file to lock, made where it is not there."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def locked(handle: int, path: str, seconds: float) -> str:
    """What a person is told who does not get the lock."""
    return (
        f"'{path}' has been locked for {seconds:g} seconds by {holder(handle)}. Nothing was done. Run again when that "
        "has ended; if it is a shell that somebody left open, exit that shell."
    )


def take_lock(handle: int) -> bool:
    """Whether the lock of an open file is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(handle: int) -> str:
    """Who holds it, for people: the program, its process ID and for how long that has been running."""
    inode = os.fstat(handle).st_ino
    with contextlib.suppress(OSError), open("/proc/locks", encoding="ascii") as table:
        for fields in (line.split() for line in table):
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
                return _process(int(fields[4]))
    return "a process that cannot be seen from here"


def _process(number: int) -> str:
    return f"'{program(number)}' (process {number}, which has been running for {_age(number):.0f} seconds)"


def program(number: int) -> str:
    """What a process runs: its program, or of an interpreter the script. Arguments may be secrets, and are not told."""
    with contextlib.suppress(OSError), open(f"/proc/{number}/cmdline", "rb") as file:
        words = file.read().decode(errors="replace").split("\0")
        script = words[1] if len(words) > 1 and words[1].startswith("/") else words[0]
        return os.path.basename(script) or "a process"
    return "a process that has ended"


def started(number: int) -> int | None:
    """When a process began, in clock ticks since the boot: with its ID that names it once and for all. None: it has ended."""
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            return started_of(file.read())
    except OSError:
        return None


def started_of(text: str) -> int | None:
    """The same, of what /proc/PID/stat says (proc(5)): the name of the program is in parentheses, and may have any in it."""
    fields = text.rpartition(")")[2].split()
    return None if not fields or fields[0] in ("Z", "X") else int(fields[19])


def _age(number: int) -> float:
    began = started(number)
    return 0 if began is None else time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
