# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a disk leaves: its map, its WWID, its paths, in the order in which nothing can come back or be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterable, Sequence

from ..._block.dm_multipath import running
from ..._block.holders import Holders, User
from ..._host import Host, Problem
from ..._step import Step
from ..multipathd import registered, tell
from .attach import mapped, push
from .path import DISKS, Path, wwid_of_kernel

LISTED = 10  # seconds until a WWID that is removed stays away from multipath's list
WATCHERS = (
    "(multipathd)",
    "(systemd-udevd)",
    "(udev-worker)",
)  # they open every path and let go by themselves
FLUSH = 60  # seconds for one try to write out what is left and to remove a device


@dataclass(frozen=True)
class RemoveMap(Step):
    """Queueing off first: what cannot be written must fail, not wait forever. udev may hold the map: try again."""

    side_by_side = 8
    label: str
    wwid: str
    map: str
    timeout: int
    flush: bool = True  # not when a path of it leads to another LUN

    def __str__(self) -> str:
        return f"Remove the multipath map of {self.label}"

    def take(self, host: Host) -> None:
        fail_fast(host, [self.wwid])
        self._remove(host)

    def _remove(self, host: Host) -> None:
        if self.flush:
            host.run("blockdev", "--flushbufs", mapped(self.wwid), ok=None, timeout=FLUSH)
        said = [""]

        def gone() -> bool:
            ran = host.run("multipath", "-f", self.wwid, ok=None, timeout=FLUSH)
            said[0] = " ".join((ran.err + ran.out).split())
            return host.read(f"/sys/class/block/{self.map}/dm/uuid") is None

        if not host.until(gone, self.timeout, 1):
            raise Problem(f"the map '{self.map}' is still there after {self.timeout} seconds: {said[0]}")

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """multipathd is told once for all maps."""
        own = [step for step in steps if isinstance(step, RemoveMap)]
        try:
            fail_fast(host, [step.wwid for step in own])
        except Problem as problem:
            return [problem for _step in own]
        return cls.each(lambda step: step._remove(host), own)


def fail_fast(host: Host, wwids: Sequence[str]) -> None:
    """Let what cannot be written to these maps fail."""
    if running(host):
        tell(host, [f"disablequeueing map {wwid}" for wwid in wwids], up=True)


@dataclass(frozen=True)
class ForgetWwid(Step):
    """Without its WWID on the list, a path that comes back makes no map by itself."""

    wwid: str

    def __str__(self) -> str:
        return f"Remove '{self.wwid}' from multipath's list of WWIDs"

    def take(self, host: Host) -> None:
        if not host.until(lambda: self._gone(host), LISTED, 0.5):
            raise Problem(
                f"'{self.wwid}' is still listed: multipathd finds a path of it again and again, or holds the list. Look at "
                "'multipathd show paths', then run again."
            )

    def _gone(self, host: Host) -> bool:
        """multipathd adds it again for a path that had appeared before, and of which it has not heard until now."""
        host.run("multipath", "-w", self.wwid, ok=None)
        return self.wwid not in registered(host)


@dataclass(frozen=True)
class RemovePaths(Step):
    """Delete SCSI devices, each only while the kernel still knows it by the WWID that was seen."""

    side_by_side = True
    reason: str
    paths: tuple[Path, ...]
    timeout: int

    def __str__(self) -> str:
        return f"Remove {', '.join(str(path) for path in self.paths)}: {self.reason}"

    def take(self, host: Host) -> None:
        self._remove_all(host)
        await_forgotten(host, {path.device for path in self.paths}, self.timeout)

    def _remove_all(self, host: Host) -> None:
        for path in self.paths:
            self._remove(host, path)

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """multipathd is asked once for all paths."""
        own = [step for step in steps if isinstance(step, RemovePaths)]
        outcomes = cls.each(lambda step: step._remove_all(host), own)
        gone = [step for step, problem in zip(own, outcomes) if problem is None]
        try:
            devices = {path.device for step in gone for path in step.paths}
            await_forgotten(host, devices, max(step.timeout for step in own))
        except Problem as late:
            return [problem or late for problem in outcomes]
        return outcomes

    def _remove(self, host: Host, path: Path) -> None:
        here = f"{DISKS}/{path.hctl}/device"
        known = host.read(f"{here}/wwid")
        if known is None:
            return
        if wwid_of_kernel(known.rstrip("\n")) != path.known:
            raise Problem(f"{path} was '{path.known}' a moment ago and is '{known.strip()}' now.")
        if path.good and path.wwids and not path.other:
            host.run("blockdev", "--flushbufs", f"/dev/{path.device}", ok=None, timeout=FLUSH)
        push(host, f"{here}/delete", "1", FLUSH)
        if not host.until(lambda: host.read(f"{here}/wwid") is None, self.timeout):
            raise Problem(f"{path} is still there after {self.timeout} seconds.")


def await_forgotten(host: Host, devices: Collection[str], timeout: int) -> None:
    """Wait until multipathd knows none of these paths, by their names in the kernel."""
    known: set[str] = set()

    def forgotten() -> bool:
        known.clear()
        known.update(tell(host, ["show paths format %d"], up=True).split())
        return not known.intersection(devices)

    if devices and running(host) and not host.until(forgotten, timeout, 0.5):
        raise Problem(f"multipathd still has the paths {', '.join(sorted(known.intersection(devices)))}.")


REMOVAL: tuple[type[Step], ...] = (RemoveMap, ForgetWwid, RemovePaths)


def plan_removal(
    label: str, wwid: str, map: str, registered: bool, paths: tuple[Path, ...], timeout: int
) -> list[Step]:
    """The map first, then what would make it again, then the paths."""
    steps: list[Step] = []
    if map:
        whole = all(wwid in path.wwids or not path.wwids for path in paths)
        steps.append(RemoveMap(label, wwid, map, timeout, whole))
    if registered:
        steps.append(ForgetWwid(wwid))
    if paths:
        steps.append(RemovePaths(label, paths, timeout))
    return steps


def refuse_removal(label: str, devices: Sequence[str], holders: Holders | None) -> None:
    """A disk that is in use stays; the message names its user."""
    users = users_of(devices, holders)
    if users:
        raise Problem(
            f"Cannot remove {label}: {'; '.join(str(user) for user in users[:8])}. "
            "Unmount and deactivate what is on it first."
        )


def users_of(devices: Iterable[str], holders: Holders | None) -> list[User]:
    """Who uses these devices, the daemons that watch every path left aside."""
    users = [user for device in devices for user in (holders.of(device) if holders else ())]
    return [
        user for user in dict.fromkeys(users) if not (user.kind == "process" and user.name.endswith(WATCHERS))
    ]
