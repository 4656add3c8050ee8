# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO serves, to whom, and whether that is what comes back after a boot."""

from __future__ import annotations

from typing import Any, Iterator

from ansible_collections.lunworks.iscsi.plugins.module_utils.backing import look_backing
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_configfs import Keys, look_running
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_document import saved_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_saved import look_saved
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Target, shown


def tell_targets(host: Host, name: str | None) -> dict[str, Any]:
    """All targets or one, with sessions; and the drift between running and saved."""
    saved = look_saved(host)
    kept = saved_targets(saved.document)
    running = look_running(host, Keys(everything=True))
    paths = {lun.path for target in running.targets.values() for lun in target.luns.values() if lun.path}
    backing = look_backing(host, paths, set(), set())
    sizes = {path: one.size for path, one in backing.items() if one.size is not None}
    names = [one for one in sorted({*running.targets, *kept}) if name in (None, one)]
    return {
        "targets": [
            {
                **shown(running.targets[one], sizes),
                "sessions": [
                    {"initiator": session.initiator, "address": session.address}
                    for session in running.sessions
                    if session.target == one
                ],
            }
            for one in names
            if one in running.targets
        ],
        "drift": [fault for one in names for fault in _drift(one, running.targets.get(one), kept.get(one))],
        "saved": saved.path,
    }


def _drift(name: str, runs: Target | None, kept: Target | None) -> Iterator[str]:
    if runs is None or kept is None:
        yield f"The target '{name}' {_which(runs is not None)}."
        return
    for what, now, then in (
        ("LUN", {*runs.luns}, {*kept.luns}),
        ("initiator", {*runs.initiators}, {*kept.initiators}),
        ("portal", {*map(str, runs.portals)}, {*map(str, kept.portals)}),
    ):
        for one in sorted(now ^ then):
            yield f"The {what} '{one}' of '{name}' {_which(one in now)}."
    for lun in sorted(set(runs.luns) & set(kept.luns)):
        for key in ("number", "path", "serial", "size", "block_size", "write_back"):
            if getattr(runs.luns[lun], key) != getattr(kept.luns[lun], key):
                yield f"The LUN '{lun}' of '{name}' runs with another {key} than is saved."
    for one in sorted(set(runs.initiators) & set(kept.initiators)):
        if runs.initiators[one] != kept.initiators[one]:
            yield f"The initiator '{one}' of '{name}' runs with another igroup, map or CHAP than is saved."
    for what, settings, old in (
        ("attribute", runs.attributes, kept.attributes),
        ("parameter", runs.parameters, kept.parameters),
    ):
        for key in sorted(old):
            if key in settings and settings[key] != old[key]:
                yield f"The {what} {key} of '{name}' is '{settings[key]}' and saved as '{old[key]}'."
    if runs.enabled != kept.enabled:
        yield f"The target '{name}' is {'enabled' if runs.enabled else 'disabled'} and saved the other way."


def _which(running: bool) -> str:
    return "runs, but is not saved" if running else "is saved, but does not run"
