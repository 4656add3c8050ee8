# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups whose LUNs are too small for their volumes, where the data has the size of each LUN."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ...module_utils._arguments import in_units, size, target_key
from ...module_utils._lvm.names import extent_size, volume_size
from ...module_utils._providers import provider
from ...module_utils._san.wwid import wwid
from .._san_use import present, provider_name, targets_of, wwid_of
from .fault import Path

Data = Mapping[str, Mapping[str, Any]]
SMALLEST = 512  # bytes: no extent is smaller than a sector (vgcreate(8)), whatever lvm.conf says
EXACT = ("manual",)  # an array that a role sets up may round sizes up; a person is told the exact one


def without_room(data: Data) -> Iterator[tuple[str, Path, str]]:
    """The host, the volume group and what is wrong with it; the data is right in all else. A group may have more disks than its
    data names, but a new one has only these: it could not be made again."""
    sizes = dict(_sizes(data))
    for host, vars_ in data.items():
        for number, group in enumerate(vars_.get("volume_groups") or []):
            luns = [sizes.get(_key(lun)) for lun in group.get("luns") or []]
            said = _said(group, [one for one in luns if one]) if luns and all(luns) else ""
            if said:
                yield host, ("volume_groups", number), said


def _said(group: Mapping[str, Any], luns: list[int]) -> str:
    extent = extent_size(group["extent_size"]) if group.get("extent_size") else SMALLEST
    room = sum((lun - 1) // extent for lun in luns)  # LVM's label and metadata take something of each
    volumes = [volume_size(one["size"]) for one in present(group, "volumes", having="size")]
    wanted = sum(one.extents(extent, room, 0) for one in volumes)
    if wanted <= room:
        return ""
    needs, there = in_units(wanted * extent), in_units(sum(luns))
    return (
        f"the volumes have {needs} together, and its luns {there} less what LVM itself takes of each: a new group would have no "
        "room for them. Name the other disks of the group in luns, make a LUN larger, or make volumes smaller"
    )


def _key(lun: Mapping[str, Any]) -> Any:
    return (target_key(lun["target"]), lun["name"]) if lun.get("target") else wwid(str(lun["wwid"]))


def _sizes(data: Data) -> Iterator[tuple[Any, int]]:
    """The bytes of each LUN whose size is known, by its target and name, and by its WWID."""
    for vars_ in data.values():
        software = provider_name(vars_)
        if not (provider(software).on_host or software in EXACT):
            continue
        for target in targets_of(vars_):
            name = target_key(target["name"])
            for lun in present(target, "luns", having="size"):
                yield (name, lun["name"]), size(lun["size"])
                known = wwid_of(software, name, lun["name"], lun)
                if known:
                    yield known, size(lun["size"])
