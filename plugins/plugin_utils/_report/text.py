# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as lines of text: faults first, then the tree of each host."""

from __future__ import annotations

from typing import Iterator

from .model import FAULT, MISSING, Fault, Report, Thing, View, counted

# What is shown of a thing behind its name and note; the rest stands in the picture and in JSON.
TOLD = {
    "lun": ("LUN number", "WWID"),
    "map": ("Worst stall",),
}
MARKS = {FAULT: "!", MISSING: "-"}
KINDS = {"lun": "LUN", "initiator": "host"}
DEPTHS = {"target": 0, "lun": 1, "path": 2, "map": 2, "group": 0, "volume": 1, "igroup": 1, "initiator": 2}


def text_of(report: Report) -> list[str]:
    """The whole report."""
    lines = [heading(report), *map(fault_line, report.faults)]
    for view in report.views:
        lines += ["", *_view(view)]
    return lines


def heading(report: Report) -> str:
    """How many faults there are."""
    return f"{counted(len(report.faults), 'fault')}:" if report.faults else "No faults."


def fault_line(fault: Fault) -> str:
    """What is wrong and what to do, in one line."""
    host = f"{fault.host}: " if fault.host else ""
    return clean(f"  {host}{fault.text}" + (f" -> {fault.todo}" if fault.todo else ""))


def clean(text: str) -> str:
    """What comes from hosts cannot move the cursor, nor begin a line."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _view(view: View) -> Iterator[str]:
    yield clean(f"{view.host} ({view.about})" + ("" if view.answered else " DOES NOT ANSWER"))
    for lost in view.lost:
        yield clean(f"    kernel: {lost}")
    for thing in tree_of(view):
        yield _line(thing)
    if not view.things and view.answered:
        yield "    nothing of this SAN"


def tree_of(view: View) -> list[Thing]:
    """The things of a host, those of each target behind it; volume groups, which can be on several, last."""
    by_key = {thing.key: thing for thing in view.things}

    def root(thing: Thing) -> str:
        while thing.kind != "group" and thing.on and thing.on[0] in by_key:
            thing = by_key[thing.on[0]]
        return thing.key

    roots = [thing.key for thing in view.things if root(thing) == thing.key]
    return [thing for key in roots for thing in view.things if root(thing) == key]


def _line(thing: Thing) -> str:
    facts = {fact.name: fact for fact in thing.facts}
    told = [
        (name, facts[name].found or facts[name].wanted) for name in TOLD.get(thing.kind, ()) if name in facts
    ]
    shown = [f"{name} {value.partition(': ')[0]}" for name, value in told if value]
    parts = ", ".join(part for part in (thing.note, *shown) if part)
    kind = KINDS.get(thing.kind, thing.kind)
    return clean(
        f"{MARKS.get(thing.state, ' ')}   {'  ' * DEPTHS[thing.kind]}{kind} {thing.name}{': ' if parts else ''}{parts}"
    )
