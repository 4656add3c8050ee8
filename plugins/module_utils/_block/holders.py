# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a block device: what must let go before a disk may go.

Read from sysfs (kernel Documentation/ABI/stable/sysfs-block), /proc/PID/mountinfo of every mount namespace and
/proc/swaps (proc(5)), and the LIO backstores in configfs. Devices are kernel names: sdb, sdb1, dm-3.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Iterable, Iterator, TypeVar

from .._host import Host, Problem, lines_of
from . import mountinfo
from .mountinfo import BTRFS, inside, unescaped
from .sysfs import BLOCK

T = TypeVar("T")

BACKSTORES = "/sys/kernel/config/target/core"
# These open every disk to look at it, and let go by themselves. 'spawn' is a udev worker about to run a program.
WATCHERS = (
    "multipathd",
    "systemd-udevd",
    "udev-worker",
    "spawn",
    "blkid",
    "scsi_id",
    "lvm",
    "pvscan",
    "mdadm",
)
SENTENCES = {
    "map": "is a path of the multipath map '{}'",
    "volume": "holds the active logical volume '{}'",
    "device": "holds the device '{}'",
    "loop": "is behind the loop device '{}'",
    "swap": "is used as swap ({})",
    "mount": "is mounted on '{}'",
    "filesystem": "is part of the mounted file system '{}'",
    "export": "is exported by the backstore '{}'",
    "process": "is open in the process {}",
}


@dataclass(frozen=True, order=True)
class User:
    """One user of a device: 'kind' is a key of SENTENCES, 'through' is the device (or file) that it uses itself."""

    kind: str
    name: str
    through: str

    def __str__(self) -> str:
        through = self.through if self.through.startswith("/") else f"/dev/{self.through}"
        return f"{through} {SENTENCES[self.kind].format(self.name)}"


@dataclass(frozen=True)
class Holders:
    """What stands on what and who uses each device, from one look."""

    above: dict[str, list[str]]  # a device: its partitions, and the devices made of it
    below: dict[str, list[str]]  # the same, the other way round
    maps: dict[str, str]  # multipath maps: kernel name and map name
    direct: dict[str, list[User]]  # a device: those that use it itself

    def over(self, device: str) -> list[str]:
        """The device and all that stands on it, nearest first."""
        seen = [device]
        for name in seen:
            seen += [one for one in self.above.get(name, []) if one not in seen]
        return seen

    def of(self, device: str) -> list[User]:
        """Every user of a device, of its partitions and of all that is made of it; empty when it may go."""
        return [user for name in self.over(device) for user in self.direct.get(name, [])]


def look_holders(host: Host, opened: bool = False) -> Holders:
    """Read the system once. With 'opened' also who has a device open, which reads every /proc/PID/fd."""
    names = host.list(BLOCK)
    above = {name: host.list(f"{BLOCK}/{name}/holders") for name in names}
    made = {upper for uppers in above.values() for upper in uppers}
    kinds = {name: _kind(host, name) for name in sorted(made)}
    users = [User(*kinds[upper], lower) for lower in names for upper in above[lower]]
    for name in names:
        if host.read(f"{BLOCK}/{name}/partition") is not None:
            above[host.real(f"{BLOCK}/{name}").split("/")[-2]].append(name)
        behind = _device(host, (host.read(f"{BLOCK}/{name}/loop/backing_file") or "").strip())
        if behind in above:
            above[behind].append(name)
            users.append(User("loop", name, behind))
    numbers = {(host.read(f"{BLOCK}/{name}/dev") or "").strip(): name for name in names}
    users += [*_swaps(host), *_mounts(host, numbers), *_btrfs(host), *_backstores(host)]
    if opened:
        users += _processes(host, numbers)
    return Holders(
        above=above,
        below=_grouped((upper, lower) for lower, uppers in above.items() for upper in uppers),
        maps={name: kinds[name][1] for name in kinds if kinds[name][0] == "map"},
        direct=_grouped((user.through, user) for user in dict.fromkeys(users)),
    )


def look_files(host: Host, directory: str) -> list[User]:
    """Files in a directory that the kernel itself has open: no process shows them, and no unmount goes by them."""
    found = [
        User("loop", name, (host.read(f"{BLOCK}/{name}/loop/backing_file") or "").strip())
        for name in host.list(BLOCK)
    ]
    found += [User("swap", name, name) for name in _swap_names(host)]
    found += [
        User("export", name, (host.read(f"{BACKSTORES}/{plugin}/{name}/udev_path") or "").strip())
        for plugin in host.list(BACKSTORES)
        for name in host.list(f"{BACKSTORES}/{plugin}")
    ]
    return [user for user in found if inside(user.through, directory)]


def _kind(host: Host, name: str) -> tuple[str, str]:
    """What a device that is made of others is: the prefix of a dm UUID names who made it."""
    title = (host.read(f"{BLOCK}/{name}/dm/name") or name).strip()
    uuid = host.read(f"{BLOCK}/{name}/dm/uuid") or ""
    if uuid.startswith("mpath-"):
        return "map", title
    if uuid.startswith("LVM-"):
        return "volume", title.replace("--", "\0").replace("-", "/", 1).replace("\0", "-")
    return "device", title


def _swaps(host: Host) -> Iterator[User]:
    for name in _swap_names(host):
        yield User("swap", name, _device(host, name))


def _swap_names(host: Host) -> list[str]:
    """Devices and files, blanks in them in octal (proc(5))."""
    return [unescaped(line.split()[0]) for line in lines_of(host.read("/proc/swaps"))[1:]]


def _mounts(host: Host, numbers: dict[str, str]) -> Iterator[User]:
    """Mounts of every namespace; a mount namespace is read once, through the first process found in it."""
    read = set()
    for process in filter(str.isdecimal, host.list("/proc")):
        namespace = host.real(f"/proc/{process}/ns/mnt").rpartition("/")[2]
        if namespace in read:
            continue
        read.add(namespace)
        for mount in mountinfo.parse(_gone_is_empty(host, f"/proc/{process}/mountinfo")):
            if mount.number in numbers:
                yield User("mount", mount.path, numbers[mount.number])


def _btrfs(host: Host) -> Iterator[User]:
    """A mounted btrfs has a device number of its own; sysfs lists the devices under it."""
    for uuid in host.list(BTRFS):
        for name in host.list(f"{BTRFS}/{uuid}/devices"):
            yield User("filesystem", uuid, name)


def _backstores(host: Host) -> Iterator[User]:
    for plugin in host.list(BACKSTORES):
        for name in host.list(f"{BACKSTORES}/{plugin}"):
            path = (host.read(f"{BACKSTORES}/{plugin}/{name}/udev_path") or "").strip()
            device = _device(host, path)  # the path may be a link to a device, wherever that stands
            if device:
                yield User("export", name, device)


def _processes(host: Host, numbers: dict[str, str]) -> Iterator[User]:
    for process in filter(str.isdecimal, host.list("/proc")):
        for opened in host.list(f"/proc/{process}/fd"):
            file = _opened(host, f"/proc/{process}/fd/{opened}")
            number = f"{os.major(file.st_rdev)}:{os.minor(file.st_rdev)}" if file else ""
            if file and stat.S_ISBLK(file.st_mode) and number in numbers:
                command = _gone_is_empty(host, f"/proc/{process}/comm").strip().strip("()")
                if command in WATCHERS:
                    break
                yield User("process", f"{process} ({command})", numbers[number])


def _opened(host: Host, path: str) -> os.stat_result | None:
    """What a process has open; what even root may not see (sockets of other namespaces) is no block device."""
    try:
        return host.stat(path)
    except Problem:
        return None


def _device(host: Host, path: str) -> str:
    """The kernel name behind a device path, links followed; '' for anything else."""
    real = host.real(path) if path.startswith("/") else ""
    return real.rpartition("/")[2] if real.startswith("/dev/") else ""


def _gone_is_empty(host: Host, path: str) -> str:
    """A file of a process that may end at any moment."""
    try:
        return host.read(path) or ""
    except Problem:
        return ""


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
