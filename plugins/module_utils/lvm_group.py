# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups as they are asked for: what is there of them, what is to do, and what must not be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Iterable, Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils.holders import Holders, look_holders
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm import (
    Lvm,
    PhysicalVolume,
    VolumeGroup,
    reasons,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_device import (
    STABLE,
    Device,
    look_device,
    refuse_device,
    users_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_membership import (
    CreateGroup,
    ExtendGroup,
    GrowPhysical,
    ListDisks,
    RemoveGroup,
    RemoveLabels,
    listed,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_ownership import (
    Activate,
    Deactivate,
    Export,
    HandOver,
    Import,
    MarkGroup,
    TakeOver,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_report import look_lvm
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

LETTING_GO = ("inactive", "exported", "absent")


@dataclass(frozen=True)
class Wish:
    """A VG as it is asked for; None is left out. 'promised' devices need not be there while nothing is changed."""

    name: str
    devices: tuple[str, ...] | None = None
    promised: frozenset[str] = frozenset()
    extent_size: int | None = None
    autoactivation: bool | None = None
    tags: frozenset[str] | None = None
    system_id: str | None = None
    take_over_from: str = ""
    state: str | None = None
    force: bool = False


@dataclass(frozen=True)
class Groups:
    """The VGs that were asked for, by name; the disks that shall join them; who uses what shall let go."""

    groups: dict[str, VolumeGroup | None]
    devices: dict[str, Device] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()  # names that something else in /dev has
    lvm: Lvm = Lvm()


def look_groups(host: Host, wishes: Sequence[Wish]) -> Groups:
    """The VGs of these names, their disks under the names that were asked for; nothing is written."""
    found = look_lvm(host)
    groups = {wish.name: _named(host, found.named(wish.name), wish) for wish in wishes}
    new = [path for wish in wishes for path in _joining(wish, groups[wish.name])]
    leaving = [
        group
        for wish in wishes
        for group in [groups[wish.name]]
        if group and group.tables and (wish.state in LETTING_GO or wish.system_id is not None)
    ]
    holders = look_holders(host, opened=bool(leaving)) if new or leaving else Holders({}, {}, {}, {})
    return Groups(
        groups=groups,
        devices={path: look_device(host, path, holders) for path in new},
        users={group.name: users_of(group.tables or (), group.name, holders) for group in leaving},
        taken=frozenset(name for name, group in groups.items() if not group and host.stat(f"/dev/{name}")),
        lvm=found,
    )


def _named(host: Host, group: VolumeGroup | None, wish: Wish) -> VolumeGroup | None:
    """The VG with its PVs called as the wish calls them."""
    if group is None:
        return None
    asked = {host.real(path).rpartition("/")[2]: path for path in reversed(wish.devices or ())}
    return replace(
        group, physical=tuple(replace(pv, device=asked.get(pv.kernel, pv.device)) for pv in group.physical)
    )


def _joining(wish: Wish, group: VolumeGroup | None) -> list[str]:
    """The asked disks that are not in the VG, and those under a name that may be another disk tomorrow."""
    known = [pv.device for pv in group.physical] if group else []
    asked = () if wish.state == "absent" else wish.devices or ()
    return [path for path in asked if path not in known or not STABLE.fullmatch(path)]


def want_groups(wishes: Iterable[Wish], seen: Groups) -> Groups:
    """The VGs as they shall be."""
    return replace(seen, groups={wish.name: _wanted(wish, _own(wish, seen)) for wish in wishes})


def _own(wish: Wish, seen: Groups) -> VolumeGroup | None:
    """The VG, as it is once it was taken over."""
    group = seen.groups[wish.name]
    taken = group and group.foreign and group.system_id == wish.take_over_from
    return replace(group, foreign=False, system_id=seen.lvm.system_id) if group and taken else group


def _wanted(wish: Wish, seen: VolumeGroup | None) -> VolumeGroup | None:
    if wish.state == "absent" or (seen is None and wish.devices is None):
        return None
    base = seen or VolumeGroup(wish.name, extent_size=wish.extent_size or 0, system_id=None)
    known = [pv.device for pv in base.physical]
    exported = base.exported if wish.state not in ("exported", "imported") else wish.state == "exported"
    moves = exported != base.exported  # vgexport and vgimport set the system ID themselves
    settled = base.exported and exported
    group = replace(
        base,
        physical=tuple(
            replace(pv, extents=pv.extents if settled else pv.fits, listed=pv.listed or not settled)
            for pv in base.physical
        )
        + tuple(PhysicalVolume(path) for path in wish.devices or () if path not in known),
        tags=base.tags if wish.tags is None else wish.tags,
        autoactivation=base.autoactivation if wish.autoactivation is None else wish.autoactivation,
        exported=exported,
        system_id=wish.system_id if wish.system_id is not None or moves else base.system_id,
        tables=base.tables or None,  # importing may activate it, if the host does so by itself
    )
    if wish.state == "active":
        idle = group.inactive
        logical = tuple(replace(one, kernel="(new)") if one.name in idle else one for one in group.logical)
        return replace(
            group, logical=logical, tables=group.tables or tuple(one.kernel for one in logical if one.kernel)
        )
    if wish.state in LETTING_GO:
        return replace(group, tables=(), logical=tuple(replace(one, kernel="") for one in group.logical))
    return group


def plan_groups(seen: Groups, want: Groups) -> list[Step]:
    """The steps for all VGs, one VG after the other."""
    return [step for name, group in seen.groups.items() for step in plan_group(group, want.groups[name])]


def plan_group(seen: VolumeGroup | None, want: VolumeGroup | None) -> list[Step]:
    """What comes in comes before it grows and is activated; what goes is deactivated before it is given away."""
    if seen is None and want is None:
        return []
    if want is None or seen is None:
        return _created(want) if want else _removed(seen)  # type: ignore[arg-type]
    name = want.name
    steps: list[Step] = [ListDisks(name)] if seen.hidden and not want.hidden else []
    steps += [Import(name)] if seen.exported and not want.exported else []
    taken = seen.foreign and not want.foreign
    steps += [TakeOver(name, seen.system_id or "", want.system_id or "")] if taken else []
    known = {pv.device: pv for pv in seen.physical}
    new = tuple(pv.device for pv in want.physical if pv.device not in known)
    steps += [ExtendGroup(name, new)] if new else []
    for pv in want.physical:
        more = pv.extents - known[pv.device].extents if pv.device in known else 0
        steps += [GrowPhysical(name, pv.device, more)] if more > 0 else []
    steps += _marks(seen, want)
    steps += [Deactivate(name)] if seen.tables and want.tables == () else []
    if want.exported and not seen.exported:
        return [*steps, Export(name)]
    if want.system_id not in (None, seen.system_id) and not taken:
        steps.append(HandOver(name, want.system_id or ""))
    return steps + ([Activate(name)] if set(seen.inactive) - set(want.inactive) else [])


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
    return [MarkGroup(want.name, add, drop, auto)] if add or drop or auto is not None else []


def refuse_groups(wishes: Sequence[Wish], seen: Groups, want: Groups) -> None:
    """Nothing is created over anything, nothing foreign is touched, nothing is taken from under its users."""
    _refuse_twins(seen)
    for wish in wishes:
        group = seen.groups[wish.name]
        if group is None:
            _refuse_birth(wish, seen)
        else:
            _refuse_stranger(wish, group, plan_group(group, want.groups[wish.name]), seen.lvm.system_id)
            _refuse_change(wish, group)
            _refuse_letting_go(wish, group, seen.users.get(wish.name, ()))
        for path in _joining(wish, group):
            device = seen.devices[path]
            if device.kernel or path not in wish.promised:
                refuse_device(device, wish.name, seen.lvm.owner(device.kernel))


def _refuse_twins(seen: Groups) -> None:
    found: dict[str, str] = {}
    for device in seen.devices.values():
        first = found.setdefault(device.kernel or device.path, device.path)
        if first != device.path:
            raise Problem(f"'{first}' and '{device.path}' are the same disk. Name it once.")


def _refuse_birth(wish: Wish, seen: Groups) -> None:
    if wish.state == "absent":
        return
    if wish.devices is None or wish.state in ("exported", "imported"):
        raise Problem(
            f"There is no volume group '{wish.name}' on this host. Are its disks here? To create it, name its disks"
            " (devices), and no state but 'active' or 'inactive'."
        )
    if wish.name in seen.taken:
        raise Problem(f"A volume group cannot be named '{wish.name}': there is a '/dev/{wish.name}' already.")


def _refuse_stranger(wish: Wish, group: VolumeGroup, steps: list[Step], local: str) -> None:
    for kind, reason in reasons(group, local):
        settled = not steps and (wish.state == "exported" or wish.system_id == group.system_id)
        allowed = {
            "foreign": settled or bool(local and group.system_id == wish.take_over_from),
            "exported": settled or wish.state == "imported",
            "duplicate": wish.state == "inactive",  # letting go is always right
            "partial": settled or wish.state == "inactive",
            "shared": wish.state == "inactive",
            "hidden": True,  # it is listed before anything else is done
        }
        if not allowed[kind]:
            raise Problem(f"The volume group '{wish.name}' {reason}.")


def _refuse_change(wish: Wish, group: VolumeGroup) -> None:
    if wish.extent_size not in (None, group.extent_size):
        raise Problem(
            f"The volume group '{wish.name}' has extents of {group.extent_size} bytes, wanted are {wish.extent_size}. The "
            "size is chosen when a group is created; leave extent_size out."
        )
    if wish.autoactivation is not None and group.autoactivation is None:
        raise Problem(
            "Autoactivation is a property of a volume group only from LVM 2.03.12 on. Leave it out here."
        )
    known = [pv.device for pv in group.physical]
    if wish.devices and wish.state != "absent" and not set(wish.devices) & set(known):
        raise Problem(
            f"There is a volume group '{wish.name}' on other disks ({', '.join(known)}): none of {listed(wish.devices)} is "
            "in it. Is it another group of the same name? Rename one, or name the disks that it has too."
        )


def _refuse_letting_go(wish: Wish, group: VolumeGroup, users: Sequence[str]) -> None:
    if wish.system_id not in (None, group.system_id) and group.tables and wish.state not in LETTING_GO:
        raise Problem(
            f"Cannot hand over the volume group '{wish.name}': it is active. Set state to 'inactive' too."
        )
    if wish.state not in LETTING_GO:
        return
    if users:
        raise Problem(
            f"Cannot let go of the volume group '{wish.name}': {'; '.join(users[:8])}. Unmount and stop what uses it."
        )
    if wish.state == "absent" and group.logical and not wish.force:
        raise Problem(
            f"Cannot remove the volume group '{wish.name}': there are the logical volumes "
            f"{listed([one.name for one in group.logical])}. Remove them first, or set force to lose all on them."
        )
