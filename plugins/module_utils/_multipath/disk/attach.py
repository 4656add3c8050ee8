# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a disk arrives and grows: scanned for, waited for, put under its map, read again when its LUN is larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence, TypeVar

from ..._arguments import in_units
from ..._block.udev import settle
from ..._host import Host, Problem
from ..._step import Step
from ..multipathd import tell
from .path import Path, Session, look_paths, look_sessions

T = TypeVar("T")

BY_ID = "/dev/disk/by-id"
SCAN = 120  # seconds; a scan waits for commands that a failing session holds
RESIZE = 120  # seconds that multipathd may be too busy after a reconfiguration
ASK_AGAIN = 1  # seconds until multipathd is asked once more for a map
SETTLING = 10  # seconds for udev, which a path that fails may keep busy for minutes
EACH = 2  # and more for each disk
NAMED = 10  # seconds for udev to name the maps that are there, before all is looked at again


@dataclass(frozen=True)
class Arrival:
    """A disk that is waited for: its label for people, on how many paths it must answer, and its least size."""

    label: str
    wwid: str
    paths: int
    size: int = 0
    target: str = ""

    def __str__(self) -> str:
        return f"{self.label} on {self.paths} path{'s' if self.paths > 1 else ''}"


@dataclass(frozen=True)
class ScanHost(Step):
    """Ask one session's SCSI host for all its LUNs. New ones appear; none goes, and none changes."""

    side_by_side = True
    host: str
    portal: str

    def __str__(self) -> str:
        return f"Scan {self.host} (portal {self.portal}) for new LUNs"

    def take(self, host: Host) -> None:
        push(host, f"/sys/class/scsi_host/{self.host}/scan", "- - -", SCAN)


@dataclass(frozen=True)
class AwaitDisks(Step):
    """Wait until every disk answers, with its own WWID, on its paths, and udev has named it if it gets no map."""

    disks: tuple[Arrival, ...]
    named: bool
    timeout: int

    def __str__(self) -> str:
        return f"Wait for {', '.join(str(disk) for disk in self.disks)}"

    def take(self, host: Host) -> None:
        late = await_all(host, len(self.disks), lambda: self.late(host), self.timeout, 0.5)
        if late:
            raise Problem(f"After {self.timeout} seconds: " + " ".join(late))

    def late(self, host: Host) -> list[str]:
        """What still misses, one sentence for each disk."""
        sessions = look_sessions(host)
        paths = look_paths(host, sessions, [disk.wwid for disk in self.disks])
        found = []
        for disk in self.disks:
            own = paths_of(disk.wwid, paths)
            good = [path for path in own if path.good]
            if len(good) < disk.paths:
                found.append(f"there must be {disk}; found: {_found(own, self._portals(disk, sessions))}")
            elif self.named and host.stat(single(disk.wwid)) is None:
                found.append(f"udev has not made '{single(disk.wwid)}' for {disk.label}.")
            elif min(path.capacity for path in good) < disk.size:
                found.append(
                    f"{disk.label} has {good[0].capacity} bytes and must have {disk.size}. Grow the LUN first."
                )
        return found

    def _portals(self, disk: Arrival, sessions: list[Session]) -> list[str]:
        return [one.portal for one in sessions if disk.target in ("", one.target.lower())]


def _found(own: list[Path], portals: list[str]) -> str:
    if own:
        return ", ".join(f"{path} {path.state}" for path in own) + "."
    if portals:
        return f"no such LUN on the session(s) to {', '.join(sorted(portals))}. Is it in this initiator's igroup?"
    return "no iSCSI session to its target. Log in first (lunworks.iscsi.nodes)."


@dataclass(frozen=True)
class MakeMaps(Step):
    """Have multipathd make the maps, which also registers the WWIDs: at the next boot the first path is claimed."""

    disks: tuple[Arrival, ...]
    timeout: int

    def __str__(self) -> str:
        return f"Make the multipath map of {', '.join(str(disk) for disk in self.disks)}"

    def take(self, host: Host) -> None:
        late, said = self.disks, ""
        # Till then multipathd would know one path of a map, load it, and load it again for each further one.
        settle(host, min(self.timeout, SETTLING + EACH * len(self.disks)))

        # multipathd refuses a path while it has not yet handled the event of its arrival: it is asked again.
        def made() -> Sequence[Arrival]:
            nonlocal late, said
            paths = look_paths(host, look_sessions(host), [disk.wwid for disk in late])
            own = {disk: [path for path in paths_of(disk.wwid, paths) if path.good] for disk in late}
            bare = {disk: host.stat(mapped(disk.wwid)) is not None for disk in late}
            commands = [command for disk in late for command in _commands(disk, own[disk], bare[disk])]
            if commands:
                said = tell(host, commands)
            host.until(lambda: all(_in_map(host, disk) for disk in late), ASK_AGAIN if commands else NAMED)
            late = tuple(disk for disk in late if not _in_map(host, disk))
            return late

        if await_all(host, len(late), made, self.timeout):
            raise Problem(
                f"multipathd made no map with enough paths of {', '.join(str(disk) for disk in late)} within "
                f"{self.timeout} seconds. It said: {' '.join(said.split())}. Is the disk on its blacklist?"
            )


def await_all(
    host: Host, number: int, look: Callable[[], Sequence[T]], seconds: float, every: float = 0.2
) -> Sequence[T]:
    """Wait for so many things, as long as one more comes within these seconds; those that 'look' still misses."""
    late: Sequence[T] = ()

    def came() -> bool:
        nonlocal late
        late = look()
        return len(late) < number

    while number and host.until(came, seconds, every):
        number = len(late)
    return late


def _commands(disk: Arrival, paths: list[Path], bare: bool) -> list[str]:
    outside = [path.device for path in paths if not path.map]
    # A path that multipathd knows already, it adds to no map: it has to forget it first. It is in none that could lose it.
    added = [f"{verb} path {device}" for device in outside for verb in ("del", "add")]
    if len(outside) < len(paths):
        return added
    if bare:  # a map that is open and has lost all its paths stays, and takes them back one by one
        return [*added, f"add map {disk.wwid}"]
    return [f"add map {disk.wwid}"]


def _in_map(host: Host, disk: Arrival) -> bool:
    device = mapped(disk.wwid)
    slaves = host.list(f"/sys/class/block/{host.real(device).rpartition('/')[2]}/slaves")
    return host.stat(device) is not None and len(slaves) >= disk.paths


@dataclass(frozen=True)
class GrowDisk(Step):
    """Let the kernel read the size again on every path, then the map: only when all paths are up and agree."""

    label: str
    wwid: str
    seen: int
    size: int
    timeout: int

    def __str__(self) -> str:
        return f"Grow {self.label} from {in_units(self.seen)} to {in_units(self.size)} on all its paths"

    def take(self, host: Host) -> None:
        paths: list[Path] = []

        def agree() -> bool:
            paths[:] = paths_of(self.wwid, look_paths(host, look_sessions(host), [self.wwid]))
            sizes = {path.capacity for path in paths}
            return len(sizes) == 1 and min(sizes) >= self.size and all(path.good for path in paths)

        if not host.until(agree, self.timeout, 1):
            told = ", ".join(f"{path} {path.state} with {path.capacity} bytes" for path in paths)
            raise Problem(
                f"every path must have {self.size} bytes; found: {told}. Grow the LUN first, or repair its paths."
            )
        for path in paths:
            push(host, f"/sys/class/scsi_device/{path.hctl}/device/rescan", "1", SCAN)
        self._resize(host, paths)

    def _resize(self, host: Host, paths: list[Path]) -> None:
        said = [""]

        def done() -> bool:
            if late():
                said[0] = tell(host, [f"resize map {self.wwid}"])
            return not late()

        def late() -> bool:
            return any(size_of(host, path.map) < self.size for path in paths if path.map)

        if not host.until(done, RESIZE, 1):
            raise Problem(
                f"the paths have grown, their map has not. multipathd said: {' '.join(said[0].split())}."
            )


def size_of(host: Host, device: str) -> int:
    """The bytes of a disk or map as the kernel knows them."""
    return int(host.read(f"/sys/class/block/{device}/size") or 0) * 512


def mapped(wwid: str) -> str:
    """The name of a disk's map that no alias changes (udev rule 13-dm-disk of device-mapper)."""
    return f"{BY_ID}/dm-uuid-mpath-{wwid}"


def single(wwid: str) -> str:
    """The name of a disk without a map (udev rule 60-persistent-storage)."""
    return f"{BY_ID}/scsi-{wwid}"


def paths_of(wwid: str, paths: list[Path]) -> list[Path]:
    """Those that are this disk, or were when they last said who they are."""
    return [path for path in paths if wwid in path.wwids or (not path.wwids and path.known == wwid)]


def push(host: Host, path: str, text: str, timeout: float) -> None:
    """Write a kernel attribute from a process of its own: on a failing session the write can hang."""
    host.run("tee", path, stdin=text, timeout=timeout)
