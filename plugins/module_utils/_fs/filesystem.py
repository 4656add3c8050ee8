# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a block device: signatures (wipefs(8)), ext4 and xfs, and whether they fill it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from .._block.mountinfo import look_mounted
from .._host import Host, Problem
from .._step import Step

KINDS = ("ext4", "xfs")
MAKE_SECONDS = 3600  # an array may take its time to discard
GROW_SECONDS = 3600
ASIDE = "/tmp"  # a file system that is not mounted is, there, while it grows: seen by the command that lets it grow alone
# In a mount namespace of its own, which ends with it, whatever ends it (unshare(1): mounts in it are private).
MOUNTED = (
    'kind=$1 device=$2 point=$3; shift 3; mount -t "$kind" "$device" "$point" && "$@" && umount "$point"'
)
EXT4_SIZES = ("Block size", "Blocks per group", "Inode blocks per group", "Block count")
MIB = 1 << 20
XFS_SMALLEST_GROUP = 16 * MIB  # mkfs.xfs leaves a smaller rest at the end of the device unused


@dataclass(frozen=True)
class Filesystem:
    """A file system, whether it fills its device, and its label."""

    kind: str
    full: bool = True
    label: str = ""


def look_signatures(host: Host, path: str) -> tuple[str, ...]:
    """The kinds of everything that a device bears a signature of; nothing is written."""
    return tuple(dict.fromkeys(kind for kind, _label in _signatures(host, path)))


def _signatures(host: Host, path: str) -> list[tuple[str, str]]:
    """Each signature on a device and the label that goes with it."""
    said = host.run("wipefs", "--json", "--no-act", path).out
    try:
        found = json.loads(said)["signatures"] if said.strip() else []
        return [(row["type"], row.get("label") or "") for row in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"'wipefs --json' printed no JSON for '{path}': {said[:200]}") from error


def look_filesystem(host: Host, path: str, size: int) -> Filesystem | None:
    """What is on a device of 'size' bytes; None when it is empty. Of a kind that we do not make only the name is told."""
    signatures = _signatures(host, path)
    found = tuple(dict(signatures))
    if not found:
        return None
    full = {"ext4": _ext4_is_full, "xfs": _xfs_is_full}.get(found[0])
    return Filesystem(
        "+".join(found), full is None or len(found) > 1 or full(host, path, size), signatures[0][1]
    )


def _ext4_is_full(host: Host, path: str, size: int) -> bool:
    """A last block group that could not hold its own tables stays unused (e2fsprogs, resize2fs and mke2fs)."""
    said = host.run("dumpe2fs", "-h", path).out
    told = {name: int(number) for name, number in re.findall(r"^([A-Z][\w ]+):\s+(\d+)\s*$", said, re.M)}
    if not all(map(told.get, EXT4_SIZES)) or "First block" not in told:
        raise Problem(f"'dumpe2fs -h {path}' does not say how large the file system is.")
    blocks = size // told["Block size"]
    a_group = told["Blocks per group"]
    rest = (blocks - told["First block"]) % a_group
    descriptors = -(-blocks // a_group) * 64 // told["Block size"] + 1
    tables = told["Inode blocks per group"] + told.get("Reserved GDT blocks", 0) + descriptors + 3
    return told["Block count"] >= blocks - (rest if rest < tables + 50 else 0)


def _xfs_is_full(host: Host, path: str, size: int) -> bool:
    """Asked of the mounted file system, if it is: the superblock on the disk is written later."""
    said = host.run("xfs_info", path).out
    found = re.search(r"agsize=(\d+) .*^data\s+= +bsize=(\d+) +blocks=(\d+)", said, re.M | re.S)
    if not found:
        raise Problem(f"'xfs_info {path}' does not say how large the file system is: {said}")
    a_group, block, blocks = (int(number) for number in found.groups())
    offered = size // block
    rest = offered % a_group
    return blocks >= offered - (rest if rest < XFS_SMALLEST_GROUP // block else 0)


@dataclass(frozen=True)
class MakeFilesystem(Step):
    """On an empty device only: neither mkfs is given its force option."""

    kind: str
    device: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Make the {self.kind} file system on '{self.device}'"

    def take(self, host: Host) -> None:
        found = look_signatures(host, self.device)
        if found:
            raise Problem(f"'{self.device}' is no longer blank ({', '.join(found)}).")
        command = (f"mkfs.{self.kind}", "-q", *self.options, self.device)
        ran = host.run(*command, ok=None, timeout=MAKE_SECONDS)
        if ran.rc:
            why = " ".join(re.split(r"^Usage", ran.err, maxsplit=1, flags=re.M)[0].split())
            raise Problem(
                f"'{' '.join(command)}' failed with exit code {ran.rc}: {why or 'it does not say why'}"
            )


@dataclass(frozen=True)
class GrowFilesystem(Step):
    """Mounted, since xfs grows only so, and ext4 then needs no check first."""

    kind: str
    device: str

    def __str__(self) -> str:
        return f"Grow the {self.kind} file system on '{self.device}' to the size of its device"

    def take(self, host: Host) -> None:
        point = mounted_on(host, self.device)
        if point:
            host.run(*self._grow(point), timeout=GROW_SECONDS)
            return
        mounted = ("unshare", "--mount", "sh", "-c", MOUNTED, "sh", self.kind, self.device, ASIDE)
        host.run(*mounted, *self._grow(ASIDE), timeout=GROW_SECONDS)

    def _grow(self, point: str) -> tuple[str, ...]:
        return ("resize2fs", self.device) if self.kind == "ext4" else ("xfs_growfs", "-d", point)


def mounted_on(host: Host, device: str) -> str:
    """The first mount point of a device here; '' when it has none."""
    kernel = host.real(device).rpartition("/")[2]
    number = (host.read(f"/sys/class/block/{kernel}/dev") or "none").strip()
    return next((one.path for one in look_mounted(host) if one.number == number), "")
