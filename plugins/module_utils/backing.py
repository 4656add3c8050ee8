# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind LUNs: block devices under their stable names, and files."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, replace

from ansible_collections.lunworks.iscsi.plugins.module_utils.holders import look_holders
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem

# Names that the kernel gives in the order of discovery: after a boot they may mean another disk.
UNSTABLE = re.compile(
    r"/dev/(sd[a-z]+\d*|dm-\d+|nvme\d+n\d+(p\d+)?|md\d+|loop\d+|zd\d+|sg\d+|vd[a-z]+\d*|xvd[a-z]+\d*)"
)
STABLE = ("/dev/disk/by-id", "/dev/mapper", "/dev/disk/by-path")


@dataclass(frozen=True)
class Backing:
    """One path: its size in bytes (None: not there), what it is whatever its name, who uses it, a name that stays."""

    size: int | None = None
    identity: tuple[str | int, ...] = ()
    kind: str = "file"
    users: tuple[str, ...] = ()
    stable: str = ""
    room: int | None = None  # free bytes beside it, where that was asked for


def look_backing(host: Host, served: set[str], asked: set[str], full: set[str]) -> dict[str, Backing]:
    """Every path that is served or asked for; who uses a block device is asked only for those not served yet, and how
    much room is left only beside files that shall have all their blocks."""
    found = {path: _backing(host, path) for path in sorted(served | asked)}
    new = {path for path in asked - served if found[path].kind == "device"}
    holders = look_holders(host) if new else None
    for path in new if holders else ():
        real = host.real(path)
        users = tuple(str(user) for user in holders.of(real.rpartition("/")[2])) if holders else ()
        stable = _stable(host, real) if UNSTABLE.fullmatch(path) else ""
        found[path] = replace(found[path], users=users, stable=stable)
    for path in full & set(found):
        found[path] = replace(found[path], room=_room(host, path))
    return found


def check_backing(lun: str, path: str, backing: Backing) -> None:
    """What may become a LUN: a device that nobody uses under a name that stays, or a file."""
    if UNSTABLE.fullmatch(path) and backing.kind == "device":
        use = (
            f"Use '{backing.stable}'."
            if backing.stable
            else "Use a link under /dev/disk, or a logical volume on it."
        )
        raise Problem(f"LUN '{lun}': '{path}' may be another disk after the next boot. {use}")
    if backing.kind == "other":
        raise Problem(f"LUN '{lun}': '{path}' is neither a block device nor a file.")
    if path.startswith("/dev/") and backing.kind != "device":
        raise Problem(f"LUN '{lun}': the block device '{path}' does not exist.")
    if backing.kind == "device" and not path.startswith("/dev/"):
        raise Problem(f"LUN '{lun}': '{path}' leads to a block device: give its name under /dev.")
    if backing.users:
        raise Problem(
            f"LUN '{lun}': '{path}' is in use on this host: {'; '.join(backing.users)}. Whoever uses it has to let go "
            "first; two users of one disk destroy what is on it."
        )


def _room(host: Host, path: str) -> int:
    """Free bytes on the file system that a file is or would be on."""
    directory = path.rpartition("/")[0] or "/"
    while host.stat(directory) is None:
        directory = directory.rpartition("/")[0] or "/"
    return int(host.run("df", "--output=avail", "--block-size=1", directory).out.split()[-1])


def _backing(host: Host, path: str) -> Backing:
    found = host.stat(path)
    if found is None:
        return Backing(None, (path,))
    if stat.S_ISBLK(found.st_mode):
        name = host.real(path).rpartition("/")[2]
        sectors = (host.read(f"/sys/class/block/{name}/size") or "0").strip()
        return Backing(int(sectors) * 512, (found.st_rdev,), "device")
    kind = "file" if stat.S_ISREG(found.st_mode) else "other"
    return Backing(found.st_size, (found.st_dev, found.st_ino), kind)


def _stable(host: Host, real: str) -> str:
    for directory in STABLE:
        for name in host.list(directory):
            if host.real(f"{directory}/{name}") == real:
                return f"{directory}/{name}"
    return ""
