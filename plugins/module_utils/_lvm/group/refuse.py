# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done with volume groups."""

from __future__ import annotations

from typing import Mapping, Sequence

from ..._arguments import in_units
from ..._host import Problem
from ..._step import Step
from ..model import VolumeGroup, reasons
from ..planned import other_seqno
from ..pv import refuse_device
from .membership import listed
from .plan import LETTING_GO, Groups, Wish, joining, plan_group


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
            if wish.state == "active":
                seen.lvm.refuse_activation(wish.name, group.inactive)
        for path in joining(wish, group):
            device = seen.devices[path]
            if device.kernel or path not in wish.assume_present:
                refuse_device(device, wish.name, seen.lvm.owner(device.kernel))


def refuse_other_seqno(wishes: Sequence[Wish], seen: Mapping[str, VolumeGroup | None]) -> None:
    """What the caller planned on is what is there."""
    for wish in wishes:
        group = seen.get(wish.name)
        if wish.seqno is not None and (group is None or group.seqno != wish.seqno):
            raise Problem(other_seqno(wish.name, wish.seqno, group))


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
            "exported": settled or wish.imported,
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
            f"The volume group '{wish.name}' has extents of {in_units(group.extent_size)}, and "
            f"{in_units(wish.extent_size or 0)} were "
            "requested. The size is chosen when a group is created; leave extent_size out."
        )
    if wish.autoactivation is not None and group.autoactivation is None:
        raise Problem(
            "Autoactivation is a property of a volume group only from LVM 2.03.12 on. Leave it out here."
        )
    if wish.devices and wish.state != "absent" and not set(wish.devices) & set(group.known):
        raise Problem(
            f"There is a volume group '{wish.name}' on other disks ({', '.join(group.known)}): none of "
            f"{listed(wish.devices)} is "
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
