# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM's label on a LUN must be where the LUN changes hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, Sequence

from .._arguments import iscsi_name, unique
from .._block.pv_label import Label
from .._host import Host, Problem
from .._step import Step
from .label import read_label
from .target import Lun, Target

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


@dataclass(frozen=True)
class ProveLabel(Step):
    """The old initiator can no longer begin a write, and the new one cannot yet."""

    expected: Expected
    path: str

    def __str__(self) -> str:
        one = self.expected
        still = {None: "", True: " still exported,", False: " still not exported,"}[one.exported]
        number = "" if one.seqno is None else f" with the sequence number {one.seqno},"
        what = f"Make sure that the PV on the LUN '{one.lun}' of '{one.target}' is"
        return f"{what}{still}{number} of the volume group {one.group_uuid}"

    def take(self, host: Host) -> None:
        self.expected.check(found_label(host, self.path))


def look_labels(
    host: Host,
    targets: Mapping[str, Target],
    expected: Iterable[Expected],
    read: Callable[[Host, Lun], tuple[Any, str]],
) -> dict[tuple[str, str], Any]:
    """The label of each of these LUNs, or in words what there is instead; 'read' gives one, and why it is not known."""
    found: dict[tuple[str, str], Any] = {}
    for one in expected:
        lun = served(targets, one)
        label, why = read(host, lun) if lun else (None, "no such LUN runs")
        found[one.target, one.lun] = label or why or "no PV"
    return found


def served(targets: Mapping[str, Target], one: Expected) -> Lun | None:
    """The LUN that is meant, among what is served."""
    return targets[one.target].lun(one.lun) if one.target in targets else None


def refuse_unexpected(
    labels: Mapping[tuple[str, str], Any], steps: Sequence[Step], expected: Iterable[Expected]
) -> None:
    """Where something is to do and a label is otherwise, nothing is done."""
    for one in expected if steps else ():
        one.check(labels[one.target, one.lun])


def found_label(host: Host, path: str) -> Label | str:
    """The label, or in words what there is instead."""
    label, why = read_label(host, path)
    return label or why or "no PV"
