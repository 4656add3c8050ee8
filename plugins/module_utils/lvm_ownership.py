# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has a volume group and uses it: tags, autoactivation, activation, export and import, the system ID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.lvm import lvm
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step


@dataclass(frozen=True)
class MarkGroup(Step):
    """Tags and autoactivation, in one change of the metadata."""

    name: str
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    autoactivation: bool | None = None

    def __str__(self) -> str:
        said = [f"add the tag '{tag}' to" for tag in self.add] + [
            f"drop the tag '{tag}' from" for tag in self.drop
        ]
        if self.autoactivation is not None:
            said.append(f"turn autoactivation {'on' if self.autoactivation else 'off'} for")
        text = " and ".join(said)
        return f"{text[0].upper()}{text[1:]} the volume group '{self.name}'"

    def take(self, host: Host) -> None:
        options = [f"--addtag={tag}" for tag in self.add] + [f"--deltag={tag}" for tag in self.drop]
        if self.autoactivation is not None:
            options.append(f"--setautoactivation={'y' if self.autoactivation else 'n'}")
        lvm(host, "vgchange", *options, self.name)


@dataclass(frozen=True)
class OfGroup(Step):
    """A step that needs nothing but the name of the VG."""

    name: str

    sentence: ClassVar[str] = ""
    command: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        return self.sentence.format(self.name)

    def take(self, host: Host) -> None:
        lvm(host, *self.command, self.name)


class Activate(OfGroup):
    sentence = "Activate the volume group '{}'"
    command = ("vgchange", "--activate", "y")


class Deactivate(OfGroup):
    sentence = "Deactivate the volume group '{}'"
    command = ("vgchange", "--activate", "n")


class Export(OfGroup):
    sentence = "Export the volume group '{}'"
    command = ("vgexport",)


class Import(OfGroup):
    sentence = "Import the volume group '{}'"
    command = ("vgimport",)


@dataclass(frozen=True)
class TakeOver(Step):
    """From a host that cannot hand it over; LVM allows it for this one command (lvmsystemid(7), extra_system_ids)."""

    name: str
    owner: str
    system_id: str

    def __str__(self) -> str:
        return f"Take the volume group '{self.name}' over from the system ID '{self.owner}' to '{self.system_id}'"

    def take(self, host: Host) -> None:
        allowed = f'local {{ extra_system_ids=["{self.owner}"] }}'
        lvm(host, "vgchange", "--yes", "--config", allowed, f"--systemid={self.system_id}", self.name)


@dataclass(frozen=True)
class HandOver(Step):
    name: str
    system_id: str

    def __str__(self) -> str:
        if not self.system_id:
            return f"Take the system ID off the volume group '{self.name}'"
        return f"Give the volume group '{self.name}' to the system ID '{self.system_id}'"

    def take(self, host: Host) -> None:
        lvm(host, "vgchange", "--yes", f"--systemid={self.system_id}", self.name)
