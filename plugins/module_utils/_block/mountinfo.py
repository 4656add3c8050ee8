# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has mounted (proc(5), /proc/PID/mountinfo)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Sequence

from .._host import Host, lines_of

MOUNTINFO = "/proc/self/mountinfo"
BTRFS = "/sys/fs/btrfs"
TRIGGER = "autofs"  # no file system: who touches it has one mounted over it (kernel Documentation/filesystems/autofs.rst)
POOLS = (
    "btrfs",
    "bcachefs",
)  # on devices, under a number of their own (0:NN), as what stands on none has one
REMOTE = re.compile(r"autofs|nfs|cifs|smb|fuse|9p|afs|ceph|gluster|lustre|gfs|ocfs|virtiofs")


@dataclass(frozen=True)
class Mounted:
    """A line of mountinfo. 'number' is the file system's device number, 'root' what of it is mounted."""

    ident: str
    parent: str
    number: str
    root: str
    path: str
    filesystem: str
    source: str

    @property
    def called(self) -> str:
        """What people see of it; not everything that is mounted has a source, and of a tmpfs it is any text."""
        return (
            self.filesystem
            if self.unfounded and self.source.startswith("/dev/")
            else self.source or self.filesystem
        )

    @property
    def unfounded(self) -> bool:
        """Whether it stands on no device."""
        return self.number.startswith("0:") and self.filesystem not in POOLS

    @property
    def remote(self) -> bool:
        """Whether a server or a program has to answer for it."""
        return bool(REMOTE.match(self.filesystem))

    @property
    def trigger(self) -> bool:
        """Whether it only waits to be touched."""
        return self.filesystem == TRIGGER


def look_mounted(host: Host, path: str = MOUNTINFO) -> list[Mounted]:
    """Every mount, in the kernel's order: of two on one path the last one is on top."""
    return parse(host.read(path))


def parse(text: str | None) -> list[Mounted]:
    """The lines of a mountinfo; a source may be empty, and what stands before '-' has any length."""
    found = []
    for fields in (line.split(" ") for line in lines_of(text)):
        if "-" in fields[6:]:
            kind, source = [*fields[fields.index("-", 6) + 1 :], "", ""][:2]
            names = (unescaped(field) for field in (fields[3], fields[4], kind, source))
            found.append(Mounted(fields[0], fields[1], fields[2], *names))
    return found


def seen_at(mounts: Sequence[Mounted], path: str) -> list[Mounted]:
    """What is mounted on a path and not hidden under a mount over one of its parents; the last one is on top."""
    return [one for one in mounts if one.path == path and not hidden(mounts, one)]


def hidden(mounts: Sequence[Mounted], mount: Mounted) -> bool:
    """Whether another mount lies over a directory on the way to this one: then both stand on the same parent."""
    known, passed = {one.ident: one for one in mounts}, set()
    while mount.ident not in passed:
        passed.add(mount.ident)
        beside = [one for one in mounts if one.parent == mount.parent != one.ident]
        if any(inside(mount.path, one.path) for one in beside):
            return True
        mount = known.get(mount.parent, mount)
    return False


def inside(path: str, directory: str) -> bool:
    """Whether a path is somewhere below a directory."""
    return path.startswith(directory.rstrip("/") + "/") and path != directory


def is_of(host: Host, mount: Mounted, device: str) -> bool:
    """Whether a mount is of this device: by its number, else, of btrfs, by its source or its other devices."""
    stat = host.stat(device)
    if stat is None or mount.trigger:
        return False
    if stat.st_rdev and mount.number == f"{os.major(stat.st_rdev)}:{os.minor(stat.st_rdev)}":
        return True
    if mount.filesystem not in POOLS or not mount.source.startswith("/dev/"):
        return False
    names = {host.real(name).rpartition("/")[2] for name in (device, mount.source)}
    pools = [set(host.list(f"{BTRFS}/{uuid}/devices")) for uuid in host.list(BTRFS)]
    return len(names) == 1 or any(names <= pool for pool in pools)


def unescaped(text: str) -> str:
    """A field of mountinfo or fstab as it was: octal numbers are bytes."""
    if "\\" not in text:
        return text
    data = re.sub(
        rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), text.encode(errors="surrogateescape")
    )
    return data.decode(errors="surrogateescape")
