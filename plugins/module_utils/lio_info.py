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
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Lun, Target, shown


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
    for what, these, those in (
        ("LUN", {*runs.luns}, {*kept.luns}),
        ("initiator", {*runs.initiators}, {*kept.initiators}),
        ("portal", {*map(str, runs.portals)}, {*map(str, kept.portals)}),
    ):
        yield from (
            f"The {what} '{one}' of '{name}' {_which(one in these)}." for one in sorted(these ^ those)
        )
    for lun in sorted(set(runs.luns) & set(kept.luns)):
        for key in _differing(runs.luns[lun], kept.luns[lun]):
            yield f"The LUN '{lun}' of '{name}' runs with another {key} than is saved."
    for one in sorted(set(runs.initiators) & set(kept.initiators)):
        if runs.initiators[one] != kept.initiators[one]:
            yield f"The initiator '{one}' of '{name}' runs with another igroup, map or CHAP than is saved."
    now = {"enabled": str(runs.enabled), **runs.attributes, **runs.parameters}
    old = {"enabled": str(kept.enabled), **kept.attributes, **kept.parameters}
    for key in sorted(key for key in old if now.get(key, old[key]) != old[key]):
        yield f"'{key}' of '{name}' is '{now[key]}' and saved as '{old[key]}'."


def _differing(runs: Lun, kept: Lun) -> list[str]:
    keys = ("number", "path", "serial", "size", "block_size", "write_back")
    return [key for key in keys if getattr(runs, key) != getattr(kept, key)]


def _which(running: bool) -> str:
    return "runs, but is not saved" if running else "is saved, but does not run"
