# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is recreated gets a volume group back that was there before: it stands on its map, not on the first path."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import settled, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:foreign.return"
HERE = "/srv/foreign-return"


def clean(compute):
    compute.run(
        "vgchange -an vg_foreign; systemctl stop multipathd multipathd.socket; multipath -F", check=False
    )
    compute.run("rm -rf /etc/multipath /etc/multipath.conf")


def stable(wwid):
    return f"/dev/disk/by-id/dm-uuid-mpath-{wwid}"


@pytest.fixture
def returning(storage, compute):
    """A fresh host, and a LUN with a volume group that another host has made."""
    clean(compute)
    made = LoopTarget(storage, compute, TARGET)
    made.serve(db0=64)
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    made.log_in()
    disk = {"target": made.name, "lun": "db0", "paths": 2}
    succeeded(compute, compute.module("disk", **disk))
    compute.run(f"vgcreate -y vg_foreign {stable(made.wwid('db0'))} && lvcreate -y -L 16M -n data vg_foreign")
    compute.run("mkfs.ext4 -q /dev/vg_foreign/data && vgchange -an vg_foreign")
    clean(compute)  # while the paths are there: a map without any holds I/O
    made.log_out()
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    yield made, disk
    compute.run(f"umount {HERE}", check=False)
    clean(compute)
    made.log_out()
    made.close()


def under(compute):
    """What the volume stands on, and what its map is in the kernel."""
    return compute.run(
        "ls /sys/class/block/$(basename $(readlink -f /dev/vg_foreign/data))/slaves"
    ).out.split()


def test_a_volume_group_that_comes_back_stands_on_its_map(returning, compute):
    made, disk = returning
    lun = {"target": made.name, "lun": "db0"}
    ran = succeeded(
        compute, compute.module("multipath_conf", claimed=[lun], fallbacks={"find_multipaths": "strict"})
    )
    assert ran["steps"][-1] == f"Put '{made.wwid('db0')}' on multipath's list of WWIDs"
    assert not compute.module("multipath_conf", claimed=[lun], fallbacks={"find_multipaths": "strict"})[
        "changed"
    ]
    made.log_in()
    succeeded(compute, compute.module("disk", **disk))
    compute.run("vgchange -ay vg_foreign")
    on = compute.run(f"basename $(readlink -f {stable(made.wwid('db0'))})").out.split()
    assert under(compute) == on
    assert not compute.module("disk", **disk)["changed"]


def test_a_volume_on_a_single_path_is_a_fault_and_goes_to_its_map_online(returning, compute):
    made, disk = returning
    made.log_in()
    late = f"iscsiadm -m node -T {made.name} -p {made.portals[1]}"
    compute.run(f"{late} --logout && udevadm settle")  # LVM takes the first path as it comes
    compute.run(f"vgchange -ay vg_foreign; mkdir -p {HERE} && mount /dev/vg_foreign/data {HERE}")
    assert under(compute)[0].startswith("sd")
    compute.run(f"{late} --login && udevadm settle")
    compute.run(f"multipath -a {made.wwid('db0')} && multipathd add map {made.wwid('db0')}")
    settled(compute, f"test -e {stable(made.wwid('db0'))}")
    assert (
        "holds the active logical volume 'vg_foreign/data', a single path"
        in compute.module("timers_info")["faults"][0]
    )
    ran = succeeded(compute, compute.module("disk", **disk))
    assert ran["steps"][-1].startswith(
        "Have the volumes of 'vg_foreign' use the multipath map instead of its path /dev/sd"
    )
    assert under(compute) == compute.run(f"basename $(readlink -f {stable(made.wwid('db0'))})").out.split()
    compute.run(f"echo goes on >{HERE}/file && sync")
    assert not compute.module("disk", **disk)["changed"]
    assert [one for one in compute.module("timers_info")["faults"] if "single path" in one] == []
