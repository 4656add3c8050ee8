# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata that is lost, a copy of a group beside its original, and the group of a dead host."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.own_disks import left_alone, says_no

OTHER = '--config \'local/system_id="db-b" global/system_id_source="lvmlocal"\''
MINE = 'local/system_id="db-a"\\nglobal/system_id_source="lvmlocal"\\n'


def told(host, name):
    """What the info module says of the group of this name, with its metadata."""
    (group,) = succeeded(host, host.module("volume_group_info", names=[name], metadata=True))["groups"]
    return group


def filled(host, *devices):
    """A group with a file system that has something in it; its backup."""
    host.run(
        f"vgcreate -q vg_t {' '.join(devices)} && lvcreate -q -y -n data -l 100%FREE vg_t && mkfs.ext4 -q /dev/vg_t/data &&"
        " mkdir -p /mnt/vg && mount /dev/vg_t/data /mnt/vg && echo kept >/mnt/vg/file && umount /mnt/vg"
    )
    return told(host, "vg_t")["metadata"]


def kept(host, group="vg_t"):
    """The file is there again."""
    host.run(
        f"vgchange -q -ay {group} && fsck.ext4 -fn /dev/{group}/data && mount -o ro /dev/{group}/data /mnt/vg"
    )
    try:
        return host.read("/mnt/vg/file") == "kept\n"
    finally:
        host.run(f"umount /mnt/vg && vgchange -q -an {group}")


def test_metadata_that_is_lost_comes_back_and_what_is_there_is_never_written_over(compute, disks):
    first, second = disks.make("a", 32), disks.make("b", 32)
    backup = filled(compute, first, second)
    restore = {"name": "vg_t", "metadata": backup}
    assert not succeeded(compute, compute.module("volume_group_restore", **restore))["changed"]
    compute.run("vgchange -q -an vg_t && vgremove -q -y vg_t")
    left_alone(
        compute,
        (
            "volume_group_restore",
            "That is the metadata of 'vg_t', not of 'vg_x'",
            {**restore, "name": "vg_x"},
        ),
        ("volume_group_restore", "That is not the metadata", {"name": "vg_t", "metadata": "vg_t"}),
    )
    done = converges(compute, "volume_group_restore", restore)
    assert done["steps"][0].startswith("Write the metadata of 'vg_t' back as it was")
    assert kept(compute)
    # One of the disks loses its label: LVM refuses the group, and the disk must be named.
    uuid = next(
        pv["uuid"] for pv in told(compute, "vg_t")["physical_volumes"] if pv["wwid"] == disks.wwid("b")
    )
    backup = told(compute, "vg_t")["metadata"]
    compute.run(f"wipefs -qa {second} && udevadm settle")
    restore = {"name": "vg_t", "metadata": backup}
    left_alone(
        compute,
        ("volume_group_restore", f"The physical volume {uuid} of 'vg_t' is on no disk of this host", restore),
    )
    done = converges(
        compute, "volume_group_restore", {**restore, "devices": [{"uuid": uuid, "device": second}]}
    )
    assert len(done["steps"]) == 2
    assert kept(compute)


def test_a_disk_that_was_given_away_is_not_taken_back(compute, disks):
    first, second = disks.make("a", 32), disks.make("b", 32)
    backup = filled(compute, first, second)
    compute.run(f"vgchange -q -an vg_t && vgremove -q -y vg_t && vgcreate -q vg_new {second}")
    says_no(
        compute,
        ("volume_group_restore", "is in the volume group 'vg_new' now", {"name": "vg_t", "metadata": backup}),
    )
    compute.run("vgremove -q -y vg_new")


def test_a_copy_becomes_a_group_beside_its_original(compute, disks):
    first, copy = disks.make("a", 32), disks.make("b", 32)
    filled(compute, first)
    clone = {"name": "vg_copy", "devices": [copy]}
    says_no(compute, ("volume_group_clone", "it is not a physical volume", clone))
    compute.run(
        f"vgchange -q -an vg_t && dd if={first} of={copy} bs=1M oflag=direct 2>/dev/null && udevadm settle"
    )
    compute.run(
        f"lvchange -q -ay --config 'devices {{ filter=[\"r|{copy}|\"] }}' vg_t/data; vgs vg_t", check=False
    )
    left_alone(
        compute,
        ("volume_group_clone", "Is it the original?", {"name": "vg_x", "devices": [first]}),
        ("volume_group_clone", "There is a volume group 'vg_t' on other disks", {**clone, "name": "vg_t"}),
    )
    done = converges(compute, "volume_group_clone", clone)
    assert done["steps"] == [f"Import the copy of 'vg_t' on '{copy}' as the separate volume group 'vg_copy'"]
    assert told(compute, "vg_copy")["uuid"] != told(compute, "vg_t")["uuid"]
    assert told(compute, "vg_t")["copies"] == told(compute, "vg_copy")["copies"] == []
    assert kept(compute, "vg_copy")
    compute.run("vgchange -q -an vg_t")


def test_the_group_of_a_dead_host_is_taken_over_from_exactly_its_system_id(compute, disks):
    disk = disks.make("a", 32)
    compute.run(f"vgcreate -q {OTHER} vg_t {disk} && lvcreate -q {OTHER} -y -n data -L 8m -an vg_t")
    take = {"name": "vg_t", "state": "active", "imported": True, "take_over_from": "db-b"}
    says_no(compute, ("volume_group", "(this host has none)", take))
    compute.run(f"printf '{MINE}' >>/etc/lvm/lvmlocal.conf")
    says_no(
        compute,
        ("volume_group", "belongs to the host with the system ID 'db-b'", {**take, "take_over_from": "db-c"}),
    )
    done = converges(compute, "volume_group", take)
    assert done["steps"] == [
        "Take the volume group 'vg_t' over from the system ID 'db-b' to 'db-a'",
        "Activate the volume group 'vg_t'",
    ]
    assert (told(compute, "vg_t")["system_id"], told(compute, "vg_t")["state"]) == ("db-a", "active")


def test_samples_travel_with_an_exported_group(compute, disks):
    disk = disks.make("a", 32)
    filled(compute, disk)
    leave = {"name": "vg_t", "state": "exported", "checksums": True, "tags": ["db"]}
    left = succeeded(compute, compute.module("volume_group", **leave))["state"]["groups"][0]
    assert not succeeded(compute, compute.module("volume_group", **leave))["changed"]
    (tag,) = [tag for tag in left["tags"] if tag.startswith("lunworks.sum:data:")]
    come = {"name": "vg_t", "state": "active", "imported": True, "checksums": True}
    here = succeeded(compute, compute.module("volume_group", **come))["state"]["groups"][0]
    assert tag == f"lunworks.sum:data:{here['checksums']['data']}"
    compute.run("mount /dev/vg_t/data /mnt/vg && echo more >/mnt/vg/more && umount /mnt/vg")
    again = succeeded(compute, compute.module("volume_group", **come))["state"]["groups"][0]
    assert again["checksums"] != here["checksums"]
