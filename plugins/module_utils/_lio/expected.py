# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM's label on a LUN must be where the LUN changes hands: looked at before anything is done, and again when the old
initiator can no longer write and the new one cannot yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Mapping, Sequence

from .._arguments import iscsi_name, unique
from .._block.pv_label import Label
from .._host import Host, Problem
from .._san.target import Lun
from .._step import Step
from .lun_info import read_label
from .state import Serving
from .steps.remove import WithWayBack, bare
from .steps.target import (
    AllowInitiator,
    ForbidInitiator,
    MapLun,
    ProtectLun,
    RemoveLun,
    SetChap,
    SetIgroup,
    UnmapLun,
)

ADVICE = (
    "Somebody else has changed the volume group: see who has it (lunworks.iscsi.lun_info, vgs), and start again from what is "
    "there now."
)


@dataclass(frozen=True)
class Expected:
    """What LVM's label on a LUN must be; None: that is not asked."""

    target: str
    lun: str
    group_uuid: str
    exported: bool | None = None
    seqno: int | None = None

    def __str__(self) -> str:
        how = {None: "", True: "exported, ", False: "not exported, "}[self.exported]
        number = "" if self.seqno is None else f"with the sequence number {self.seqno}, "
        return f"{how}{number}of the volume group {self.group_uuid}"

    def met(self, found: Label | str) -> bool:
        """Whether the label is so."""
        return (
            isinstance(found, Label)
            and found.uuid == self.group_uuid
            and self.exported in (None, found.exported)
            and self.seqno in (None, found.seqno)
        )

    def check(self, found: Label | str) -> None:
        """Raise with both values where it is otherwise."""
        if not self.met(found):
            raise Problem(
                f"The PV on the LUN '{self.lun}' of '{self.target}' must be {self}; found: {_told(found)}. {ADVICE}"
            )


def _told(found: Label | str) -> str:
    if isinstance(found, str):
        return found
    if not found.uuid:
        return f"the PV {found.pv} without metadata of a volume group"
    how = "exported" if found.exported else "not exported"
    return (
        f"{how}, with the sequence number {found.seqno}, of the volume group {found.uuid} ('{found.group}')"
    )


def asked_expected(given: Iterable[Mapping[str, Any]] | None) -> list[Expected]:
    """The option, every value checked."""
    found = [Expected(**{**one, "target": iscsi_name(one["target"]).lower()}) for one in given or ()]
    unique("expected LUN", [f"{one.target} {one.lun}" for one in found])
    return found


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
    if lun is None:
        return "no such LUN runs"
    label, why = read_label(host, lun)
    return label or why or "no PV"


@dataclass(frozen=True)
class ProveLabel(Step):
    """The old initiator can no longer begin a write, and the new one cannot yet."""

    expected: Expected
    served: Lun

    def __str__(self) -> str:
        one = self.expected
        still = {None: "", True: " still exported,", False: " still not exported,"}[one.exported]
        number = "" if one.seqno is None else f" with the sequence number {one.seqno},"
        what = f"Make sure that the PV on the LUN '{one.lun}' of '{one.target}' is"
        return f"{what}{still}{number} of the volume group {one.group_uuid}"

    def take(self, host: Host) -> None:
        self.expected.check(_label(host, self.served))


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
        WithWayBack(ProveLabel(one, lun), back) for one in handed for lun in [_served(seen, one)] if lun
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
