# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has each LUN of LIO, now and after a boot, and which volume group is on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Sequence

from .._host import Host
from .._san.label import read_label as label_on
from .._san.target import Lun, Target
from .._san.wwid import wwid_of_lio
from .configfs import Keys, look_running
from .persistence import look_saved
from .saved_entry import OURS, saved_groups


def tell_luns(host: Host, metadata: bool) -> dict[str, Any]:
    """All targets and LUNs that run or are saved, whatever portal group they are in."""
    running, saved = look_running(host, Keys()), saved_groups(look_saved(host).document)
    names = sorted({*running.targets, *saved})
    groups = {
        name: [*running.others.get(name, ()), *([running.targets[name]] if name in running.targets else [])]
        for name in names
    }
    return {
        "targets": [_target(name, groups[name], saved.get(name, [])) for name in names],
        "luns": [
            _lun(host, metadata, name, lun, groups[name], saved.get(name, []))
            for name in names
            for lun in _luns([*groups[name], *saved.get(name, [])])
        ],
    }


def _luns(groups: Sequence[Target]) -> list[Lun]:
    """Each backstore of a target once, however often it is served."""
    found: dict[str, Lun] = {}
    for group in sorted(groups, key=lambda one: one.tag):
        for number in sorted(group.luns):
            found.setdefault(group.luns[number].backstore, group.luns[number])
    return sorted(found.values(), key=lambda lun: lun.number)


def _target(name: str, running: Sequence[Target], saved: Sequence[Target]) -> dict[str, Any]:
    every = [*running, *saved]
    members: dict[str, set[str]] = {}
    for group in every:
        for igroup, initiators in group.igroups().items():
            members.setdefault(igroup, set()).update(initiators)
    chap = {who for group in every for who, one in group.initiators.items() if one.chap is not None}
    return {
        "name": name,
        "enabled": any(group.enabled for group in running),
        "portals": sorted({str(portal) for group in every for portal in group.portals}),
        "igroups": [
            {"name": igroup, "initiators": sorted(members[igroup]), "chap": bool(members[igroup] & chap)}
            for igroup in members
        ],
    }


def _lun(
    host: Host,
    metadata: bool,
    target: str,
    lun: Lun,
    running: Sequence[Target],
    saved: Sequence[Target],
) -> dict[str, Any]:
    label, why = read_label(host, lun)
    return {
        "target": target,
        "name": lun.name,
        "path": lun.path,
        "wwid": wwid_of_lio(lun.serial),
        "initiators": _mapped(running, lun),
        "saved_initiators": _mapped(saved, lun),
        "read_only_initiators": _mapped(running, lun, read_only=True),
        "saved_read_only_initiators": _mapped(saved, lun, read_only=True),
        "label": label if metadata or label is None else replace(label, metadata=""),
        "unreadable_reason": why or None,
    }


def read_label(host: Host, lun: Lun) -> tuple[Any, str]:
    """What LVM wrote on a LUN, and why that is not known; only our kinds of backstores are read."""
    kind = lun.backstore.partition("/")[0]
    if lun.path and host.stat(lun.path) is not None and kind not in OURS:
        return None, f"a backstore of the kind '{kind}' is not read"
    return label_on(host, lun.path)


def _mapped(groups: Sequence[Target], lun: Lun, read_only: bool = False) -> list[str]:
    """Who has a LUN, in any portal group, under any number; who may only read it in each of his maps."""
    maps: dict[str, list[bool]] = {}
    for group in groups:
        numbers = {number for number, one in group.luns.items() if one.backstore == lun.backstore}
        for name, one in group.initiators.items():
            for entry in one.luns.values():
                if entry.lun in numbers:
                    maps.setdefault(name, []).append(entry.read_only)
    return sorted(name for name, protected in maps.items() if all(protected) or not read_only)
