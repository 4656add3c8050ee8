# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups, their volumes and what is mounted, on the LUNs of a host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, Sequence

from ...module_utils._arguments import in_units
from .model import FAULT, MISSING, OK, PLANNED, Data, Fact, Thing, spelled
from .wanted import WantedGroup, WantedVolume

if TYPE_CHECKING:
    from .compute import Compute, Lun

MOUNTED = re.compile(r" is mounted on '(.*)'$")


def groups_on(host: Compute, luns: Sequence[Lun]) -> list[Data]:
    """The groups that have a PV on one of the LUNs, or that are wanted here."""
    keys = {lun.key for lun in luns}
    return [
        group
        for group in (host.groups or {}).get("groups", [])
        if group["name"] in host.wanted.groups
        or any(spelled(pv["wwid"]) in keys for pv in group["physical_volumes"])
    ]


def groups_of(host: Compute, luns: Sequence[Lun]) -> Iterator[Thing]:
    """The groups and their volumes, found ones first."""
    places = {lun.key: lun.top for lun in luns}
    found = groups_on(host, luns)
    for group in found:
        yield from _group(host, group, places)
    there = {group["name"] for group in found}
    lost = {lun.key for lun in luns if lun.lost}
    for name, wanted in host.wanted.groups.items():
        if name not in there:
            # Nothing can be read of it: it is there all the same.
            state = FAULT if lost & set(wanted.luns) else MISSING if host.groups else PLANNED
            on = tuple(top for key in wanted.luns for top in places.get(key, ()))
            yield Thing(f"group {name}", "group", name, "", _wanted_facts(host, wanted), on, state)
            yield from (_volume(f"group {name}", name, {}, one, state) for one in wanted.volumes)


def _names(host: Compute, keys: Sequence[str]) -> str:
    luns, names = host.wanted.luns, host.names
    return ", ".join(luns[key].name if key in luns else names.get(key, ("", key))[1] for key in keys)


def _wanted_facts(host: Compute, wanted: WantedGroup) -> tuple[Fact, ...]:
    return (Fact("LUNs", None, _names(host, wanted.luns)),)


def _group(host: Compute, group: Data, places: dict[str, tuple[str, ...]]) -> Iterator[Thing]:
    wanted = host.wanted.groups.get(group["name"])
    disks = [spelled(pv["wwid"]) or str(pv["device"]) for pv in group["physical_volumes"]]
    key = group_key(host, group)
    facts = (
        Fact("State", group["state"], "active" if wanted else None),
        Fact("LUNs", _names(host, disks), _names(host, wanted.luns) if wanted else None),
        Fact("Size", in_units(int(group["size"]))),
        Fact("Free", in_units(int(group["free"]))),
        Fact("UUID", group["uuid"]),
        Fact("System ID", group["system_id"]),
        Fact("Tags", ", ".join(group["tags"]) or None),
    )
    on = tuple(dict.fromkeys(top for disk in disks for top in places.get(disk, ())))
    note = f"{group['state']}, {in_units(int(group['free']))} free"
    yield Thing(
        key, "group", group["name"], note, tuple(fact for fact in facts if fact.found or fact.wanted), on
    )
    volumes = {one.name: one for one in wanted.volumes} if wanted else {}
    for volume in group["logical_volumes"]:
        yield _volume(key, group["name"], volume, volumes.pop(volume["name"], None))
    yield from (_volume(key, group["name"], {}, one, MISSING) for one in volumes.values())


def group_key(host: Compute, group: Data) -> str:
    """Two groups of one name have their UUIDs in their keys."""
    names = [one["name"] for one in (host.groups or {}).get("groups", [])]
    return f"group {group['name']}" + (f" {group['uuid']}" if names.count(group["name"]) > 1 else "")


def _volume(group_key: str, group: str, found: Data, wanted: WantedVolume | None, state: str = OK) -> Thing:
    name = str(found.get("name") or (wanted.name if wanted else ""))
    mounts = ", ".join(found.get("mounts") or [])
    size = in_units(int(found["size"])) if found.get("size") is not None else None
    filesystem = found.get("filesystem") or (wanted.filesystem if wanted and not found else "")
    facts = (
        Fact("Volume", f"{group}/{name}" if found else None, f"{group}/{name}" if wanted else None),
        Fact("Size", size, wanted.size if wanted and wanted.size else None),
        Fact(
            "File system",
            found.get("filesystem"),
            wanted.filesystem if wanted and wanted.filesystem else None,
        ),
        Fact("Mounted on", mounts or None, wanted.mount if wanted and wanted.mount else None),
        Fact("Active", ("yes" if found["active"] else "no") if found else None, "yes" if wanted else None),
        Fact("Health", found.get("health")),
        Fact("Used", "; ".join(found.get("users") or []) or None),
    )
    place = mounts or (wanted.mount if wanted and not found else "")
    note = ", ".join(
        part for part in (name if place else "", filesystem, size or (wanted.size if wanted else "")) if part
    )
    kept = tuple(fact for fact in facts if fact.found or fact.wanted)
    return Thing(f"volume {group}/{name}", "volume", place or name, note, kept, (group_key,), state)


def mounts_on(lun: Lun) -> list[str]:
    """Where the file system of a LUN itself is mounted."""
    found = [MOUNTED.search(user) for user in lun.users]
    return sorted({one[1] for one in found if one})


def plain_mounts(host: Compute, luns: Sequence[Lun]) -> Iterator[Thing]:
    """File systems directly on LUNs. A volume's mount is a user of its LUN too, and belongs to the volume."""
    ours = {
        mount
        for group in (host.groups or {}).get("groups", [])
        for one in group["logical_volumes"]
        for mount in one["mounts"]
    }
    for lun in luns:
        wanted = host.wanted.filesystems.get(lun.key)
        in_group = any("holds the active logical volume" in user for user in lun.users)
        mounts = [] if in_group else [one for one in mounts_on(lun) if one not in ours]
        if mounts or wanted:
            yield _plain(host, lun, mounts, wanted)


def _plain(host: Compute, lun: Lun, mounts: list[str], wanted: WantedVolume | None) -> Thing:
    place = ", ".join(mounts)
    state = OK if mounts else host.missing
    facts = (
        Fact("Mounted on", place or None, wanted.mount if wanted else None),
        Fact("File system", None, wanted.filesystem if wanted else None),
    )
    name = place or (wanted.mount if wanted and wanted.mount else lun.name)
    note = wanted.filesystem if wanted else ""
    return Thing(f"mount {lun.key}", "volume", name, note, facts, lun.top, state)
