# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on LIO: as asked for, merged with all that the host serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable

from .._host import Host
from .._san.expected import asked_expected, refuse_unexpected
from .._san.options import asked_discovery
from .._san.requested import RequestedTargets
from .._san.way_back import bare
from .._step import Step
from .check import check_serving
from .expected import look_expected, with_proofs
from .notes import folded_names, notes_of
from .plan import feasible, plan_serving
from .refuse import refuse_serving
from .settings import check_settings
from .state import Serving, look_serving, show_serving, want_serving


class Targets(RequestedTargets):
    """Targets of LIO; a module says which ones, and how far it may go."""

    # targetcli holds it (flock) from its start to its end, a shell that somebody left open too, and so does the client of
    # targetclid (targetcli-fb src/targetcli/targetcli_shell.py, try_op_lock); rtslib and targetctl lock nothing.
    locks: tuple[str, ...] = ("/run/targetcli.lock",)

    def __init__(
        self,
        targets: Iterable[dict[str, Any]],
        expected: Iterable[dict[str, Any]] | None = None,
        discovery_chap: dict[str, Any] | None = None,
        **scope: bool,
    ) -> None:
        """See Provider.resource."""
        super().__init__(targets, **scope)
        self.expected = asked_expected(expected)
        self.discovery = asked_discovery(discovery_chap)

    def check(self, asked: dict[str, Any]) -> None:
        """What its values must be."""
        check_settings(asked)

    def has(self, seen: Serving, name: str) -> bool:
        """Whether it runs or is saved."""
        return bool(seen.whole(name))

    def look(self, host: Host) -> Serving:
        """All that the host serves, and what stands behind it."""
        return look_expected(host, look_serving(host, self.asked, self.force), self.expected)

    def want(self, seen: Serving) -> Serving:
        """What was requested, merged with what is there."""
        asked = self.of_this_call(seen)
        want = want_serving(seen, asked, self.purge, self.purge_targets, self.discovery)
        requested = want.running.targets
        made = {name: feasible(seen, name, target) for name, target in requested.items()}
        targets = {name: target for name, target in made.items() if target}
        return replace(want, running=replace(want.running, targets=targets), requested=requested)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps from one to the other."""
        return with_proofs(seen, plan_serving(seen, want, self.full), self.expected)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be requested, and what must not happen on the way."""
        refuse_unexpected(seen.labels, steps, self.expected)
        check_serving(seen, want, self.of_this_call(seen), self.force)
        refuse_serving(seen, steps, self.force)

    def notes(self, seen: Serving, steps: list[Step]) -> Iterable[str]:
        """What a half restore had lost and this run brings back, and what people may not expect."""
        bare_steps = list(map(bare, steps))
        yield from folded_names(bare_steps, self.asked)
        yield from notes_of(seen, bare_steps, [one["name"] for one in self.asked])

    def show(self, state: Serving) -> dict[str, Any]:
        """The targets that were asked for; with purge_targets all that there are."""
        shown = show_serving(state, None if self.purge_targets else [one["name"] for one in self.asked])
        return shown if self.discovery is None else {**shown, "discovery_chap": state.discovery.shown()}
