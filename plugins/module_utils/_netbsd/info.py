# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetBSD's target serves: what its files say, since it has no control socket; it read them when it started."""

from __future__ import annotations

from typing import Any

from .._host import Host
from .._san.label import read_label
from .._san.target import Lun, Target, shown
from . import conf
from .state import TARGETS, Serving, look_serving


def tell_targets(host: Host, name: str | None) -> dict[str, Any]:
    """All targets or one. Sessions are unknown: they stand in the log alone."""
    seen = look_serving(host, ())
    return {
        "targets": [
            {**shown_target(seen, one), "tag": 1, "sessions": [], "other_portal_groups": []}
            for key, one in sorted(seen.targets().items())
            if name in (None, key)
        ],
        "drift": [] if seen.running or not seen.text else ["The iSCSI target does not run."],
        "saved": TARGETS,
    }


def tell_luns(host: Host, metadata: bool) -> dict[str, Any]:
    """All targets and LUNs; nobody is named who has them, since everybody does."""
    seen = look_serving(host, ())
    targets = seen.targets()
    return {
        "targets": [
            {
                "name": one.name,
                "enabled": seen.running,
                "portals": sorted(str(portal) for portal in one.portals),
                "igroups": [],
            }
            for _name, one in sorted(targets.items())
        ],
        "luns": [
            _lun(host, metadata, one, lun)
            for _name, one in sorted(targets.items())
            for lun in one.luns.values()
        ],
    }


def shown_target(seen: Serving, target: Target) -> dict[str, Any]:
    """A target for people and templates. It has no WWID: the identifier changes at every start. 'members' are the extents and
    devices that its LUN is made of, 'mask' is what it is hidden from in discovery."""
    one = conf.targets_of(seen.text)[target.name.lower()]
    return {
        **shown(target, {}, lambda _lun: ""),
        "enabled": seen.running,
        "members": conf.below(seen.text, one.storage),
        "mask": one.mask,
    }


def _lun(host: Host, metadata: bool, target: Target, lun: Lun) -> dict[str, Any]:
    label, why = read_label(host, lun.path, metadata)
    return {
        "target": target.name,
        "name": lun.name,
        "path": lun.path,
        "wwid": "",
        "initiators": [],
        "saved_initiators": [],
        "read_only_initiators": [],
        "saved_read_only_initiators": [],
        "label": label,
        "unreadable_reason": why or (f"it {lun.fixed}" if lun.fixed else None),
    }
