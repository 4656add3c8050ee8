# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask of multipath's configuration: the options of multipath_conf beside what other files say."""

from __future__ import annotations

from typing import Any, Mapping

from .._arguments import target_key, unique
from .._host import Problem
from .._san.wwid import serial_of, wwid, wwid_of_lio
from .alias import alias
from .files import defaulted, knows, refuse_conflicts
from .presets import with_presets
from .sections import Section

NAMES = ("defaults", "blacklist", "blacklist_exceptions", "devices", "multipaths", "overrides")


def wanted_sections(options: Mapping[str, Any], files: Mapping[str, Section]) -> dict[str, Any]:
    """The sections of the drop-in; fallbacks and presets only where no other file speaks of the same."""
    sections = {name: options[name] for name in NAMES}
    told = defaulted(files)
    fallbacks = {key: value for key, value in options["fallbacks"].items() if key not in told}
    sections["defaults"] = {**fallbacks, **sections["defaults"]}
    named = [one for one in _multipaths(options) if one.get("alias") is not None]
    refuse_conflicts({wwid(str(one["wwid"])): str(one["alias"]) for one in named}, files)
    sections["multipaths"] = [{**one, "wwid": wwid(str(one["wwid"]))} for one in _multipaths(options)]
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


def wwid_of(asked: Mapping[str, Any]) -> str:
    """The WWID of a LUN that is named by its own and its target's name, or by its WWID."""
    if asked["lun"] is not None:
        return wwid_of_lio(serial_of(target_key(asked["target"]), asked["lun"]))
    return wwid(asked["wwid"])


def _multipaths(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for one in options["multipaths"]:
        if one.get("wwid") is None:
            raise Problem("An entry of 'multipaths' is missing wwid: multipath would drop it.")
    return list(options["multipaths"])
