# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report is made of: the things of each host, what they stand on, and the faults. Every form of it is made from this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Iterable, Mapping, Sequence

from ...module_utils._arguments import portal, target_key
from ...module_utils._host import Problem
from ...module_utils._san.wwid import wwid

Data = Mapping[str, Any]

# A thing is 'ok' or has a 'fault'; it is 'missing' where it is wanted and was not found, 'planned' where nobody looked.
OK, FAULT, MISSING, PLANNED = "ok", "fault", "missing", "planned"


class Rank(IntEnum):
    """How grave a fault is; the causes of others first."""

    SILENT = 0
    NETWORK = 1
    NO_PATH = 2
    PATH = 3
    BARE_PATH = 4
    READ_ONLY = 5
    GROUP = 6
    VOLUME = 7
    STORAGE = 8
    WANTED = 9
    INVENTORY = 10
    RECORD = 11
    TIMER = 12


@dataclass(frozen=True)
class Fact:
    """A property: what was found, and what the inventory wants. None where there is no answer to that."""

    name: str
    found: str | None = None
    wanted: str | None = None


@dataclass(frozen=True)
class Thing:
    """A target, a LUN, a path, a map, a volume group, a volume, an igroup or an initiator, as one host has it."""

    key: str
    kind: str
    name: str
    note: str = ""
    facts: tuple[Fact, ...] = ()
    on: tuple[str, ...] = ()  # the keys of what it stands on
    state: str = OK


@dataclass(frozen=True)
class Fault:
    """What is wrong, and what to do about it, in one line."""

    rank: int
    host: str
    text: str
    todo: str = ""
    about: tuple[str, ...] = ()  # the keys of the things of this host; of a fault of no host, on every host

    def concerns(self, host: str, key: str) -> bool:
        """Whether it is about this thing of this host."""
        return self.host in ("", host) and key in self.about


@dataclass(frozen=True)
class Down:
    """A way to a target that is not there: why, and the LUNs that have a path less."""

    host: str
    target: str
    portal: str
    iface: str
    reason: str
    luns: tuple[str, ...]
    about: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A host: what was seen on it, or what it would have."""

    host: str
    role: str  # storage or compute
    answered: bool
    about: str = ""
    things: tuple[Thing, ...] = ()
    lost: tuple[str, ...] = ()  # connections that it lost, as the kernel's log still has them, explained


@dataclass(frozen=True)
class Report:
    """All of it; 'looked': hosts were asked, otherwise it is drawn from the inventory alone."""

    made: str
    looked: bool
    faults: tuple[Fault, ...]
    views: tuple[View, ...]


def marked(views: Iterable[View], faults: Sequence[Fault]) -> tuple[View, ...]:
    """The views with the things that faults are about marked; what is missing stays so."""
    about = {(fault.host, key) for fault in faults for key in fault.about}

    def mark(host: str, thing: Thing) -> Thing:
        hit = (host, thing.key) in about or ("", thing.key) in about
        return replace(thing, state=FAULT) if hit and thing.state == OK else thing

    return tuple(replace(view, things=tuple(mark(view.host, one) for one in view.things)) for view in views)


def answer(told: Data | None, key: str) -> Data | None:
    """The result of an info module, known by a key that it always returns; None when the host did not give one."""
    return told if isinstance(told, Mapping) and key in told else None


def spelled(text: str | None) -> str:
    """A WWID in the one spelling that both sides are compared in; '' for none."""
    try:
        return wwid(text) if text else ""
    except Problem:
        return str(text)


def name_key(text: object) -> str:
    """An iSCSI name as it is compared; what is none (an initiator 'ALL' or '*') as it stands there."""
    try:
        return target_key(str(text))
    except Problem:
        return str(text)


def portal_key(text: object, names: bool = False) -> str:
    """A portal in one spelling; what is none as it stands there."""
    try:
        return str(portal(str(text), names=names))
    except Problem:
        return str(text)


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them."""
    named = [f"'{name}'" for name in names]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"
