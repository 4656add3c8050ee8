# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk on which something shall be made: under a name that stays, empty, and used by nobody.

Asked is whether a name stays, since nobody can list all those that the kernel gives in the order of discovery.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass

from .._block.device_name import BY_ID, is_identity, links_to
from .._block.holders import Holders
from .._host import Host, Problem
from .filesystem import look_signatures

LONGEST_NAME = 255  # bytes of a part of a path (NAME_MAX, path_resolution(7))


@dataclass(frozen=True)
class Device:
    """A disk under the path that was asked for. 'kernel' is '' while it is not there."""

    path: str
    kernel: str = ""
    block: bool = False
    signatures: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    better: tuple[str, ...] = ()  # names that stay, where the path is none

    @property
    def stable(self) -> bool:
        """Whether the path names the same disk after every boot."""
        return is_identity(self.path)


def device_path(text: str) -> str:
    """A path below /dev, as it is given; whether its name is stable is seen on the host."""
    parts = text.split("/")
    if (
        re.fullmatch(r"/dev/[^\s\0]+", text)
        and ".." not in parts
        and max(len(part.encode()) for part in parts) <= LONGEST_NAME
    ):
        return text.rstrip("/")
    raise Problem(
        f"'{text}' is not a device. It must be a path like /dev/mapper/NAME or /dev/disk/by-id/NAME."
    )


def look_device(host: Host, path: str, holders: Holders) -> Device:
    """What is on a disk and who uses it; nothing is written. The content of one in use is not read."""
    found = host.stat(path)
    if found is None:
        return Device(path)
    kernel = host.real(path).rpartition("/")[2]
    block = stat.S_ISBLK(found.st_mode)
    users = tuple(str(user) for user in holders.of(kernel))
    unread = users or not block or not is_identity(path)
    return Device(
        path=path,
        kernel=kernel,
        block=block,
        signatures=() if unread else look_signatures(host, path),
        users=users,
        better=() if is_identity(path) else tuple(links_to(host, kernel)),
    )


def refuse_name(device: Device, wanted: str) -> None:
    """A path that is no disk under a name that stays; 'wanted' is what cannot be done."""
    if not device.stable:
        raise Problem(
            f"{wanted}: that name may be a different disk after the next boot. Name it by its identity, "
            + (f"'{device.better[0]}'." if device.better else f"like /dev/mapper/NAME or {BY_ID}/NAME.")
        )
    if not device.kernel:
        raise Problem(f"{wanted}: there is no such device. Is its LUN mapped to this host, and logged in to?")
    if not device.block:
        raise Problem(f"{wanted}: it is not a block device.")


def refuse_disk(device: Device, wanted: str, hint: str = "") -> None:
    """A disk on which nothing may be made; the hint goes with what is on it."""
    refuse_name(device, wanted)
    if device.users:
        raise Problem(f"{wanted}: it is in use. {'; '.join(device.users)}.")
    if device.signatures:
        raise Problem(
            f"{wanted}: it is not blank ({', '.join(device.signatures)}), and nothing on it is overwritten. Is it "
            f"the right disk? {hint}Only if everything on it may be lost, clear it by hand: wipefs --all {device.path}"
        )
