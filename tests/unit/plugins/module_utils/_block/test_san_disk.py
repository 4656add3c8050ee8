# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk a device number is."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.san_disk import Disk, look_disks
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

BLOCK = "/sys/class/block"


def test_disks_maps_and_partitions_of_both_are_known_by_their_numbers():
    whole = "/sys/devices/platform/host0/session1/target0:0:0/0:0:0:0/block/sda"
    files = {
        f"{BLOCK}/sda/dev": "8:0\n",
        f"{BLOCK}/sda/device/wwid": "naa.6001405aa\n",
        f"{BLOCK}/sda1": {"link": f"{whole}/sda1"},
        f"{whole}/sda1/dev": "8:1\n",
        f"{BLOCK}/sda1/dev": "8:1\n",
        f"{BLOCK}/sda1/partition": "1\n",
        f"{BLOCK}/dm-0/dev": "253:0\n",
        f"{BLOCK}/dm-0/dm/uuid": "mpath-36001405bb\n",
        f"{BLOCK}/dm-1/dev": "253:1\n",
        f"{BLOCK}/dm-1/dm/uuid": "part1-mpath-36001405bb\n",
        f"{BLOCK}/dm-2/dev": "253:2\n",
        f"{BLOCK}/dm-2/dm/uuid": "LVM-aaaa\n",
    }
    assert look_disks(ScriptedHost(files=files)) == {
        "8:0": Disk("36001405aa"),
        "8:1": Disk("36001405aa", partition=True),
        "253:0": Disk("36001405bb"),
        "253:1": Disk("36001405bb", partition=True),
    }
