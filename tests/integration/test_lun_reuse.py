# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that vanishes, comes back, and gives its LUN numbers to other disks: the wrong disk is never used."""

from __future__ import annotations

import time

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils.identity import serial_of
from ansible_collections.lunworks.iscsi.tests.integration.harness import refused, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:reuse.test"
ONLY = {"targets": [TARGET], "timeout": 30}
MOUNT = "/mnt/reuse-test"
WRITE = "timeout 20 dd if=/dev/urandom of={} bs=4k count=16 oflag=direct conv=fsync"


@pytest.fixture(scope="module")
def target(storage, compute):
    """A target with two LUNs; sessions on both networks whose paths fail after 5 seconds; multipathd rechecks WWIDs."""
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath")
    conf = {
        "recheck_wwid": True,
        "fast_io_fail_tmo": 5,
        "polling_interval": 1,
        "max_polling_interval": 1,
        "no_path_retry": "fail",
    }
    succeeded(compute, compute.module("multipath_conf", name="reuse", defaults=conf))
    compute.run("systemctl start multipathd")
    made = LoopTarget(storage, compute, TARGET)
    made.serve(db0=32, db1=32)
    made.log_in()
    yield made
    compute.run(f"umount {MOUNT}", check=False)
    for lun in made.names:
        compute.run(f"multipath -f {made.wwid(lun)}; multipath -w {made.wwid(lun)}", check=False)
    made.log_out()
    made.close()
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath", check=False)


def disk(compute, lun, **more):
    options = {"target": TARGET, "lun": lun, "paths": 2, "timeout": 60, **more}
    return compute.module("disk", **options)


def here(compute, lun, **more):
    return succeeded(compute, disk(compute, lun, **more))["state"]


def rescan(compute, **more):
    return succeeded(compute, compute.module("rescan", **ONLY, **more))


def settled(compute, condition, seconds=60):
    """Wait until a condition (a shell command) holds on the host."""
    end = time.monotonic() + seconds
    while compute.run(condition, check=False).rc:
        assert time.monotonic() < end, f"after {seconds} seconds still not: {condition}"
        time.sleep(0.5)


def logged_in(count):
    return f"test $(cat /sys/class/iscsi_session/*/state | grep -c LOGGED_IN) = {count}"


def exchange(target, compute):
    """While the target is away, which multipathd notices, its two LUNs get each other's numbers."""
    target.switch(False)
    settled(compute, "! multipathd show paths format %t | grep -qw active")
    target.unmap(0)
    target.unmap(1)
    target.map("db1", 0)
    target.map("db0", 1)
    target.switch(True)


def test_a_target_that_was_away_brings_the_same_disk_back(target, compute):
    before = here(compute, "db0")
    target.switch(False)
    settled(compute, logged_in(0))
    failed = disk(compute, "db0", timeout=1)
    assert failed.get("failed") and "on 2 paths, found is" in failed["msg"], failed
    target.switch(True)
    settled(compute, logged_in(2))
    after = here(compute, "db0")
    assert (after["wwid"], after["device"], len(after["paths"])) == (before["wwid"], before["device"], 2)


def test_exchanged_numbers_never_bring_a_write_to_the_other_disk(target, compute):
    device = here(compute, "db0")["device"]
    compute.run(f"mkfs.ext4 -q {device} && mkdir -p {MOUNT} && mount {device} {MOUNT}")
    untouched = target.image("db1")
    exchange(target, compute)
    settled(compute, logged_in(2))
    # the map's paths lead to db1 now: multipathd (recheck_wwid) must not give them back
    wrote = compute.run(WRITE.format(device), check=False)
    compute.run(WRITE.format(f"{MOUNT}/file"), check=False)
    assert target.image("db1") == untouched, f"the other disk was written to: {wrote}"
    for module, options in (
        ("disk", {"target": TARGET, "lun": "db0", "paths": 2, "timeout": 1}),
        ("disk", {"target": TARGET, "lun": "db1", "paths": 2, "timeout": 1}),
        ("rescan", {**ONLY, "remove": True}),
    ):
        said = compute.module(module, **options)
        assert said.get("failed") and not said.get("changed"), said
        for lun in ("db0", "db1"):
            assert target.wwid(lun) in said["msg"] and serial_of(TARGET, lun) in said["msg"], said["msg"]
    compute.run(f"umount {MOUNT}")
    assert target.image("db1") == untouched


def test_after_the_users_have_gone_each_disk_is_found_at_its_new_number(target, compute):
    ran = rescan(compute, remove=True)
    assert ran["changed"] and ran["state"]["reused"] == []
    untouched = target.image("db1")
    for lun, number in (("db0", 1), ("db1", 0)):
        state = here(compute, lun)
        assert {path["hctl"].rpartition(":")[2] for path in state["paths"]} == {str(number)}
    compute.run(WRITE.format(here(compute, "db0")["device"]))
    assert target.image("db1") == untouched


def test_a_lun_that_changes_its_number_keeps_its_map_and_its_users(target, compute):
    device = here(compute, "db0")["device"]
    compute.run(f"mkfs.ext4 -q {device} && mkdir -p {MOUNT} && mount {device} {MOUNT}")
    target.map("db0", 5)
    here(compute, "db0", paths=4)
    target.unmap(1)
    settled(compute, f"multipath -ll {target.wwid('db0')} | grep -c failed | grep -qx 2")
    gone = rescan(compute, remove=True)
    assert sum("the target maps no LUN there any more" in step for step in gone["steps"]) == 2
    state = here(compute, "db0")
    assert {path["hctl"].rpartition(":")[2] for path in state["paths"]} == {"5"}
    compute.run(f"echo still >{MOUNT}/here && sync && umount {MOUNT}")


def test_a_name_that_the_kernel_has_read_anew_does_not_deceive(target, compute):
    """iscsiadm --rescan lets the kernel forget who the disk was; its map still tells."""
    device = here(compute, "db1")["device"]
    holder = compute.run(f"{{ sleep 300 <{device} >/dev/null 2>&1 & echo $!; }}").out.strip()
    target.unmap(0)
    target.create("db2", 16)
    target.map("db2", 0)
    untouched = target.image("db2")
    compute.run(f"iscsiadm -m node -T {TARGET} --rescan; udevadm settle", check=False)
    compute.run(WRITE.format(device), check=False)
    assert target.image("db2") == untouched
    said = rescan_refused(compute)
    assert target.wwid("db1") in said and target.wwid("db2") in said
    compute.run(f"kill {holder}")
    rescan(compute, remove=True)
    assert here(compute, "db2")["size"] == 16 << 20
    refused(compute, "rescan", "is not an iSCSI name", targets=["db2"])


def rescan_refused(compute):
    said = compute.module("rescan", **ONLY)
    assert said.get("failed"), said
    return said["msg"]
