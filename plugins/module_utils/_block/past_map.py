# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a single path of a disk, past its map: it reads well until that path goes, and fails then.

LVM activates a volume group on the first path that appears, where multipath does not claim that path yet (its WWID is not
on multipath's list). The map is made beside the volumes then. 'vgchange --refresh' loads their tables again, online, on what LVM
takes for the disk by now, and that is the map (lvm.conf(5), multipath_component_detection).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

from .._host import Host, Problem
from .._step import Step
from .dm_multipath import wwid_of_map
from .sysfs import BLOCK
from .udev import settle

REFRESH = 120  # seconds for LVM
SETTLING = 30  # seconds for udev, which tells LVM of the map


@dataclass(frozen=True)
class Beside:
    """A device that stands on a path itself; the volume group, where it is a volume of LVM."""

    path: str
    device: str
    name: str
    group: str = ""

    def __str__(self) -> str:
        return f"'{self.name}' uses its path '/dev/{self.path}' instead of its map"


@dataclass(frozen=True)
class UseMap(Step):
    """The volumes of a group leave single paths for the maps, while they are in use."""

    group: str
    paths: tuple[Beside, ...]

    def __str__(self) -> str:
        listed = ", ".join(dict.fromkeys(f"/dev/{one.path}" for one in self.paths))
        return f"Have the volumes of '{self.group}' use the multipath map instead of its path {listed}"

    def take(self, host: Host) -> None:
        settle(host, SETTLING)
        host.run("vgchange", "--refresh", self.group, timeout=REFRESH)
        left = [
            one for path in dict.fromkeys(one.path for one in self.paths) for one in look_beside(host, path)
        ]
        if left:
            raise Problem(
                f"{'; '.join(map(str, left))}. Does a filter of LVM keep the map out? Otherwise deactivate the group and "
                "activate it again."
            )


def look_beside(host: Host, path: str) -> Iterator[Beside]:
    """The devices that are made of a path or of a partition of it, its map left aside."""
    for device in [path, *(name for name in host.list(f"{BLOCK}/{path}") if name.startswith(path))]:
        for upper in host.list(f"{BLOCK}/{device}/holders"):
            if not wwid_of_map(host, upper):
                name = (host.read(f"{BLOCK}/{upper}/dm/name") or upper).strip()
                lvm = (host.read(f"{BLOCK}/{upper}/dm/uuid") or "").startswith("LVM-")
                yield Beside(path, upper, name, _group(name) if lvm else "")


def look_past(host: Host, tables: Sequence[str]) -> tuple[Beside, ...]:
    """Which of these devices stand on a path that has a map; a disk without a map is used as it is."""
    found = []
    for path in dict.fromkeys(
        _disk(host, slave) for table in tables for slave in host.list(f"{BLOCK}/{table}/slaves")
    ):
        if any(wwid_of_map(host, upper) for upper in host.list(f"{BLOCK}/{path}/holders")):
            found += [one for one in look_beside(host, path) if one.device in tables]
    return tuple(found)


def _disk(host: Host, device: str) -> str:
    """The disk of a partition; a disk is its own."""
    whole = host.read(f"{BLOCK}/{device}/partition") is None
    return device if whole else host.real(f"{BLOCK}/{device}").split("/")[-2]


def _group(name: str) -> str:
    """The volume group of a device of LVM: up to the first single hyphen (lvm(8))."""
    return name.replace("--", "\0").partition("-")[0].replace("\0", "-")


def plan_beside(found: Iterable[Beside]) -> list[Step]:
    """A step for each group."""
    groups: dict[str, list[Beside]] = {}
    for one in found:
        if one.group:
            groups.setdefault(one.group, []).append(one)
    return [UseMap(group, tuple(own)) for group, own in groups.items()]


def refuse_beside(label: str, found: Sequence[Beside]) -> None:
    """What is no volume of LVM cannot be moved to the map while it is in use."""
    other = [one for one in found if not one.group]
    if other:
        raise Problem(
            f"{label} must be used through its multipath map, but {'; '.join(map(str, other))}, and fails when that path "
            "does. Stop it, and start it again on the map."
        )
