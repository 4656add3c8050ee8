# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.holders import look_holders
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

LVM = "LVM-abc"
MPATH = "mpath-36001405aaaa"


def host_with(**more):
    """Two paths under a map that carries a logical volume; sdd with a partition; everything else as asked."""
    block = "/sys/class/block"
    files = {
        f"{block}/sdb/dev": "8:16\n",
        f"{block}/sdb/holders/dm-0": "",
        f"{block}/sdc/dev": "8:32\n",
        f"{block}/sdc/holders/dm-0": "",
        f"{block}/sdd/dev": "8:48\n",
        f"{block}/sdd1": {"link": "/sys/devices/platform/host4/block/sdd/sdd1"},
        f"{block}/sdd1/partition": "1\n",
        f"{block}/sdd1/dev": "8:49\n",
        f"{block}/dm-0/dev": "254:0\n",
        f"{block}/dm-0/dm/name": "mpatha\n",
        f"{block}/dm-0/dm/uuid": f"{MPATH}\n",
        f"{block}/dm-0/holders/dm-1": "",
        f"{block}/dm-1/dev": "254:1\n",
        f"{block}/dm-1/dm/name": "vg--db-data--1\n",
        f"{block}/dm-1/dm/uuid": f"{LVM}\n",
        "/proc/1/ns/mnt": {"link": "/proc/1/ns/mnt:[1]"},
        "/proc/1/mountinfo": "20 1 254:1 / /srv/my\\040db rw - xfs /dev/mapper/vg--db-data--1 rw\n",
    }
    return ScriptedHost({**files, **more.get("files", {})})


def said(host, device, **how):
    return [str(user) for user in look_holders(host, **how).of(device)]


def test_a_path_of_a_map_is_used_by_all_that_stands_on_the_map():
    assert said(host_with(), "sdb") == [
        "/dev/sdb is a path of the multipath map 'mpatha'",
        "/dev/dm-0 holds the active logical volume 'vg-db/data-1'",
        "/dev/dm-1 is mounted on '/srv/my db'",
    ]


def test_the_map_knows_its_paths():
    holders = look_holders(host_with())
    assert holders.maps == {"dm-0": "mpatha"}
    assert holders.below["dm-0"] == ["sdb", "sdc"]


def test_a_disk_that_nobody_uses_has_no_users():
    assert said(host_with(), "sdd") == []


def test_a_mounted_partition_holds_its_disk():
    host = host_with(files={"/proc/1/mountinfo": "20 1 8:49 / /mnt rw - ext4 /dev/sdd1 rw\n"})
    assert said(host, "sdd") == ["/dev/sdd1 is mounted on '/mnt'"]


def test_a_mount_in_another_namespace_holds_the_disk():
    host = host_with(
        files={
            "/proc/77/ns/mnt": {"link": "/proc/77/ns/mnt:[2]"},
            "/proc/77/mountinfo": "20 1 8:48 / /inside rw - ext4 /dev/sdd rw\n",
        }
    )
    assert said(host, "sdd") == ["/dev/sdd is mounted on '/inside'"]


@pytest.mark.parametrize(
    "files, sentence",
    [
        (
            {"/proc/swaps": "Filename Type Size Used Priority\n/dev/sdd partition 1 0 -2\n"},
            "/dev/sdd is used as swap (/dev/sdd)",
        ),
        (
            {
                "/sys/class/block/loop0/dev": "7:0",
                "/sys/class/block/loop0/loop/backing_file": "/dev/sdd\n",
            },
            "/dev/sdd is behind the loop device 'loop0'",
        ),
        (
            {"/sys/kernel/config/target/core/iblock_0/disk0/udev_path": "/dev/sdd\n"},
            "/dev/sdd is exported by the backstore 'disk0'",
        ),
        (
            {
                "/sys/kernel/config/target/core/iblock_0/disk0/udev_path": "/srv/luns/disk0\n",
                "/srv/luns/disk0": {"link": "/dev/sdd"},
            },
            "/dev/sdd is exported by the backstore 'disk0'",
        ),
        (
            {"/sys/fs/btrfs/8f2c/devices/sdd": ""},
            "/dev/sdd is part of the mounted file system '8f2c'",
        ),
        (
            {"/sys/class/block/sdd/holders/md0": "", "/sys/class/block/md0/dev": "9:0\n"},
            "/dev/sdd holds the device 'md0'",
        ),
    ],
)
def test_each_kind_of_user_is_named(files, sentence):
    assert said(host_with(files=files), "sdd") == [sentence]


def test_an_open_disk_names_the_process_only_when_asked():
    files = {
        "/proc/99/fd/3": {"kind": "block", "rdev": os.makedev(8, 48)},
        "/proc/99/comm": "dd\n",
    }
    assert said(host_with(files=files), "sdd") == []
    assert said(host_with(files=files), "sdd", opened=True) == ["/dev/sdd is open in the process 99 (dd)"]


@pytest.mark.parametrize("watcher", ["multipathd", "(udev-worker)"])
def test_who_only_watches_disks_is_no_user(watcher):
    files = {"/proc/99/fd/3": {"kind": "block", "rdev": os.makedev(8, 48)}, "/proc/99/comm": f"{watcher}\n"}
    assert said(host_with(files=files), "sdd", opened=True) == []
