# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the destination can carry a volume group at all: its LVM, its kernel, its room."""

from __future__ import annotations

from ..model import Computer, Refusal, Survey
from ..position import Standing, newest, waiting_mounts
from ..side import listed

# The kernel's drivers that an LV with such segments needs (one of them each), and the program that LVM checks it with.
THIN, CACHE = (("dm_thin_pool",), "thin_check"), (("dm_cache",), "cache_check")
NEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "thin": THIN,
    "thin-pool": THIN,
    "cache": CACHE,
    "cache-pool": CACHE,
    "writecache": (("dm_writecache",), ""),
    "snapshot": (("dm_snapshot",), ""),
    "mirror": (("dm_mirror",), ""),
    "integrity": (("dm_integrity",), ""),
    "vdo": (("dm_vdo", "kvdo"), ""),
    "vdo-pool": (("dm_vdo", "kvdo"), ""),
    "raid": (("dm_raid",), ""),
}
ANYWHERE = ("swap", "auto", "none", "")  # types in fstab that name no driver
COPIES = 10  # LVM keeps one copy of the metadata for each change


def refuse_abilities(survey: Survey, one: Standing) -> None:
    """What the destination lacks, and what the controller and the hosts have no room for."""
    here, there = survey.computer(survey.source), survey.computer(survey.destination)
    if there:
        _kinds(survey, one, there)
        _drivers(survey, one, there)
        _tools(survey, one, here, there)
        _filesystems(survey, one, there)
    _room(survey, one)


def _segment_types(survey: Survey, one: Standing) -> frozenset[str]:
    return frozenset(newest(survey, one.group).segment_types)


def _kinds(survey: Survey, one: Standing, there: Computer) -> None:
    unknown = _segment_types(survey, one) - there.kinds if there.kinds is not None else None
    if unknown:
        raise Refusal(
            f"'{one.group}' has volumes of the kind {listed(unknown)}, which LVM on '{survey.destination}' does not know "
            "(lvm segtypes). Update it there first."
        )


def _drivers(survey: Survey, one: Standing, there: Computer) -> None:
    for kind in sorted(_segment_types(survey, one)):
        drivers, _tool = NEEDS.get("raid" if kind.startswith("raid") else kind, ((), ""))
        if drivers and there.drivers is not None and not there.drivers & set(drivers):
            raise Refusal(
                f"'{one.group}' has volumes of the kind '{kind}', which the kernel of '{survey.destination}' cannot serve: "
                f"it has no module {' or '.join(repr(driver) for driver in drivers)}. Install it there first."
            )


def _tools(survey: Survey, one: Standing, here: Computer | None, there: Computer) -> None:
    """Nothing that LVM does on the source may be left out on the destination."""
    wanted = {NEEDS[kind][1] for kind in _segment_types(survey, one) if kind in NEEDS} - {""}
    lacking = wanted & (here.tools if here else frozenset()) - there.tools
    if lacking:
        raise Refusal(
            f"LVM checks the pools of '{one.group}' with {listed(lacking)} when it activates them, and "
            f"'{survey.destination}' "
            "does not have that, unlike the source. Install it there first (thin-provisioning-tools, on some distributions "
            "device-mapper-persistent-data)."
        )


def _filesystems(survey: Survey, one: Standing, there: Computer) -> None:
    for mount in (*one.source.mounts, *waiting_mounts(one)):
        if (
            mount.filesystem not in ANYWHERE
            and there.drivers is not None
            and mount.filesystem not in there.drivers
        ):
            raise Refusal(
                f"'{mount.path}' of '{one.group}' has the file system '{mount.filesystem}', which the kernel of "
                f"'{survey.destination}' does not know. Install its module there first."
            )


def _room(survey: Survey, one: Standing) -> None:
    length = len(newest(survey, one.group).metadata.encode())
    if survey.backup_room is not None and survey.backup_room < length:
        raise Refusal(
            f"There is no room on the controller for the metadata of '{one.group}' ({length} bytes are needed, "
            f"{survey.backup_room} are free). Free some, or name another directory (move_volume_group_backup_dir)."
        )
    for name, computer in survey.hosts.items():
        room = computer.room if computer else None
        if room is not None and room < length * COPIES:
            raise Refusal(
                f"'/etc/lvm' on '{name}' has room for {room} bytes. LVM keeps a copy of the metadata of '{one.group}' there "
                f"at each change, and refuses changes without it: {length * COPIES} bytes are needed. Free some first."
            )
