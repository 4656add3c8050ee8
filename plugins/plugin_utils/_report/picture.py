# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of a host as SVG, from left to right: each thing beside what it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Iterator, Sequence

from .model import FAULT, MISSING, Thing, View

COLUMNS = {
    "compute": ("target", "lun", "path", "map", "group", "volume"),
    "storage": ("target", "lun", "igroup", "initiator"),
}
TITLES = {
    "target": "Target",
    "lun": "LUN",
    "path": "Path",
    "map": "Multipath map",
    "group": "Volume group",
    "volume": "Volume, mount",
    "igroup": "igroup",
    "initiator": "Host",
}
WIDE, HIGH, GAP, PITCH, HEAD = 172, 44, 42, 54, 30  # units of the drawing
APART = 0.3  # rows between volume groups
NAME, NOTE = 17, 25  # characters that fit into a box

Slot = "tuple[float, Thing | None]"  # how many rows it takes, and what is in it
Placed = "dict[str, float]"  # the row of each thing by its key


@dataclass(frozen=True)
class Drawing:
    """The things of a view with their columns and rows."""

    columns: tuple[str, ...]
    rows: dict[str, float]
    height: float


def short(name: str, longest: int = NAME) -> str:
    """A name as a box has it: what is the same everywhere is left out; the details have all of it."""
    name = name.replace(":3260", "")
    if name.startswith(("iqn.", "eui.", "naa.")):
        name = name.rpartition(":")[2]
    return name if len(name) <= longest else f"{name[: longest - 8]}\N{HORIZONTAL ELLIPSIS}{name[-6:]}"


def drawing_of(view: View) -> Drawing:
    """Rows: what belongs together lies side by side, and a target beside the middle of its LUNs."""
    rows: dict[str, float] = {}
    top = 0.0
    for cluster in _clusters(view):
        columns = [_slots(cluster, kind) for kind in COLUMNS[view.role]]
        tall = max(sum(weight for weight, _thing in column) for column in columns)
        for column in columns:
            at = top + (tall - sum(weight for weight, _thing in column)) / 2
            for weight, thing in column:
                if thing:
                    rows[thing.key] = at + weight / 2 - 0.5
                at += weight
        top += tall + APART
    top = max(top, _targets(view, rows))
    kinds = {thing.kind for thing in view.things}
    return Drawing(tuple(kind for kind in COLUMNS[view.role] if kind in kinds), rows, max(top - APART, 1.0))


def _clusters(view: View) -> list[list[Thing]]:
    """What hangs together without its targets: a volume group with its LUNs, a LUN of its own; of a storage host a target."""
    above = {thing.key: thing for thing in view.things}
    roots = {key: key for key in above}

    def root(key: str) -> str:
        while roots[key] != key:
            key = roots[key]
        return key

    for thing in view.things:
        for key in thing.on:
            if key in above and (view.role == "storage" or above[key].kind != "target"):
                roots[root(thing.key)] = root(key)
    found: dict[str, list[Thing]] = {}
    for thing in view.things:
        if view.role == "storage" or thing.kind != "target":
            found.setdefault(root(thing.key), []).append(thing)
    return list(found.values())


def _slots(cluster: Sequence[Thing], kind: str) -> "list[tuple[float, Thing | None]]":
    """The things of a column; a LUN and its map are as tall as its paths."""
    if kind not in ("lun", "path", "map"):
        return [(1.0, thing) for thing in cluster if thing.kind == kind]
    slots: list[tuple[float, Thing | None]] = []
    for lun in (thing for thing in cluster if thing.kind == "lun"):
        paths = [thing for thing in cluster if thing.kind == "path" and lun.key in thing.on]
        if kind == "path":
            slots += [(1.0, path) for path in paths] or [(1.0, None)]
        else:
            keys = {path.key for path in paths}
            joined = next((one for one in cluster if one.kind == "map" and keys & set(one.on)), None)
            slots.append((float(max(1, len(paths))), lun if kind == "lun" else joined))
    return slots if any(thing for _weight, thing in slots) else []


def _targets(view: View, rows: dict[str, float]) -> float:
    """Give the targets of a compute host their rows; the first row that is free below them."""
    targets = [thing for thing in view.things if thing.kind == "target" and thing.key not in rows]
    middles = []
    for number, target in enumerate(targets):
        luns = [rows[thing.key] for thing in view.things if target.key in thing.on and thing.key in rows]
        middles.append((sum(luns) / len(luns) if luns else float(number), target))
    free = 0.0
    for middle, target in sorted(middles, key=lambda one: one[0]):
        rows[target.key] = max(middle, free)
        free = rows[target.key] + 1
    return free + APART if targets else 0.0


def svg_of(view: View, number: int) -> str:
    """The drawing. Each thing names its place in the page's data: number of the view, number of the thing."""
    drawing = drawing_of(view)
    if not view.things:
        return ""
    wide = len(drawing.columns) * (WIDE + GAP) - GAP
    high = HEAD + drawing.height * PITCH
    lines = [
        f'<svg viewBox="0 0 {wide} {high:.0f}" style="max-width:{wide}px" role="group" aria-label="{escape(view.host)}">'
    ]
    for column, kind in enumerate(drawing.columns):
        lines.append(f'<text class="head" x="{column * (WIDE + GAP) + 2}" y="14">{TITLES[kind]}</text>')
    lines += _links(view, drawing)
    lines += (_box(thing, drawing, f"{number}.{place}") for place, thing in enumerate(view.things))
    return "\n".join([*lines, "</svg>"])


def _place(thing: Thing, drawing: Drawing) -> tuple[float, float]:
    return drawing.columns.index(thing.kind) * (WIDE + GAP), HEAD + drawing.rows[thing.key] * PITCH


def _links(view: View, drawing: Drawing) -> Iterator[str]:
    things = {thing.key: thing for thing in view.things}
    for thing in view.things:
        for lower in (things[key] for key in thing.on if key in things):
            (left, from_), (right, to) = _place(lower, drawing), _place(thing, drawing)
            left, from_, to = left + WIDE, from_ + HIGH / 2, to + HIGH / 2
            bend = (left + right) / 2
            state = next((one.state for one in (thing, lower) if one.kind == "path"), thing.state)
            way = f"M{left:.0f} {from_:.1f}C{bend:.0f} {from_:.1f} {bend:.0f} {to:.1f} {right:.0f} {to:.1f}"
            yield f'<path class="link {state}" d="{way}"/>'


def _box(thing: Thing, drawing: Drawing, place: str) -> str:
    x, y = _place(thing, drawing)
    label = f"{TITLES[thing.kind]} {thing.name}, {thing.note}, {thing.state}"
    two = thing.note or thing.state in (FAULT, MISSING)
    note = short(thing.note or {FAULT: "fault", MISSING: "missing"}.get(thing.state, ""), NOTE)
    return (
        f'<g class="thing {thing.kind} {thing.state}" data-at="{place}" tabindex="0" role="button" '
        f'aria-label="{escape(label)}" transform="translate({x:.0f} {y:.1f})">'
        f'<rect class="box" width="{WIDE}" height="{HIGH}" rx="8"/>'
        f'<rect class="bar" width="4" height="{HIGH - 16}" x="7" y="8" rx="2"/>'
        f'<text class="name" x="19" y="{19 if two else 27}">{escape(short(thing.name))}</text>'
        + (f'<text class="note" x="19" y="35">{escape(note)}</text>' if two else "")
        + "</g>"
    )
