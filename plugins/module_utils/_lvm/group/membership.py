# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks make a volume group: created, extended, grown, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ..._block.holders import look_holders
from ..._block.write_protect import make_writable
from ..._fs.blank_disk import look_device
from ..._fs.filesystem import look_signatures
from ..._host import Host, Late, Problem
from ..._step import Step
from ..model import lvm
from ..planned import Planned, other_seqno, refuse_changed
from ..pv import refuse_device
from ..report import look_seqnos


@dataclass(frozen=True)
class CreateGroup(Step):
    """The disks are looked at once more, right before."""

    name: str
    devices: tuple[str, ...]
    extent_size: int | None = None
    autoactivation: bool | None = None
    tags: tuple[str, ...] = ()
    system_id: str | None = None

    def __str__(self) -> str:
        return f"Create the volume group '{self.name}' on {listed(self.devices)}"

    def take(self, host: Host) -> None:
        options = [f"--addtag={tag}" for tag in self.tags]
        if self.extent_size:
            options.append(f"--physicalextentsize={self.extent_size}b")
        if self.autoactivation is not None:
            options.append(f"--setautoactivation={'y' if self.autoactivation else 'n'}")
        if self.system_id is not None:
            options.append(f"--systemid={self.system_id}")
        _join(host, self.name, self.devices, "vgcreate", *options)


@dataclass(frozen=True)
class ExtendGroup(Step):
    name: str
    devices: tuple[str, ...]
    planned: Planned | None = None

    def __str__(self) -> str:
        return f"Extend the volume group '{self.name}' by {listed(self.devices)}"

    def take(self, host: Host) -> None:
        refuse_changed(host, self.name, self.planned)
        _join(host, self.name, self.devices, "vgextend")


@dataclass(frozen=True)
class GrowPhysical(Step):
    name: str
    device: str
    extents: int
    planned: Planned | None = None

    def __str__(self) -> str:
        return f"Grow '{self.device}' in '{self.name}' to the size of its disk, by {self.extents} extents"

    def take(self, host: Host) -> None:
        refuse_changed(host, self.name, self.planned)
        lvm(host, "pvresize", self.device)


@dataclass(frozen=True)
class ListDisks(Step):
    """Only where the host uses a devices file: LVM sees no other disk then (lvmdevices(8))."""

    name: str
    planned: Planned | None = None

    def __str__(self) -> str:
        return f"Add the disks of the volume group '{self.name}' to LVM's devices file"

    def take(self, host: Host) -> None:
        refuse_changed(host, self.name, self.planned)
        lvm(host, "lvm", "vgimportdevices", self.name)


@dataclass(frozen=True)
class OpenDisks(Step):
    """A host that has seen a group on its way has its disks read-only; each path is asked again."""

    name: str
    devices: tuple[str, ...]  # as the kernel calls them
    side_by_side = True

    def __str__(self) -> str:
        return f"Ask again whether the disks of the volume group '{self.name}' may be written"

    def take(self, host: Host) -> None:
        make_writable(host, self.devices)

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """The disks of all groups are asked, and waited for, at once; where that fails, each group is tried alone to say why."""
        own = [step for step in steps if isinstance(step, OpenDisks)]
        try:
            make_writable(host, [device for step in own for device in step.devices])
        except Problem:
            return [step.outcome(host) for step in own]
        return [None for _step in own]


@dataclass(frozen=True)
class RemoveGroup(Step):
    name: str
    volumes: tuple[str, ...]
    planned: Planned | None = None

    def __str__(self) -> str:
        inside = f" and its logical volumes {listed(self.volumes)}" if self.volumes else ""
        return f"Remove the volume group '{self.name}'{inside}"

    def take(self, host: Host) -> None:
        options = ["--yes"] if self.volumes else []
        if self.planned is None:
            lvm(host, "vgremove", *options, self.name)
            return
        lvm(host, "vgremove", *options, "--select", self.planned.selection(), self.name)
        for left in (group for group in look_seqnos(host) if group.uuid == self.planned.uuid):
            raise Problem(other_seqno(self.name, self.planned.seqno, left))


@dataclass(frozen=True)
class RemoveLabels(Step):
    devices: tuple[str, ...]

    def __str__(self) -> str:
        return f"Remove the label of a physical volume from {listed(self.devices)}"

    def take(self, host: Host) -> None:
        lvm(host, "pvremove", *self.devices)


def _join(host: Host, group: str, devices: Sequence[str], *command: str) -> None:
    """Once more, right before: each disk is there, empty and unused.

    Where the command fails, the labels that it has written go again; pvremove(8) refuses those of a group.
    """
    holders = look_holders(host)
    for path in devices:
        try:
            refuse_device(look_device(host, path, holders), group)
        except Problem as problem:
            raise Problem(
                f"'{path}' was empty and unused when this was planned, and no longer is: somebody else has used it since. "
                f"Nothing was done. {problem}"
            ) from problem
    try:
        lvm(host, *command, group, *devices)
    except Late:
        raise
    except Problem:
        labels = [path for path in devices if "LVM2_member" in look_signatures(host, path)]
        if labels:
            lvm(host, "pvremove", *labels, ok=(0, 5))
        raise


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join(f"'{name}'" for name in names)
