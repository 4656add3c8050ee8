# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is known about the volume groups of a host."""

from __future__ import annotations

import json
import re
from typing import Any, Sequence

from .._block.holders import Holders, look_holders
from .._fs.filesystem import look_signatures
from .._host import Host, Problem
from .model import LOOK, LogicalVolume, VolumeGroup, lvm, show_group, show_physical
from .pv import users_of
from .report import QUIET, expected, look_lvm

ILLS = ("lv_health_status", "lv_check_needed", "lv_snapshot_invalid")
HEALTH = ["lvs", "-a", "--reportformat", "json", "-o", ",".join(["lv_uuid", *ILLS])]
SEGMENT_TYPES = ["lvm", "segtypes"]
VERSION = ["lvm", "version"]


def tell_groups(host: Host, names: Sequence[str] | None, metadata: bool = False) -> dict[str, Any]:
    """The groups of these names, or all, with their metadata if that is asked for; nothing is written."""
    found = look_lvm(host)
    groups = [group for group in found.groups if names is None or group.name in names]
    holders = look_holders(host, opened=any(group.tables for group in groups))
    ill = _ill(host, groups)
    return {
        "system_id": found.system_id or None,
        "version": parse_version(lvm(host, *VERSION, timeout=LOOK).out),
        "segment_types": lvm(host, *SEGMENT_TYPES, timeout=LOOK).out.split(),
        "groups": [
            {**_told(host, group, holders, ill), **({"metadata": _metadata(host, group)} if metadata else {})}
            for group in groups
        ],
        "unused_physical_volumes": [
            {
                name: value
                for name, value in show_physical(one, 0).items()
                if name in ("device", "uuid", "wwid")
            }
            for one in found.orphans
        ],
    }


def _told(host: Host, group: VolumeGroup, holders: Holders, ill: dict[str, str]) -> dict[str, Any]:
    shown = show_group(group)
    volumes = zip(shown["logical_volumes"], group.logical)
    return {
        **shown,
        "logical_volumes": [
            {**told, "health": ill.get(one.uuid), **_used(host, group, one, holders)} for told, one in volumes
        ],
    }


def _ill(host: Host, groups: Sequence[VolumeGroup]) -> dict[str, str]:
    """What is wrong with active pools, snapshots, mirrors and caches, by the UUID of the LV; plain ones have no such state."""
    if not any(one.kernel and not one.plain for group in groups for one in group.logical):
        return {}
    return parse_health(lvm(host, *HEALTH, config=QUIET, timeout=LOOK).out)


def parse_health(text: str) -> dict[str, str]:
    """The LVs that are not healthy, from 'lvs' (lvs(8), bits 9 of lv_attr in words)."""
    with expected("lvs"):
        rows = [row for report in json.loads(text)["report"] for row in report["lv"]]
        told = {row["lv_uuid"]: [row.get(field) or "" for field in ILLS] for row in rows}
    return {uuid: ", ".join(filter(_says, words)) for uuid, words in told.items() if any(map(_says, words))}


def parse_version(text: str) -> str:
    """The version in what 'lvm version' prints, '' when it says none."""
    found = re.search(r"LVM version:\s*([0-9.]+)", text)
    return found[1] if found else ""


def _says(word: str) -> bool:
    return word not in ("", "unknown", "0", "-1")


def _used(host: Host, group: VolumeGroup, one: LogicalVolume, holders: Holders) -> dict[str, Any]:
    mounts = [user.name for user in holders.of(one.kernel) if user.kind == "mount"] if one.kernel else []
    content = look_signatures(host, f"/dev/{group.name}/{one.name}") if one.readable else ()
    return {
        "filesystem": "+".join(content) or None,
        "mounts": list(dict.fromkeys(mounts)),
        "users": list(users_of([one.kernel], "", holders)) if one.kernel else [],
    }


def _metadata(host: Host, group: VolumeGroup) -> str | None:
    """What LVM last wrote on one of the disks, in the form that vgcfgrestore(8) reads; not every PV has metadata of its own."""
    said = ""
    for device in (one.device for one in group.physical if not one.missing):
        ran = lvm(host, "pvck", "--dump", "metadata", device, config=QUIET, timeout=LOOK, ok=(0, 5))
        found = parse_dump(ran.out) if ran.rc == 0 else None
        if found:
            return found
        said = " ".join(ran.err.split()) or f"none on '{device}'"
    if said:
        raise Problem(f"No disk of '{group.name}' shows its metadata to 'pvck --dump metadata': {said}")
    return None


def parse_dump(text: str) -> str | None:
    """The metadata in what 'pvck --dump metadata' prints: between two lines of hyphens. None when it prints none."""
    found = re.search(r"^ *---\n(.*?)^ *---$", text, re.M | re.S)
    return found[1].strip() + "\n" if found else None
