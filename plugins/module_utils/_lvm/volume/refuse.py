# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done with logical volumes."""

from __future__ import annotations

from typing import Sequence

from ..._arguments import in_units
from ..._host import Problem
from ..model import VolumeGroup, reasons
from .plan import UNSEEN, Request, Volume, Volumes, awakes, endangers, freed, taken


def refuse_volumes(requests: Sequence[Request], seen: Volumes, want: Volumes) -> None:
    """Only in a VG of this host; never smaller; no file system over existing content; nothing taken from its users."""
    for request in requests:
        group, old, new = seen.groups[request.group], seen.volumes[request.path], want.volumes[request.path]
        if group is None:
            if request.present and not request.assume_present:
                raise Problem(
                    f"There is no volume group '{request.group}' on this host for '{request.name}'."
                )
            continue
        why = [reason for kind, reason in reasons(group, seen.lvm.system_id) if kind]
        if why:
            raise Problem(f"The volume group '{request.group}' of '{request.name}' {why[0]}.")
        if old is None and new and request.size is None:
            raise Problem(f"There is no logical volume '{request.path}'. To create it, give its size.")
        if old:
            _refuse_loss(request, old, group, seen.users.get(request.path, ()))
        if old and new:
            _refuse_change(request, old, new, group)
        if awakes(request, old):
            seen.lvm.refuse_activation(request.group, [request.name])
    _refuse_overflow(requests, seen, want)


def _refuse_loss(request: Request, old: Volume, group: VolumeGroup, users: Sequence[str]) -> None:
    if users and endangers(request, old):
        doing = (
            "remove"
            if not request.present
            else "deactivate"
            if request.active is False
            else "make a file system on"
        )
        raise Problem(f"Cannot {doing} '{request.path}': {'; '.join(users[:8])}. Stop what uses it first.")
    if request.present:
        return
    built = [one.name for one in group.logical if request.name in (one.origin, one.pool)]
    if built:
        raise Problem(f"Cannot remove '{request.path}': {', '.join(built)} is made of it. Remove that first.")
    if not request.force and (old.filesystem or not old.active):
        held = (
            f"it holds {old.filesystem.kind}"
            if old.filesystem
            else "it is inactive, so what it holds cannot be seen"
        )
        raise Problem(
            f"Cannot remove '{request.path}': {held}. Set force to remove it with everything on it."
        )


def _refuse_change(request: Request, old: Volume, new: Volume, group: VolumeGroup) -> None:
    have, wanted = old.extents or 0, new.extents or 0
    if request.size and wanted < have:
        raise Problem(
            f"'{request.path}' has {in_units(old.lv.size)} ({old.lv.size} bytes), and {request.size.text} was requested. A "
            "logical volume "
            "is never made smaller: its end would be lost."
        )
    if wanted > have and not old.lv.plain:
        raise Problem(
            f"'{request.path}' is of the kind '{old.lv.layout}'; only linear and striped ones are grown here."
        )
    if request.filesystem and not old.active and (not request.active or wanted > have):
        first = "Activate it first, in a separate task" if request.active else "Set active to true"
        raise Problem(f"'{request.path}' is inactive, so nobody can see what is on it. {first}.")
    if request.filesystem and old.filesystem and old.filesystem.kind not in (request.filesystem, UNSEEN):
        raise Problem(
            f"'{request.path}' holds {old.filesystem.kind} and must hold {request.filesystem}. It is not overwritten. Is it "
            f"the right volume? Only if everything on it may be lost, clear it by hand: wipefs --all {request.path}"
        )


def _refuse_overflow(requests: Sequence[Request], seen: Volumes, want: Volumes) -> None:
    for name, group in seen.groups.items():
        if group is None:
            continue
        free, grown = group.free + freed(name, requests, seen), 0
        for request in (request for request in requests if request.group == name):
            old, new = seen.volumes[request.path], want.volumes[request.path]
            grown += taken(old, new)
            if grown > free:
                needed, there = (in_units(count * group.extent_size) for count in (grown, free))
                before = " with the volumes before it" if grown > taken(old, new) else ""
                raise Problem(
                    f"There is no room for '{request.path}' in the volume group '{name}': it needs {needed} more{before}, and "
                    f"{there} are free. Extend the group or let its disks grow first; if that happens in this same play, a "
                    "check run cannot see it yet."
                )
            if old is None and new and not new.extents:
                raise Problem(
                    f"There is no room for '{request.path}' in the volume group '{name}': nothing is free."
                )
