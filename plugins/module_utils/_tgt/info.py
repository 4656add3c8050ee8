# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tgt serves, to whom, and whether that is what comes back after a boot."""

from __future__ import annotations

from typing import Any, Iterator

from .._host import Host
from .._san.backing import sizes_of
from .._san.target import Lun, Target, shown
from .boot import boot_files
from .discovery import parse_discovery, shown_discovery, users_of
from .exposed import look_exposed
from .identity import wwid_of
from .kept import DIRECTORY, RULES, file_of, is_ours, render
from .state import Serving, look_serving
from .tgtadm import look_targets, with_parameters


def tell_targets(host: Host, name: str | None) -> dict[str, Any]:
    """All targets or one, with sessions; the drift between running and kept; what is not managed."""
    seen = look_serving(host, [])
    raw = look_targets(host) or []
    parameters = {
        one.name.lower(): one.parameters
        for one in with_parameters(host, raw, None if name is None else {name})
    }
    names = [one for one in sorted({*seen.running.targets, *seen.kept}) if name in (None, one)]
    running = seen.running.targets if seen.active else {}
    sizes = sizes_of(seen.backing)
    return {
        "targets": [
            _target(seen, one, running[one], parameters.get(one, {}), sizes)
            for one in names
            if one in running
        ],
        "drift": [fault for one in names for fault in _drift(seen, one)] + list(_boot_drift(seen)),
        "discovery_chap": shown_discovery(seen.running.discovery),
        "saved": DIRECTORY,
        "exposed_files": look_exposed(host),
        "unmanaged": list(_unmanaged(seen)) if name is None else [],
    }


def _target(
    seen: Serving, name: str, target: Target, parameters: dict[str, str], sizes: dict[str, int]
) -> dict[str, Any]:
    return {
        **shown(target, sizes, wwid_of),
        "parameters": dict(sorted(parameters.items())),
        "tag": target.tag,
        "defined_in": seen.others.get(name),
        "sessions": [
            {"initiator": session.initiator, "address": session.address, "tag": target.tag}
            for session in seen.running.here(name)
        ],
        "other_portal_groups": [],
    }


def _drift(seen: Serving, name: str) -> Iterator[str]:
    runs = seen.running.targets.get(name) if seen.active else None
    kept, path = seen.kept.get(name), file_of(name)
    if name in seen.others:
        return
    if runs is None or kept is None:
        yield f"The target '{name}' {_which(runs is not None)}."
        return
    for what, these, those in (
        ("LUN", _names(runs), _names(kept)),
        ("initiator", set(runs.initiators), set(kept.initiators)),
        ("address rule", set(_rules(runs)), set(_rules(kept))),
    ):
        yield from (
            f"The {what} '{one}' of '{name}' {_which(one in these)}." for one in sorted(these ^ those)
        )
    yield from _drift_of_luns(name, runs, kept)
    both = [one for one in runs.initiators if one in kept.initiators]
    if any(runs.initiators[one].chap != kept.initiators[one].chap for one in both):
        yield f"'{name}' runs with other CHAP users than saved."
    now = {"enabled": str(runs.enabled), **runs.parameters}
    old = {"enabled": str(kept.enabled), **kept.parameters}
    for key in sorted(key for key in old if now.get(key, old[key]) != old[key]):
        yield f"'{key}' of '{name}' is '{now[key]}' and saved as '{old[key]}'."
    if seen.files.get(path) != render(kept):
        yield f"'{path}' was changed by hand, and is not what this collection writes."


def _drift_of_luns(name: str, runs: Target, kept: Target) -> Iterator[str]:
    for number in sorted(set(runs.luns) & set(kept.luns)):
        for key in _differing(runs.luns[number], kept.luns[number]):
            yield f"The LUN '{runs.luns[number].name}' of '{name}' runs with a different {key} than saved."


def _names(target: Target) -> set[str]:
    return {lun.name for lun in target.luns.values()}


def _rules(target: Target) -> list[str]:
    return target.attributes.get(RULES, "").split()


def _differing(runs: Lun, kept: Lun) -> list[str]:
    keys = ("path", "serial", "size", "block_size", "read_only", "backstore")
    return [key for key in keys if getattr(runs, key) != getattr(kept, key)]


def _boot_drift(seen: Serving) -> Iterator[str]:
    """What our targets need at a boot and is not there as it should be."""
    if not seen.read_at_boot and seen.kept:
        yield "The files of this collection are not read at boot: /etc/tgt/targets.conf does not include them."
    chap = parse_discovery(seen.at_discovery)
    if chap and seen.active and seen.running.discovery != users_of(chap):
        yield "Discovery runs with other CHAP users than saved."
    for path, text in boot_files(seen.unit, seen.kept.values(), chap is not None).items():
        if seen.files.get(path) != text:
            yield f"'{path}', which the targets need at boot, is not as it should be."


def _unmanaged(seen: Serving) -> Iterator[str]:
    for name, path in sorted(seen.others.items()):
        yield f"The target '{name}' is defined in '{path}' and is changed there alone."
    if seen.unclear:
        yield f"Which targets others' files define is not known: {seen.unclear}."
    for name, driver in sorted(seen.running.drivers.items()):
        yield f"The target '{name}' is served by the driver '{driver}'."
    if seen.discovery_theirs:
        yield f"'{seen.discovery_theirs}' binds CHAP accounts for discovery."
    elif seen.running.discovery != users_of(None) and not seen.at_discovery:
        yield "Discovery asks for CHAP with accounts that somebody bound by hand."
    if seen.running.isns:
        yield "The targets are registered with an iSNS server."
    for path in sorted(seen.files):
        if is_ours(path) and path not in map(file_of, seen.kept):
            yield f"'{path}' was changed by hand and cannot be read."


def _which(running: bool) -> str:
    return "runs, but is not saved" if running else "is saved, but does not run"
