# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done with logical volumes."""

from __future__ import annotations

from typing import Sequence

from ..._arguments import in_units
from ..._host import Problem
from ..model import VolumeGroup, reasons
from .plan import UNSEEN, Volume, Volumes, Wish, awakes, endangers, freed, taken


def refuse_volumes(wishes: Sequence[Wish], seen: Volumes, want: Volumes) -> None:
    """Only in a VG that is this host's; never smaller; no file system over anything; nothing away from its users."""
    for wish in wishes:
        group, old, new = seen.groups[wish.group], seen.volumes[wish.path], want.volumes[wish.path]
        if group is None:
            if wish.present and not wish.assume_present:
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
        if awakes(wish, old):
            seen.lvm.refuse_activation(wish.group, [wish.name])
    _refuse_overflow(wishes, seen, want)


def _refuse_loss(wish: Wish, old: Volume, group: VolumeGroup, users: Sequence[str]) -> None:
    if users and endangers(wish, old):
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
            f"'{wish.path}' has {in_units(old.lv.size)} ({old.lv.size} bytes), and {wish.size.text} was requested. A "
            "logical volume "
            "is never made smaller: its end would be lost."
        )
    if wanted > have and not old.lv.plain:
        raise Problem(
            f"'{wish.path}' is of the kind '{old.lv.layout}'; only linear and striped ones are grown here."
        )
    if wish.filesystem and not old.active and (not wish.active or wanted > have):
        first = "Activate it first, in a separate task" if wish.active else "Set active to true"
        raise Problem(f"'{wish.path}' is inactive, so nobody can see what is on it. {first}.")
    if wish.filesystem and old.filesystem and old.filesystem.kind not in (wish.filesystem, UNSEEN):
        raise Problem(
            f"'{wish.path}' holds {old.filesystem.kind} and must hold {wish.filesystem}. Nothing is written over it. Is it "
            f"the right volume? Only if all on it may be lost, clear it by hand: wipefs --all {wish.path}"
        )


def _refuse_overflow(wishes: Sequence[Wish], seen: Volumes, want: Volumes) -> None:
    for name, group in seen.groups.items():
        if group is None:
            continue
        free, grown = group.free + freed(name, wishes, seen), 0
        for wish in (wish for wish in wishes if wish.group == name):
            old, new = seen.volumes[wish.path], want.volumes[wish.path]
            grown += taken(old, new)
            if grown > free:
                needed, there = (in_units(count * group.extent_size) for count in (grown, free))
                before = " with the volumes before it" if grown > taken(old, new) else ""
                raise Problem(
                    f"There is no room for '{wish.path}' in the volume group '{name}': it needs {needed} more{before}, and "
                    f"{there} are free. Extend the group or let its disks grow first; if that happens in this very play, a "
                    "check run cannot see it yet."
                )
            if old is None and new and not new.extents:
                raise Problem(
                    f"There is no room for '{wish.path}' in the volume group '{name}': nothing is free."
                )
