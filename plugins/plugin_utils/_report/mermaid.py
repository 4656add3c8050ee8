# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as a Mermaid flow chart, for pages that draw it."""

from __future__ import annotations

from typing import Iterator

from .model import FAULT, MISSING, PLANNED, Report, View

CLASSES = (
    "  classDef fault stroke:#c62828,stroke-width:3px",
    "  classDef missing stroke:#c62828,stroke-dasharray:4",
    "  classDef planned stroke-dasharray:4",
)


def mermaid_of(report: Report) -> list[str]:
    """The lines of the chart; faults stand above it as comments."""
    lines = ["flowchart LR"]
    lines += [f"  %% {_plain(fault.host)}: {_plain(fault.text)}" for fault in report.faults]
    for number, view in enumerate(report.views):
        lines += _view(view, f"h{number}")
    return [*lines, *CLASSES]


def _view(view: View, prefix: str) -> Iterator[str]:
    ids = {thing.key: f"{prefix}t{number}" for number, thing in enumerate(view.things)}
    yield f'  subgraph {prefix}["{_label(view.host)}"]'
    if not view.things:
        yield f'    {prefix}t["{"nothing" if view.answered else "does not answer"}"]'
    for thing in view.things:
        label = "<br>".join(_label(text) for text in (f"{thing.kind} {thing.name}", thing.note) if text)
        state = f":::{thing.state}" if thing.state in (FAULT, MISSING, PLANNED) else ""
        yield f'    {ids[thing.key]}["{label}"]{state}'
    for thing in view.things:
        yield from (f"    {ids[key]} --> {ids[thing.key]}" for key in thing.on if key in ids)
    yield "  end"


def _label(text: str) -> str:
    """Everything but letters, digits and a few signs as an entity: nothing of a name is read as markup."""
    return "".join(char if char.isalnum() or char in " .:_-/" else f"#{ord(char)};" for char in text)


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() and char not in "{}%" else " " for char in text)
