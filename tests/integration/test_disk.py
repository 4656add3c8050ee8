# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:disk.test"
MIB = 1 << 20


def one(lun, **more):
    return {"target": TARGET, "lun": lun, "paths": 2, "timeout": 30, **more}


@pytest.fixture(scope="module")
def target(storage, compute):
    """A target with two LUNs, to which the compute host is logged in on both networks."""
    compute.run(
        "systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath;"
        " systemctl reset-failed multipathd; systemctl start multipathd"
    )
    made = LoopTarget(storage, compute, TARGET)
    made.serve(db0=64, db1=64)
    made.log_in()
    yield made
    compute.run("umount /mnt/disk-test", check=False)
    for lun in made.names:
        compute.run(f"multipath -f {made.wwid(lun)}; multipath -w {made.wwid(lun)}", check=False)
    made.log_out()
    made.close()
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath", check=False)


@pytest.fixture
def filled(target, compute):
    """Mounts the disk that it is given."""

    def mount(device):
        compute.run(f"mkfs.ext4 -q {device} && mkdir -p /mnt/disk-test && mount {device} /mnt/disk-test")

    yield mount
    compute.run("umount /mnt/disk-test", check=False)


def here(compute, lun, **more):
    """The disk is there; what the module says of it."""
    return succeeded(compute, compute.module("disk", **one(lun, **more)))


def settled(compute, lun, **more):
    """A second run finds nothing to do."""
    again = here(compute, lun, **more)
    assert not again["changed"], again["steps"]
    return again["state"]


def paths_of(state):
    return sorted((path["state"], path["portal"]) for path in state["paths"])


def test_a_disk_is_proved_on_every_path_and_leaves_again(target, compute):
    found = converges(compute, "disk", one("db0"))["state"]
    assert found["wwid"] == target.wwid("db0")
    assert found["size"] == 64 * MIB
    assert paths_of(found) == sorted(("running", portal) for portal in target.portals)
    assert compute.run(f"readlink -f {found['device']}").out.startswith("/dev/dm-")
    assert compute.run(f"dd if={found['device']} of=/dev/null bs=1M").rc == 0
    gone = converges(compute, "disk", one("db0", state="absent"))["state"]
    assert (gone["device"], gone["paths"]) == (None, [])
    assert target.wwid("db0") not in compute.run("multipath -ll; grep ^/ /etc/multipath/wwids; lsscsi -i").out
    back = here(compute, "db0")
    assert any(step.startswith("Scan host") for step in back["steps"])


def test_many_disks_in_one_call(target, compute):
    disks = [one("db0"), one("db1", size="64m")]
    ran = succeeded(compute, compute.module("disks", disks=disks))
    assert [disk["wwid"] for disk in ran["state"]["disks"]] == [target.wwid("db0"), target.wwid("db1")]
    assert not succeeded(compute, compute.module("disks", disks=disks))["changed"]
    away = [{**disk, "state": "absent"} for disk in disks]
    assert succeeded(compute, compute.module("disks", disks=away))["changed"]
    assert not succeeded(compute, compute.module("disks", disks=away))["changed"]


def test_a_disk_without_multipath(target, compute):
    here(compute, "db1", state="absent")
    compute.run("systemctl stop multipathd multipathd.socket")
    try:
        here(compute, "db1", multipath=False)
        found = settled(compute, "db1", multipath=False)
        assert compute.run(f"readlink -f {found['device']}").out.startswith("/dev/sd")
        compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
        here(compute, "db1")
        message = "was requested without multipath, but is part of the map"
        refused(compute, "disk", message, **one("db1", multipath=False))
    finally:
        compute.run("systemctl reset-failed multipathd; systemctl start multipathd")


def test_a_check_before_any_login_predicts_the_device(target, compute):
    elsewhere = {"target": f"{TARGET}.elsewhere", "lun": "db0", "timeout": 1}
    before = compute.fingerprint()
    checked = succeeded(compute, compute.module("disk", check=True, **elsewhere))
    assert checked["changed"]
    assert checked["state"]["device"] == f"/dev/disk/by-id/dm-uuid-mpath-{checked['state']['wwid']}"
    assert checked["state"]["paths"] == []
    failed = compute.module("disk", **elsewhere)
    assert "no iSCSI session to its target. Log in first" in failed["msg"]
    same(before, compute.fingerprint(), "A disk behind no session")


def test_a_disk_in_use_grows_and_stays(target, compute, filled):
    device = here(compute, "db0")["state"]["device"]
    filled(device)
    target.grow("db0", 96)
    assert converges(compute, "disk", one("db0", size="96m"))["state"]["size"] == 96 * MIB
    assert compute.run(f"blockdev --getsize64 {device}").out.strip() == str(96 * MIB)
    failed = compute.module("disk", **one("db0", size="1g", timeout=1))
    assert "Grow the LUN first" in failed["msg"]
    refused(compute, "disk", "is mounted on '/mnt/disk-test'", **one("db0", state="absent"))
    compute.run("umount /mnt/disk-test")
    holder = compute.run(f"{{ sleep 300 <{device} >/dev/null 2>&1 & echo $!; }}").out.strip()
    failed = compute.module("disk", **one("db0", state="absent"))
    compute.run(f"kill {holder}")
    assert f"is open in the process {holder} (sleep)" in failed["msg"] and not failed.get("changed")


def test_a_cut_path_is_shown_and_not_counted(target, compute, lab):
    here(compute, "db0")
    lab.link(compute, "san1", up=False)
    try:
        cut = settled(compute, "db0", paths=1)
        assert sorted(state == "running" for state, _portal in paths_of(cut)) == [False, True]
        failed = compute.module("disk", **one("db0", timeout=1))
        assert "on 2 paths; found:" in failed["msg"] and "running" in failed["msg"]
    finally:
        lab.link(compute, "san1", up=True)
    healed = here(compute, "db0", timeout=120)["state"]
    assert [state for state, _portal in paths_of(healed)] == ["running", "running"]


def test_a_reused_lun_number_is_never_taken_for_the_old_disk(target, compute):
    target.create("db2", 32)
    target.map("db2", 2)
    here(compute, "db2")
    target.unmap(2)
    failed = compute.module("disk", **one("db2", timeout=1))
    assert "unmapped" in failed["msg"]
    target.create("db3", 48)
    target.map("db3", 2)
    message = refused(compute, "disk", "its LUN number was given to another LUN", **one("db2"))["msg"]
    assert target.wwid("db2") in message and target.wwid("db3") in message
    failed = compute.module("disk", **one("db3"))
    assert f"was '{target.wwid('db2')}'" in failed["msg"] and not failed.get("changed")
    here(compute, "db2", state="absent")
    here(compute, "db3")
    assert settled(compute, "db3")["size"] == 48 * MIB


def test_an_unused_device_of_a_reused_number_makes_room(target, compute):
    target.create("db4", 32)
    target.map("db4", 3)
    compute.run("iscsiadm -m session --rescan; udevadm settle")
    target.unmap(3)
    target.create("db5", 48)
    target.map("db5", 3)
    ran = here(compute, "db5")
    assert sum("its LUN number now answers as" in step for step in ran["steps"]) == 2
    assert settled(compute, "db5")["size"] == 48 * MIB


def test_bad_input_changes_nothing(compute):
    refused(compute, "disk", "'/dev/sdb' is not a WWID", wwid="/dev/sdb")
