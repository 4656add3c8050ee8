# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel can serve, from its lists of modules."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.kernel_support import (
    look_drivers,
    look_tools,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

MODULES = "/lib/modules/6.1.0"
FILES = {
    "/proc/sys/kernel/osrelease": "6.1.0\n",
    f"{MODULES}/modules.dep": "kernel/fs/xfs/xfs.ko.xz: kernel/lib/libcrc32c.ko.xz\nkernel/lib/libcrc32c.ko.xz:\n"
    "kernel/drivers/md/dm-thin-pool.ko: kernel/drivers/md/dm-bio-prison.ko\nkernel/fs/nls/nls_utf8.ko:\n"
    "kernel/drivers/md/raid456.ko:\nextra/kmod-kvdo/kvdo.ko.zst:\nkernel/drivers/net/dummy.ko:\n",
    f"{MODULES}/modules.builtin": "kernel/fs/ext4/ext4.ko\nkernel/drivers/md/dm-mod.ko\n",
    "/proc/filesystems": "nodev\tproc\n\tbtrfs\n\n",
    "/proc/modules": "dm_snapshot 16384 0 - Live 0x0\ndummy 16384 0 - Live 0x0\n",
}


def test_file_systems_and_targets_of_the_device_mapper_are_told_loadable_built_in_and_loaded():
    found = look_drivers(ScriptedHost(files=FILES))
    assert found == [
        "btrfs",
        "dm_mod",
        "dm_snapshot",
        "dm_thin_pool",
        "ext4",
        "kvdo",
        "proc",
        "raid456",
        "xfs",
    ]


def test_a_kernel_without_a_list_of_its_modules_tells_nothing():
    assert look_drivers(ScriptedHost(files={**FILES, f"{MODULES}/modules.dep": None})) is None


def test_a_tool_is_found_wherever_it_is_installed():
    assert look_tools(ScriptedHost(files={"/usr/sbin/thin_check": "", "/sbin/cache_check": ""})) == [
        "thin_check",
        "cache_check",
    ]
    assert look_tools(ScriptedHost()) == []
