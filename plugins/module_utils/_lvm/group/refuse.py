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
from .plan import LETTING_GO, Groups, Request, joining, plan_group


def refuse_groups(requests: Sequence[Request], seen: Groups, want: Groups) -> None:
    """Nothing is overwritten, no foreign group is touched, and nothing is taken away from its users."""
    _refuse_twins(seen)
    for request in requests:
        group = seen.groups[request.name]
        if group is None:
            _refuse_birth(request, seen)
        else:
            _refuse_stranger(request, group, plan_group(group, want.groups[request.name]), seen.lvm.system_id)
            _refuse_change(request, group)
            _refuse_letting_go(request, group, seen.users.get(request.name, ()))
            if request.state == "active":
                seen.lvm.refuse_activation(request.name, group.inactive)
        for path in joining(request, group):
            device = seen.devices[path]
            if device.kernel or path not in request.assume_present:
                refuse_device(device, request.name, seen.lvm.owner(device.kernel))


def refuse_other_seqno(requests: Sequence[Request], seen: Mapping[str, VolumeGroup | None]) -> None:
    """What the caller planned on is what is there."""
    for request in requests:
        group = seen.get(request.name)
        if request.seqno is not None and (group is None or group.seqno != request.seqno):
            raise Problem(other_seqno(request.name, request.seqno, group))


def _refuse_twins(seen: Groups) -> None:
    found: dict[str, str] = {}
    for device in seen.devices.values():
        first = found.setdefault(device.kernel or device.path, device.path)
        if first != device.path:
            raise Problem(f"'{first}' and '{device.path}' are the same disk. Name it once.")


def _refuse_birth(request: Request, seen: Groups) -> None:
    if request.state == "absent":
        return
    if request.devices is None or request.state in ("exported", "imported"):
        raise Problem(
            f"There is no volume group '{request.name}' on this host. Are its disks here? To create it, name its disks"
            " (devices), and no state but 'active' or 'inactive'."
        )
    if request.name in seen.taken:
        raise Problem(
            f"A volume group cannot be named '{request.name}': there is a '/dev/{request.name}' already."
        )


def _refuse_stranger(request: Request, group: VolumeGroup, steps: list[Step], local: str) -> None:
    for kind, reason in reasons(group, local):
        settled = not steps and (request.state == "exported" or request.system_id == group.system_id)
        allowed = {
            "foreign": settled or bool(local and group.system_id == request.take_over_from),
            "exported": settled or request.imported,
            "duplicate": request.state == "inactive",  # letting go is always right
            "partial": settled or request.state == "inactive",
            "shared": request.state == "inactive",
            "hidden": True,  # it is listed before anything else is done
        }
        if not allowed[kind]:
            raise Problem(f"The volume group '{request.name}' {reason}.")


def _refuse_change(request: Request, group: VolumeGroup) -> None:
    if request.extent_size not in (None, group.extent_size):
        raise Problem(
            f"The volume group '{request.name}' has extents of {in_units(group.extent_size)}, and "
            f"{in_units(request.extent_size or 0)} were "
            "requested. The size is chosen when a group is created; leave extent_size out."
        )
    if request.autoactivation is not None and group.autoactivation is None:
        raise Problem(
            "Autoactivation is a property of a volume group only from LVM 2.03.12 on. Leave it out here."
        )
    if request.devices and request.state != "absent" and not set(request.devices) & set(group.known):
        raise Problem(
            f"There is a volume group '{request.name}' on other disks ({', '.join(group.known)}): none of "
            f"{listed(request.devices)} is "
            "in it. Is it another group of the same name? Rename one, or name the disks that it has too."
        )


def _refuse_letting_go(request: Request, group: VolumeGroup, users: Sequence[str]) -> None:
    if request.system_id not in (None, group.system_id) and group.tables and request.state not in LETTING_GO:
        raise Problem(
            f"Cannot hand over the volume group '{request.name}': it is active. Set state to 'inactive' too."
        )
    if request.state not in LETTING_GO:
        return
    if users:
        raise Problem(
            f"Cannot let go of the volume group '{request.name}': {'; '.join(users[:8])}. Unmount and stop what uses it."
        )
    if request.state == "absent" and group.logical and not request.force:
        raise Problem(
            f"Cannot remove the volume group '{request.name}': it contains the logical volumes "
            f"{listed([one.name for one in group.logical])}. Remove them first, or set force, which loses everything on them."
        )
