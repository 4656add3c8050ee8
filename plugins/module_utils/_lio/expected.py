# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM's label on a LUN must be where the LUN changes hands: looked at before anything is done, and again when the old
initiator can no longer write and the new one cannot yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Sequence

from .._host import Host
from .._san.expected import Expected, ProveLabel, look_labels, served
from .._san.way_back import WithWayBack, bare
from .._step import Step
from .lun_info import read_label
from .state import Serving
from .steps.lun import RemoveLun
from .steps.target import AllowInitiator, ForbidInitiator, MapLun, ProtectLun, SetChap, SetIgroup, UnmapLun


def look_expected(host: Host, seen: Serving, expected: Iterable[Expected]) -> Serving:
    """What was seen, with the label of each of these LUNs."""
    labels = look_labels(host, seen.running.targets, expected, read_label)
    return replace(seen, labels=labels)


def with_proofs(seen: Serving, steps: Sequence[Step], expected: Iterable[Expected]) -> list[Step]:
    """The steps, and between the last cut and the first grant the label of each LUN that changes hands is read again. All cuts
    of a plan come before all grants (plan.py). Where a label is otherwise, what was cut is put back."""
    plain = list(map(bare, steps))
    handed = [one for one in expected if _changes_hands(plain, one)]
    if not handed:
        return list(steps)
    at = 1 + max(number for number, step in enumerate(plain) if _cuts(step))
    following = steps[at]
    back = (*_way_back(seen, plain[:at]), *(following.back if isinstance(following, WithWayBack) else ()))
    proofs = [
        WithWayBack(ProveLabel(one, lun.path), back)
        for one in handed
        for lun in [served(seen.running.targets, one)]
        if lun
    ]
    return [*steps[:at], *proofs, *steps[at:]]


def _cuts(step: Step) -> bool:
    return isinstance(step, (UnmapLun, ForbidInitiator)) or (isinstance(step, ProtectLun) and step.read_only)


def _changes_hands(steps: Iterable[Step], one: Expected) -> bool:
    """Whether one initiator loses it or may only read it, and another one may write."""
    cut, granted = set(), set()
    for step in steps:
        if isinstance(step, (UnmapLun, ProtectLun, MapLun)) and (step.target.lower(), step.lun) == (
            one.target,
            one.lun,
        ):
            if _cuts(step):
                cut.add(step.initiator)
            elif isinstance(step, (ProtectLun, MapLun)) and not step.read_only:
                granted.add(step.initiator)
    return any(before != after for before in cut for after in granted)


def _way_back(seen: Serving, steps: Sequence[Step]) -> list[Step]:
    """The cuts undone, the last one first; of a LUN that is recreated the step that follows knows the way."""
    gone = {(step.target, step.lun) for step in steps if isinstance(step, RemoveLun)}
    return [inverse for step in reversed(steps) for inverse in _inverse(seen, step, gone)]


def _inverse(seen: Serving, step: Step, gone: Iterable[tuple[str, str]]) -> list[Step]:
    if not isinstance(step, (UnmapLun, ProtectLun, ForbidInitiator)):
        return []
    at = (step.target, step.tag, step.initiator)
    if isinstance(step, ProtectLun):
        return [replace(step, read_only=False)]
    was = seen.running.targets[step.target.lower()].initiators[step.initiator]
    if isinstance(step, UnmapLun):
        entry = was.luns[step.number]
        known = (step.target, step.lun) not in gone
        return [MapLun(*at, step.lun, step.number, entry.lun, entry.read_only)] if known else []
    found: list[Step] = [AllowInitiator(*at, was.attributes)]
    found += [SetIgroup(*at, was.igroup)] if was.igroup != step.initiator else []
    return found + ([SetChap(*at, was.chap)] if was.chap else [])
