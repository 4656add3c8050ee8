# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of disks: those that mean the same disk after every boot, and all others."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.blank_disk import Device, refuse_name
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem

IN_ORDER_OF_DISCOVERY = (
    "sda sdb1 sdaa hda vda xvda dm-0 dm-12 nvme0n1 nvme0n1p2 md0 md127 md_d0 loop0 zd0 sg3 rbd0 rbd0p1 nbd0 bcache0 mmcblk0 "
    "ram0 zram0 sr0 st0 pmem0 dasda cciss/c0d0 ubda mtdblock0 drbd0 fd0 i2o/hda skd0 md/127 "
    "disk/by-path/pci-0000:00:1f.2-ata-1 disk/by-diskseq/5 disk/by-loop-ref/x mapper/ mapper/a/b vg/lv disk/by-id disk/x"
).split()


@pytest.mark.parametrize("name", IN_ORDER_OF_DISCOVERY)
def test_a_name_that_may_be_another_disk_tomorrow_is_refused(name):
    with pytest.raises(Problem, match="that name may be a different disk after the next boot"):
        refuse_name(Device(f"/dev/{name}", "sda", True), "Cannot")


@pytest.mark.parametrize(
    "name",
    "mapper/36001405aa mapper/mpatha-part1 md/data disk/by-id/wwn-0x60014 disk/by-uuid/12 disk/by-partuuid/12-01".split(),
)
def test_a_name_that_stays_is_taken(name):
    refuse_name(Device(f"/dev/{name}", "sda", True), "Cannot")


def test_what_is_not_there_or_no_disk_is_said():
    with pytest.raises(Problem, match="there is no such device"):
        refuse_name(Device("/dev/mapper/x"), "Cannot")
    with pytest.raises(Problem, match="it is not a block device"):
        refuse_name(Device("/dev/mapper/x", "x"), "Cannot")
