# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of multipath_conf, merged with what other files say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from ..._arguments import unique
from ..._converge import Resource
from ..._host import Host, Problem
from ..._san.wwid import wwid
from ..._step import Step
from ..alias import LUN, ONE_LUN, alias, wwid_of
from ..files import defaulted, knows, refuse_conflicts
from ..presets import PRESETS, with_presets
from ..said import unsaid
from ..sections import Section
from .plan import DEFAULT, WRITER, Conf, format_conf, look_conf, own_path, plan_conf, refuse_conf

SECTIONS: dict[str, Any] = {
    "defaults": {"type": "dict", "default": {}},
    "blacklist": {"type": "dict", "default": {}},
    "blacklist_exceptions": {"type": "dict", "default": {}},
    "devices": {"type": "list", "elements": "dict", "default": []},
    "multipaths": {"type": "list", "elements": "dict", "default": []},
    "overrides": {"type": "dict", "default": {}},
}
OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "default": DEFAULT},
    "presets": {"type": "list", "elements": "str", "choices": list(PRESETS), "default": []},
    "fallbacks": {"type": "dict", "default": {}},
    **SECTIONS,
    "claimed": {"type": "list", "elements": "dict", "default": [], "options": LUN, **ONE_LUN},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class MultipathConf(Resource):
    """One drop-in with what was asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.path = own_path(options["name"])
        self.options = options
        self.named, self.claimed = wanted_wwids(options), claimed_wwids(options)

    def text(self, files: Mapping[str, Section]) -> str | None:
        """The drop-in beside these files; None where there shall be none, or it would say nothing."""
        sections = {} if self.options["state"] == "absent" else wanted_sections(self.options, files)
        return format_conf(WRITER, sections) if any(sections.values()) else None

    def look(self, host: Host) -> Conf:
        return look_conf(host, self.path, self.text, self.named, self.claimed)

    def want(self, seen: Conf) -> Conf:
        main = seen.main or self.options["state"] == "present"
        return replace(
            seen,
            text=seen.requested,
            loaded=True,
            main=main,
            complaints=(),
            overruled=(),
            effects=(),
            foreign=False,
            unlisted=(),
        )

    def plan(self, seen: Conf, want: Conf) -> list[Step]:
        return plan_conf(seen, want)

    def refuse(self, seen: Conf, want: Conf, steps: list[Step]) -> None:
        refuse_conf(seen, steps)

    def show(self, state: Conf) -> dict[str, Any]:
        return {"path": state.path, "text": state.text, "running": state.running, "loaded": state.loaded}

    def texts(self, state: Conf) -> dict[str, str]:
        return {state.path: state.text or ""}


def wanted_sections(options: Mapping[str, Any], files: Mapping[str, Section]) -> dict[str, Any]:
    """The sections of the drop-in; fallbacks and presets only where no other file speaks of the same, and nothing that the
    other files say already."""
    sections = {name: options[name] for name in SECTIONS}
    told = defaulted(files)
    fallbacks = {key: value for key, value in options["fallbacks"].items() if key not in told}
    sections["defaults"] = {**fallbacks, **sections["defaults"]}
    named = [one for one in _multipaths(options) if one.get("alias") is not None]
    refuse_conflicts({wwid(str(one["wwid"])): str(one["alias"]) for one in named}, files)
    sections["multipaths"] = [{**one, "wwid": wwid(str(one["wwid"]))} for one in _multipaths(options)]
    sections = unsaid(sections, files.values())
    return with_presets(options["presets"], sections, lambda vendor, product: knows(files, vendor, product))


def wanted_wwids(options: Mapping[str, Any]) -> frozenset[str]:
    """The maps whose name is asked for; a Problem where two entries contradict each other."""
    entries = _multipaths(options)
    unique("entry for the map", [wwid(str(one["wwid"])) for one in entries])
    named = [one for one in entries if one.get("alias") is not None]
    unique("alias", [alias(str(one["alias"])) for one in named])
    return frozenset(wwid(str(one["wwid"])) for one in named)


def claimed_wwids(options: Mapping[str, Any]) -> list[str]:
    """The WWIDs of the LUNs that multipath claims on their first path, each once."""
    return list(dict.fromkeys(wwid_of(one) for one in options["claimed"]))


def _multipaths(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for one in options["multipaths"]:
        if one.get("wwid") is None:
            raise Problem("An entry of 'multipaths' is missing wwid: multipath would drop it.")
    return list(options["multipaths"])
