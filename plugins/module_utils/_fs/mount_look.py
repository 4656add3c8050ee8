# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of mounts that were asked for, and all that they must be judged by."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, replace
from typing import Iterator, Mapping, Sequence

from .._block.device_name import is_stable
from .._block.holders import User, look_files, look_holders
from .._block.mountinfo import Mounted, hidden, inside, is_of, look_mounted, seen_at
from .._host import Host, lines_of
from . import fstab
from .fstab import FSTAB, Entry, Line
from .mount import Mount, Place, on_access, unit_name

UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
# What systemd-fstab-generator(8) wrote when systemd last read fstab.
GENERATED = "/run/systemd/generator"
SYSTEMD = "systemd-1"  # the source of systemd's own triggers (systemd src/core/automount.c)
WHAT = re.compile(r"^What=(.*)$", re.MULTILINE)
# Users of a device that do not keep it from being mounted.
HARMLESS = ("mount", "process", "loop", "filesystem")


@dataclass(frozen=True)
class System:
    """All that is mounted and all that fstab says."""

    mounts: list[Mounted]
    entries: list[Entry]
    named: list[str]  # the mount point of each entry, as the kernel calls it
    unfounded: frozenset[str]
    unread: bool  # whether fstab was written after systemd has read it


def look_mounts(host: Host, devices: Mapping[str, str | None], leaving: Sequence[str]) -> tuple[Mount, ...]:
    """The mounts at these paths, each with the device that it should have. Who is busy is asked for those in 'leaving'."""
    mounts, found = look_mounted(host), fstab.entries(host.read(FSTAB) or "")
    system = System(mounts, found, fstab.paths(host, found, mounts), _unfounded(host), _unread(host))
    reals = {path: fstab.canonical(host, path, mounts) for path in devices}
    gone = [reals[path] for path in leaving]
    seen = [_look(host, path, reals[path], device, system) for path, device in devices.items()]
    used = _used(host) if any(one.place.layers for one in seen if one.path in leaving) else {}
    new = any(not one.mounted for one in seen if one.path not in leaving)
    held = look_holders(host).direct if new else {}
    return tuple(
        replace(one, users=tuple(_users(host, one, gone, used)))
        if one.path in leaving
        else replace(one, place=_judged(host, one, devices[one.path] or "", gone, system, held))
        for one in seen
    )


def _look(host: Host, path: str, real: str, device: str | None, system: System) -> Mount:
    here = seen_at(system.mounts, real)
    solid = [one for one in here if not (one.trigger and one.source == SYSTEMD)]
    own = fstab.entries_of(system.entries, system.named, real)
    top = solid[-1] if solid else None
    line = own[0].line if own else None
    lasting = line is not None and is_stable(fstab.device_path(line.device))
    return Mount(
        path=path,
        line=line,
        mounted=None if top is None else device if device and is_of(host, top, device) else top.called,
        automount=len(solid) < len(here),
        stale=system.unread and _stale(host, real, line),
        place=Place(
            real=real,
            there=bool(here) or host.stat(real) is not None,  # a dead file system does not answer
            entries=own,
            kept=line.device
            if line and device and lasting and fstab.same_device(host, line.device, device)
            else "",
            layers=tuple(one.called for one in reversed(solid)),
            filesystem=top.filesystem if top else "",
            within=tuple(one.path for one in system.mounts if inside(one.path, real)),
            unfounded=system.unfounded,
        ),
    )


def _unread(host: Host) -> bool:
    read, written = host.stat(GENERATED), host.stat(FSTAB)
    return read is not None and written is not None and written.st_ctime > read.st_ctime


def _stale(host: Host, real: str, line: Line | None) -> bool:
    """Whether systemd's units are not of the line. It mounts what has no line any more as soon as its device is there."""
    unit = f"{GENERATED}/{unit_name(real)}"
    what = WHAT.search(host.read(f"{unit}.mount") or "")
    device = what[1].replace("%%", "%") if what else ""
    waits = host.stat(f"{unit}.automount") is not None
    return device != (fstab.device_path(line.device) if line else "") or waits != on_access(line)


def _unfounded(host: Host) -> frozenset[str]:
    """The types of file systems that use no device (proc(5), /proc/filesystems); zfs has its devices by itself."""
    words = (line.split() for line in lines_of(host.read("/proc/filesystems")))
    return frozenset(line[1] for line in words if line[:1] == ["nodev"] and len(line) > 1) - {"zfs"}


def _judged(
    host: Host,
    one: Mount,
    device: str,
    gone: Sequence[str],
    system: System,
    held: Mapping[str, Sequence[User]],
) -> Place:
    """With what must be known where it shall be mounted, or get a line."""
    place = one.place
    if one.mounted and one.line:
        return place
    found = host.stat(device)
    users = held.get(host.real(device).rpartition("/")[2], []) if found else []
    units = (f"{directory}/{unit_name(place.real)}.mount" for directory in UNITS)
    return replace(
        place,
        within=tuple(path for path in place.within if path not in gone),
        full=not (one.mounted or one.automount) and bool(host.list(place.real)),
        elsewhere=tuple(dict.fromkeys(_elsewhere(host, device, place.real, gone, system))),
        holders=tuple(str(user) for user in users if user.kind not in HARMLESS),
        block=found is None or stat.S_ISBLK(found.st_mode),
        unit=next((unit for unit in units if host.stat(unit)), ""),
    )


def _elsewhere(host: Host, device: str, real: str, gone: Sequence[str], system: System) -> Iterator[str]:
    """Where else the whole file system is, or would be at the next boot. Of btrfs, many parts are mounted each by itself."""
    for mount in system.mounts:
        whole = mount.root == "/" and mount.filesystem != "btrfs"
        under = hidden(system.mounts, mount)
        if whole and (under or mount.path not in (real, *gone)) and is_of(host, mount, device):
            yield f"is mounted on '{mount.path}'" + (", hidden under another mount" if under else "")
    for entry, name in zip(system.entries, system.named):
        off = entry.line.filesystem == "btrfs" or "noauto" in entry.line.options.split(",")
        if not off and name not in (real, *gone) and fstab.same_device(host, entry.line.device, device):
            yield f"is to be mounted on '{entry.path}' by {FSTAB}, line {entry.number}"


def _used(host: Host) -> dict[str, list[str]]:
    """What each process has open, and where it is."""
    found = {}
    for process in filter(str.isdecimal, host.list("/proc")):
        opened = [f"fd/{number}" for number in host.list(f"/proc/{process}/fd")]
        found[process] = [host.real(f"/proc/{process}/{link}") for link in ("cwd", "root", *opened)]
    return found


def _users(host: Host, mount: Mount, gone: Sequence[str], used: Mapping[str, list[str]]) -> Iterator[str]:
    real = mount.place.real
    if not mount.place.layers:
        return
    for point in mount.place.within:
        if point not in gone:
            yield f"'{point}' is mounted below it"
    for process, targets in used.items():
        busy = [target for target in targets if target == real or inside(target, real)]
        if busy:
            name = (host.read(f"/proc/{process}/comm") or "").strip()
            yield f"the process {process} ({name}) uses '{busy[0]}'"
    yield from (str(user) for user in look_files(host, real))
