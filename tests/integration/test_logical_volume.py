# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.own_disks import (
    OwnDisks,
    converged,
    left_alone,
    says_no,
)

MIB = 1 << 20


@pytest.fixture
def disks(compute):
    """A group 'vg_t' of 640 MiB on one disk; all goes in the end."""
    made = OwnDisks(compute)
    compute.run(f"vgcreate -q vg_t {made.make('a', 640)} && mkdir -p /mnt/data /mnt/log")
    yield made
    compute.run(
        "umount /mnt/data; umount /mnt/log; vgchange -q -an vg_t; vgremove -q -y vg_t;"
        " rm -f /etc/lvm/backup/vg_t /etc/lvm/archive/vg_t*; rmdir /mnt/data /mnt/log",
        check=False,
    )
    made.close()


def volume(name, **options):
    return {"group": "vg_t", "name": name, **options}


def no(part, name, **options):
    """A case of left_alone."""
    return "logical_volume", part, volume(name, **options)


def blocks(host, path):
    """The size of a mounted file system in MiB."""
    return int(host.run(f"df --output=size -B1M {path} | tail -1").out)


def test_volumes_are_made_and_grow_while_they_are_in_use(compute, disks):
    first = {
        "volumes": [
            volume("data", size="310m", filesystem="xfs"),
            volume("log", size="66m", filesystem="ext4", filesystem_options=["-L", "log"]),
        ]
    }
    made = converges(compute, "logical_volumes", first)
    assert made["steps"] == [
        "Create the logical volume 'data' of 310m in 'vg_t'",
        "Make the xfs file system on '/dev/vg_t/data'",
        "Create the logical volume 'log' of 66m in 'vg_t'",
        "Make the ext4 file system on '/dev/vg_t/log'",
    ]
    assert [one["size"] // MIB for one in made["state"]["volumes"]] == [312, 68], "whole extents of 4 MiB"
    compute.run("mount /dev/vg_t/data /mnt/data && mount /dev/vg_t/log /mnt/log && echo kept >/mnt/log/file")
    assert compute.run("e2label /dev/vg_t/log").out == "log\n"
    second = {
        "volumes": [
            volume("data", size="350m", filesystem="xfs"),
            volume("log", size="100%FREE", filesystem="ext4"),
        ]
    }
    grown = converged(compute, "logical_volumes", second, True)
    assert [step.split(" ")[0] for step in grown] == ["Grow"] * 4
    assert blocks(compute, "/mnt/data") > 260 and blocks(compute, "/mnt/log") > 230
    assert compute.read("/mnt/log/file") == "kept\n"


def test_a_file_system_that_is_not_mounted_grows_too_and_so_does_one_whose_growth_was_cut_short(
    compute, disks
):
    both = [volume("data", size="310m", filesystem="xfs"), volume("log", size="32m", filesystem="ext4")]
    compute.module("logical_volumes", volumes=both)
    compute.run("lvextend -q -L +20m vg_t/log && lvextend -q -L +40m vg_t/data")
    later = [volume("data", filesystem="xfs"), volume("log", filesystem="ext4")]
    assert converged(compute, "logical_volumes", {"volumes": later}) == [
        "Grow the xfs file system on '/dev/vg_t/data' to the size of its device",
        "Grow the ext4 file system on '/dev/vg_t/log' to the size of its device",
    ]
    assert compute.run("findmnt -S /dev/vg_t/data; findmnt -S /dev/vg_t/log", check=False).out == ""
    assert not compute.run("ls -d /run/lunworks*/", check=False).out
    compute.run("mount /dev/vg_t/log /mnt/log")
    assert blocks(compute, "/mnt/log") > 40


def test_no_size_makes_a_second_run_find_something(compute, disks):
    for more in (0, 4):  # an extent more: less than a block group, and for xfs less than its smallest
        sizes = {"tiny": ("ext4", 12), "rest": ("ext4", 132), "one": ("xfs", 308)}
        volumes = [
            volume(name, size=f"{size + more}m", filesystem=kind) for name, (kind, size) in sizes.items()
        ]
        succeeded(compute, compute.module("logical_volumes", volumes=volumes))
        again = succeeded(compute, compute.module("logical_volumes", volumes=volumes))
        assert not again["changed"], again["steps"]


def test_nothing_is_lost(compute, disks):
    compute.run(
        "lvcreate -q -y -n data -L 64m vg_t && mkfs.ext4 -q /dev/vg_t/data && mount /dev/vg_t/data /mnt/data;"
        " lvcreate -q -y -n bare -L 64m vg_t; lvcreate -q -y -n off -L 8m vg_t; lvchange -an vg_t/off;"
        " lvcreate -q -y -s -n snap -L 8m vg_t/bare"
    )
    opened = compute.run("{ sleep 300 >/dev/null 2>&1 3</dev/vg_t/bare & echo $!; }").out.strip()
    try:
        left_alone(
            compute,
            no("A logical volume is never made smaller", "data", size="32m"),
            no("holds ext4 and must hold xfs. It is not overwritten", "data", filesystem="xfs"),
            no("There is no room for '/dev/vg_t/data'", "data", size="2g"),
            no("There is no room for '/dev/vg_t/new'", "new", size="1t"),
            no("is mounted on '/mnt/data'", "data", active=False),
            no("is mounted on '/mnt/data'", "data", state="absent", force=True),
            no(f"open in the process {opened} (sleep)", "bare", filesystem="ext4"),
            no("it is inactive, so what it holds cannot be seen", "off", state="absent"),
            no("Set active to true", "off", filesystem="ext4"),
            no("There is no logical volume '/dev/vg_t/none'", "none", filesystem="ext4"),
            (
                "logical_volume",
                "There is no volume group 'vg_none'",
                {"group": "vg_none", "name": "x", "size": "4m"},
            ),
        )
    finally:
        compute.run(f"kill {opened}")
    compute.run("umount /mnt/data")
    says_no(
        compute,
        no("it holds ext4. Set force", "data", state="absent"),
        no("snap is made of it", "bare", state="absent", force=True),
    )
    gone = [volume("data", state="absent", force=True), volume("snap", state="absent", force=True)]
    converged(compute, "logical_volumes", {"volumes": gone}, True)


def test_a_new_volume_has_no_old_file_system(compute, disks):
    compute.run("lvcreate -q -y -n old -L 64m vg_t && mkfs.ext4 -q /dev/vg_t/old && lvremove -q -y vg_t/old")
    converged(compute, "logical_volume", volume("data", size="64m", filesystem="ext4"))
    converged(compute, "logical_volume", volume("data", active=False))
    assert not compute.run("ls /dev/vg_t/data", check=False).out
    back = converged(compute, "logical_volume", volume("data", active=True, filesystem="ext4"))
    assert back == ["Activate the logical volume 'data' in 'vg_t'"]


def test_a_promised_group_is_predicted_and_still_needed(compute):
    options = {
        "volumes": [{"group": "vg_p", "name": "data", "size": "50%VG", "filesystem": "xfs"}],
        "assume_present": ["vg_p"],
    }
    checked = succeeded(compute, compute.module("logical_volumes", check=True, **options))
    assert len(checked["steps"]) == 2
    failed = compute.module("logical_volumes", **options)
    assert failed["failed"] and not failed["changed"], failed
