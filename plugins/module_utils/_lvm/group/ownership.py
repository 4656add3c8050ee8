# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has a volume group and uses it: tags, autoactivation, activation, export and import, the system ID."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Sequence

from ..._host import Host, Problem
from ..._step import Step
from ..model import CHANGE, VolumeGroup, lvm
from ..planned import Planned, other_seqno, refuse_changed
from ..report import look_seqnos
from .membership import ExtendGroup, GrowPhysical, ListDisks, OpenDisks, RemoveGroup

MORE = 30  # seconds for each VG of a command that takes many


@dataclass(frozen=True)
class MarkGroup(Step):
    """Tags and autoactivation, in one change of the metadata."""

    side_by_side = True
    name: str
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    autoactivation: bool | None = None
    tags: frozenset[str] = frozenset()  # that it has afterwards
    planned: Planned | None = None

    def __str__(self) -> str:
        said = [f"add the tag '{tag}' to" for tag in self.add] + [
            f"remove the tag '{tag}' from" for tag in self.drop
        ]
        if self.autoactivation is not None:
            said.append(f"turn autoactivation {'on' if self.autoactivation else 'off'} for")
        text = " and ".join(said)
        return f"{text[0].upper()}{text[1:]} the volume group '{self.name}'"

    def take(self, host: Host) -> None:
        lvm(host, *marking(self.add, self.drop, self.autoactivation), *selected([self]), self.name)
        raise_first(changed_meanwhile(host, [self]))

    @property
    def noted(self) -> bool:
        """Whether the metadata says that it was done."""
        return True

    def stands(self, group: VolumeGroup) -> bool:
        """Whether a VG is as this step makes it."""
        return group.tags >= {*self.add} and not group.tags & {*self.drop}

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """One command for all, where what is changed in any of them is right for each."""
        own = [step for step in steps if isinstance(step, MarkGroup)]
        add = {tag for step in own for tag in step.add}
        drop = {tag for step in own for tag in step.drop}
        autos = {step.autoactivation for step in own}
        if len(autos) > 1 or any(add - step.tags or drop & step.tags for step in own):
            return [step.outcome(host) for step in own]
        return in_one(host, marking(sorted(add), sorted(drop), autos.pop()), own)


def marking(add: Sequence[str], drop: Sequence[str], autoactivation: bool | None) -> list[str]:
    """The command that changes this, without the VGs."""
    command = ["vgchange", *(f"--addtag={tag}" for tag in add), *(f"--deltag={tag}" for tag in drop)]
    if autoactivation is not None:
        command.append(f"--setautoactivation={'y' if autoactivation else 'n'}")
    return command


def in_one(
    host: Host, command: Sequence[str], steps: Sequence[MarkGroup | OfGroup], done: str = ""
) -> list[Exception | None]:
    """One command for the VGs of all steps, the outcome of each.

    LVM goes on with the others where one fails (lvm(8)). What is not done then is tried once more alone, to hear why; 'done'
    tells those to which it cannot be done again, as a selection of vgs (lvmreport(7)).
    """
    names = [step.name for step in steps]
    try:
        timeout = CHANGE + MORE * len(names)
        if lvm(host, *command, *selected(steps), *names, timeout=timeout, ok=(0, 5)).rc == 0:
            return changed_meanwhile(host, steps)
        behind = lvm(host, "vgs", "--noheadings", "-o", "vg_name", "-S", done).out.split() if done else []
    except Problem as problem:
        return [problem for _name in names]
    return [None if step.name in behind else step.outcome(host) for step in steps]


def selected(steps: Sequence[MarkGroup | OfGroup]) -> list[str]:
    """The option that lets LVM change only what is as it was planned on; it passes over the others in silence."""
    if not any(step.planned for step in steps):
        return []
    return [
        "--select",
        " || ".join(step.planned.selection() if step.planned else f"vg_name={step.name}" for step in steps),
    ]


def changed_meanwhile(host: Host, steps: Sequence[MarkGroup | OfGroup]) -> list[Exception | None]:
    """For each step None, or that LVM has passed over its VG: somebody else had changed it."""
    if not any(step.planned and step.noted for step in steps):
        return [None for _step in steps]
    found = {group.uuid: group for group in look_seqnos(host)}
    return [_passed_over(step, found) if step.planned and step.noted else None for step in steps]


def _passed_over(step: MarkGroup | OfGroup, found: dict[str, VolumeGroup]) -> Problem | None:
    planned = step.planned or Planned("", 0)
    group = found.get(planned.uuid)
    if group and step.stands(group):
        return None
    return Problem(other_seqno(step.name, planned.seqno, group))


def raise_first(problems: Sequence[Exception | None]) -> None:
    for problem in filter(None, problems):
        raise problem


@dataclass(frozen=True)
class OfGroup(Step):
    """A step that needs nothing but the name of the VG. One command takes many, since each reads all disks."""

    name: str
    planned: Planned | None = None

    sentence: ClassVar[str] = ""
    command: ClassVar[tuple[str, ...]] = ()
    done: ClassVar[str] = ""
    side_by_side = True

    def __str__(self) -> str:
        return self.sentence.format(self.name)

    def take(self, host: Host) -> None:
        lvm(host, *self.command, *selected([self]), self.name)
        raise_first(changed_meanwhile(host, [self]))

    @property
    def noted(self) -> bool:
        """Whether the metadata says that it was done."""
        return bool(self.done)

    def stands(self, group: VolumeGroup) -> bool:
        """Whether a VG is as this step makes it."""
        return group.exported == (self.done == "vg_exported=1")

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        return in_one(host, cls.command, [step for step in steps if isinstance(step, OfGroup)], cls.done)


class Activate(OfGroup):
    sentence = "Activate the volume group '{}'"
    command = ("vgchange", "--activate", "y")


class Deactivate(OfGroup):
    sentence = "Deactivate the volume group '{}'"
    command = ("vgchange", "--activate", "n")


class Export(OfGroup):
    sentence = "Export the volume group '{}'"
    command = ("vgexport",)
    done = "vg_exported=1"


class Import(OfGroup):
    sentence = "Import the volume group '{}'"
    command = ("vgimport",)
    done = "vg_exported=0"


@dataclass(frozen=True)
class TakeOver(Step):
    """From a host that cannot hand it over; LVM allows it for this one command (lvmsystemid(7), extra_system_ids)."""

    name: str
    owner: str
    system_id: str
    planned: Planned | None = None

    def __str__(self) -> str:
        return f"Take the volume group '{self.name}' over from the system ID '{self.owner}' to '{self.system_id}'"

    def take(self, host: Host) -> None:
        refuse_changed(host, self.name, self.planned)
        allowed = f'local {{ extra_system_ids=["{self.owner}"] }}'
        lvm(host, "vgchange", "--yes", f"--systemid={self.system_id}", self.name, config=allowed)


@dataclass(frozen=True)
class HandOver(Step):
    name: str
    system_id: str
    planned: Planned | None = None

    def __str__(self) -> str:
        if not self.system_id:
            return f"Remove the system ID from the volume group '{self.name}'"
        return f"Give the volume group '{self.name}' to the system ID '{self.system_id}'"

    def take(self, host: Host) -> None:
        refuse_changed(host, self.name, self.planned)
        lvm(host, "vgchange", "--yes", f"--systemid={self.system_id}", self.name)


HARMLESS = (Deactivate, OpenDisks)  # they write no metadata
COMPARED = (
    ListDisks,
    Import,
    TakeOver,
    ExtendGroup,
    GrowPhysical,
    MarkGroup,
    Deactivate,
    Export,
    RemoveGroup,
    HandOver,
)


def guarded(group: VolumeGroup | None, steps: Sequence[Step]) -> list[Step]:
    """The steps of a VG, of which the first that writes metadata, and what is before it, carry what they were planned on.

    How often LVM writes in a step is its own affair, so later ones are held by our lock alone.
    """
    first = next((at for at, step in enumerate(steps) if not isinstance(step, HARMLESS)), len(steps))
    return [
        replace(step, planned=Planned(group.uuid, group.seqno))
        if group and at <= first and isinstance(step, COMPARED)
        else step
        for at, step in enumerate(steps)
    ]
