# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on NetBSD's target: as asked for, merged with all that its files say."""

from __future__ import annotations

from typing import Any, Iterable

from .._arguments import unique
from .._converge import Resource
from .._host import Host, Problem
from .._san.options import asked_target
from .._step import Step
from . import conf
from .info import shown_target
from .plan import plan_serving
from .refuse import check_request, refuse_serving
from .state import Serving, look_serving, want_serving


class Targets(Resource):
    """Targets of NetBSD; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/var/run/lunworks-iscsi-target.lock",)

    def __init__(
        self,
        targets: Iterable[dict[str, Any]],
        purge: bool = False,
        purge_targets: bool = False,
        force: bool = False,
        inside: bool = False,
        expected: Iterable[dict[str, Any]] | None = None,
    ) -> None:
        """See Provider.resource. There is nothing in a target that 'purge' could remove."""
        self.asked = [asked_target(target) for target in targets]
        self.purge_targets, self.force, self.inside = purge_targets, force, inside
        self.full = {lun["path"] for one in self.asked for lun in one["luns"] if lun["allocation"] == "full"}
        unique("target", [one["name"] for one in self.asked])
        if expected:
            raise Problem(
                "'expected' is for LIO, which gives LUNs to one initiator after the other; NetBSD's target does not."
            )
        for one in self.asked:
            check_request(one)

    def look(self, host: Host) -> Serving:
        """The files, and whether the daemon runs."""
        return look_serving(host, self.asked)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        return want_serving(seen, self._of_this_call(seen), self.purge_targets, self.force)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return plan_serving(seen, want, self.full)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_serving(seen, want, self._of_this_call(seen), steps, self.force)

    def notes(self, seen: Serving, steps: list[Step]) -> Iterable[str]:
        """What people may not expect."""
        if steps:
            yield "Every initiator that reaches this host can log in to its targets: NetBSD's target enforces no access."
        if steps and not seen.starts:
            yield "The targets are not served after a boot: '/etc/rc.conf' has no iscsi_target=YES."
        for label in conf.several_striped(seen.text):
            yield (
                f"The device '{label}' is a RAID0 of several members, where NetBSD's target destroys data. It was left as it is; "
                "move the data away."
            )

    def show(self, state: Serving) -> dict[str, Any]:
        """The targets that were asked for; with purge_targets all that there are."""
        targets = state.targets()
        names = sorted(targets) if self.purge_targets else [one["name"] for one in self.asked]
        return {"targets": [shown_target(state, targets[name]) for name in names if name in targets]}

    def _of_this_call(self, seen: Serving) -> list[dict[str, Any]]:
        return [one for one in self.asked if not self.inside or self._inside(seen, one)]

    def _inside(self, seen: Serving, asked: dict[str, Any]) -> bool:
        if asked["name"] in seen.targets():
            return True
        if any(entry["state"] == "present" for key in ("luns", "igroups") for entry in asked[key]):
            raise Problem(
                f"There is no target '{asked['name']}' on this host: create it with its LUN (lunworks.iscsi.targets)."
            )
        return False
