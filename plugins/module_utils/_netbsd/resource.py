# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on NetBSD's target: as asked for, merged with all that its files say."""

from __future__ import annotations

from typing import Any, Iterable

from .._host import Host
from .._san.requested import RequestedTargets
from .._step import Step
from . import conf
from .info import shown_target
from .plan import plan_serving
from .refuse import check_request, refuse_serving
from .state import NOTE, TARGETS, Serving, is_running, look_serving, want_serving


class Targets(RequestedTargets):
    """Targets of NetBSD; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/var/run/lunworks-iscsi-target.lock",)

    def check(self, asked: dict[str, Any]) -> None:
        """What it can serve."""
        check_request(asked)

    def has(self, seen: Serving, name: str) -> bool:
        """Whether it is in the file."""
        return bool(name in seen.targets())

    def heal(self, host: Host) -> None:
        """Forget that it was stopped where it runs again, or has nothing to run for."""
        if host.stat(NOTE) and (is_running(host) or not conf.targets_of(host.read(TARGETS) or "")):
            host.remove(NOTE)

    def look(self, host: Host) -> Serving:
        """The files, and whether the daemon runs."""
        return look_serving(host, self.asked)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        return want_serving(seen, self.of_this_call(seen), self.purge_targets, self.force)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return plan_serving(seen, want, self.full)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_serving(seen, want, self.of_this_call(seen), steps, self.force)

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
