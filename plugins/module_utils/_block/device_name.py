# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of devices that mean the same disk after every boot.

The kernel names devices in the order in which it finds them (sda, nvme0n1, md127, rbd0, dasda, ...), and there are always more
such names than a list knows. So it is asked what is stable: links that udev makes of what a disk says of itself, and names that
somebody gave (device-mapper, LVM, MD, DRBD, ZFS).
"""

from __future__ import annotations

import re

from .._host import Host

BY_ID = "/dev/disk/by-id"
LINKS = (BY_ID, "/dev/mapper", "/dev/disk/by-path")  # where other names of a device are looked for
# What a disk says of itself, or somebody called it. by-path names a place, not a disk: over iSCSI a LUN number can be given to
# another LUN. On a storage host it is a slot of its own.
IDENTITY = re.compile(r"/dev/(mapper|md(?!/\d+$)|disk/by-(?!path/|diskseq/|loop-)[^/]+)/[^/]+")
GIVEN = re.compile(
    r"/dev/(mapper/(?!control$)[^/]+|(md(?!/\d+$)|zvol|rbd|drbd|bcache|disk/by-(?!diskseq/|loop-)[^/]+)/.+|drbd\d+)"
)
# Directories in which the kernel or a driver names devices by number.
NUMBERED = frozenset(
    "ataraid block bsg bus cciss char disk dri fd i2o ida input mapper md net pts rd shm snd".split()
)
OWN = re.compile(r"/dev/([^/]+)/.+")  # /dev/VG/LV, or a directory that rules of somebody make


def is_identity(path: str) -> bool:
    """Whether a path is a name of the disk itself, wherever it is attached."""
    return bool(IDENTITY.fullmatch(path))


def is_stable(path: str) -> bool:
    """Whether a path under /dev names the same disk after the next boot."""
    own = OWN.fullmatch(path)
    return bool(GIVEN.fullmatch(path)) or bool(own and own[1] not in NUMBERED)


def links_to(host: Host, kernel: str, directory: str = BY_ID) -> list[str]:
    """The names of a device in a directory of links, the surest first."""
    links = [f"{directory}/{name}" for name in host.list(directory)]
    own = [link for link in links if host.real(link).rpartition("/")[2] == kernel]
    return sorted(own, key=lambda link: ("dm-uuid-" not in link, "scsi-3" not in link, "wwn-" not in link))
