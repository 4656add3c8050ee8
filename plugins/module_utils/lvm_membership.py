# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks make a volume group: created, extended, grown, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils.blank_disk import look_device
from ansible_collections.lunworks.iscsi.plugins.module_utils.disk_access import make_writable
from ansible_collections.lunworks.iscsi.plugins.module_utils.filesystem import look_signatures
from ansible_collections.lunworks.iscsi.plugins.module_utils.holders import look_holders
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Late, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm import lvm
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm_device import refuse_device
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step


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

    def __str__(self) -> str:
        return f"Extend the volume group '{self.name}' by {listed(self.devices)}"

    def take(self, host: Host) -> None:
        _join(host, self.name, self.devices, "vgextend")


@dataclass(frozen=True)
class GrowPhysical(Step):
    name: str
    device: str
    extents: int

    def __str__(self) -> str:
        return f"Grow '{self.device}' in '{self.name}' to the size of its disk, by {self.extents} extents"

    def take(self, host: Host) -> None:
        lvm(host, "pvresize", self.device)


@dataclass(frozen=True)
class ListDisks(Step):
    """Only where the host uses a devices file: LVM sees no other disk then (lvmdevices(8))."""

    name: str

    def __str__(self) -> str:
        return f"Add the disks of the volume group '{self.name}' to LVM's devices file"

    def take(self, host: Host) -> None:
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

    def __str__(self) -> str:
        inside = f" and its logical volumes {listed(self.volumes)}" if self.volumes else ""
        return f"Remove the volume group '{self.name}'{inside}"

    def take(self, host: Host) -> None:
        lvm(host, "vgremove", *(["--yes"] if self.volumes else []), self.name)


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
        refuse_device(look_device(host, path, holders), group)
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
