# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What udev remembers of a path. multipathd and the links in /dev/disk believe it, and not the disk.

udev asks a disk who it is when it appears. When its LUN number is given to another LUN while the target is away, iscsid lets the
kernel read the new name after its next login, of which udev hears nothing. Such a path is added to the map of nobody.
"""

from __future__ import annotations

from typing import Iterable

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_path import Path

BLOCK = "/sys/class/block"
REMEMBERED = (
    "/run/udev/data/b"  # its database (systemd src/libsystemd/sd-device/device-private.c), by device number
)
SERIAL = "E:ID_SERIAL="  # multipath's uid_attribute of SCSI disks (multipath.conf(5))
SETTLING = 60  # seconds


def name_anew(host: Host, paths: Iterable[Path]) -> None:
    """Let udev ask those paths again that it remembers as another disk than they have just said to be."""
    outdated = [
        path.device for path in paths if path.wwids and _remembered(host, path) not in ("", *path.wwids)
    ]
    if outdated:
        devices = [f"{BLOCK}/{device}" for device in outdated]
        host.run("udevadm", "trigger", "--settle", "--action=change", *devices, timeout=SETTLING)


def _remembered(host: Host, path: Path) -> str:
    number = (host.read(f"{BLOCK}/{path.device}/dev") or "").strip()
    lines = (host.read(f"{REMEMBERED}{number}") or "").splitlines() if number else []
    return next((line[len(SERIAL) :] for line in lines if line.startswith(SERIAL)), "")
