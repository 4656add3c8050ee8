# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery as a resource: whoever was asked, and what was discovered."""

from __future__ import annotations

from typing import Any, Iterable

from ..._converge import plain
from ..._host import Host
from ..._step import Step
from ..lock import Locking
from .plan import (
    Discovery,
    Found,
    look_discovery,
    note_discovery,
    objection,
    plan_discovery,
    refuse_discovery,
    want_discovery,
)
from .record import WORDS, Source
from .request import request_of


class DiscoveryResource(Locking):
    """Discovery records, and node records of what is offered, as they were asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.request = request_of(options)

    def look(self, host: Host) -> Discovery:
        return look_discovery(host, self.request)

    def want(self, seen: Discovery) -> Discovery:
        return want_discovery(seen, self.request)

    def plan(self, seen: Discovery, want: Discovery) -> list[Step]:
        return plan_discovery(seen, want, self.request)

    def refuse(self, seen: Discovery, want: Discovery, steps: list[Step]) -> None:
        refuse_discovery(seen, steps, self.request)

    def notes(self, seen: Discovery, steps: list[Step]) -> Iterable[str]:
        return note_discovery(seen, steps)

    def show(self, state: Discovery) -> dict[str, Any]:
        entries = {entry for found in state.sources.values() for entry in found.entries or ()}
        recorded = {(name.target, name.portal) for name in state.records}
        live = {(name.target, name.portal) for name in state.sessions}
        targets = [
            {
                "target": entry.target,
                "portal": str(entry.portal),
                "tpg": entry.tpg,
                "recorded": entry.key in recorded,
                "logged_in": entry.key in live,
                "skip_reason": objection(state, entry, self.request) or None,
            }
            for entry in sorted(entries)
        ]
        return {"portals": [_shown(*one) for one in state.sources.items()], "targets": targets}


def _shown(source: Source, found: Found) -> dict[str, Any]:
    return {
        "type": WORDS[source.kind],
        "portal": str(source.portal) if source.portal else None,
        "recorded": source.portal is not None and found.settings is not None,
        "settings": plain(found.settings) or None,
        "known": found.known,
    }
