# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes and the file systems on them: made on empty ones only, grown, never made smaller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils.filesystem import (
    Filesystem,
    GrowFilesystem,
    MakeFilesystem,
    look_filesystem,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.holders import look_holders
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm import (
    LogicalVolume,
    Lvm,
    VolumeGroup,
    reasons,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_allocation import (
    ActivateVolume,
    CreateVolume,
    DeactivateVolume,
    ExtendVolume,
    RemoveVolume,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_device import users_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_name import Size
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_report import look_lvm
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

UNSEEN = "(unseen)"  # what is on an inactive LV


@dataclass(frozen=True)
class Wish:
    """An LV as it is asked for; None is left out. 'promised': its VG need not be there while nothing is changed."""

    group: str
    name: str
    size: Size | None = None
    filesystem: str | None = None
    filesystem_options: tuple[str, ...] = ()
    active: bool | None = None
    present: bool = True
    force: bool = False
    promised: bool = False

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
    """The LVs that were asked for, by their paths; their VGs; who uses what shall go or be written on."""

    volumes: dict[str, Volume | None]
    groups: dict[str, VolumeGroup | None] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lvm: Lvm = Lvm()


def look_volumes(host: Host, wishes: Sequence[Wish]) -> Volumes:
    """The LVs, what is on those that shall have a file system or go, and who uses what is in danger."""
    found = look_lvm(host, copies=False)
    groups = {wish.group: found.named(wish.group) for wish in wishes}
    volumes = {wish.path: _volume(host, wish, groups[wish.group]) for wish in wishes}
    endangered = {
        wish.path: volume
        for wish in wishes
        for volume in [volumes[wish.path]]
        if volume and volume.active and _endangers(wish, volume)
    }
    users: dict[str, tuple[str, ...]] = {}
    if endangered:
        holders = look_holders(host, opened=True)
        users = {path: users_of([volume.lv.kernel], "", holders) for path, volume in endangered.items()}
    return Volumes(volumes, groups, users, found)


def _endangers(wish: Wish, volume: Volume) -> bool:
    return not wish.present or wish.active is False or bool(wish.filesystem and not volume.filesystem)


def _volume(host: Host, wish: Wish, group: VolumeGroup | None) -> Volume | None:
    lv = next((one for one in group.logical if one.name == wish.name), None) if group else None
    if lv is None or group is None:
        return None
    there = Filesystem(UNSEEN) if wish.filesystem else None
    if lv.readable and (wish.filesystem or not wish.present):
        there = look_filesystem(host, wish.path, lv.size)
    return Volume(
        path=wish.path,
        extents=-(-lv.size // group.extent_size),
        active=bool(lv.kernel),
        filesystem=there,
        lv=lv,
    )


def want_volumes(wishes: Sequence[Wish], seen: Volumes) -> Volumes:
    """The LVs as they shall be; percentages of what is free count down in the order of the wishes."""
    free = {name: group.free + _freed(name, wishes, seen) for name, group in seen.groups.items() if group}
    wanted: dict[str, Volume | None] = {}
    for wish in wishes:
        old, group = seen.volumes[wish.path], seen.groups[wish.group]
        new = _wanted(wish, old, group, free.get(wish.group, 0))
        wanted[wish.path] = new
        if group:
            free[wish.group] -= _taken(old, new)
    groups = {name: replace(group, free=free[name]) if group else None for name, group in seen.groups.items()}
    return replace(seen, volumes=wanted, groups=groups)


def _freed(group: str, wishes: Iterable[Wish], seen: Volumes) -> int:
    """The extents that removals give back, before anything else takes some."""
    gone = [seen.volumes[wish.path] for wish in wishes if wish.group == group and not wish.present]
    return sum(volume.extents or 0 for volume in gone if volume and volume.lv.plain)


def _taken(old: Volume | None, new: Volume | None) -> int:
    """The extents that an LV takes from its group."""
    return (new.extents or 0) - ((old.extents or 0) if old else 0) if new else 0


def _wanted(wish: Wish, seen: Volume | None, group: VolumeGroup | None, free: int) -> Volume | None:
    if not wish.present:
        return None
    own = (seen.extents or 0) if seen else 0
    extents: int | None = own
    if group is None:
        extents = None
    elif wish.size:
        extents = wish.size.extents(group.extent_size, group.extents, free, own)
    volume = seen or Volume(wish.path, lv=LogicalVolume(wish.name))
    there = volume.filesystem
    return replace(
        volume,
        extents=extents,
        active=volume.active if wish.active is None else wish.active,
        filesystem=Filesystem(wish.filesystem) if wish.filesystem else there,
    )


def plan_volumes(wishes: Sequence[Wish], seen: Volumes, want: Volumes) -> list[Step]:
    """What goes makes room first; then each LV in turn, and its file system after it."""
    pairs = [(wish, seen.volumes[wish.path], want.volumes[wish.path]) for wish in wishes]
    gone: list[Step] = [RemoveVolume(wish.group, wish.name) for wish, old, new in pairs if old and not new]
    return gone + [step for wish, old, new in pairs if new for step in _steps(wish, old, new)]


def _steps(wish: Wish, seen: Volume | None, want: Volume) -> list[Step]:
    steps: list[Step] = []
    more = (want.extents or 0) - (seen.extents or 0) if seen else 0
    if seen is None and wish.size:
        steps.append(CreateVolume(wish.group, wish.name, wish.size))
    elif more > 0:
        steps.append(ExtendVolume(wish.group, wish.name, want.extents or 0, more))
    if seen and want.active and not seen.active:
        steps.append(ActivateVolume(wish.group, wish.name))
    steps += _contents(wish, seen.filesystem if seen else None, want.filesystem, more > 0)
    if not want.active and (seen is None or seen.active):
        steps.append(DeactivateVolume(wish.group, wish.name))
    return steps


def _contents(wish: Wish, seen: Filesystem | None, want: Filesystem | None, grows: bool) -> list[Step]:
    """What an LV holds that has yet to be activated shows in the second look; it is hoped to be right."""
    if want is None or (seen and seen.kind == UNSEEN):
        return []
    if seen is None or seen.kind != want.kind:
        return [MakeFilesystem(want.kind, wish.path, wish.filesystem_options)]
    return [GrowFilesystem(want.kind, wish.path)] if grows or not seen.full else []


def refuse_volumes(wishes: Sequence[Wish], seen: Volumes, want: Volumes) -> None:
    """Only in a VG that is this host's; never smaller; no file system over anything; nothing away from its users."""
    for wish in wishes:
        group, old, new = seen.groups[wish.group], seen.volumes[wish.path], want.volumes[wish.path]
        if group is None:
            if wish.present and not wish.promised:
                raise Problem(f"There is no volume group '{wish.group}' on this host for '{wish.name}'.")
            continue
        why = [reason for kind, reason in reasons(group, seen.lvm.system_id) if kind]
        if why:
            raise Problem(f"The volume group '{wish.group}' of '{wish.name}' {why[0]}.")
        if old is None and new and wish.size is None:
            raise Problem(f"There is no logical volume '{wish.path}'. To create it, give its size.")
        if old:
            _refuse_loss(wish, old, group, seen.users.get(wish.path, ()))
        if old and new:
            _refuse_change(wish, old, new, group)
    _refuse_overflow(wishes, seen, want)


def _refuse_loss(wish: Wish, old: Volume, group: VolumeGroup, users: Sequence[str]) -> None:
    if users and _endangers(wish, old):
        doing = (
            "remove"
            if not wish.present
            else "deactivate"
            if wish.active is False
            else "make a file system on"
        )
        raise Problem(f"Cannot {doing} '{wish.path}': {'; '.join(users[:8])}. Stop what uses it first.")
    if wish.present:
        return
    built = [one.name for one in group.logical if wish.name in (one.origin, one.pool)]
    if built:
        raise Problem(f"Cannot remove '{wish.path}': {', '.join(built)} is made of it. Remove that first.")
    if not wish.force and (old.filesystem or not old.active):
        held = (
            f"it holds {old.filesystem.kind}"
            if old.filesystem
            else "it is inactive, so what it holds cannot be seen"
        )
        raise Problem(f"Cannot remove '{wish.path}': {held}. Set force to lose all on it.")


def _refuse_change(wish: Wish, old: Volume, new: Volume, group: VolumeGroup) -> None:
    have, wanted = old.extents or 0, new.extents or 0
    if wish.size and wanted < have:
        raise Problem(
            f"'{wish.path}' has {have} extents ({old.lv.size} bytes); wanted is {wish.size.text}, {wanted} extents of "
            f"{group.extent_size} bytes. A logical volume is never made smaller here: its end would be lost."
        )
    if wanted > have and not old.lv.plain:
        raise Problem(
            f"'{wish.path}' is of the kind '{old.lv.layout}'; only linear and striped ones are grown here."
        )
    if wish.filesystem and not old.active and (not wish.active or wanted > have):
        first = "Activate it first, in a task of its own" if wish.active else "Set active to true"
        raise Problem(f"'{wish.path}' is inactive, so nobody can see what is on it. {first}.")
    if wish.filesystem and old.filesystem and old.filesystem.kind not in (wish.filesystem, UNSEEN):
        raise Problem(
            f"'{wish.path}' holds {old.filesystem.kind}, wanted is {wish.filesystem}. Nothing is written over it. Is it the "
            f"right volume? Only if all on it may be lost, clear it by hand: wipefs --all {wish.path}"
        )


def _refuse_overflow(wishes: Sequence[Wish], seen: Volumes, want: Volumes) -> None:
    for name, group in seen.groups.items():
        if group is None:
            continue
        free, grown = group.free + _freed(name, wishes, seen), 0
        for wish in (wish for wish in wishes if wish.group == name):
            old, new = seen.volumes[wish.path], want.volumes[wish.path]
            grown += _taken(old, new)
            if grown > free:
                raise Problem(
                    f"There is no room for '{wish.path}' in the volume group '{name}': {grown} more extents of "
                    f"{group.extent_size} bytes are wanted, {free} are free. Extend the group or let its disks grow "
                    "first; if that happens in this very play, a check run cannot see it yet."
                )
            if old is None and new and not new.extents:
                raise Problem(
                    f"There is no room for '{wish.path}' in the volume group '{name}': nothing is free."
                )


def show_volume(wish: Wish, volume: Volume, state: Volumes) -> dict[str, Any]:
    """An LV as people and templates get it; sizes in bytes, null where they are not known yet."""
    group = state.groups[wish.group]
    there = volume.filesystem
    return {
        "group": wish.group,
        "name": wish.name,
        "device": wish.path,
        "size": volume.extents * group.extent_size if group and volume.extents is not None else None,
        "active": volume.active,
        "filesystem": there.kind if there and there.kind != UNSEEN else None,
    }
