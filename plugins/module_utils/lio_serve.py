# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the storage doors converge on LIO: targets as asked for, laid over all that the host serves."""

from __future__ import annotations

from typing import Any, Iterable

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import unique
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio import (
    Serving,
    look_serving,
    show_serving,
    want_serving,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_plan import plan_serving
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_refuse import (
    check_serving,
    check_settings,
    check_target,
    refuse_serving,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_target import (
    AddLun,
    AddPortal,
    AllowInitiator,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Target
from ansible_collections.lunworks.iscsi.plugins.module_utils.san_asked import asked_target
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step


class Serve:
    """The five beats of every storage door; a door only says which targets, and how far it may go."""

    def __init__(
        self,
        targets: Iterable[dict[str, Any]],
        purge: bool = False,
        purge_targets: bool = False,
        force: bool = False,
        inside: bool = False,
    ) -> None:
        """'inside': the targets must be there, only what is in them is asked for. 'purge_targets': others go."""
        self.asked = [asked_target(target) for target in targets]
        self.purge, self.purge_targets, self.force, self.inside = purge, purge_targets, force, inside
        self.full = {lun["path"] for one in self.asked for lun in one["luns"] if lun["allocation"] == "full"}
        unique("target", [one["name"] for one in self.asked])
        for one in self.asked:
            check_settings(one)

    def look(self, host: Host) -> Serving:
        """All that the host serves, and what stands behind it."""
        return look_serving(host, self.asked)

    def want(self, seen: Serving) -> Serving:
        """What was asked for, laid over it."""
        asked = self.asked
        if self.inside:
            asked = [one for one in asked if self._inside(seen, one)]
        want = want_serving(seen, asked, self.purge, self.purge_targets)
        for one in asked:
            if one["name"] in want.running.targets:
                check_target(want.running.targets[one["name"]])
        check_serving(seen, want, self.force)
        return want

    def plan(self, seen: Serving, want: Serving) -> list[Step]:
        """The steps between."""
        return plan_serving(seen, want, self.full)

    def refuse(self, seen: Serving, steps: list[Step]) -> None:
        """What must not happen."""
        refuse_serving(seen, steps, self.force)

    def notes(self, seen: Serving, steps: list[Step]) -> Iterable[str]:
        """What a half restore had lost and this run brings back."""
        for one in self.asked:
            name = one["name"]
            kept, runs = seen.kept.get(name), seen.running.targets.get(name, Target(name))
            if kept is None:
                continue
            new = [step for step in steps if getattr(step, "target", None) == name]
            luns = {step.lun for step in new if isinstance(step, AddLun)}
            names = {step.initiator for step in new if isinstance(step, AllowInitiator)}
            portals = {step.portal for step in new if isinstance(step, AddPortal)}
            back = [f"LUN '{lun}'" for lun in sorted(luns & set(kept.luns) - set(runs.luns))]
            back += [f"initiator '{who}'" for who in sorted(names & set(kept.initiators))]
            back += [f"portal {portal}" for portal in sorted(portals & kept.portals)]
            if back:
                yield f"Of the target '{name}' was saved, but not running, and is brought back: {', '.join(back)}."

    def show(self, state: Serving) -> dict[str, Any]:
        """The targets that were asked for; with purge_targets all that there are."""
        return show_serving(state, None if self.purge_targets else [one["name"] for one in self.asked])

    def _inside(self, seen: Serving, asked: dict[str, Any]) -> bool:
        if seen.whole(asked["name"]):
            return True
        if any(entry["state"] == "present" for key in ("luns", "igroups") for entry in asked[key]):
            raise Problem(
                f"There is no target '{asked['name']}' on this host: make it first (lunworks.iscsi.target)."
            )
        return False
