# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems in the tree: the states and the steps. What is there is told by /etc/fstab and by the kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._block.mountinfo import inside, is_of, look_mounted, seen_at
from .._host import Host, Problem
from .._step import Step
from . import fstab
from .fstab import FSTAB, Entry, Line

# A network disk must neither stop the boot when it stays away nor be unmounted after its network is gone, and when it comes
# back later it is mounted then: systemd.mount(5) on _netdev, nofail, x-systemd.device-timeout and x-systemd.wanted-by.
OPTIONS = "_netdev,nofail,x-systemd.device-timeout=90"
WANTED_BY = ",x-systemd.wanted-by={}"
DEVICE_SECONDS = 15
UNMOUNT_SECONDS = 600  # what is dirty in memory is written first


@dataclass(frozen=True)
class Place:
    """What a mount point must be judged by: no part of what anybody asks for."""

    real: str = ""  # the mount point as the kernel calls it, no link in it
    there: bool = False  # whether the directory is
    entries: tuple[Entry, ...] = ()  # its lines in fstab
    kept: str = ""  # how the line names the device that is asked for, where that name is as good
    layers: tuple[str, ...] = ()  # what is mounted on each other there, the uppermost first
    filesystem: str = ""  # of what is mounted
    within: tuple[str, ...] = ()  # what is mounted in it
    full: bool = False  # whether the directory holds anything
    elsewhere: tuple[str, ...] = ()  # where else the device is mounted, or would be at the next boot
    holders: tuple[str, ...] = ()  # who has the device
    block: bool = True  # whether it is a device
    unit: str = ""  # a unit of systemd for it that somebody wrote
    unfounded: frozenset[str] = frozenset()  # the file systems that this kernel puts on no device


@dataclass(frozen=True)
class Mount:
    """A mount point: its line in /etc/fstab, the device that is mounted there, and who is busy in it."""

    path: str
    line: Line | None = None
    mounted: str | None = None
    automount: bool = False  # systemd waits there for the first access, which mounts what the line says
    users: tuple[str, ...] = ()
    stale: bool = False  # whether systemd's unit is of a line that is gone or was another one
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True)
class MakeMountPoint(Step):
    path: str

    def __str__(self) -> str:
        return f"Make the directory '{self.path}'"

    def take(self, host: Host) -> None:
        host.mkdir(self.path)


@dataclass(frozen=True)
class WriteLine(Step):
    """Only where the line still is what the plan was made for."""

    path: str
    real: str
    line: Line
    old: Line | None = None

    def __str__(self) -> str:
        return f"Write '{self.line.device}' on '{self.path}' ({self.line.options}) into {FSTAB}"

    def take(self, host: Host) -> None:
        await_device(host, fstab.device_path(self.line.device))
        text = host.read(FSTAB) or ""
        found = fstab.entries(text)
        named = fstab.paths(host, found, look_mounted(host))
        own = fstab.entries_of(found, named, self.real)
        if (own[0].line if own else None) != self.old:
            raise Problem(
                f"the line of '{self.path}' in {FSTAB} was changed in the meantime. Run this again."
            )
        if own:
            host.write(FSTAB, fstab.written(text, own[0].number, self.line))
            return
        below = [
            one.number for one in fstab.inner(found, named, self.real)
        ]  # 'mount -a' goes from top to bottom
        host.write(FSTAB, fstab.added(text, self.path, self.line, min(below, default=None)))


@dataclass(frozen=True)
class DropLine(Step):
    path: str
    real: str

    def __str__(self) -> str:
        return f"Remove the line of '{self.path}' from {FSTAB}"

    def take(self, host: Host) -> None:
        text = host.read(FSTAB) or ""
        own = _lines_at(host, text, self.real)
        host.write(FSTAB, fstab.dropped(text, [one.number for one in own]))


@dataclass(frozen=True)
class ReloadUnits(Step):
    """systemd makes units of the lines and keeps using old ones until told."""

    def __str__(self) -> str:
        return f"Let systemd read {FSTAB} again"

    def take(self, host: Host) -> None:
        if host.stat("/run/systemd/system"):
            host.run("systemctl", "daemon-reload")


@dataclass(frozen=True)
class MountIt(Step):
    """Fstab is not asked: its line is written when it is known to work, and a changed one is put back if it does not."""

    path: str
    real: str
    device: str
    line: Line
    old: Entry | None = None  # its line as it was before

    def __str__(self) -> str:
        return f"Mount '{self.device}' on '{self.path}'"

    def take(self, host: Host) -> None:
        try:
            self._mount(host)
        except Problem as problem:
            raise Problem(f"{problem}{self._put_back(host)}") from problem

    def _mount(self, host: Host) -> None:
        await_device(host, self.device)
        kind = () if self.line.filesystem in ("", "auto") else ("-t", self.line.filesystem)
        ran = host.run("mount", *kind, "-o", self.line.options, self.device, self.real, ok=None, timeout=120)
        if not ran.rc or self._there(host):  # systemd may have been faster, since the device came just now
            return
        raise Problem(f"mount failed with exit code {ran.rc}: {' '.join(ran.err.split()).rstrip('.')}.")

    def _put_back(self, host: Host) -> str:
        """The line that was written for it becomes what it was, byte for byte; its device need not be there."""
        text = host.read(FSTAB) or ""
        own = _lines_at(host, text, self.real)
        if not self.old or self.old.line == self.line or not own or own[0].line != self.line:
            return ""
        host.write(FSTAB, fstab.restored(text, own[0].number, self.old.text))
        ReloadUnits().take(host)
        return f" Its line in {FSTAB} is as it was before."

    def _there(self, host: Host) -> bool:
        return any(is_of(host, one, self.device) for one in seen_at(look_mounted(host), self.real)[-1:])


@dataclass(frozen=True)
class Unmount(Step):
    path: str
    real: str
    device: str

    def __str__(self) -> str:
        return f"Unmount '{self.device}' from '{self.path}'"

    def take(self, host: Host) -> None:
        host.run("umount", self.real, timeout=UNMOUNT_SECONDS)


@dataclass(frozen=True)
class StopTrigger(Step):
    path: str
    real: str

    def __str__(self) -> str:
        return f"Stop systemd's automount on '{self.path}'"

    def take(self, host: Host) -> None:
        host.run("systemctl", "stop", f"{unit_name(self.real)}.automount")


def await_device(host: Host, device: str) -> None:
    """No line is written for what is not there, so that no boot waits for what was never made."""
    if device.startswith("/dev/") and not host.until(lambda: host.stat(device), DEVICE_SECONDS):
        raise Problem(f"The device '{device}' did not appear within {DEVICE_SECONDS} seconds.")


def _lines_at(host: Host, text: str, real: str) -> tuple[Entry, ...]:
    """The lines of a mount point."""
    found = fstab.entries(text)
    return fstab.entries_of(found, fstab.paths(host, found, look_mounted(host)), real)


def on_access(line: Line | None) -> bool:
    """Whether systemd shall mount it at the first access (systemd.mount(5), systemd-fstab-generator(8) for the older words)."""
    words = line.options.split(",") if line else []
    return "x-systemd.automount" in words or "comment=systemd.automount" in words


def new_options(device: str) -> str:
    """The options of a new line."""
    return OPTIONS + wanted_by("remote-fs.target") + wanted_by(f"{unit_name(device)}.device")


def wanted_by(unit: str) -> str:
    return WANTED_BY.format(unit)


def unit_name(path: str) -> str:
    """The name of systemd's unit of a path, escaped as in systemd.unit(5), without its ending."""
    kept = re.sub(
        r"[^A-Za-z0-9:_./]|^\.",
        lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode(errors="surrogateescape")),
        path.strip("/"),
    )
    return kept.replace("/", "-")


def plan_mounts(seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> list[Step]:
    """A way out before a way in. What goes loses its line first, inner ones first; what comes is mounted outer ones first,
    and gets its line then. A changed line is read by systemd before: it unmounts what an old unit does not allow. So is one
    of which whoever changed it, or was killed while it did, has not told systemd.
    """
    pairs = sorted(zip(seen, want), key=lambda pair: pair[0].place.real)
    lines: list[Step] = []
    leaving: list[Step] = []
    coming: list[Step] = []
    made: list[str] = []
    for old, new in pairs:
        real = old.place.real
        if old.line and not new.line:
            lines.append(DropLine(old.path, real))
        elif old.line and new.line and old.line != new.line:
            lines.append(WriteLine(new.path, real, new.line, old.line))
        if not new.line:
            layers = old.place.layers if old.mounted else ()
            leaving[:0] = [Unmount(old.path, real, layer) for layer in layers] + (
                [StopTrigger(old.path, real)] if old.automount else []
            )
        elif new.mounted and not old.mounted:
            fresh = not old.place.there or any(inside(real, outer) for outer in made)
            coming += [MakeMountPoint(new.path)] if fresh else []
            coming += [StopTrigger(old.path, real)] if old.automount and not new.automount else []
            before = old.place.entries[0] if old.place.entries else None
            coming.append(MountIt(new.path, real, new.mounted, new.line, before))
            made.append(real)
        if new.line and not old.line:
            coming.append(WriteLine(new.path, real, new.line))
    if lines or any(one.stale for one in seen):
        lines.append(ReloadUnits())
    if any(isinstance(step, WriteLine) for step in coming):
        coming.append(ReloadUnits())
    return lines + leaving + coming
