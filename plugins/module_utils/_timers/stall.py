# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long I/O can stand still before it goes another way or fails: the arithmetic of the timers, in whole seconds.

Sources: open-iscsi README 8.1 (pings, SCSI error handler, replacement_timeout), Linux drivers/scsi/libiscsi.c
(iscsi_eh_cmd_timed_out: while pings are on, a command's timer waits for their verdict), multipath.conf(5) (no_path_retry,
polling_interval, fast_io_fail_tmo). What is looked at is a path that goes silent; beside it a LUN that answers no commands
while its target answers pings and aborts (drivers/scsi/scsi_lib.c, scsi_cmd_runtime_exceeced: (allowed + 1) * timeout).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable

from .._converge import plain

FOR_EVER = None  # no number of seconds ends it


@dataclass(frozen=True)
class Path:
    """A SCSI disk and the timers of its session that count now."""

    device: str  # sda
    session: str  # 'iqn...' at 10.77.1.11:3260
    noop_out_interval: int
    noop_out_timeout: int
    replacement_timeout: int  # the session's recovery_tmo; below 0: forever
    abort_timeout: int
    command_timeout: int  # the disk's 'timeout' in sysfs
    max_retries: int = 5  # the disk's own; -1: forever

    @property
    def pinged(self) -> bool:
        """Whether the session looks after its target by itself."""
        return self.noop_out_interval > 0

    @property
    def notice(self) -> int:
        """Until the initiator knows that the path is dead."""
        if self.pinged:
            return self.noop_out_interval + self.noop_out_timeout
        return self.command_timeout + self.abort_timeout

    @property
    def stall(self) -> int | None:
        """Until the I/O of this path is given back to what stands above it."""
        return FOR_EVER if self.replacement_timeout < 0 else self.notice + self.replacement_timeout

    @property
    def lun_stall(self) -> int | None:
        """Until a command fails that the LUN does not answer."""
        return FOR_EVER if self.max_retries < 0 else self.command_timeout * (self.max_retries + 1)


@dataclass(frozen=True)
class Queue:
    """What multipath does with I/O when the last path of a map is gone."""

    name: str
    wwid: str
    retries: int | None  # no_path_retry: 0 fails at once, None queues forever
    polling_interval: int
    fast_io_fail: int | None = None  # what multipathd sets over replacement_timeout; None: it does not
    dev_loss: str = ""  # of no effect on iSCSI, told since people set it

    @property
    def stall(self) -> int | None:
        """For how long it queues."""
        return FOR_EVER if self.retries is None else self.retries * self.polling_interval


@dataclass(frozen=True)
class Disk:
    """A LUN as the host uses it: by a map, or bare."""

    wwid: str
    paths: tuple[Path, ...]
    map: str | None = None
    queue: Queue | None = None  # None with a map: multipathd does not run
    users: tuple[str, ...] = ()
    root: bool = False  # the root file system is on it
    beside: tuple[str, ...] = ()  # who uses a path of it, past its map

    @property
    def device(self) -> str:
        """What is to be used of it."""
        return f"/dev/mapper/{self.map}" if self.map else f"/dev/{self.paths[0].device}"

    @property
    def slowest(self) -> Path:
        """The path whose loss takes longest."""
        return max(self.paths, key=lambda path: (path.stall is FOR_EVER, path.stall or 0, path.notice))

    @property
    def path_stall(self) -> int | None:
        """The worst stall when one path is lost and others are there."""
        return self.slowest.stall

    @property
    def all_paths(self) -> int | None:
        """The worst stall when all paths are lost, after which I/O fails."""
        queued = self.queue.stall if self.queue else 0
        if self.path_stall is FOR_EVER or queued is FOR_EVER:
            return FOR_EVER
        return self.path_stall + queued


def seconds(number: int | None) -> str:
    """A time for people."""
    return "forever" if number is FOR_EVER else f"{number} s"


def lun_stall(disk: Disk) -> int | None:
    """The longest of its paths until a command fails that the LUN does not answer."""
    found = [path.lun_stall for path in disk.paths]
    return FOR_EVER if FOR_EVER in found else max(one or 0 for one in found)


def lun_arithmetic(disk: Disk) -> str:
    """The same as a sentence."""
    path = max(disk.paths, key=lambda path: (path.max_retries < 0, path.lun_stall or 0))
    said = f"A LUN that answers no commands, though its target answers pings: SCSI command timer {path.command_timeout} s"
    if path.max_retries < 0:
        return f"{said}, again and again (max_retries -1): forever."
    return f"{said} x (max_retries {path.max_retries} + 1) = {path.lun_stall} s until they fail."


def arithmetic(disk: Disk) -> str:
    """How the worst stall comes about, as a sentence."""
    path, queue = disk.slowest, disk.queue
    if path.pinged:
        said = f"noop_out_interval {path.noop_out_interval} + noop_out_timeout {path.noop_out_timeout}"
    else:
        said = f"no pings, so SCSI command timer {path.command_timeout} + abort_timeout {path.abort_timeout}"
    said += f" = {path.notice} s until the silent path is noticed, "
    if path.stall is FOR_EVER:
        return f"{said}replacement_timeout {path.replacement_timeout}: its I/O waits forever."
    name = (
        "fast_io_fail_tmo"
        if queue and queue.fast_io_fail == path.replacement_timeout
        else "replacement_timeout"
    )
    said += f"{name} {path.replacement_timeout} s until its I/O "
    if not disk.map:
        return f"{said}fails: {path.stall} s."
    said += f"is given back to multipath: {path.stall} s when one path fails"
    if not queue:
        return f"{said}; multipathd does not run, so nothing decides what happens then."
    if queue.retries is None:
        return f"{said}; no_path_retry queue: forever when all fail."
    if not queue.retries:
        return f"{said}, and when all fail, since no_path_retry is fail."
    return (
        f"{said}; no_path_retry {queue.retries} x polling_interval {queue.polling_interval} = {queue.stall} s more when "
        f"all fail: {seconds(disk.all_paths)}."
    )


def longer(disks: Iterable[Disk], longest: int) -> list[str]:
    """The disks whose I/O can stall longer than is allowed."""
    return [
        f"The I/O of '{disk.device}' can stall {_for(disk.all_paths)}, at most {longest} s are allowed: {arithmetic(disk)}"
        for disk in disks
        if disk.all_paths is FOR_EVER or disk.all_paths > longest
    ]


def _for(number: int | None) -> str:
    return "forever" if number is FOR_EVER else f"for {number} s"


def show_disk(disk: Disk) -> dict[str, Any]:
    """A disk as people and templates get it."""
    return {
        "device": disk.device,
        "wwid": disk.wwid,
        "map": disk.map,
        "paths": plain(disk.paths),
        "queueing": show_queue(disk.queue) if disk.queue else None,
        "path_stall": disk.path_stall,
        "worst_stall": disk.all_paths,
        "lun_stall": lun_stall(disk),
        "arithmetic": f"{arithmetic(disk)} {lun_arithmetic(disk)}",
        "users": disk.users,
    }


def show_queue(queue: Queue) -> dict[str, Any]:
    """What multipathd does, in the words of multipath.conf."""
    return {
        "no_path_retry": {None: "queue", 0: "fail"}.get(queue.retries, queue.retries),
        "polling_interval": queue.polling_interval,
        "fast_io_fail_tmo": queue.fast_io_fail,
        "dev_loss_tmo": queue.dev_loss,
    }
