# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on tgt: as asked for, merged with all that tgtd serves."""

from __future__ import annotations

from typing import Any, Iterable

from .._host import Host
from .._san.expected import asked_expected, refuse_unexpected
from .._san.options import asked_discovery
from .._san.requested import RequestedTargets
from .._step import Step
from .check import check_discovery, check_serving
from .discovery import check_asked, told_discovery
from .expected import look_expected, with_proofs
from .notes import notes_of
from .plan import plan_serving
from .refuse import check_access, refuse_serving
from .settings import check_settings
from .state import Serving, look_serving, show_serving, want_serving


class Targets(RequestedTargets):
    """Targets of tgt; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/run/lunworks-tgt.lock",)  # tgtadm and tgt-admin lock nothing

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
        check_asked(self.discovery)

    def check(self, asked: dict[str, Any]) -> None:
        """What its values must be."""
        check_settings(asked)

    def has(self, seen: Serving, name: str) -> bool:
        """Whether it runs or is saved."""
        return bool(seen.whole(name) or name in seen.others)

    def of_this_call(self, seen: Serving) -> list[dict[str, Any]]:
        """What was requested. A target of somebody's is not taken over where only what it does not have shall go from it."""
        return [one for one in super().of_this_call(seen) if not (self.inside and _nothing_goes(seen, one))]

    def look(self, host: Host) -> Serving:
        """All that the host serves, and what stands behind it."""
        return look_expected(host, look_serving(host, self.asked), self.expected)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        return want_serving(seen, self.of_this_call(seen), self.purge, self.purge_targets, self.discovery)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        told_who = [one["name"] for one in self.of_this_call(seen) if one["igroups"]]
        steps = plan_serving(seen, want, self.full, self.force, told_who)
        return with_proofs(seen, steps, self.expected)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_unexpected(seen.labels, steps, self.expected)
        asked = self.of_this_call(seen)
        check_serving(seen, want, asked, self.force)
        check_discovery(seen, want, self.discovery)
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
        shown = show_serving(state, None if self.purge_targets else [one["name"] for one in self.asked])
        if self.discovery is None:
            return shown
        return {**shown, "discovery_chap": told_discovery(state.running.discovery)}


def _nothing_goes(seen: Serving, asked: dict[str, Any]) -> bool:
    found = seen.whole(asked["name"])
    if found is None or asked["name"] in seen.kept or any(one["state"] == "present" for one in _parts(asked)):
        return False
    names = {*found.igroups(), *(lun.name for lun in found.luns.values())}
    return not any(one["name"] in {name, name.lower()} for one in _parts(asked) for name in names)


def _parts(asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [*asked["luns"], *asked["igroups"]]
