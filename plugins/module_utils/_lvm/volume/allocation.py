# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room of a volume group given to logical volumes, used, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..._fs.filesystem import MakeFilesystem, look_signatures
from ..._host import Host, Late, Problem
from ..._step import Step
from ..model import lvm
from ..names import Size


@dataclass(frozen=True)
class OfVolume(Step):
    """A step on an LV: its VG and its name."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.verb} the logical volume '{self.name}' in '{self.group}'"

    verb: ClassVar[str] = ""
    command: ClassVar[tuple[str, ...]] = ()

    def take(self, host: Host) -> None:
        lvm(host, *self.command, f"{self.group}/{self.name}")


@dataclass(frozen=True)
class CreateVolume(OfVolume):
    """Extents that were another LV's may still bear its signatures: they are wiped, all that they held was given up."""

    size: Size

    def __str__(self) -> str:
        return f"Create the logical volume '{self.name}' of {self.size.text} in '{self.group}'"

    def take(self, host: Host) -> None:
        wipe = ("--yes", "--wipesignatures", "y", "--zero", "y")
        lvm(host, "lvcreate", *wipe, "--name", self.name, *self.size.argument, self.group)


@dataclass(frozen=True)
class ExtendVolume(OfVolume):
    extents: int
    more: int

    def __str__(self) -> str:
        return f"Grow the logical volume '{self.name}' in '{self.group}' by {self.more} to {self.extents} extents"

    def take(self, host: Host) -> None:
        lvm(host, "lvextend", "--extents", str(self.extents), f"{self.group}/{self.name}")


class ActivateVolume(OfVolume):
    verb = "Activate"
    command = ("lvchange", "--activate", "y")


class DeactivateVolume(OfVolume):
    verb = "Deactivate"
    command = ("lvchange", "--activate", "n")


@dataclass(frozen=True)
class RemoveVolume(OfVolume):
    """The very LV that was seen: LVM passes over another one that bears its name by now."""

    uuid: str = ""
    verb = "Remove"
    command = ("lvremove", "--yes")

    def take(self, host: Host) -> None:
        same = ["--select", f"lv_uuid={self.uuid}"] if self.uuid else []
        lvm(host, *self.command, *same, f"{self.group}/{self.name}")


class MakeFilesystemOfNew(MakeFilesystem):
    """On a volume that this run has created: where mkfs cannot, the volume goes again, which holds nothing yet."""

    def take(self, host: Host) -> None:
        try:
            super().take(host)
        except Late:  # it may be writing still
            raise
        except Problem as problem:
            if look_signatures(host, self.device):
                raise
            RemoveVolume(*self.device.split("/")[2:]).take(host)
            raise Problem(f"{problem} The logical volume, which is empty, is removed again.") from problem
