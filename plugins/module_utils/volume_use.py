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
from typing import Iterator, Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.mount import (
    FSTAB,
    OPTIONS,
    Line,
    parsed_line,
    unescaped,
)

BLOCK = "/sys/class/block"
NAMED = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
AT_ONCE = 8  # volumes that are read at the same time
PIECES, PIECE = 64, 64 << 10  # what is read of a volume: so many pieces of so many bytes, spread evenly


@dataclass(frozen=True)
class Used:
    """A mount point: its line in fstab and what is mounted there; the volume is '' when it is none."""

    path: str
    group: str
    volume: str
    device: str
    filesystem: str
    options: str
    line: bool
    mounted: bool
    root: str = "/"


@dataclass(frozen=True)
class Mounted:
    """A line of mountinfo (proc(5))."""

    number: str
    root: str
    filesystem: str
    source: str


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
    lines: dict[str, Line] = {}
    for path, line in map(parsed_line, (host.read(FSTAB) or "").splitlines()):
        if line:
            lines.setdefault(path, line)  # mount(8) and systemd take the first one
    mounts = dict(_mounted(host))
    return [
        _used(host, path, lines.get(path), mounts.get(path), tables) for path in sorted({*lines, *mounts})
    ]


def _used(
    host: Host, path: str, line: Line | None, mount: Mounted | None, tables: dict[str, tuple[str, str]]
) -> Used:
    known = tables.get(mount.number) if mount else None
    group, volume = known or (_volume_of(host, line.device, tables) if line else ("", ""))
    return Used(
        path=path,
        group=group,
        volume=volume,
        device=line.device if line else mount.source if mount else "",
        filesystem=mount.filesystem if mount else line.filesystem if line else "",
        options=line.options if line else OPTIONS,
        line=line is not None,
        mounted=mount is not None,
        root=mount.root if mount else "/",
    )


def _volume_of(host: Host, device: str, tables: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """The volume that a line of fstab means: by the device itself, else, while there is none, by its name."""
    key, _sign, value = device.partition("=")
    path = f"/dev/disk/{NAMED[key]}/{_encoded(value)}" if key in NAMED else device
    found = host.stat(path) if path.startswith("/dev/") else None
    if found:
        return tables.get(f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}", ("", ""))
    mapper = re.fullmatch(r"/dev/mapper/(.+)", path)
    named = re.fullmatch(r"/dev/([^/]+)/([^/]+)", path)
    if mapper:
        return split_name(mapper[1])
    return (named[1], named[2]) if named else ("", "")


def _encoded(value: str) -> str:
    """A label as udev names its link: all but these characters as bytes (systemd, src/basic/device-nodes.c)."""
    plain = value.strip('"')
    return re.sub(
        r"[^A-Za-z0-9#+.:=@_\-\u0080-\U0010ffff]",
        lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode()),
        plain,
    )


def _mounted(host: Host) -> Iterator[tuple[str, Mounted]]:
    for text in (host.read("/proc/self/mountinfo") or "").splitlines():
        fields = text.split()
        kind, source = fields[fields.index("-") + 1 :][:2]
        yield unescaped(fields[4]), Mounted(fields[2], unescaped(fields[3]), kind, unescaped(source))


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
