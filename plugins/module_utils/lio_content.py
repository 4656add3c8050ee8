# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has each LUN of LIO, now and after a boot, and which volume group is on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.identity import wwid_of_lio
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_configfs import Keys, look_running
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_document import saved_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_saved import look_saved
from ansible_collections.lunworks.iscsi.plugins.module_utils.pv_label import look_label
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Lun, Target, whole


def tell_luns(host: Host, metadata: bool) -> dict[str, Any]:
    """All targets and LUNs that run or are saved."""
    running, saved = look_running(host, Keys()).targets, saved_targets(look_saved(host).document)
    targets = {
        name: target
        for name in sorted({*running, *saved})
        for target in [whole(running.get(name), saved.get(name))]
        if target
    }
    nothing = Target("")
    return {
        "targets": [_target(one, running) for one in targets.values()],
        "luns": [
            _lun(host, metadata, one, lun, running.get(name, nothing), saved.get(name, nothing))
            for name, one in targets.items()
            for lun in sorted(one.luns.values(), key=lambda lun: lun.number)
        ],
    }


def _target(target: Target, running: dict[str, Target]) -> dict[str, Any]:
    groups = target.igroups()
    return {
        "name": target.name,
        "enabled": target.name in running and running[target.name].enabled,
        "portals": sorted(map(str, target.portals)),
        "igroups": [
            {
                "name": name,
                "initiators": members,
                "chap": any(target.initiators[one].chap is not None for one in members),
            }
            for name, members in groups.items()
        ],
    }


def _lun(
    host: Host, metadata: bool, target: Target, lun: Lun, running: Target, saved: Target
) -> dict[str, Any]:
    label, unreadable = None, None
    try:
        label = look_label(host, lun.path) if lun.path and host.stat(lun.path) else None
    except Problem as problem:  # what is wrong with one LUN is told beside all others
        unreadable = str(problem)
    serves = lun.name in running.luns
    return {
        "target": target.name,
        "name": lun.name,
        "path": lun.path,
        "wwid": wwid_of_lio(lun.serial),
        "running": _mapped(running, lun.name) if serves else [],
        "saved": _mapped(saved, lun.name),
        "read_only": _mapped(running, lun.name, read_only=True) if serves else [],
        "saved_read_only": _mapped(saved, lun.name, read_only=True),
        "label": label if metadata or label is None else replace(label, metadata=""),
        "unreadable": unreadable,
    }


def _mapped(target: Target, lun: str, read_only: bool = False) -> list[str]:
    return sorted(
        name
        for name, one in target.initiators.items()
        if lun in one.luns and (one.luns[lun].read_only or not read_only)
    )
