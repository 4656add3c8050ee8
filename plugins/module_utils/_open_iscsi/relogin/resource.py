# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of relogin, and the sessions converged to them."""

from __future__ import annotations

from typing import Any, Iterable

from ..._arguments import portal, target_key, unique
from ..._converge import plain
from ..._host import Host, Problem
from ..._step import Step
from ..lock import Locking
from .plan import (
    Standings,
    again_standings,
    look_standings,
    note_standings,
    plan_standings,
    refuse_standings,
    shown,
    want_standings,
)
from .step import Terms

OPTIONS: dict[str, Any] = {
    "targets": {"type": "list", "elements": "str", "default": []},
    "portals": {"type": "list", "elements": "str", "default": []},
    "stale_only": {"type": "bool", "default": True},
    "min_paths": {"type": "int", "default": 1},
    "timeout": {"type": "int", "default": 60},
    "verify_old_secret": {"type": "bool", "default": False, "no_log": False},
    "force": {"type": "bool", "default": False},
}


class Relogin(Locking):
    """Sessions that have what their records say."""

    def __init__(self, options: dict[str, Any]) -> None:
        unique("target", options["targets"])
        if options["min_paths"] < 1:
            raise Problem(
                f"min_paths is {options['min_paths']}, but at least one path must keep working. For a disk with a single path "
                "that nobody uses, set force."
            )
        if not 1 <= options["timeout"] <= 3600:
            raise Problem(f"The timeout is 1 to 3600 seconds, not {options['timeout']}.")
        names = frozenset(target_key(name) for name in options["targets"])
        portals = frozenset(portal(text, names=True) for text in options["portals"])
        self.terms = Terms(**{**options, "targets": names, "portals": portals})

    def look(self, host: Host) -> Standings:
        return look_standings(host, self.terms)

    def want(self, seen: Standings) -> Standings:
        return want_standings(seen, self.terms)

    def again(self, after: Standings, want: Standings) -> Standings:
        return again_standings(after, want, self.terms)

    def plan(self, seen: Standings, want: Standings) -> list[Step]:
        return plan_standings(seen, want, self.terms)

    def refuse(self, seen: Standings, want: Standings, steps: list[Step]) -> None:
        refuse_standings(seen, steps, self.terms)

    def notes(self, seen: Standings, steps: list[Step]) -> Iterable[str]:
        return note_standings(seen, self.terms)

    def show(self, state: Standings) -> Any:
        return plain(shown(state))
