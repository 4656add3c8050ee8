# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault is about that no single host has: the things on all hosts that its sentence names in quotes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Iterable, Sequence

from .model import Fault, Thing, View, name_key, spelled

KINDS = ("target", "lun", "initiator", "igroup")
QUOTED = re.compile(r"'([^']+)'")  # a name, or a target and its LUN


def located(faults: Iterable[Fault], views: Sequence[View]) -> list[Fault]:
    """The faults; those of no host with what they are about."""
    return [
        fault if fault.host or fault.about else replace(fault, about=_about(fault, views)) for fault in faults
    ]


def names_of(fault: Fault) -> set[str]:
    """The names in a sentence, in the one spelling of each."""
    words = [word for quoted in QUOTED.findall(fault.text) for word in quoted.split()]
    return {*words, *map(name_key, words), *map(spelled, words)}


def _about(fault: Fault, views: Sequence[View]) -> tuple[str, ...]:
    """LUNs, igroups and initiators that are named, and targets of which nothing else is."""
    names = names_of(fault)
    kinds = KINDS if "igroup" in fault.text else KINDS[:-1]  # it may have the name of a LUN
    things = [thing for view in views for thing in view.things if thing.kind in kinds]
    found = [(thing, _target(thing)) for thing in things if _named(thing, names)]
    narrower = {target for thing, target in found if thing.kind != "target"}
    keys = (thing.key for thing, target in found if thing.kind != "target" or target not in narrower)
    return tuple(dict.fromkeys(keys))


def _named(thing: Thing, names: set[str]) -> bool:
    """A LUN by its WWID, or like an igroup by its name and that of its target."""
    if thing.kind == "target":
        return thing.name in names
    if thing.kind == "initiator":
        return thing.key.rpartition(" ")[2] in names
    if thing.kind == "lun" and thing.key.partition(" ")[2] in names:
        return True
    return thing.name in names and _target(thing) in names


def _target(thing: Thing) -> str:
    """The target that a thing belongs to."""
    if thing.kind == "target":
        return thing.name
    if thing.kind == "lun":
        return thing.on[0].partition(" ")[2]
    return thing.key.split(" ")[1]
