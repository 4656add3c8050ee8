# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on the one path that a session is: its disks, their other paths that work now, who would lose a disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

from ..._block.dm_multipath import look_map_paths
from ..._block.holders import Holders, User, look_holders
from ..._block.mountinfo import look_mounted
from ..._block.sysfs import BLOCK
from ..._host import Host
from ..record import RecordId
from ..session import LOGGED_IN, SESSIONS, Session, attribute, disks_of, look_sessions, pinned

INQUIRY = (bytes([0x12, 0, 0, 0, 36, 0]), 36)  # SPC-4 6.4
RUNNING = "running"


@dataclass(frozen=True)
class Disk:
    """A disk behind a session. 'others' are further paths of its map that carry I/O now, 'down' are those that do not."""

    device: str
    lun: str
    wwid: str
    map: str = ""
    others: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    users: tuple[User, ...] = ()  # who would lose it without any other path
    alone: tuple[User, ...] = ()  # who uses this path itself, past the map
    root: bool = False  # the root file system of this host is on it


def look_disks(host: Host, numbers: Iterable[int], opened: bool = False) -> dict[int, tuple[Disk, ...]]:
    """The disks of these sessions; with 'opened' also who has them open without mounting them."""
    found = {number: [pair for pair in disks_of(host, number) if pair[1]] for number in numbers}
    if not any(found.values()):
        return dict.fromkeys(found, ())
    holders, root = look_holders(host, opened), _root(host)
    maps = {name: _siblings(holders, name) for pairs in found.values() for _lun, name in pairs}
    carrying = _carrying(host, {name for names in maps.values() for name in names})
    return {
        number: tuple(
            _disk(host, lun, name, holders, carrying, root in holders.over(name)) for lun, name in pairs
        )
        for number, pairs in found.items()
    }


def _disk(host: Host, lun: str, name: str, holders: Holders, carrying: frozenset[str], root: bool) -> Disk:
    others = _siblings(holders, name)
    above = [holders.maps[one] for one in holders.above.get(name, []) if one in holders.maps]
    return Disk(
        device=name,
        lun=lun.rpartition(":")[2],
        wwid=attribute(host, f"{BLOCK}/{name}/device/wwid"),
        map="".join(above[:1]),
        others=tuple(sorted(others & carrying)),
        down=tuple(sorted(others - carrying)),
        users=tuple(pinned(name, holders, frozenset())),
        alone=tuple(pinned(name, holders, others | {name})),
        root=root,
    )


def _siblings(holders: Holders, name: str) -> frozenset[str]:
    """The other paths of the map that a disk is a path of."""
    return frozenset(
        path
        for upper in holders.above.get(name, [])
        if upper in holders.maps
        for path in holders.below[upper]
        if path != name
    )


def _carrying(host: Host, names: Iterable[str]) -> frozenset[str]:
    """The disks that carry I/O now: so says the kernel's map, and the LUN itself answers."""
    active = {number for numbers in look_map_paths(host).values() for number in numbers}
    asked = [
        name
        for name in sorted(names)
        if attribute(host, f"{BLOCK}/{name}/dev") in active
        and attribute(host, f"{BLOCK}/{name}/device/state") == RUNNING
    ]
    answers = host.scsi([(f"/dev/{name}", *INQUIRY) for name in asked]) if asked else []
    return frozenset(name for name, answer in zip(asked, answers) if answer and _connected(answer))


def _connected(answer: bytes) -> bool:
    return not answer[0] >> 5 and answer[0] & 31 != 31  # SPC-4 table 140: a LUN is there


def _root(host: Host) -> str:
    """The device that the root file system of this host is on; btrfs has a number of its own, so its source tells."""
    for mount in reversed(look_mounted(host, "/proc/1/mountinfo")):
        if mount.path == "/":
            by_number = [
                name for name in host.list(BLOCK) if attribute(host, f"{BLOCK}/{name}/dev") == mount.number
            ]
            return "".join(by_number[:1]) or host.real(mount.source).rpartition("/")[2]
    return ""


def lack(session: Session, disk: Disk, min_paths: int, force: bool) -> str:
    """Why the session must not end for this disk's sake; empty when it may."""
    if disk.root:
        return "the root file system is on it. The new settings take effect at the next boot."
    working = session.state == LOGGED_IN  # one that does not work takes nothing away when it goes
    if disk.map and not disk.alone and (len(disk.others) >= min_paths or not working):
        return ""
    down = f" (not {', '.join(f'/dev/{name}' for name in disk.down)})" if disk.down else ""
    left = f"{len(disk.others)} other path(s) of it work{down}, and {min_paths} must keep working meanwhile"
    users = disk.alone or disk.users
    if users:
        return f"{left}, and {users[0]}. Log in through a second portal first, or stop using the disk and set force."
    if force:
        return ""
    return (
        f"{left}; nobody uses the disk. Log in through a second portal first, or set force for this one task."
    )


def came_back(host: Host, name: RecordId, gone: int, expected: Sequence[Disk]) -> tuple[int, str]:
    """The session that took the place of another, and what it still lacks of it; empty when it has all."""
    new = [one for one in look_sessions(host) if one.name == name and one.number > gone]
    if not new or new[-1].state != LOGGED_IN:
        return 0, "the new session is not logged in"
    number = new[-1].number
    there = {lun.rpartition(":")[2]: device for lun, device in disks_of(host, number)}
    active = look_map_paths(host) if any(disk.map for disk in expected) else {}
    missing = (_missing(host, disk, there.get(disk.lun, ""), active) for disk in expected)
    return number, next((text for text in missing if text), "")


def _missing(host: Host, disk: Disk, device: str, active: dict[str, frozenset[str]]) -> str:
    where = f"LUN {disk.lun} ('{disk.wwid}')"
    if not device:
        return f"{where} has not come back"
    now = attribute(host, f"{BLOCK}/{device}/device/wwid")
    if now and now != disk.wwid:
        return f"{where} answers as '{now}' now: the target has given its number to another LUN"
    if attribute(host, f"{BLOCK}/{device}/device/state") != RUNNING:
        return f"/dev/{device}, {where}, does not run"
    if disk.map and attribute(host, f"{BLOCK}/{device}/dev") not in active.get(disk.map, frozenset()):
        return f"/dev/{device}, {where}, is not an active path of the map '{disk.map}'"
    return ""


def scan(host: Host, number: int, luns: Iterable[str]) -> None:
    """Find these LUNs of a session that scans nothing by itself (node.session.scan = manual)."""
    for part in host.real(f"{SESSIONS}/session{number}/device").split("/"):
        if part.startswith("host") and part[4:].isdigit():
            for lun in luns:
                host.poke(f"/sys/class/scsi_host/{part}/scan", f"0 0 {lun}")
