# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module requests of targets, whatever serves them."""

from __future__ import annotations

from typing import Any, Iterable

from .._arguments import unique
from .._converge import Resource
from .._host import Problem
from .options import asked_target


class RequestedTargets(Resource):
    """The Resource of targets: a module says which ones, and how far it may go. A provider says how they are served."""

    def __init__(
        self,
        targets: Iterable[dict[str, Any]],
        purge: bool = False,
        purge_targets: bool = False,
        force: bool = False,
        inside: bool = False,
    ) -> None:
        """See Provider.resource."""
        self.asked = [asked_target(target) for target in targets]
        self.purge, self.purge_targets, self.force, self.inside = purge, purge_targets, force, inside
        self.full = {lun["path"] for one in self.asked for lun in one["luns"] if lun["allocation"] == "full"}
        unique("target", [one["name"] for one in self.asked])
        for one in self.asked:
            self.check(one)

    def check(self, asked: dict[str, Any]) -> None:
        """Raise a Problem for a request that this software can never serve."""
        raise NotImplementedError

    def has(self, seen: Any, name: str) -> bool:
        """Whether there is a target of this name."""
        raise NotImplementedError

    def of_this_call(self, seen: Any) -> list[dict[str, Any]]:
        """What was requested; where only the inside of a target was, there must be that target, unless all of it shall go."""
        return [one for one in self.asked if not self.inside or self._inside(seen, one)]

    def _inside(self, seen: Any, asked: dict[str, Any]) -> bool:
        if self.has(seen, asked["name"]):
            return True
        if any(entry["state"] == "present" for key in ("luns", "igroups") for entry in asked[key]):
            raise Problem(
                f"There is no target '{asked['name']}' on this host: create it first (lunworks.iscsi.target)."
            )
        return False
