# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is different from an earlier report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .model import Data, Fault, Report, Thing
from .text import KINDS, clean, fault_line


@dataclass(frozen=True)
class Changes:
    """The faults that are new, those that are gone, and what else is another."""

    new: tuple[Fault, ...]
    gone: tuple[str, ...]
    others: tuple[str, ...]

    def lines(self) -> list[str]:
        """As text; new faults first."""
        lines = [f"new  {fault_line(fault).strip()}" for fault in self.new]
        lines += [f"gone {line}" for line in self.gone]
        return [*lines, *self.others] or ["Nothing has changed since the last report."]


def changes_of(report: Report, earlier: Data) -> Changes:
    """Since an earlier report, as it was written in JSON."""
    known = {(one["host"], one["text"]) for one in earlier["faults"]}
    now = {(fault.host, fault.text) for fault in report.faults}
    gone = [one for one in earlier["faults"] if (one["host"], one["text"]) not in now]
    return Changes(
        new=tuple(fault for fault in report.faults if (fault.host, fault.text) not in known),
        gone=tuple(clean(f"{one['host']}: {one['text']}" if one["host"] else one["text"]) for one in gone),
        others=tuple(map(clean, _others(report, earlier))),
    )


def _others(report: Report, earlier: Data) -> Iterator[str]:
    """What has come, gone or got another value on the hosts that answered both times."""
    before = {(view["host"], view["role"]): view for view in earlier["views"]}
    for view in report.views:
        was = before.pop((view.host, view.role), None)
        if was is None:
            yield f"{view.host}: new in the report"
        elif was["answered"] and view.answered:
            yield from _things(view.host, was["things"], view.things)
    for host, _role in before:
        yield f"{host}: no longer in the report"


def _things(host: str, was: list[Data], now: tuple[Thing, ...]) -> Iterator[str]:
    before = {thing["key"]: thing for thing in was}
    for thing in now:
        name = f"{host}: {KINDS.get(thing.kind, thing.kind)} {thing.name}"
        old = before.pop(thing.key, None)
        if old is None:
            yield f"{name}: new"
        else:
            yield from (f"{name}: {what}" for what in _facts(old, thing))
    for old in before.values():
        yield f"{host}: {KINDS.get(old['kind'], old['kind'])} {old['name']}: gone"


def _facts(old: Mapping[str, Any], thing: Thing) -> Iterator[str]:
    """Not the names of devices, which are others after each boot."""
    was = {fact["name"]: fact for fact in old["facts"]}
    for fact in thing.facts:
        before = was.get(fact.name, {}).get("found")
        if fact.name not in ("Device", "Used") and before != fact.found:
            yield f"{fact.name} was {before or 'nothing'}, is {fact.found or 'nothing'}"
