# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong above the paths: maps, volume groups, volumes and mounts."""

from __future__ import annotations

from typing import Iterator, Sequence

from ...module_utils._arguments import size
from ...module_utils._host import Problem
from ...module_utils._timers.conflicts import BESIDE
from .compute import Compute, Lun
from .model import Data, Fault, Rank, counted, listed
from .volumes import group_key, groups_on, mounts_on
from .wanted import WantedVolume


def disk_faults(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    """All of them for a host, in any order."""
    yield from _read_only(host, luns)
    if host.groups:
        there = {group["name"] for group in groups_on(host, luns)}
        for group in groups_on(host, luns):
            yield from _group(host, group)
            yield from _volumes(host, group)
        lost = {lun.key for lun in luns if lun.lost}  # nothing can be read of them
        for name, wanted in host.wanted.groups.items():
            if name not in there and not lost & set(wanted.luns):
                text = f"The volume group '{name}' is in the inventory and LVM does not see it on this host."
                todo = _who_has(name)
                yield Fault(Rank.GROUP, host.host, text, todo, (f"group {name}",))
    for lun in luns:
        plain = host.wanted.filesystems.get(lun.key)
        if plain and plain.mount and lun.disks and plain.mount not in mounts_on(lun):
            yield _not_mounted(host, f"the LUN '{lun.name}'", plain, f"mount {lun.key}")


def _read_only(host: Compute, luns: Sequence[Lun]) -> Iterator[Fault]:
    for lun in luns:
        if not lun.read_only or (lun.wanted and lun.wanted.read_only):
            continue
        every = all(disk.get("read_only") for disk in lun.disks)
        what = f"map '{lun.map}'" if lun.map else f"disk {lun.disks[0]['device']}"
        used = f", which is in use ({'; '.join(lun.users[:2])})" if lun.users else ""
        if every:
            why = "as all its paths are: its storage host maps it read-only to this host"
            todo = (
                "If this host must write, map the LUN writable in its igroup (read_only: false) and run lunworks.iscsi.site. In "
                "the middle of a move it is as it must be (lunworks.iscsi.move_volume_group --tags status)."
            )
        else:
            why = "although paths of it may be written"
            todo = (
                f"Have its paths asked again and the map loaded: run lunworks.iscsi.site --limit {host.host}."
            )
        text = f"The {what} of the LUN '{lun.name}'{used} is read-only, {why}."
        yield Fault(
            Rank.READ_ONLY, host.host, text, todo, (f"map {lun.key}" if lun.map else f"lun {lun.key}",)
        )


def _who_has(name: str) -> str:
    return f"See who has it (lunworks.iscsi.move_volume_group --tags status -e vg={name}), then run lunworks.iscsi.site."


def _group(host: Compute, group: Data) -> Iterator[Fault]:
    name, state, here = group["name"], group["state"], group["name"] in host.wanted.groups
    text = todo = ""
    if state == "foreign":
        text = f"The volume group '{name}' on this host's LUNs belongs to the host with the system ID '{group['system_id']}'."
        todo = (
            "If this host must have it, move it here (lunworks.iscsi.move_volume_group); if not, take its LUNs out of the igroup "
            "of this host."
        )
    elif state == "partial":
        text = f"The volume group '{name}' lacks {counted(len(group['missing']), 'PV')} on this host."
        todo = "Bring the LUNs back (paths, igroups); do not remove the PVs from the group (vgreduce --removemissing) before."
    elif state == "duplicate":
        text = f"There are copies of PVs of the volume group '{name}': {listed(group['copies'])}."
        todo = (
            "Take the copies (snapshots of an array?) from this host, or give them UUIDs of their own (module "
            "lunworks.iscsi.volume_group_clone)."
        )
    elif here and state in ("inactive", "exported"):
        text = f"The volume group '{name}' is {state}, and the inventory wants it in use here."
        todo = _who_has(name)
    if text:
        yield Fault(Rank.GROUP, host.host, text, todo, (group_key(host, group),))
    beside = any(BESIDE in sentence for sentence in (host.timers or {}).get("faults", []))
    if group["bypasses_multipath"] and not beside:
        text = f"Active volumes of '{name}' use single paths of LUNs that have a map: when that path fails, their I/O fails."
        yield Fault(
            Rank.BARE_PATH,
            host.host,
            text,
            f"Run lunworks.iscsi.site --limit {host.host}: it moves them to the map.",
            (group_key(host, group),),
        )


def _volumes(host: Compute, group: Data) -> Iterator[Fault]:
    wanted = host.wanted.groups.get(group["name"])
    found = {one["name"]: one for one in group["logical_volumes"]}
    for name, one in found.items():
        if one.get("health"):
            text = f"The volume '{group['name']}/{name}' is not healthy: {one['health']}."
            yield Fault(
                Rank.VOLUME,
                host.host,
                text,
                "See lvs(8), 'lv_health_status', and repair it.",
                (f"volume {group['name']}/{name}",),
            )
    if not wanted or group["state"] != "active":
        return  # that is a fault of its own
    for volume in wanted.volumes:
        name, key = f"'{group['name']}/{volume.name}'", f"volume {group['name']}/{volume.name}"
        one = found.get(volume.name)
        if one is None:
            text = f"The volume {name} is in the inventory and does not exist."
            yield Fault(Rank.VOLUME, host.host, text, f"Run lunworks.iscsi.site --limit {host.host}.", (key,))
        elif volume.mount and volume.mount not in one["mounts"]:
            yield _not_mounted(host, f"the volume {name}", volume, key)
        elif _smaller(one, volume, group):
            text = f"The volume {name} is smaller than the {volume.size} of the inventory."
            yield Fault(
                Rank.WANTED,
                host.host,
                text,
                f"Run lunworks.iscsi.site --limit {host.host}: it grows online.",
                (key,),
            )


def _not_mounted(host: Compute, what: str, wanted: WantedVolume, key: str) -> Fault:
    text = f"'{wanted.mount}' is not mounted; {what} belongs there."
    todo = f"Run lunworks.iscsi.site --limit {host.host}; if it does not mount, the kernel log says why."
    return Fault(Rank.VOLUME, host.host, text, todo, (key,))


def _smaller(found: Data, wanted: WantedVolume, group: Data) -> bool:
    """A share of the free space is never smaller; LVM rounds up to extents."""
    try:
        return bool(wanted.size) and int(found["size"]) < size(wanted.size)
    except Problem:
        return False
