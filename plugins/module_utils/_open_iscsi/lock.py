# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of open-iscsi's database, which iscsiadm takes for each record that it reads or writes (usr/idbm.c, idbm_lock).

Whoever can make the name HELD holds it; link(2) says so, whatever the name is a link to. Ours is a link to a file that names
our process, so that a lock whose holder was killed is known, and cleared by the next of us. A lock of another program is
never broken.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Callable, Iterator

from .._converge import Resource
from .._host import Host, Problem
from .._host_lock import started_of

DIRECTORY = "/run/lock/iscsi"
LOCK = f"{DIRECTORY}/lock"  # what iscsiadm links to
HELD = f"{DIRECTORY}/lock.write"
OURS = "lunworks"  # all of ours queue at this file; it ends with its holder (flock(2))
HOLDER = re.compile(OURS + r"\.(\d+)\.(\d+)")  # the process that may hold HELD: its ID, and when it started
DATABASES = ("/var/lib/iscsi", "/etc/iscsi")  # records are written aside there, where iscsiadm reads no file
MODE = 0o600  # as iscsiadm makes them: CHAP secrets are in there
PATIENCE = 30  # seconds, as in usr/idbm.c
QUEUE = 120  # seconds, for others of ours


@contextmanager
def locked(host: Host) -> Iterator[Callable[[str, str], None]]:
    """Nobody else reads or writes the database meanwhile; gives what writes a file of it."""
    host.mkdir(DIRECTORY, 0o770)
    with host.lock(f"{DIRECTORY}/{OURS}", QUEUE):
        _clear(host)
        number = host.link("/proc/self") or ""
        mine = f"{DIRECTORY}/{OURS}.{number}.{_started(host, number)}"
        host.write(mine, "", 0o600)
        if not host.until(lambda: host.hard_link(mine, HELD), PATIENCE, 0.01):
            held, now = host.stat(HELD), host.stat(mine)
            host.remove(mine)
            raise Problem(_taken(host, now.st_mtime - held.st_ctime if held and now else 0))
        try:
            yield lambda path, text: _write(host, path, text)
        finally:
            host.remove(HELD)
            host.remove(mine)  # not where HELD stays: it says whose that is, and the next run clears both


def wait_for_others(host: Host) -> None:
    """Refuse where another program keeps the lock: an iscsiadm that only asks a portal waits for it as well."""
    held = _held(host)
    if held and not _ours(host, held) and not host.until(lambda: _held(host) != held, PATIENCE):
        raise Problem(_taken(host))


class Locking(Resource):
    """A resource whose steps lock the database, or let iscsiadm lock it."""

    def heal(self, host: Host) -> None:
        if any(_left(host, name) for name in host.list(DIRECTORY)):
            with host.lock(f"{DIRECTORY}/{OURS}", QUEUE):
                _clear(host)


def _write(host: Host, path: str, text: str) -> None:
    """Write a file of the database, under its lock: aside where iscsiadm reads none, which takes every file for a record."""
    root = next((root for root in DATABASES if path.startswith(f"{root}/")), "")
    here, there = host.stat(root) if root else None, host.stat(path.rpartition("/")[0])
    one = here and there and here.st_dev == there.st_dev  # rename(2) goes no further
    host.write(path, text, MODE, root if one else "")


def _clear(host: Host) -> None:
    """What runs of ours that were killed have left. Whoever clears has the queue's lock, so no other one of ours is at it."""
    held = _held(host)
    for name in host.list(DIRECTORY):
        if not _left(host, name):
            continue
        if held and _inode(host, name) == held[0]:
            host.remove(HELD)
        host.remove(f"{DIRECTORY}/{name}")


def _held(host: Host) -> tuple[int, float] | None:
    """The file that holds the lock, and since when: link(2) changes its st_ctime."""
    held = host.stat(HELD)
    return (held.st_ino, held.st_ctime) if held else None


def _ours(host: Host, held: tuple[int, float]) -> bool:
    return any(_inode(host, name) == held[0] for name in host.list(DIRECTORY) if HOLDER.fullmatch(name))


def _inode(host: Host, name: str) -> int | None:
    found = host.stat(f"{DIRECTORY}/{name}")
    return found.st_ino if found else None


def _left(host: Host, name: str) -> bool:
    """Whether a file beside the lock is that of a process of ours which is gone."""
    found = HOLDER.fullmatch(name)
    return found is not None and _started(host, found[1]) != int(found[2])


def _started(host: Host, number: str) -> int | None:
    return started_of(host.read(f"/proc/{number}/stat") or "")


def _taken(host: Host, before: float = 0) -> str:
    """Who has the lock, for how long (so long before we began to wait), and what to do."""
    names = {number: (host.read(f"/proc/{number}/comm") or "").strip() for number in _processes(host)}
    running = [f"'{name}' (process {number})" for number, name in names.items() if name == "iscsiadm"]
    daemon = any(name == "iscsid" for name in names.values())
    if running:
        what = (
            f"{' and '.join(running)} is running: wait for it to end, or end it if it hangs. Then delete '{HELD}' if it is "
            "left"
        )
    else:
        what = (
            f"No iscsiadm is running{'; iscsid is, which holds it only briefly' if daemon else ', nor is iscsid'}: a crash "
            f"left it behind. Delete '{HELD}'"
        )
    return (
        f"The database of open-iscsi has been locked ('{HELD}') for {PATIENCE + max(before, 0):.0f} seconds, not by a module of "
        f"this collection. {what}, and run again. Nothing was written."
    )


def _processes(host: Host) -> list[str]:
    return [name for name in host.list("/proc") if name.isdecimal()]
