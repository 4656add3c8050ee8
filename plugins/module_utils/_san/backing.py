# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind LUNs: block devices under their stable names, and files."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field, replace
from typing import Mapping

from .._block.device_name import LINKS, is_stable, links_to
from .._block.holders import look_holders
from .._block.sysfs import BLOCK
from .._host import Host, Problem


@dataclass(frozen=True)
class Backing:
    """One path: its size in bytes (None: not there), what it is whatever its name, who uses it, a name that stays."""

    size: int | None = None
    identity: tuple[str | int, ...] = ()
    kind: str = "file"
    users: tuple[str, ...] = ()
    stable: str = ""
    room: int | None = None  # free bytes beside it, where that was asked for
    read_only: bool = False  # a device that the kernel does not let anybody write to
    limits: Mapping[str, int] = field(
        default_factory=dict
    )  # what a new LUN on the device may ask for at most

    def same(self, other: Backing | None) -> bool:
        """Whether it is the very same file or device, whatever its names."""
        return other is not None and self.size is not None and self.identity == other.identity


def look_backing(host: Host, served: set[str], asked: set[str], sized: set[str]) -> dict[str, Backing]:
    """Every path that is served or asked for; who uses a block device is asked only for those not served yet, and how
    much room is left only beside files whose size is asked for."""
    found = {path: _backing(host, path) for path in sorted(served | asked)}
    new = {path for path in asked - served if found[path].kind == "device"}
    holders = look_holders(host) if new else None
    for path in new if holders else ():
        real = host.real(path)
        users = tuple(str(user) for user in holders.of(real.rpartition("/")[2])) if holders else ()
        stable = "" if is_stable(path) else _stable(host, real)
        found[path] = replace(found[path], users=users, stable=stable)
    for path in sized & set(found):
        if found[path].kind != "device":
            found[path] = replace(found[path], room=_room(host, path))
    return found


def check_backing(lun: str, path: str, backing: Backing) -> None:
    """What may become a LUN: a device that nobody uses under a name that stays, or a file."""
    if backing.kind == "other":
        raise Problem(f"LUN '{lun}': '{path}' is neither a block device nor a file.")
    if path.startswith("/dev/") and backing.kind != "device":
        raise Problem(f"LUN '{lun}': the block device '{path}' does not exist.")
    if backing.kind == "device" and not path.startswith("/dev/"):
        raise Problem(f"LUN '{lun}': '{path}' leads to a block device: give its name under /dev.")
    if backing.users:
        raise Problem(
            f"LUN '{lun}': '{path}' is in use on this host: {'; '.join(backing.users)}. Stop its user first; two users "
            "of one disk destroy the data on it."
        )
    if backing.kind == "device" and path.startswith("/dev/") and not is_stable(path):
        use = (
            f"Use '{backing.stable}'."
            if backing.stable
            else "Use a link under /dev/disk, or a logical volume on it."
        )
        raise Problem(f"LUN '{lun}': '{path}' may be a different disk after the next boot. {use}")


def _room(host: Host, path: str) -> int | None:
    """Free bytes on the file system that a file is or would be on."""
    directory = path.rpartition("/")[0] or "/"
    while host.stat(directory) is None:
        directory = directory.rpartition("/")[0] or "/"
    return host.room(directory)


def _backing(host: Host, path: str) -> Backing:
    found = host.stat(path)
    if found is None:
        return Backing(None, (path,))
    if stat.S_ISBLK(found.st_mode):
        name = host.real(path).rpartition("/")[2]
        block = f"{BLOCK}/{name}"
        limits = {
            "queue_depth": _number(host, f"{block}/queue/nr_requests"),
            "discard": _number(host, f"{block}/queue/discard_max_bytes"),
        }
        return Backing(
            size=(_number(host, f"{block}/size") or 0) * 512,
            identity=(found.st_rdev,),
            kind="device",
            read_only=_number(host, f"{block}/ro") == 1,
            limits={key: value for key, value in limits.items() if value is not None},
        )
    kind = "file" if stat.S_ISREG(found.st_mode) else "other"
    return Backing(found.st_size, (found.st_dev, found.st_ino), kind)


def _number(host: Host, path: str) -> int | None:
    text = (host.read(path) or "").strip()
    return int(text) if text.isdecimal() else None


def _stable(host: Host, real: str) -> str:
    kernel = real.rpartition("/")[2]
    return next((name for directory in LINKS for name in links_to(host, kernel, directory)), "")


def sizes_of(backing: Mapping[str, Backing]) -> dict[str, int]:
    """The size of what stands behind each path, where it is known."""
    return {path: one.size for path, one in backing.items() if one.size is not None}
