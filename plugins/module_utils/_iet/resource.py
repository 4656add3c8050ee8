# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets converged on IET: as asked for, merged with all that the host serves and has in its files."""

from __future__ import annotations

from typing import Any, Iterable

from .._arguments import unique
from .._converge import Resource
from .._host import Host, Problem
from .._san.options import asked_target
from .._step import Step
from .allow import ALL, deciding
from .info import shown_target
from .plan import WHO, plan_serving
from .refuse import check_sections, refuse_serving
from .request import check_request
from .state import Serving, look_serving
from .steps import AddLun, WriteFile
from .want import want_serving


class Targets(Resource):
    """Targets of IET; a module says which ones, and how far it may go."""

    locks: tuple[str, ...] = ("/run/lunworks-iet.lock",)  # IET's own programs lock nothing

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
        if expected:
            raise Problem(
                "'expected' is for LIO, which gives LUNs to one initiator after the other; IET does not."
            )
        for one in self.asked:
            check_request(one)

    def look(self, host: Host) -> Serving:
        """The files of IET, what runs, and what stands behind it."""
        return look_serving(host, self.asked)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        asked = self._of_this_call(seen)
        check_sections(
            seen, [one["name"] for one in asked] + (sorted(seen.saved) if self.purge_targets else [])
        )
        return want_serving(seen, asked, self.purge, self.purge_targets)

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return plan_serving(seen, want, self.full)

    def refuse(self, seen: Serving, want: Serving, steps: list[Step]) -> None:
        """What must not be wanted, and what must not happen on the way."""
        refuse_serving(seen, want, self._of_this_call(seen), steps, self.force)

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

    def _of_this_call(self, seen: Serving) -> list[dict[str, Any]]:
        return [one for one in self.asked if not self.inside or self._inside(seen, one)]

    def _inside(self, seen: Serving, asked: dict[str, Any]) -> bool:
        if asked["name"] in seen.saved or asked["name"] in (seen.running or {}):
            return True
        if any(entry["state"] == "present" for key in ("luns", "igroups") for entry in asked[key]):
            raise Problem(
                f"There is no target '{asked['name']}' on this host: create it first (lunworks.iscsi.target)."
            )
        return False
