# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on IET: as asked for, merged with all that the host serves and has in its files."""

from __future__ import annotations

from typing import Any, Iterable

from .._host import Host
from .._san.requested import RequestedTargets
from .._step import Step
from .allow import ALL, deciding
from .info import shown_target
from .plan import WHO, plan_serving
from .refuse import check_sections, refuse_serving
from .request import check_request, spelling_of
from .state import Serving, look_serving
from .steps import AddLun, WriteFile
from .want import want_serving


class Targets(RequestedTargets):
    """Targets of IET; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/run/lunworks-iet.lock",)  # IET's own programs lock nothing

    def __init__(self, targets: Iterable[dict[str, Any]], *scope: bool, **scopes: bool) -> None:
        """See Provider.resource. ietd compares names of initiators letter by letter, so it gets them as they were spelled."""
        given = list(targets)
        super().__init__(given, *scope, **scopes)
        for asked, one in zip(self.asked, given):
            asked["spelling"] = spelling_of(one)

    def check(self, asked: dict[str, Any]) -> None:
        """What it can serve."""
        check_request(asked)

    def has(self, seen: Serving, name: str) -> bool:
        """Whether it runs or is saved."""
        return bool(name in seen.saved or name in (seen.running or {}))

    def look(self, host: Host) -> Serving:
        """The files of IET, what runs, and what stands behind it."""
        return look_serving(host, self.asked)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        asked = self.of_this_call(seen)
        check_sections(
            seen, [one["name"] for one in asked] + (sorted(seen.saved) if self.purge_targets else [])
        )
        return want_serving(seen, asked, self.purge, self.purge_targets)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return plan_serving(seen, want, self.full)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_serving(seen, want, self.of_this_call(seen), steps, self.force)

    def notes(self, seen: Serving, steps: list[Step]) -> Iterable[str]:
        """What does not happen now, and who sees a new LUN."""
        written = [step.want.text for step in steps if isinstance(step, WriteFile) and step.what == WHO]
        text = written[-1] if written else seen.initiators.text
        for step in steps:
            if isinstance(step, AddLun) and ALL in deciding(text, step.target).items:
                yield (
                    f"'{step.target}' is open to all in '{seen.initiators.path}': every initiator that logs in sees the LUN "
                    f"'{step.name}'. An igroup with the initiators that may log in ends that."
                )
        if steps and seen.running is None:
            yield "IET does not run on this host (there is no /proc/net/iet): its files were written, and count when it starts."
        if (
            steps
            and any("MaxSessions" in one["attributes"] for one in self.asked)
            and seen.running is not None
        ):
            yield "MaxSessions counts when IET starts again: ietadm cannot set it."

    def show(self, state: Serving) -> dict[str, Any]:
        """The targets that were asked for; with purge_targets all that there are."""
        names = sorted(state.saved) if self.purge_targets else [one["name"] for one in self.asked]
        return {"targets": [shown_target(state, name) for name in names if name in state.saved]}
