# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups as requested: what is there, what has to be done, and what must not be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Iterable, Sequence

from ..._block.device_name import is_identity
from ..._block.holders import Holders, look_holders
from ..._block.past_map import UseMap
from ..._fs.blank_disk import Device, look_device
from ..._host import Host
from ..._step import Step
from ..model import Lvm, PhysicalVolume, VolumeGroup
from ..pv import users_of
from ..report import look_lvm, look_volume_list
from ..volume.use import samples
from .membership import (
    CreateGroup,
    ExtendGroup,
    GrowPhysical,
    ListDisks,
    OpenDisks,
    RemoveGroup,
    RemoveLabels,
)
from .ownership import Activate, Deactivate, Export, HandOver, Import, MarkGroup, TakeOver, guarded

SUM = "lunworks.sum:"
# The order that plan_group has for one VG, for many.
ORDER: tuple[type[Step], ...] = (
    ListDisks,
    OpenDisks,
    Import,
    TakeOver,
    CreateGroup,
    ExtendGroup,
    GrowPhysical,
    MarkGroup,
    Deactivate,
    Export,
    RemoveGroup,
    RemoveLabels,
    HandOver,
    Activate,
    UseMap,
)
LETTING_GO = ("inactive", "exported", "absent")


@dataclass(frozen=True)
class Request:
    """A VG as requested; None was omitted. Devices in 'assume_present' need not be there while nothing is changed."""

    name: str
    devices: tuple[str, ...] | None = None
    assume_present: frozenset[str] = frozenset()
    extent_size: int | None = None
    autoactivation: bool | None = None
    tags: frozenset[str] | None = None
    system_id: str | None = None
    take_over_from: str = ""
    imported: bool = False
    checksums: bool = False
    state: str | None = None
    force: bool = False
    seqno: int | None = None  # of the metadata that the caller planned on


@dataclass(frozen=True)
class Groups:
    """The VGs that were asked for, by name; the disks that are to join them; who uses what is to be released."""

    groups: dict[str, VolumeGroup | None]
    devices: dict[str, Device] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()  # names that something else in /dev has
    checksums: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # by group and volume, where they are asked for
    lvm: Lvm = Lvm()


def look_groups(host: Host, requests: Sequence[Request], before: Groups | None = None) -> Groups:
    """The VGs of these names, their disks under the names that were asked for; nothing is written.

    For copies of PVs is looked once: what was seen 'before' is kept, since no step makes any.
    """
    found = look_lvm(host, copies=before is None)
    if before:
        copies = {group.uuid: group.copies for group in before.lvm.groups}
        found = replace(
            found, groups=tuple(replace(group, copies=copies.get(group.uuid, ())) for group in found.groups)
        )
    groups = {request.name: _named(host, found.named(request.name), request) for request in requests}
    if any(
        group.inactive
        for request in requests
        for group in [groups[request.name]]
        if group and request.state == "active"
    ):
        found = replace(found, volume_list=look_volume_list(host))
    new = [path for request in requests for path in joining(request, groups[request.name])]
    leaving = [
        group
        for request in requests
        for group in [groups[request.name]]
        if group and group.tables and (request.state in LETTING_GO or request.system_id is not None)
    ]
    holders = look_holders(host, opened=bool(leaving)) if new or leaving else Holders({}, {}, {}, {})
    return Groups(
        groups=groups,
        devices={path: look_device(host, path, holders) for path in new},
        users={group.name: users_of(group.tables or (), group.name, holders) for group in leaving},
        taken=frozenset(name for name, group in groups.items() if not group and host.stat(f"/dev/{name}")),
        lvm=found,
        checksums=look_checksums(
            host,
            [
                group
                for request in requests
                for group in [groups[request.name]]
                if request.checksums and group
            ],
        ),
    )


def look_checksums(host: Host, groups: Sequence[VolumeGroup]) -> dict[str, dict[str, str]]:
    """A checksum sample of each volume that is active, by group and volume."""
    found = samples(
        host, [(group.name, one.name) for group in groups for one in group.logical if one.readable]
    )
    return {
        group.name: {volume: digest for (name, volume), digest in found.items() if name == group.name}
        for group in groups
    }


def _named(host: Host, group: VolumeGroup | None, request: Request) -> VolumeGroup | None:
    """The VG with its PVs called as the request calls them."""
    if group is None:
        return None
    asked = {host.real(path).rpartition("/")[2]: path for path in reversed(request.devices or ())}
    physical = tuple(
        replace(pv, device=asked.get(pv.kernel, pv.device), on=asked.get(pv.disk, "") if pv.disk else "")
        for pv in group.physical
    )
    return replace(group, physical=physical)


def joining(request: Request, group: VolumeGroup | None) -> list[str]:
    """The asked disks that are not in the VG, and those under a name that may be another disk tomorrow."""
    known = group.known if group else []
    asked = () if request.state == "absent" else request.devices or ()
    return [path for path in asked if path not in known or not is_identity(path)]


def want_groups(requests: Iterable[Request], seen: Groups) -> Groups:
    """The VGs as they must be."""
    return replace(
        seen,
        groups={request.name: _wanted(_tagged(request, seen), _own(request, seen)) for request in requests},
    )


def _tagged(request: Request, seen: Groups) -> Request:
    """With what is exported its samples are noted; those of a group that is exported already stay."""
    group, checksums = seen.groups[request.name], seen.checksums.get(request.name, {})
    if request.state != "exported" or not request.checksums or not group:
        return request
    others = frozenset(
        tag for tag in (group.tags if request.tags is None else request.tags) if not tag.startswith(SUM)
    )
    if group.exported:
        return replace(request, tags=others | {tag for tag in group.tags if tag.startswith(SUM)})
    return replace(request, tags=others | sum_tags(checksums))


def sum_tags(checksums: dict[str, str]) -> frozenset[str]:
    """Samples as tags of a VG; a name of a volume needs no quoting there (lvm(8))."""
    return frozenset(f"{SUM}{volume}:{digest}" for volume, digest in checksums.items())


def _own(request: Request, seen: Groups) -> VolumeGroup | None:
    """The VG, as it is once it was taken over."""
    group = seen.groups[request.name]
    taken = group and group.foreign and group.system_id == request.take_over_from
    if group is None or not taken:
        return group
    return replace(group, foreign=False, system_id=seen.lvm.system_id, tables=group.tables or None)


def _wanted(request: Request, seen: VolumeGroup | None) -> VolumeGroup | None:
    if request.state == "absent" or (seen is None and request.devices is None):
        return None
    base = seen or VolumeGroup(request.name, extent_size=request.extent_size or 0, system_id=None)
    exported = request.state == "exported" or base.exported and not request.imported
    moves = exported != base.exported  # vgexport and vgimport set the system ID themselves
    settled = base.exported and exported
    group = replace(
        base,
        physical=tuple(
            replace(
                pv,
                extents=pv.extents if settled else pv.fits,
                listed=pv.listed or not settled,
                read_only=pv.read_only and not request.imported,
            )
            for pv in base.physical
        )
        + tuple(PhysicalVolume(path) for path in request.devices or () if path not in base.known),
        tags=base.tags if request.tags is None else request.tags,
        autoactivation=base.autoactivation if request.autoactivation is None else request.autoactivation,
        exported=exported,
        system_id=request.system_id if request.system_id is not None or moves else base.system_id,
        tables=None if moves and not base.tables else base.tables,  # the host may activate what is imported
    )
    if request.state == "active":
        idle = group.inactive
        logical = tuple(replace(one, kernel="(new)") if one.name in idle else one for one in group.logical)
        tables = group.tables or tuple(one.kernel for one in logical if one.kernel)
        return replace(group, logical=logical, tables=tables, beside=())
    if request.state in LETTING_GO:
        return replace(
            group, tables=(), beside=(), logical=tuple(replace(one, kernel="") for one in group.logical)
        )
    return group


def plan_groups(seen: Groups, want: Groups) -> list[Step]:
    """The steps for all VGs; those of one kind are neighbours, since LVM does them in one command."""
    steps = [
        step
        for name, group in seen.groups.items()
        for step in guarded(group, plan_group(group, want.groups[name]))
    ]
    return sorted(steps, key=lambda step: ORDER.index(type(step)))


def plan_group(seen: VolumeGroup | None, want: VolumeGroup | None) -> list[Step]:
    """What comes in comes before it grows and is activated; what goes is deactivated before it is given away."""
    if seen is None and want is None:
        return []
    if want is None or seen is None:
        return _created(want) if want else _removed(seen)  # type: ignore[arg-type]
    name = want.name
    steps: list[Step] = [ListDisks(name)] if seen.hidden and not want.hidden else []
    pairs = [(_known(pv, seen), pv) for pv in want.physical]
    closed = tuple(pv.disk or pv.kernel for pv, then in pairs if pv and pv.read_only > then.read_only)
    steps += [OpenDisks(name, closed)] if closed else []
    steps += [Import(name)] if seen.exported and not want.exported else []
    taken = seen.foreign and not want.foreign and seen.system_id != want.system_id
    steps += [TakeOver(name, seen.system_id or "", want.system_id or "")] if taken else []
    new = tuple(then.device for pv, then in pairs if not pv)
    steps += [ExtendGroup(name, new)] if new else []
    for pv, then in pairs:
        more = then.extents - pv.extents if pv else 0
        steps += [GrowPhysical(name, then.device, more)] if more > 0 else []
    steps += _marks(seen, want)
    steps += [Deactivate(name)] if seen.tables and want.tables == () else []
    if want.exported and not seen.exported:
        return [*steps, Export(name)]
    if want.system_id not in (None, seen.system_id) and not taken:
        steps.append(HandOver(name, want.system_id or ""))
    steps += [Activate(name)] if set(seen.inactive) - set(want.inactive) else []
    return steps + ([UseMap(name, seen.beside)] if seen.beside and not want.beside and want.tables else [])


def _known(wanted: PhysicalVolume, seen: VolumeGroup) -> PhysicalVolume | None:
    """By its name, or by its UUID: LVM may call the same disk otherwise while udev is making its names."""
    for pv in seen.physical:
        if pv.device == wanted.device or pv.uuid and pv.uuid == wanted.uuid and not pv.missing:
            return pv
    return None


def _created(want: VolumeGroup) -> list[Step]:
    devices = tuple(pv.device for pv in want.physical)
    size = want.extent_size or None
    return [
        CreateGroup(want.name, devices, size, want.autoactivation, tuple(sorted(want.tags)), want.system_id)
    ]


def _removed(seen: VolumeGroup) -> list[Step]:
    volumes = tuple(one.name for one in seen.logical)
    steps: list[Step] = [ListDisks(seen.name)] if seen.hidden else []
    steps += [Deactivate(seen.name)] if seen.tables else []
    return [*steps, RemoveGroup(seen.name, volumes), RemoveLabels(tuple(pv.device for pv in seen.physical))]


def _marks(seen: VolumeGroup, want: VolumeGroup) -> list[Step]:
    add, drop = tuple(sorted(want.tags - seen.tags)), tuple(sorted(seen.tags - want.tags))
    auto = want.autoactivation if want.autoactivation != seen.autoactivation else None
    return [MarkGroup(want.name, add, drop, auto, want.tags)] if add or drop or auto is not None else []
