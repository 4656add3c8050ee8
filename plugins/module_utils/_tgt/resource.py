# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on tgt: as asked for, merged with all that tgtd serves."""

from __future__ import annotations

from typing import Any, Iterable

from .._arguments import unique
from .._converge import Resource
from .._host import Host, Problem
from .._san.expected import asked_expected
from .._san.options import asked_target
from .._step import Step
from .check import check_serving
from .expected import look_expected, refuse_unexpected, with_proofs
from .notes import notes_of
from .plan import plan_serving
from .refuse import check_access, refuse_serving
from .settings import check_settings
from .state import Serving, look_serving, show_serving, want_serving


class Targets(Resource):
    """Targets of tgt; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/run/lunworks-tgt.lock",)  # tgtadm and tgt-admin lock nothing

    def __init__(
        self,
        targets: Iterable[dict[str, Any]],
        purge: bool = False,
        purge_targets: bool = False,
        force: bool = False,
        inside: bool = False,
        expected: Iterable[dict[str, Any]] | None = None,
    ) -> None:
        """See Provider.resource."""
        self.asked = [asked_target(target) for target in targets]
        self.purge, self.purge_targets, self.force, self.inside = purge, purge_targets, force, inside
        self.full = {lun["path"] for one in self.asked for lun in one["luns"] if lun["allocation"] == "full"}
        unique("target", [one["name"] for one in self.asked])
        self.expected = asked_expected(expected)
        for one in self.asked:
            check_settings(one)

    def look(self, host: Host) -> Serving:
        """All that the host serves, and what stands behind it."""
        return look_expected(host, look_serving(host, self.asked), self.expected)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        return want_serving(seen, self._of_this_call(seen), self.purge, self.purge_targets)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return with_proofs(seen, plan_serving(seen, want, self.full, self.force), self.expected)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_unexpected(seen, steps, self.expected)
        asked = self._of_this_call(seen)
        check_serving(seen, want, asked, self.force)
        refuse_serving(seen, want, steps, self.force)
        for one in asked if not self.force else ():
            now, then = seen.running.targets.get(one["name"]), want.running.targets.get(one["name"])
            if now and then:
                check_access(seen, now, then)

    def notes(self, seen: Serving, steps: list[Step]) -> Iterable[str]:
        """What was lost and this run brings back, and what people may not expect."""
        return notes_of(seen, steps, [one["name"] for one in self.asked])

    def show(self, state: Serving) -> dict[str, Any]:
        """The targets that were asked for; with purge_targets all that there are."""
        return show_serving(state, None if self.purge_targets else [one["name"] for one in self.asked])

    def _of_this_call(self, seen: Serving) -> list[dict[str, Any]]:
        return [one for one in self.asked if not self.inside or self._inside(seen, one)]

    def _inside(self, seen: Serving, asked: dict[str, Any]) -> bool:
        if seen.whole(asked["name"]) or asked["name"] in seen.others:
            return True
        if any(entry["state"] == "present" for key in ("luns", "igroups") for entry in asked[key]):
            raise Problem(
                f"There is no target '{asked['name']}' on this host: create it first (lunworks.iscsi.target)."
            )
        return False
