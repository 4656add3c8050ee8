# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM's label on a LUN must be where a target changes hands: looked at before anything is done, and again when the old
initiator can no longer write and the new one cannot yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Sequence

from .._block.pv_label import Label
from .._host import Host
from .._san.expected import Expected, ProveLabel, found_label
from .._san.target import Lun
from .._san.way_back import WithWayBack, bare
from .._step import Step
from .state import Serving
from .steps.target import AllowInitiator, ForbidInitiator


def look_expected(host: Host, seen: Serving, expected: Iterable[Expected]) -> Serving:
    """What was seen, with the label of each of these LUNs."""
    return replace(seen, labels={(one.target, one.lun): _label(host, _served(seen, one)) for one in expected})


def refuse_unexpected(seen: Serving, steps: Sequence[Step], expected: Iterable[Expected]) -> None:
    """Where something is to do and a label is otherwise, nothing is done."""
    for one in expected if steps else ():
        one.check(seen.labels[one.target, one.lun])


def _served(seen: Serving, one: Expected) -> Lun | None:
    target = seen.running.targets.get(one.target)
    return target.lun(one.lun) if target else None


def _label(host: Host, lun: Lun | None) -> Label | str:
    return found_label(host, lun.path) if lun else "no such LUN runs"


def with_proofs(seen: Serving, steps: Sequence[Step], expected: Iterable[Expected]) -> list[Step]:
    """The steps, and before an initiator is let into a target that another one has lost, the labels of its LUNs are read again.
    Where one is otherwise, whoever was shut out is let in again."""
    plain = list(map(bare, steps))
    lost = {step.target: step for step in plain if isinstance(step, ForbidInitiator)}
    come = [
        number
        for number, step in enumerate(plain)
        if isinstance(step, AllowInitiator) and step.target in lost
    ]
    if not come:
        return list(steps)
    back = tuple(
        AllowInitiator(step.target, step.initiator)
        for step in plain[: come[0]]
        if isinstance(step, ForbidInitiator)
    )
    proofs = [
        WithWayBack(ProveLabel(one, lun.path), back)
        for one in expected
        for lun in [_served(seen, one)]
        if lun and one.target in {name.lower() for name in lost}
    ]
    return [*steps[: come[0]], *proofs, *steps[come[0] :]]
