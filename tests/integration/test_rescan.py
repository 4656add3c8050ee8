# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUNs that a storage host maps, grows and takes away, as the sessions of a compute host follow them."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import each_refused
from ansible_collections.lunworks.iscsi.tests.integration.harness import (
    converges,
    refused,
    settled,
    succeeded,
)
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:rescan.test"
ONLY = {"targets": [TARGET], "timeout": 30}


@pytest.fixture(scope="module")
def target(storage, compute):
    """A target without a LUN, to which the compute host is logged in on both networks."""
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath")
    conf = {"polling_interval": 1, "max_polling_interval": 1}
    fail = {"no_path_retry": "fail"}
    succeeded(compute, compute.module("multipath_conf", name="rescan", defaults=conf, overrides=fail))
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    made = LoopTarget(storage, compute, TARGET)
    made.serve()
    made.log_in()
    yield made
    compute.run("umount /mnt/rescan-test", check=False)
    for lun in made.names:
        compute.run(f"multipath -f {made.wwid(lun)}; multipath -w {made.wwid(lun)}", check=False)
    made.log_out()
    made.close()
    compute.run(
        "rm -rf /etc/udev/rules.d/71-iscsi-target-lun.rules; udevadm control --reload; "
        "systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath",
        check=False,
    )


def add(target, name, number, size=32):
    target.create(name, size)
    target.map(name, number)


def rescan(compute, check=False, **more):
    return succeeded(compute, compute.module("rescan", check=check, **ONLY, **more))


def numbers(state):
    return [[lun["lun"] for lun in session["luns"]] for session in state["sessions"]]


def test_the_first_lun_of_a_session_is_found_and_a_scan_for_nothing_is_no_change(target, compute):
    assert "which has no LUN yet" in rescan(compute, check=True)["steps"][0]
    empty = rescan(compute)
    assert (empty["changed"], numbers(empty["state"])) == (False, [[], []])
    add(target, "db0", 0)
    found = rescan(compute)
    assert (found["changed"], numbers(found["state"])) == (True, [[0], [0]])
    assert {lun["wwid"] for one in found["state"]["sessions"] for lun in one["luns"]} == {target.wwid("db0")}
    assert not rescan(compute)["changed"]


def test_new_luns_are_added_one_by_one_and_a_check_names_them(target, compute):
    add(target, "db1", 1)
    add(target, "db2", 2)
    ran = converges(compute, "rescan", {**ONLY, "luns": [2]})
    assert sum(step.endswith("for the new LUN 2") for step in ran["steps"]) == 2
    assert "db1" not in compute.run("lsscsi").out
    rest = rescan(compute)
    assert numbers(rest["state"]) == [[0, 1, 2], [0, 1, 2]]
    assert all(lun["device"] for session in rest["state"]["sessions"] for lun in session["luns"])


def test_a_login_that_scans_nothing_brings_the_one_lun_that_is_asked_for(target, compute):
    target.log_out()
    first = target.portals[0]
    compute.run(
        f"iscsiadm -m node -T {TARGET} -p {first} -o new && "
        f"iscsiadm -m node -T {TARGET} -p {first} -o update -n node.session.scan -v manual && "
        f"iscsiadm -m node -T {TARGET} -p {first} --login"
    )
    only = rescan(compute, luns=[1])
    assert (only["changed"], numbers(only["state"])) == (True, [[1]])
    target.log_in()
    assert numbers(rescan(compute)["state"]) == [[0, 1, 2], [0, 1, 2]]


def test_what_grew_and_what_is_gone_is_named_and_leaves_when_nothing_holds_it(target, compute):
    disk = {"target": TARGET, "lun": "db1", "paths": 2, "timeout": 30}
    device = succeeded(compute, compute.module("disk", **disk))["state"]["device"]
    target.grow("db0", 48)
    told = rescan(compute)
    assert not told["changed"]
    assert [(one["size"] >> 20, one["size_now"] >> 20) for one in told["state"]["resized"]] == [(32, 48)] * 2
    assert "Grow it with lunworks.iscsi.disk" in str(told["warnings"])
    compute.run(
        f"mkfs.ext4 -q {device} && mkdir -p /mnt/rescan-test && mount -o ro {device} /mnt/rescan-test"
    )
    target.unmap(1)
    target.unmap(2)
    named = rescan(compute)
    assert not named["changed"]
    assert sorted({one["wwid"] for one in named["state"]["unmapped"]}) == sorted(
        [target.wwid("db1"), target.wwid("db2")]
    )
    settled(compute, f"! multipath -ll {target.wwid('db1')} | grep -q active.ready", 30)
    refused(compute, "rescan", "is mounted on '/mnt/rescan-test'", **ONLY, remove=True)
    compute.run("umount /mnt/rescan-test")
    gone = converges(compute, "rescan", {**ONLY, "remove": True})
    assert numbers(gone["state"]) == [[0], [0]]
    assert target.wwid("db1") not in compute.run("multipath -ll; grep ^/ /etc/multipath/wwids; lsscsi -i").out


def test_links_by_target_and_lun_lead_to_the_map_and_come_with_the_disk(target, compute):
    link = f"/dev/iscsi/{TARGET}/lun0"
    made = converges(compute, "disk_links", {})
    assert compute.run(f"readlink -f {link}").out.strip() == made["state"]["links"][link]
    assert made["state"]["links"][link].startswith("/dev/sd")
    succeeded(compute, compute.module("disk", target=TARGET, lun="db0", paths=2, timeout=30))
    compute.run("udevadm settle")
    mapped = compute.run(f"readlink -f {link}").out.strip()
    assert mapped.startswith("/dev/dm-")
    again = succeeded(compute, compute.module("disk_links"))
    assert (again["changed"], again["state"]["links"][link]) == (False, mapped)
    target.log_out()
    compute.run(f"multipath -f {target.wwid('db0')}; udevadm settle", check=False)
    assert compute.run(f"test -e {link}", check=False).rc == 1
    target.log_in()
    settled(compute, f"readlink -f {link} | grep -q dm-", 30)
    gone = converges(compute, "disk_links", {"state": "absent"})
    assert gone["state"] == {"rules": None, "links": {}}
    assert compute.run(f"test -e {link}", check=False).rc == 1


def test_bad_input_changes_nothing(target, compute):
    each_refused(
        compute,
        "rescan",
        [
            ({"targets": ["/dev/sdb"]}, "is not an iSCSI name"),
            ({"targets": [f"{TARGET}.elsewhere"]}, "There is no session to the target"),
            ({"portals": ["10.77.1.12:iscsi"]}, "is not a portal"),
            ({"portals": ["store1.example.com"]}, "There is no session to the portal"),
            ({"luns": [-1]}, "is not a LUN number"),
            ({"timeout": 0}, "is not a time in seconds"),
        ],
    )
