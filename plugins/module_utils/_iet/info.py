# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IET serves, to whom, and whether that is what its files say."""

from __future__ import annotations

from typing import Any, Iterator

from .._host import Host
from .._san.backing import sizes_of
from .._san.label import read_label
from .._san.target import Lun, Target, shown
from .._san.wwid import wwid_of_scsi_id
from . import allow
from .keys import LIVE, runs_as
from .running import Running
from .state import Serving, look_serving
from .unmanaged import look_unmanaged


def tell_targets(host: Host, name: str | None) -> dict[str, Any]:
    """All targets or one, with sessions; and where the files say something else than runs."""
    seen = look_serving(host, (), everything=True)
    names = [one for one in sorted({**seen.saved, **(seen.running or {})}) if name in (None, one)]
    return {
        "targets": [
            {
                **shown_target(seen, one),
                "tag": 1,  # ietd has no other (usr/iscsid.c, login_start)
                "saved": one in seen.saved,
                "sessions": [
                    {"initiator": session.initiator, "address": session.address, "tag": 1}
                    for session in seen.sessions
                    if session.target == one
                ],
                "other_portal_groups": [],
            }
            for one in names
        ],
        "drift": [fault for one in names for fault in drifts(seen, one)],
        "saved": seen.conf.path,
        "exposed_files": [] if seen.conf.private else [seen.conf.path],
        "unmanaged": list(look_unmanaged(seen)) if name is None else [],
    }


def tell_luns(host: Host, metadata: bool) -> dict[str, Any]:
    """All targets and LUNs; every initiator of a target has every LUN of it."""
    seen = look_serving(host, ())
    running = seen.running or {}
    return {
        "targets": [
            {
                "name": one.name,
                "enabled": name in running,
                "portals": sorted(str(portal) for portal in one.portals),
                "igroups": [
                    {
                        "name": group,
                        "initiators": names,
                        "chap": any(one.initiators[who].chap is not None for who in names),
                    }
                    for group, names in one.igroups().items()
                ],
            }
            for name, one in sorted(seen.saved.items())
        ],
        "luns": [
            _lun(host, metadata, one, lun, name in running and number in running[name].luns)
            for name, one in sorted(seen.saved.items())
            for number, lun in sorted(one.luns.items())
        ],
    }


def shown_target(seen: Serving, name: str) -> dict[str, Any]:
    """A target for people and templates, without secrets; 'open_to' is who gets in beside the named initiators."""
    running = (seen.running or {}).get(name)
    target = seen.saved.get(name) or _running_only(running)
    sizes = sizes_of(seen.backing)
    items = allow.deciding(seen.initiators.text, target.name).items
    return {
        **shown(target, sizes, wwid_of),
        "enabled": seen.running is None or running is not None,
        "open_to": [one for one in items if one == allow.ALL] + allow.others_in(items),
    }


def _running_only(running: Running | None) -> Target:
    if running is None:
        return Target("")
    luns = {
        number: Lun(
            f"lun{number}",
            number,
            one.path,
            "",
            one.size,
            read_only=one.mode == "ro",
            write_back=one.mode == "wb",
        )
        for number, one in running.luns.items()
    }
    return Target(running.name, luns=luns)


def wwid_of(lun: Lun) -> str:
    """As hosts see it; empty without a ScsiId, where it depends on the version of IET."""
    return wwid_of_scsi_id(lun.attributes["ScsiId"]) if lun.attributes.get("ScsiId") else ""


def drifts(seen: Serving, name: str) -> Iterator[str]:
    """Where a target runs otherwise than the files say."""
    saved, running = seen.saved.get(name), (seen.running or {}).get(name)
    if saved is None or running is None:
        if seen.running is not None:
            yield f"The target '{name}' {'is saved, but does not run' if saved else 'runs, but is not saved'}."
        return
    for number in sorted({*saved.luns} ^ {*running.luns}):
        which = "is saved, but does not run" if number in saved.luns else "runs, but is not saved"
        yield f"The LUN number {number} of '{name}' {which}."
    for number in sorted({*saved.luns} & {*running.luns}):
        lun, volume = saved.luns[number], running.luns[number]
        mode = "ro" if lun.read_only else "wb" if lun.write_back else "wt"
        if (lun.path, lun.attributes.get("Type", "fileio"), mode) != (volume.path, volume.kind, volume.mode):
            yield f"The LUN '{lun.name}' of '{name}' runs with a different path, type or mode than saved."
    for key, value in sorted({**saved.attributes, **saved.parameters}.items()):
        if key in LIVE and key in running.keys and running.keys[key] != runs_as(key, value):
            yield f"'{key}' of '{name}' is '{running.keys[key]}' and saved as '{value}'."
    section = seen.sections.get(name)
    if section and running.accounts is not None and running.accounts != frozenset(section.accounts):
        yield f"The CHAP accounts of '{name}' run otherwise than saved."


def _lun(host: Host, metadata: bool, target: Target, lun: Lun, runs: bool) -> dict[str, Any]:
    label, why = read_label(host, lun.path, metadata)
    names = sorted(target.initiators)
    readers = names if lun.read_only else []
    return {
        "target": target.name,
        "name": lun.name,
        "path": lun.path,
        "wwid": wwid_of(lun),
        "initiators": names if runs else [],
        "saved_initiators": names,
        "read_only_initiators": readers if runs else [],
        "saved_read_only_initiators": readers,
        "label": label,
        "unreadable_reason": why or None,
    }
