# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded

DEVICE = "/dev/disk/by-test/mounts"
ENTRY = {"path": "/srv/test mounts", "device": DEVICE, "filesystem": "ext4"}


@pytest.fixture
def disk(compute):
    """A small file system on a device with a stable name."""
    compute.run(
        "truncate -s 16M /var/tmp/mounts.img && mkfs.ext4 -q /var/tmp/mounts.img && mkdir -p /dev/disk/by-test &&"
        f" ln -sfn $(losetup -f --show /var/tmp/mounts.img) {DEVICE}"
    )
    yield compute
    compute.run(
        f"umount '{ENTRY['path']}'; losetup -d $(readlink {DEVICE}); rm -rf {DEVICE} /var/tmp/mounts.img"
        " '/srv/test mounts'; sed -i '/by-test/d' /etc/fstab",
        check=False,
    )


def test_a_file_system_is_mounted_and_leaves_again(disk):
    converges(disk, "mounts", {"mounts": [ENTRY]})
    disk.run("echo kept > '/srv/test mounts/file'")
    assert "nofail" in disk.run("grep by-test /etc/fstab").out
    converges(disk, "mounts", {"mounts": [{"path": ENTRY["path"], "state": "absent"}]})
    assert disk.run("ls '/srv/test mounts'").out == ""
    converges(disk, "mounts", {"mounts": [ENTRY]})
    assert disk.run("cat '/srv/test mounts/file'").out == "kept\n"


def test_whoever_works_in_it_is_named(disk):
    converges(disk, "mounts", {"mounts": [ENTRY]})
    worker = disk.run("cd '/srv/test mounts' && { sleep 300 >/dev/null 2>&1 & echo $!; }").out.strip()
    try:
        refused(
            disk,
            "mounts",
            f"the process {worker} (sleep) uses '/srv/test mounts'",
            mounts=[{"path": ENTRY["path"], "state": "absent"}],
        )
    finally:
        disk.run(f"kill {worker}")


def test_a_device_that_is_not_there_leaves_no_line_behind(compute):
    before = compute.read("/etc/fstab")
    result = compute.module(
        "mounts", mounts=[{"path": "/srv/none", "device": "/dev/vg_none/data", "filesystem": "ext4"}]
    )
    assert result["failed"] and "The device '/dev/vg_none/data' did not appear" in result["msg"]
    assert "Mount '/dev/vg_none/data' on '/srv/none'" in result["steps_left"]
    assert compute.read("/etc/fstab") == before
    compute.run("rmdir /srv/none")


def test_systemd_is_told_of_a_line_that_went_without_it(compute, disks):
    """Its old unit would mount the device again as soon as that is there: after a login, or when its group is activated."""
    device = disks.make("stale", 32)
    compute.run(f"mkfs.ext4 -q {device}")
    entry = {"path": "/srv/stale", "device": device, "filesystem": "ext4"}
    succeeded(compute, compute.module("mounts", mounts=[entry]))
    compute.run("umount /srv/stale && sed -i '/stale/d' /etc/fstab")
    try:
        converges(compute, "mounts", {"mounts": [{"path": "/srv/stale", "state": "absent"}]})
        disks.hide("stale")
        disks.show("stale")
        compute.run(f"udevadm settle && test -b {device} && systemctl is-system-running --wait", check=False)
        assert compute.run("findmnt /srv/stale", check=False).out == ""
    finally:
        compute.run("umount /srv/stale; rmdir /srv/stale", check=False)
