# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes from the kernel's side: which have a device-mapper table, where they are mounted, what is on them.

LVM is not asked: the kernel knows its tables also when the disks under them are gone.
"""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Sequence

from ..._block.mountinfo import Mounted, look_mounted, seen_at
from ..._block.san_disk import Disk, look_disks
from ..._block.sysfs import BLOCK
from ..._fs import fstab
from ..._fs.mount import OPTIONS
from ..._host import Host, Problem

AT_ONCE = 8  # volumes that are read at the same time
PIECES, PIECE = 64, 64 << 10  # what is read of a volume: so many pieces of so many bytes, spread evenly


@dataclass(frozen=True)
class Used:
    """A mount point: its line in fstab and what is mounted there; the volume is '' when it is none. The WWID is that of the disk
    on which it is directly, without a volume between them."""

    path: str
    group: str
    volume: str
    device: str
    filesystem: str
    options: str
    in_fstab: bool
    mounted: bool
    root: str = "/"
    wwid: str = ""
    partition: bool = False


def look_tables(host: Host) -> dict[str, tuple[str, str]]:
    """LVM's devices in the kernel: device number, and volume group and volume."""
    found = {}
    for name in host.list(BLOCK):
        if (host.read(f"{BLOCK}/{name}/dm/uuid") or "").startswith("LVM-"):
            title = (host.read(f"{BLOCK}/{name}/dm/name") or "").strip()
            found[(host.read(f"{BLOCK}/{name}/dev") or "").strip()] = split_name(title)
    return found


def split_name(title: str) -> tuple[str, str]:
    """A device-mapper name of LVM as volume group and volume: a hyphen in either is doubled (lvm(8))."""
    group, _hyphen, volume = title.replace("--", "\0").partition("-")
    return group.replace("\0", "-"), volume.replace("\0", "-")


def look_uses(host: Host, tables: dict[str, tuple[str, str]]) -> list[Used]:
    """Every mount point of this host's fstab and mount table."""
    mounted = look_mounted(host)
    found = fstab.entries(host.read(fstab.FSTAB) or "")
    named = fstab.paths(host, found, mounted)
    lines = {name: entry.line for entry, name in reversed(list(zip(found, named)))}  # the first one counts
    mounts = {one.path: top for one in mounted for top in [_top(mounted, one.path)] if top}
    disks = look_disks(host)
    return [
        _used(host, path, lines.get(path), mounts.get(path), tables, disks)
        for path in sorted({*lines, *mounts})
    ]


def _top(mounted: list[Mounted], path: str) -> Mounted | None:
    """What is mounted on a path, if anything is; a trigger is nothing yet."""
    return next((one for one in reversed(seen_at(mounted, path)) if not one.trigger), None)


def _used(
    host: Host,
    path: str,
    line: fstab.Line | None,
    mount: Mounted | None,
    tables: dict[str, tuple[str, str]],
    disks: dict[str, Disk],
) -> Used:
    number = mount.number if mount else _number(host, line.device) if line else ""
    disk, known = disks.get(number, Disk("")), tables.get(mount.number) if mount else None
    group, volume = known or (_volume_of(host, line.device, tables) if line else ("", ""))
    return Used(
        path=path,
        group=group,
        volume=volume,
        device=line.device if line else mount.source if mount else "",
        filesystem=mount.filesystem if mount else line.filesystem if line else "",
        options=line.options if line else OPTIONS,
        in_fstab=line is not None,
        mounted=mount is not None,
        root=mount.root if mount else "/",
        wwid=disk.wwid,
        partition=disk.partition,
    )


def _volume_of(host: Host, device: str, tables: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """The volume that a line of fstab means: by the device itself, else, while there is none, by its name."""
    path, number = fstab.device_path(device), _number(host, device)
    if number:
        return tables.get(number, ("", ""))
    mapper = re.fullmatch(r"/dev/mapper/(.+)", path)
    named = re.fullmatch(r"/dev/([^/]+)/([^/]+)", path)
    if mapper:
        return split_name(mapper[1])
    return (named[1], named[2]) if named else ("", "")


def _number(host: Host, device: str) -> str:
    """The number of the device that a line of fstab means; '' while there is none."""
    path = fstab.device_path(device)
    found = host.stat(path) if path.startswith("/dev/") else None
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}" if found else ""


def samples(host: Host, volumes: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The digest of each volume, given by group and name, several read at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(volumes, pool.map(lambda one: sample(host, *one), volumes)))


def sample(host: Host, group: str, volume: str) -> str:
    """A digest (SHA-256, the first 128 bits) of the volume's size and of pieces spread over it, read past the cache."""
    path = f"/dev/{group}/{volume}"
    if host.stat(path) is None:
        raise Problem(f"'{group}/{volume}' is not active here ('{path}' is not there). Activate it first.")
    kernel = host.real(path).rpartition("/")[2]
    size = int(host.read(f"{BLOCK}/{kernel}/size") or 0) * 512  # sysfs counts blocks of 512 bytes
    digest = hashlib.sha256(str(size).encode())
    for offset in offsets(size):
        digest.update(host.block(path, offset, min(PIECE, size - offset)))
    return digest.hexdigest()[:32]


def offsets(size: int) -> list[int]:
    """Where the pieces begin: the first and the last ones included, all of a small volume."""
    last = max(size - PIECE, 0) // PIECE * PIECE
    if last < PIECES * PIECE:
        return list(range(0, size, PIECE))
    return [last * number // (PIECES - 1) // PIECE * PIECE for number in range(PIECES)]
