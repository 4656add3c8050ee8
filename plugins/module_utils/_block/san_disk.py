# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk a block device is, by the number that mounts and device nodes have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._host import Host
from .dm_multipath import wwid_of_map
from .sysfs import BLOCK

KINDS = {"naa": "3", "eui": "2"}  # how multipath and udev begin the WWID that the kernel writes with a word
PART = re.compile(r"part\d+-mpath-(.+)")  # kpartx's UUID of a partition of a map


@dataclass(frozen=True)
class Disk:
    """The disk of a device."""

    wwid: str
    partition: bool = False


def look_disks(host: Host) -> dict[str, Disk]:
    """Disks with a WWID, multipath maps and the partitions of both, by their device numbers (8:16)."""
    found = {}
    for name in host.list(BLOCK):
        disk = _disk(host, name)
        if disk.wwid:
            found[(host.read(f"{BLOCK}/{name}/dev") or "").strip()] = disk
    return found


def _disk(host: Host, name: str) -> Disk:
    part = PART.fullmatch((host.read(f"{BLOCK}/{name}/dm/uuid") or "").strip())
    if part:
        return Disk(part[1], partition=True)
    if host.read(f"{BLOCK}/{name}/partition") is not None:
        return Disk(_wwid(host, host.real(f"{BLOCK}/{name}").split("/")[-2]), partition=True)
    return Disk(wwid_of_map(host, name) or _wwid(host, name))


def _wwid(host: Host, name: str) -> str:
    kind, dot, value = (host.read(f"{BLOCK}/{name}/device/wwid") or "").strip().partition(".")
    return KINDS[kind] + value if dot and kind in KINDS else ""
