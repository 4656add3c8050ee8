# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that vanishes, comes back, and gives its LUN numbers to other disks: the wrong disk is never used."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of
from ansible_collections.lunworks.iscsi.tests.integration.harness import settled, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:reuse.test"
ONLY = {"targets": [TARGET], "timeout": 30}
MOUNT = "/mnt/reuse-test"
WRITE = "timeout 20 dd if=/dev/urandom of={} bs=4k count=16 oflag=direct conv=fsync"


@pytest.fixture(scope="module")
def target(storage, compute):
    """A target with two LUNs; sessions on both networks whose paths fail after 5 seconds; multipathd rechecks WWIDs."""
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath")
    conf = {"recheck_wwid": True, "polling_interval": 1, "max_polling_interval": 1}
    fail = {"fast_io_fail_tmo": 5, "no_path_retry": "fail"}
    succeeded(compute, compute.module("multipath_conf", name="reuse", defaults=conf, overrides=fail))
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
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


def logged_in(count):
    return f"test $(cat /sys/class/iscsi_session/*/state | grep -c LOGGED_IN) = {count}"


def pathless(device):
    """A condition: multipathd has taken all paths out of the map."""
    return f"! ls /sys/block/$(basename $(readlink -f {device}))/slaves | grep -q ."


def numbers(state):
    return {path["hctl"].rpartition(":")[2] for path in state["paths"]}


def both_named(target, text):
    """Both disks are named, by WWID and by serial."""
    missing = [
        name
        for lun in ("db0", "db1")
        for name in (target.wwid(lun), serial_of(TARGET, lun))
        if name not in text
    ]
    assert not missing, text


def test_a_target_that_was_away_brings_the_same_disk_back(target, compute, long_story):
    before = here(compute, "db0")
    target.switch(False)
    settled(compute, logged_in(0), 60)
    failed = disk(compute, "db0", timeout=1)
    assert failed.get("failed") and "on 2 paths; found:" in failed["msg"], failed
    target.switch(True)
    settled(compute, logged_in(2), 60)
    after = here(compute, "db0")
    assert (after["wwid"], after["device"], len(after["paths"])) == (before["wwid"], before["device"], 2)


def test_numbers_exchanged_while_a_target_was_away_never_bring_a_write_to_the_other_disk(target, compute):
    device = here(compute, "db0")["device"]
    compute.run(f"mkfs.ext4 -qF {device} && mkdir -p {MOUNT} && mount {device} {MOUNT}")
    untouched = target.image("db1")
    target.switch(False)
    settled(compute, "! multipathd show paths format %t | grep -qw active", 60)
    target.unmap(0)
    target.unmap(1)
    target.map("db1", 0)
    target.map("db0", 1)
    target.switch(True)
    settled(compute, logged_in(2), 60)
    settled(compute, pathless(device), 60)  # recheck_wwid: another disk answers there
    compute.run(WRITE.format(device), check=False)
    assert target.image("db1") == untouched
    told = rescan(compute)
    assert not told["changed"]
    healed = succeeded(compute, disk(compute, "db0"))
    if told["state"][
        "reused"
    ]:  # multipathd has let the kernel read the names of the map's paths again, of others perhaps
        both_named(target, str(told["warnings"]))
        both_named(target, " ".join(healed["steps"]))
    assert numbers(healed["state"]) == {"1"}
    assert numbers(here(compute, "db1")) == {"0"}
    compute.run(f"umount {MOUNT}")
    compute.run(
        f"sync {device}", check=False
    )  # what was lost while no path was there is told once (fsync(2))
    compute.run(WRITE.format(device))
    assert target.image("db1") == untouched
    assert rescan(compute)["state"]["reused"] == []


def test_a_lun_that_changes_its_number_keeps_its_map_and_its_users(target, compute, long_story):
    device = here(compute, "db0")["device"]
    compute.run(f"mkfs.ext4 -qF {device} && mkdir -p {MOUNT} && mount {device} {MOUNT}")
    target.map("db0", 5)
    here(compute, "db0", paths=4)
    target.unmap(1)
    settled(compute, f"test $(multipath -ll {target.wwid('db0')} | grep -c failed) = 2", 60)
    gone = rescan(compute, remove=True)
    assert sum("the target no longer maps a LUN there" in step for step in gone["steps"]) == 2
    assert numbers(here(compute, "db0")) == {"5"}
    compute.run(f"echo still >{MOUNT}/here && sync && umount {MOUNT}")


def test_a_number_that_is_given_away_under_an_open_disk_is_refused_by_every_door(target, compute, long_story):
    device = here(compute, "db0")["device"]
    holder = compute.run(f"{{ sleep 300 <{device} >/dev/null 2>&1 & echo $!; }}").out.strip()
    target.unmap(0)
    target.replace(5, "db1")
    for module, options in (
        ("disk", {"target": TARGET, "lun": "db0", "paths": 2, "timeout": 1}),
        ("disk", {"target": TARGET, "lun": "db1", "paths": 2, "timeout": 1}),
        ("rescan", ONLY),
        ("rescan", {**ONLY, "remove": True}),
    ):
        said = compute.module(module, **options)
        assert said.get("failed") and not said.get("changed"), said
        both_named(target, said["msg"])
    # The kernel reads the new name over the old one. The map still tells, as long as multipathd leaves the path in it.
    compute.run("iscsiadm -m session --rescan; udevadm settle", check=False)
    said = compute.module("rescan", **ONLY)
    if compute.run(pathless(device), check=False).rc:
        assert said.get("failed"), said
        assert target.wwid("db0") in said["msg"] and target.wwid("db1") in said["msg"]
    compute.run(f"kill {holder}")
    succeeded(compute, disk(compute, "db0", state="absent"))
    rescan(compute, remove=True)
    assert numbers(here(compute, "db1")) == {"5"}


def test_a_bare_disk_whose_number_was_given_away_is_replaced_when_nobody_uses_it(target, compute, long_story):
    for lun in ("db0", "db1"):
        succeeded(compute, disk(compute, lun, state="absent"))
    target.map("db0", 0)
    rescan(compute)
    target.replace(0, "db1")
    target.unmap(5)
    told = rescan(compute)
    both_named(target, str(told["warnings"]))
    assert {(one["serial"], one["serial_now"]) for one in told["state"]["reused"]} == {
        (serial_of(TARGET, "db0"), serial_of(TARGET, "db1"))
    }
    replaced = rescan(compute, remove=True)
    assert replaced["changed"] and replaced["state"]["reused"] == []
    assert not rescan(compute, remove=True)["changed"]
    assert numbers(here(compute, "db1")) == {"0"}


def test_a_number_that_is_given_away_during_an_outage_under_a_bare_disk_in_use_is_refused(
    target, compute, long_story
):
    """No map remembers here, and since open-iscsi 2.1.10 the kernel does not either: udev does."""
    succeeded(compute, disk(compute, "db1", state="absent"))
    target.replace(0, "db0")
    rescan(compute, remove=True)
    device = here(compute, "db0", multipath=False)["device"]
    holder = compute.run(f"{{ sleep 300 <{device} >/dev/null 2>&1 & echo $!; }}").out.strip()
    target.switch(False)
    settled(compute, "! grep -q running /sys/class/scsi_device/*/device/state", 60)
    target.replace(0, "db1")
    target.switch(True)
    settled(compute, "test $(cat /sys/class/scsi_device/*/device/state | grep -c running) = 2", 60)
    bare = {"target": TARGET, "paths": 2, "multipath": False, "timeout": 1}
    for module, options in (
        ("disk", {**bare, "lun": "db0"}),
        ("disk", {**bare, "lun": "db1"}),
        ("rescan", ONLY),
    ):
        said = compute.module(module, **options)
        assert said.get("failed") and not said.get("changed"), said
        both_named(target, said["msg"])
    compute.run(f"kill {holder}")
    healed = succeeded(compute, disk(compute, "db1", multipath=False))
    both_named(target, " ".join(healed["steps"]))
    assert numbers(healed["state"]) == {"0"} and len(healed["state"]["paths"]) == 2
