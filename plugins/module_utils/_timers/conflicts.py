# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timers that contradict each other, or what stands above them, as sentences: what is set, what that does, what to set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator

from .stall import FOR_EVER, Disk, Path

PATIENT = 30  # seconds; a path of a map that keeps I/O for longer, and a lone one that does not, is a fault
RETRY = 2  # seconds from one try of iscsid to log in again to the next
REOPEN = "reopen_max"
ROOT = 3600  # seconds; what the root file system on a single path should wait for at least
# By these a sentence is known to be about what stands on a path, and not about a timer.
BESIDE = "a single path of the LUN"
BARE = "are the same LUN"


@dataclass(frozen=True)
class Timer:
    """One timer as iscsid.conf, a record and its session have it; None: no record, or no session."""

    node: str  # 'iqn...' at 10.77.1.11:3260
    setting: str
    iscsid_conf: int
    record: int | None
    session: int | None


def faults(disks: Iterable[Disk], timers: Iterable[Timer]) -> list[str]:
    """All of them, those of the disks first."""
    disks = list(disks)
    found = [*_beside(disks), *_bare(disks)]
    for disk in disks:
        found += [*(_of_map(disk) if disk.map else _of_single(disk))]
    return [*found, *_of_timers(list(timers), disks)]


def _beside(disks: list[Disk]) -> Iterator[str]:
    """What uses one path although there is a map: nothing shows it until that path goes."""
    for disk in disks:
        for user in disk.beside:
            yield (
                f"{user}, {BESIDE} {disk.wwid}, although that has the map '{disk.map}': when this path fails, "
                f"its I/O fails too. Move it to the map (module disks), or stop it and start it again."
            )


def _bare(disks: list[Disk]) -> Iterator[str]:
    """The same LUN twice, and no map that joins the two, or not all of them."""
    by_wwid: dict[str, list[Disk]] = {}
    for disk in disks:
        by_wwid.setdefault(disk.wwid, []).append(disk)
    for wwid, same in by_wwid.items():
        if wwid and len(same) > 1:
            names = " and ".join(f"'{disk.device}'" for disk in same)
            yield (
                f"{names} {BARE} ({wwid}), and no multipath map joins them: when the path in use fails, the other "
                f"does not help. Let multipath claim the LUN (module disk)."
            )


def _of_map(disk: Disk) -> Iterator[str]:
    for path in disk.paths:
        if len(disk.paths) > 1 and _late(path):
            yield (
                f"{_recovery(disk, path)} of the session of {path.session} keeps the I/O of '/dev/{path.device}' back "
                f"{_for(path)}, although the map '{disk.map}' has another path. Set 5 to 15 (preset 'multipath')."
            )
        if not path.pinged:
            yield (
                f"noop_out_interval 0 of the session of {path.session}: without pings the map '{disk.map}' learns of the "
                f"dead path '/dev/{path.device}' from a command's timer only, after {path.notice} s instead of 10. Set "
                f"noop_out_interval 5 and noop_out_timeout 5 (preset 'multipath')."
            )
    if len(disk.paths) > 1 and any(path.max_retries < 0 for path in disk.paths):
        yield (
            f"max_retries -1 of the paths of the map '{disk.map}': a LUN that answers no commands on one path holds their I/O "
            f"forever, although the map has another path. Set 0 to 5 (module disk_timers)."
        )
    timers = sorted({path.command_timeout for path in disk.paths})
    if len(timers) > 1:
        yield (
            f"The paths of the map '{disk.map}' have different SCSI command timers, {' and '.join(map(str, timers))} s. Give "
            f"them one (module disk_timers)."
        )
    yield from _of_queue(disk)


def _of_queue(disk: Disk) -> Iterator[str]:
    if disk.queue is None:
        yield f"There is a map '{disk.map}', but multipathd is not running: a path that comes back is not used again. Start it."
    elif disk.queue.stall is FOR_EVER and not disk.root:
        yield (
            f"no_path_retry of the map '{disk.map}' is 'queue': when all paths are gone, every program that touches it waits "
            f"forever, LVM's commands too. Set a number of polls, like 12."
        )
    elif disk.queue.stall is not FOR_EVER and disk.root:
        yield (
            f"The root file system is on the map '{disk.map}', and its I/O fails when no path has been there for "
            f"{disk.queue.stall} s. Set no_path_retry to queue for this map."
        )


def _of_single(disk: Disk) -> Iterator[str]:
    (path,) = disk.paths
    if disk.root and 0 <= path.replacement_timeout < ROOT:
        yield (
            f"The root file system is on '{disk.device}', a disk with one path, and replacement_timeout "
            f"{path.replacement_timeout} of the session of {path.session} fails its I/O after {path.stall} s. Set 86400 and "
            f"no pings (preset 'root_on_iscsi')."
        )
    elif not disk.root and 0 <= path.replacement_timeout < PATIENT:
        yield (
            f"replacement_timeout {path.replacement_timeout} of the session of {path.session} fails the I/O of "
            f"'{disk.device}' after {path.stall} s, and no map has another path for it. Set 120 (preset 'direct'), or use "
            f"multipath."
        )


def _late(path: Path) -> bool:
    return path.replacement_timeout < 0 or path.replacement_timeout > PATIENT


def _for(path: Path) -> str:
    return "forever" if path.replacement_timeout < 0 else f"for {path.replacement_timeout} s"


def _recovery(disk: Disk, path: Path) -> str:
    """Who set it: multipath, or open-iscsi."""
    ours = disk.queue is not None and disk.queue.fast_io_fail == path.replacement_timeout
    return f"{'fast_io_fail_tmo' if ours else 'replacement_timeout'} {path.replacement_timeout}"


def _gives_up(timer: Timer, tries: int) -> str:
    """iscsid tries again every two seconds where the portal refuses at once (open-iscsi, etc/iscsid.conf: reopen_max)."""
    return (
        f"{REOPEN} {tries} in the record of {timer.node}: after a loss iscsid gives up after {tries} tries, which can be over in "
        f"{tries} x {RETRY} = {tries * RETRY} s, and logs out: I/O that still waits fails, whatever replacement_timeout says, "
        f"and nothing logs in again. Set 0, no limit (module nodes)."
    )


def _of_timers(timers: list[Timer], disks: list[Disk]) -> Iterator[str]:
    overruled = {
        path.session: disk.queue.fast_io_fail
        for disk in disks
        if disk.queue and disk.queue.fast_io_fail is not None
        for path in disk.paths
    }
    drifted: dict[tuple[str, int, int], list[str]] = {}
    for timer in timers:
        name = timer.setting.rpartition(".")[2]
        # While the path is in a map, multipath's counts, and what the record says does no harm.
        over = overruled.get(timer.node) if name == "replacement_timeout" else None
        if None not in (timer.record, timer.session) and timer.session not in (timer.record, over):
            yield (
                f"The session of {timer.node} has {name} {timer.session}, its record says {timer.record}: that takes effect "
                f"at the next login."
            )
        if timer.record is not None and timer.record != timer.iscsid_conf:
            drifted.setdefault((name, timer.record, timer.iscsid_conf), []).append(timer.node)
        if name == REOPEN and timer.record:
            yield _gives_up(timer, timer.record)
    for (name, record, conf), nodes in drifted.items():
        more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        yield (
            f"{name} is {record} in the record of {nodes[0]}{more}, and {conf} in iscsid.conf, which applies to new records "
            f"only. Set both to the same value (module nodes)."
        )
