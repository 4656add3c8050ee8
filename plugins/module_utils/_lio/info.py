# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO serves, to whom, and whether that is what comes back after a boot."""

from __future__ import annotations

from typing import Any, Iterator, Sequence

from .._host import Host
from .._san.backing import look_backing, sizes_of
from .._san.target import Lun, Target, shown
from .configfs import Keys, Running, look_running
from .discovery import discovery_drift, look_discovery, saved_discovery
from .persistence import look_saved
from .saved_entry import saved_groups, twins, wwid_of
from .unmanaged import look_unmanaged


def tell_targets(host: Host, name: str | None) -> dict[str, Any]:
    """All targets or one, with sessions; and the drift between running and saved."""
    saved = look_saved(host)
    kept = saved_groups(saved.document)
    running = look_running(host, Keys(everything=True))
    paths = {lun.path for lun in running.stores.values() if lun.path}
    backing = look_backing(host, paths, set(), set())
    sizes = sizes_of(backing)
    discovery = look_discovery(host)
    names = [one for one in sorted({*running.targets, *kept}) if name in (None, one)]
    return {
        "targets": [_target(running, one, sizes) for one in names if one in running.targets],
        "drift": [
            fault for one in names for fault in _drifts(one, running, saved.document, kept.get(one, []))
        ]
        + list(discovery_drift(discovery, saved_discovery(saved.document)) if name is None else ()),
        "saved": saved.path,
        "exposed_files": [] if saved.private else [saved.path],
        "discovery_chap": discovery.shown(),
        "unmanaged": look_unmanaged(host, running) if name is None else [],
    }


def _target(running: Running, name: str, sizes: dict[str, int]) -> dict[str, Any]:
    """A target's first portal group, who is logged in to any of them, and the others."""
    first = running.targets[name]
    return {
        **shown(first, sizes, wwid_of),
        "tag": first.tag,
        "sessions": [
            {"initiator": session.initiator, "address": session.address, "tag": session.tag}
            for session in running.sessions
            if session.target.lower() == name
        ],
        "other_portal_groups": [
            {**shown(one, sizes, wwid_of), "tag": one.tag} for one in running.others.get(name, ())
        ],
    }


def _drifts(name: str, running: Running, document: dict[str, Any], kept: Sequence[Target]) -> Iterator[str]:
    """Each running portal group beside the saved one of its tag."""
    first = running.targets.get(name)
    groups = {one.tag: one for one in [*([first] if first else []), *running.others.get(name, ())]}
    saved = {one.tag: one for one in kept}
    twin = twins(document, name)
    if twin:
        yield f"The saved file has {twin} of '{name}' twice."
    if not groups or not saved:
        yield f"The target '{name}' {_which(bool(groups))}."
        return
    for tag in sorted({*groups, *saved}):
        if tag in groups and tag in saved:
            yield from _drift(name, groups[tag], saved[tag])
        else:
            yield f"The portal group {tag} of '{name}' {_which(tag in groups)}."


def _drift(name: str, runs: Target, kept: Target) -> Iterator[str]:
    for number in sorted(set(runs.luns) ^ set(kept.luns)):
        lun = runs.luns.get(number) or kept.luns[number]
        yield f"The LUN '{lun.name}' of '{name}' {_which(number in runs.luns)}."
    for what, these, those in (
        ("initiator", {*runs.initiators}, {*kept.initiators}),
        ("portal", {*map(str, runs.portals)}, {*map(str, kept.portals)}),
    ):
        yield from (
            f"The {what} '{one}' of '{name}' {_which(one in these)}." for one in sorted(these ^ those)
        )
    for portal in sorted(runs.portals & kept.portals & (runs.iser ^ kept.iser)):
        how = ("with", "without") if portal in runs.iser else ("without", "with")
        yield f"The portal {portal} of '{name}' runs {how[0]} iSER and is saved {how[1]} it."
    for number in sorted(set(runs.luns) & set(kept.luns)):
        for key in _differing(runs.luns[number], kept.luns[number]):
            yield f"The LUN '{runs.luns[number].name}' of '{name}' runs with a different {key} than saved."
    for one in sorted(set(runs.initiators) & set(kept.initiators)):
        if runs.initiators[one] != kept.initiators[one]:
            yield f"The initiator '{one}' of '{name}' runs with a different igroup, map or CHAP than saved."
    now = {"enabled": str(runs.enabled), **runs.attributes, **runs.parameters}
    old = {"enabled": str(kept.enabled), **kept.attributes, **kept.parameters}
    for key in sorted(key for key in old if now.get(key, old[key]) != old[key]):
        yield f"'{key}' of '{name}' is '{now[key]}' and saved as '{old[key]}'."


def _differing(runs: Lun, kept: Lun) -> list[str]:
    if not kept.path and not kept.serial:  # of a kind that is not saved so
        return [] if runs.backstore == kept.backstore else ["backstore"]
    keys = ("backstore", "path", "serial", "size", "block_size", "write_back", "read_only", "alua")
    return [key for key in keys if getattr(runs, key) != getattr(kept, key)]


def _which(running: bool) -> str:
    return "is running but not saved" if running else "is saved but not running"
