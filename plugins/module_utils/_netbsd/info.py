# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetBSD's target serves: what its files say, since it has no control socket; it read them when it started."""

from __future__ import annotations

import re
import stat
from typing import Any, Iterator

from .._host import Host, lines_of
from .._san.label import read_label
from .._san.target import Lun, Target, shown
from . import conf
from .state import AUTHS, TARGETS, Serving, look_serving

EVERYBODY = ("any", "all", "0/0", "0.0.0.0/0")  # targets(5): netmasks that hide nothing


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
        "exposed_files": [AUTHS] if _users(seen) and _readable(host, AUTHS) else [],
        "unmanaged": list(_unmanaged(seen)) if name is None else [],
    }


def _unmanaged(seen: Serving) -> Iterator[str]:
    """What the files say that this collection does not write, one sentence each."""
    striped = set(conf.several_striped(seen.text))
    devices = conf.labels_of(seen.text, "device")
    for one in conf.targets_of(seen.text).values():
        if one.storage in devices:
            parts = ", ".join(conf.below(seen.text, one.storage)[1:])
            made = f"the device '{one.storage}' ({devices[one.storage].fields[1]} of {parts})"
            yield f"The LUN of '{one.name}' is {made}, which is changed in '{TARGETS}' alone."
        if striped & set(conf.below(seen.text, one.storage)):
            yield f"The LUN of '{one.name}' is on a RAID0 of several members, where the target destroys data."
        if one.mask not in EVERYBODY:
            yield f"The target '{one.name}' is hidden from discovery outside of '{one.mask}'; who knows its name logs in."
    if _users(seen):
        yield f"'{AUTHS}' has {_users(seen)} CHAP accounts, and the target checks them only where an initiator offers CHAP."


def _users(seen: Serving) -> int:
    """How many accounts there are (auths(5)); '\\:' is a part of a name."""
    return sum(bool(re.match(r"\s*(?!#)(?:\\.|[^:\\])+:[^:]*:", line)) for line in lines_of(seen.auths))


def _readable(host: Host, path: str) -> bool:
    found = host.stat(path)
    return found is not None and bool(found.st_mode & stat.S_IROTH)


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
