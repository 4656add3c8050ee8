# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one HTML file that fetches nothing. What comes from hosts is text, wherever it stands."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any, Iterator

from .model import OK, Fact, Fault, Report, Thing, View, counted
from .picture import TITLES, short, svg_of
from .san_wide import names_of
from .text import DEPTHS, tree_of

MANY = 50  # hosts; above it each has a page of its own


def page_of(report: Report, style: str, script: str) -> str:
    """The whole file. Only this very script may run in it, and nothing is loaded (Content Security Policy Level 3)."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    many = len({view.host for view in report.views}) > MANY
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(_title(report))}</title>\n<style>\n{style}</style>\n</head>",
            f'<body class="{"many" if many else "few"}">',
            *_head(report),
            "<main>",
            *_faults(report),
            *_overview(report),
            *(line for number, view in enumerate(report.views) for line in _section(view, number)),
            "</main>",
            '<aside id="details" hidden aria-live="polite"></aside>',
            f'<script type="application/json" id="data">{_data(report)}</script>',
            f"<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _title(report: Report) -> str:
    if not report.looked:
        return "SAN: as the inventory wants it"
    return f"SAN: {counted(len(report.faults), 'fault')}" if report.faults else "SAN: no faults"


def _head(report: Report) -> Iterator[str]:
    hosts = len({view.host for view in report.views})
    luns = {
        one.key for view in report.views if view.role == "compute" for one in view.things if one.kind == "lun"
    }
    paths = [one for view in report.views for one in view.things if one.kind == "path"]
    working = sum(path.state == OK for path in paths)
    told = f"{working} of {len(paths)} paths work" if report.looked else counted(len(paths), "path")
    when = f"Found {report.made}" if report.looked else "As the inventory wants it; no host was asked"
    yield "<header>"
    yield f"<div><h1>Storage network</h1><p>{escape(when)} \N{MIDDLE DOT} {counted(hosts, 'host')} \N{MIDDLE DOT} "
    yield f"{counted(len(luns), 'LUN')} \N{MIDDLE DOT} {told}</p></div>"
    yield '<input id="search" type="search" placeholder="Search: host, LUN, WWID, portal, mount" aria-label="Search">'
    yield '<button id="theme" type="button" aria-label="Light or dark">\N{CIRCLE WITH LEFT HALF BLACK}</button>'
    yield "</header>"


def _faults(report: Report) -> Iterator[str]:
    if not report.faults:
        if report.looked:
            yield '<section id="faults" class="none"><h2>No faults</h2></section>'
        return
    yield f'<section id="faults"><h2>{counted(len(report.faults), "fault")}</h2>\n<ol>'
    for fault in report.faults:
        place = _place(report, fault)
        jump = f' data-at="{place}" tabindex="0" role="button"' if place else ""
        host = f"<b>{escape(fault.host)}</b> " if fault.host else ""
        todo = f"<small>{escape(fault.todo)}</small>" if fault.todo else ""
        yield f"<li{jump}>{host}<span>{escape(fault.text)}</span>{todo}</li>"
    yield "</ol></section>"


def _place(report: Report, fault: Fault) -> str:
    """The first thing that a fault is about; '' for none."""
    for number, view in enumerate(report.views):
        for place, thing in enumerate(view.things):
            if fault.concerns(view.host, thing.key):
                return f"{number}.{place}"
    return ""


def _overview(report: Report) -> Iterator[str]:
    faults = _faulty(report)
    yield '<nav id="hosts" aria-label="Hosts">'
    # Hosts with faults first.
    for number, view in sorted(enumerate(report.views), key=lambda one: one[1].host not in faults):
        state = "fault" if view.host in faults else "ok" if report.looked else "planned"
        yield (
            f'<a href="#v{number}" data-view="{number}" class="{state}"><b>{escape(view.host)}</b>'
            f"<small>{view.role} \N{MIDDLE DOT} {_summary(report, view)}</small></a>"
        )
    yield "</nav>"


def _faulty(report: Report) -> set[str]:
    """The hosts with faults of their own, and those that one of no single host is about or names."""
    everywhere = [fault for fault in report.faults if not fault.host]
    keys = {key for fault in everywhere for key in fault.about}
    names = {name for fault in everywhere for name in names_of(fault)}
    return {fault.host for fault in report.faults} | {
        view.host
        for view in report.views
        if view.host in names or keys & {thing.key for thing in view.things}
    }


def _summary(report: Report, view: View) -> str:
    if not view.answered:
        return "does not answer"
    luns = counted(sum(one.kind == "lun" for one in view.things), "LUN")
    paths = [one for one in view.things if one.kind == "path"]
    working = f"{sum(one.state == OK for one in paths)}/" if report.looked else ""
    return f"{luns} \N{MIDDLE DOT} {working}{counted(len(paths), 'path')}" if paths else luns


def _section(view: View, number: int) -> Iterator[str]:
    yield f'<section class="host" id="v{number}" data-view="{number}">'
    yield '<a class="back" href="#hosts">All hosts</a>'
    yield f"<h2>{escape(view.host)} <small>{view.role} \N{MIDDLE DOT} {escape(view.about)}</small></h2>"
    if not view.answered:
        yield '<p class="silent">This host does not answer.' + (
            " Drawn is what the inventory wants.</p>" if view.things else "</p>"
        )
    elif not view.things:
        yield "<p>Nothing of this SAN.</p>"
    yield "".join(f'<p class="lost">{escape(lost)}</p>' for lost in view.lost)
    yield svg_of(view, number)
    places = {thing.key: place for place, thing in enumerate(view.things)}
    yield '<ul class="tree">'
    for thing in tree_of(view):
        yield (
            f'<li class="thing {thing.kind} {thing.state} d{DEPTHS[thing.kind]}" data-at="{number}.{places[thing.key]}" '
            f'tabindex="0" role="button"><i>{TITLES[thing.kind]}</i> <b>{escape(_spoken(thing))}</b> '
            f"<small>{escape(thing.note)}</small></li>"
        )
    yield "</ul></section>"


def _spoken(thing: Thing) -> str:
    return short(thing.name) if thing.kind == "target" else thing.name


def _data(report: Report) -> str:
    """All details. '<', '>' and '&' are written as escapes, so that no text ends the element."""
    faults: dict[tuple[str, str], list[str]] = {}
    for fault in report.faults:
        for key in fault.about:
            faults.setdefault((fault.host, key), []).append(f"{fault.text} {fault.todo}".strip())
    views = [
        {
            "host": view.host,
            "things": [
                _detail(thing, faults.get((view.host, thing.key), []) + faults.get(("", thing.key), []))
                for thing in view.things
            ],
        }
        for view in report.views
    ]
    text = json.dumps({"looked": report.looked, "views": views}, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _detail(thing: Thing, faults: list[str]) -> dict[str, Any]:
    facts = [
        [fact.name, fact.wanted, fact.found, differs(fact)]
        for fact in thing.facts
        if fact.wanted or fact.found
    ]
    return {
        "kind": TITLES[thing.kind],
        "name": thing.name,
        "note": thing.note,
        "state": thing.state,
        "facts": facts,
        "faults": faults,
    }


def differs(fact: Fact) -> bool:
    """Whether both are known, and are not the same."""
    return fact.wanted is not None and fact.found is not None and fact.wanted != fact.found
