# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a target is to be saved: what was asked for or is not saved yet. All else stays in the file as it stands there, even
where something else is running (target_info reports it): somebody may have meant it for now, or for the next boot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Collection, Mapping

from .._san.target import Initiator, Target
from .saveconfig import DERIVED


def to_save(
    saved: Target | None, before: Target | None, after: Target, asked: Mapping[str, Any], access: bool
) -> Target:
    """The target with what was not asked for as it is saved."""
    settings = {*asked["attributes"], *asked["parameters"], *(DERIVED if access else ())}
    if saved is None and before and before.unfinished:  # as a new one is saved
        return replace(
            after,
            attributes=_settings({}, after.attributes, settings),
            parameters=_settings({}, after.parameters, settings),
        )
    if saved is None or before is None or saved.tag != after.tag:
        return after
    found = (after.lun(one["name"], one["number"]) for one in asked["luns"] if one["state"] == "present")
    luns = {one.number for one in found if one}
    groups = {group["name"] for group in asked["igroups"]}
    return replace(
        after,
        enabled=saved.enabled if asked["enabled"] is None else after.enabled,
        attributes=_settings(saved.attributes, after.attributes, settings),
        parameters=_settings(saved.parameters, after.parameters, settings),
        luns={
            number: saved.luns[number]
            if number in saved.luns and number not in luns and before.luns.get(number) == lun
            else lun
            for number, lun in after.luns.items()
        },
        iser=frozenset(
            one
            for one in after.portals
            if one in (saved if one in saved.portals and one not in asked["iser"] else after).iser
        ),
        initiators={
            name: _initiator(saved.initiators[name], one)
            if name in saved.initiators and one.igroup not in groups and before.initiators.get(name) == one
            else one
            for name, one in after.initiators.items()
        },
    )


def _settings(saved: Mapping[str, str], after: Mapping[str, str], asked: Collection[str]) -> dict[str, str]:
    return {
        key: value if key in asked else saved[key] for key, value in after.items() if key in {*asked, *saved}
    }


def _initiator(saved: Initiator, one: Initiator) -> Initiator:
    return replace(saved, luns={**one.luns, **saved.luns})
