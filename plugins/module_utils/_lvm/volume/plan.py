# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes and the file systems on them: made on empty ones only, grown, never made smaller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Sequence

from ..._block.holders import look_holders
from ..._fs.filesystem import Filesystem, GrowFilesystem, MakeFilesystem, look_filesystem
from ..._host import Host
from ..._step import Step
from ..model import LogicalVolume, Lvm, VolumeGroup
from ..names import Size
from ..pv import users_of
from ..report import look_lvm, look_volume_list
from .allocation import (
    ActivateVolume,
    CreateVolume,
    DeactivateVolume,
    ExtendVolume,
    MakeFilesystemOfNew,
    RemoveVolume,
)

UNSEEN = "(unseen)"  # what is on an inactive LV


@dataclass(frozen=True)
class Request:
    """An LV as requested; None was omitted. 'assume_present': its VG need not be there while nothing is changed."""

    group: str
    name: str
    size: Size | None = None
    filesystem: str | None = None
    filesystem_options: tuple[str, ...] = ()
    active: bool | None = None
    present: bool = True
    force: bool = False
    assume_present: bool = False

    @property
    def path(self) -> str:
        """The name of its device."""
        return f"/dev/{self.group}/{self.name}"


@dataclass(frozen=True)
class Volume:
    """An LV and what is on it; 'extents' is None for one whose VG has yet to come. An inactive one cannot be read."""

    path: str
    extents: int | None = 0
    active: bool = True
    filesystem: Filesystem | None = None
    lv: LogicalVolume = LogicalVolume("")


@dataclass(frozen=True)
class Volumes:
    """The LVs that were asked for, by their paths; their VGs; who uses what is to be removed or written to."""

    volumes: dict[str, Volume | None]
    groups: dict[str, VolumeGroup | None] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lvm: Lvm = Lvm()


def look_volumes(host: Host, requests: Sequence[Request]) -> Volumes:
    """The LVs, what is on those that are to be removed or get a file system, and who uses what is in danger."""
    found = look_lvm(host, copies=False)
    groups = {request.group: found.named(request.group) for request in requests}
    volumes = {request.path: _volume(host, request, groups[request.group]) for request in requests}
    if any(awakes(request, volumes[request.path]) for request in requests if groups[request.group]):
        found = replace(found, volume_list=look_volume_list(host))
    endangered = {
        request.path: volume
        for request in requests
        for volume in [volumes[request.path]]
        if volume and volume.active and endangers(request, volume)
    }
    users: dict[str, tuple[str, ...]] = {}
    if endangered:
        holders = look_holders(host, opened=True)
        users = {path: users_of([volume.lv.kernel], "", holders) for path, volume in endangered.items()}
    return Volumes(volumes, groups, users, found)


def endangers(request: Request, volume: Volume) -> bool:
    """Whether the request would hurt those who use the volume."""
    return (
        not request.present or request.active is False or bool(request.filesystem and not volume.filesystem)
    )


def awakes(request: Request, volume: Volume | None) -> bool:
    """Whether it is to be activated; a new one is, to be wiped."""
    return request.present and (not volume or bool(request.active) and not volume.active)


def _volume(host: Host, request: Request, group: VolumeGroup | None) -> Volume | None:
    lv = next((one for one in group.logical if one.name == request.name), None) if group else None
    if lv is None or group is None:
        return None
    there = Filesystem(UNSEEN) if request.filesystem else None
    if lv.readable and (request.filesystem or not request.present):
        there = look_filesystem(host, request.path, lv.size)
    return Volume(
        path=request.path,
        extents=-(-lv.size // group.extent_size),
        active=bool(lv.kernel),
        filesystem=there,
        lv=lv,
    )


def want_volumes(requests: Sequence[Request], seen: Volumes) -> Volumes:
    """The LVs as they must be; percentages of what is free count down in the order of the requests."""
    free = {name: group.free + freed(name, requests, seen) for name, group in seen.groups.items() if group}
    wanted: dict[str, Volume | None] = {}
    for request in requests:
        old, group = seen.volumes[request.path], seen.groups[request.group]
        new = _wanted(request, old, group, free.get(request.group, 0))
        wanted[request.path] = new
        if group:
            free[request.group] -= taken(old, new)
    groups = {name: replace(group, free=free[name]) if group else None for name, group in seen.groups.items()}
    return replace(seen, volumes=wanted, groups=groups)


def freed(group: str, requests: Iterable[Request], seen: Volumes) -> int:
    """The extents that removals give back, before anything else takes some."""
    gone = [
        seen.volumes[request.path] for request in requests if request.group == group and not request.present
    ]
    return sum(volume.extents or 0 for volume in gone if volume and volume.lv.plain)


def taken(old: Volume | None, new: Volume | None) -> int:
    """The extents that an LV takes from its group."""
    return (new.extents or 0) - ((old.extents or 0) if old else 0) if new else 0


def _same_kind(there: Filesystem | None, kind: str) -> Filesystem:
    """A file system of this kind; one that is there keeps its label, for which nobody asked."""
    return Filesystem(kind, label=there.label if there and there.kind == kind else "")


def _wanted(request: Request, seen: Volume | None, group: VolumeGroup | None, free: int) -> Volume | None:
    if not request.present:
        return None
    own = (seen.extents or 0) if seen else 0
    extents: int | None = own
    if group is None:
        extents = None
    elif request.size:
        extents = request.size.extents(group.extent_size, group.extents, free, own)
    volume = seen or Volume(request.path, lv=LogicalVolume(request.name))
    there = volume.filesystem
    return replace(
        volume,
        extents=extents,
        active=volume.active if request.active is None else request.active,
        filesystem=_same_kind(there, request.filesystem) if request.filesystem else there,
    )


def plan_volumes(requests: Sequence[Request], seen: Volumes, want: Volumes) -> list[Step]:
    """What goes makes room first; then each LV in turn, and its file system after it."""
    pairs = [(request, seen.volumes[request.path], want.volumes[request.path]) for request in requests]
    gone: list[Step] = [
        RemoveVolume(request.group, request.name, old.lv.uuid)
        for request, old, new in pairs
        if old and not new
    ]
    return gone + [step for request, old, new in pairs if new for step in _steps(request, old, new)]


def _steps(request: Request, seen: Volume | None, want: Volume) -> list[Step]:
    steps: list[Step] = []
    more = (want.extents or 0) - (seen.extents or 0) if seen else 0
    if seen is None and request.size:
        steps.append(CreateVolume(request.group, request.name, request.size))
    elif more > 0:
        steps.append(ExtendVolume(request.group, request.name, want.extents or 0, more))
    if seen and want.active and not seen.active:
        steps.append(ActivateVolume(request.group, request.name))
    steps += _contents(request, seen.filesystem if seen else None, want.filesystem, more > 0, seen is None)
    if not want.active and (seen is None or seen.active):
        steps.append(DeactivateVolume(request.group, request.name))
    return steps


def _contents(
    request: Request, seen: Filesystem | None, want: Filesystem | None, grows: bool, new: bool
) -> list[Step]:
    """What an LV holds that has yet to be activated shows in the second look; it is hoped to be right."""
    if want is None or (seen and seen.kind == UNSEEN):
        return []
    if seen is None or seen.kind != want.kind:
        kind = MakeFilesystemOfNew if new else MakeFilesystem
        return [kind(want.kind, request.path, request.filesystem_options)]
    return [GrowFilesystem(want.kind, request.path)] if grows or not seen.full else []


def show_volume(request: Request, volume: Volume, state: Volumes) -> dict[str, Any]:
    """An LV as people and templates get it; sizes in bytes, null where they are not known yet."""
    group = state.groups[request.group]
    there = volume.filesystem
    return {
        "group": request.group,
        "name": request.name,
        "device": request.path,
        "size": volume.extents * group.extent_size if group and volume.extents is not None else None,
        "active": volume.active,
        "filesystem": there.kind if there and there.kind != UNSEEN else None,
    }
