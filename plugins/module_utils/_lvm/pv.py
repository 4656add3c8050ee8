# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is to become a physical volume, and who uses logical volumes."""

from __future__ import annotations

from typing import Iterable

from .._block.holders import Holders
from .._fs.blank_disk import Device, refuse_disk, refuse_name
from .._host import Problem

# They open every disk that appears and let go by themselves.
WATCHERS = ("(systemd-udevd)", "(udev-worker)", "(dmeventd)", "(multipathd)")


def users_of(tables: Iterable[str], group: str, holders: Holders) -> tuple[str, ...]:
    """Who uses these LVs of a VG: mounts of every namespace, swap, devices on top, exports, processes."""
    users = dict.fromkeys(user for table in tables for user in holders.of(table))
    return tuple(
        str(user)
        for user in users
        if not (user.kind == "volume" and user.name.startswith(f"{group}/"))
        and not (user.kind == "process" and user.name.endswith(WATCHERS))
    )


def refuse_device(device: Device, group: str, owner: str = "") -> None:
    """A disk that may not become a PV of this group; 'owner' is the VG that it is a PV of."""
    wanted = f"Cannot make '{device.path}' a physical volume of '{group}'"
    refuse_name(device, wanted)
    if owner:
        raise Problem(f"{wanted}: it belongs to the volume group '{owner}'.")
    hidden = "LVM2_member" in device.signatures
    refuse_disk(
        device,
        wanted,
        "LVM shows no volume group on it: it is in none, or a filter in lvm.conf hides it (devices/filter, global_filter). "
        if hidden
        else "",
    )
