# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM's label on a LUN must be where a target changes hands: looked at before anything is done, and again when the old
initiator can no longer write and the new one cannot yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Sequence

from .._host import Host
from .._san.expected import Expected, ProveLabel, look_labels, served
from .._san.label import read_label
from .._san.way_back import WithWayBack, bare
from .._step import Step
from .state import Serving
from .steps.target import AllowInitiator, EndSessions, ForbidInitiator


def look_expected(host: Host, seen: Serving, expected: Iterable[Expected]) -> Serving:
    """What was seen, with the label of each of these LUNs."""
    labels = look_labels(host, seen.running.targets, expected, lambda host, lun: read_label(host, lun.path))
    return replace(seen, labels=labels)


def with_proofs(seen: Serving, steps: Sequence[Step], expected: Iterable[Expected]) -> list[Step]:
    """The steps, and before an initiator is let into a target that another one has lost, the labels of its LUNs are read again.
    Where one is otherwise, whoever was shut out is let in again."""
    plain = list(map(bare, steps))
    lost = {step.target for step in plain if isinstance(step, (ForbidInitiator, EndSessions))}
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
        for lun in [served(seen.running.targets, one)]
        if lun and one.target in {name.lower() for name in lost}
    ]
    return [*steps[: come[0]], *proofs, *steps[come[0] :]]
