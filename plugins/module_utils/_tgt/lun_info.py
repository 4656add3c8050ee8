# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has each LUN of tgt, now and after a boot, and which volume group is on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._host import Host
from .._san.label import read_label
from .._san.target import Lun, Target
from .identity import wwid_of
from .state import Serving, look_serving


def tell_luns(host: Host, metadata: bool) -> dict[str, Any]:
    """All targets and LUNs that run or are kept."""
    seen = look_serving(host, [])
    running, kept = (seen.running.targets if seen.active else {}), seen.kept
    pairs = {name: (running.get(name), kept.get(name)) for name in sorted({*running, *kept})}
    return {
        "targets": [_target(name, *pair) for name, pair in pairs.items()],
        "luns": [_lun(host, metadata, seen, lun, *pair) for pair in pairs.values() for lun in _luns(*pair)],
    }


def _luns(runs: Target | None, kept: Target | None) -> list[Lun]:
    found = {**(kept.luns if kept else {}), **(runs.luns if runs else {})}
    return [found[number] for number in sorted(found)]


def _target(name: str, runs: Target | None, kept: Target | None) -> dict[str, Any]:
    groups: dict[str, set[str]] = {}
    chap = set()
    for one in filter(None, (runs, kept)):
        for who, initiator in one.initiators.items():
            groups.setdefault(initiator.igroup, set()).add(who)
            chap |= {initiator.igroup} if initiator.chap else set()
    return {
        "name": name,
        "enabled": bool(runs and runs.enabled),
        "portals": sorted(str(portal) for portal in (runs.portals if runs else ())),
        "igroups": [
            {"name": group, "initiators": sorted(groups[group]), "chap": group in chap}
            for group in sorted(groups)
        ],
    }


def _lun(
    host: Host, metadata: bool, seen: Serving, lun: Lun, runs: Target | None, kept: Target | None
) -> dict[str, Any]:
    label, why = read_label(host, lun.path)
    target = (runs or kept or Target("")).name
    now, then = _who(runs, lun), _who(kept, lun)
    if runs and lun.number in runs.luns:  # who is logged in uses it, let in or not
        now = sorted({*now, *(one.initiator for one in seen.running.here(target))})
    return {
        "target": target.lower(),
        "name": lun.name,
        "path": lun.path,
        "wwid": wwid_of(lun),
        "initiators": now,
        "saved_initiators": then,
        "read_only_initiators": now if _only_read(runs, lun) else [],
        "saved_read_only_initiators": then if _only_read(kept, lun) else [],
        "label": label if metadata or label is None else replace(label, metadata=""),
        "unreadable_reason": why or None,
    }


def _who(target: Target | None, lun: Lun) -> list[str]:
    return sorted(target.initiators) if target and lun.number in target.luns else []


def _only_read(target: Target | None, lun: Lun) -> bool:
    return bool(target and lun.number in target.luns and target.luns[lun.number].read_only)
