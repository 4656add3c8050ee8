# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step that puts back what the steps before it have cut, where it fails."""

from __future__ import annotations

from dataclasses import dataclass

from .._host import Host, Problem
from .._step import Step


@dataclass(frozen=True)
class WithWayBack(Step):
    """A step among those that take a LUN down and make it anew: where it fails, the steps back are taken."""

    step: Step
    back: tuple[Step, ...]

    def __str__(self) -> str:
        return str(self.step)

    def take(self, host: Host) -> None:
        try:
            self.step.take(host)
        except Problem as problem:
            lost = [f"{step}: {fault}" for step in self.back for fault in [step.outcome(host)] if fault]
            if lost:
                raise Problem(
                    f"{problem} What was there could not be restored: {' '.join(lost)}"
                ) from problem
            again = " What was served before is served again." if self.back else ""
            raise Problem(f"{problem}{again}") from problem


def bare(step: Step) -> Step:
    """The step itself, without its way back."""
    return step.step if isinstance(step, WithWayBack) else step
