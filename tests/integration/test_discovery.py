# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery that cannot hurt, on real hosts."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    OTHER,
    SECRET,
    each_refused,
    given,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, same, succeeded

NETS = {"san1": "10.77.1.0/24", "san2": "10.77.2.0/24"}
# What the kernel shows of an iBFT (Documentation/ABI/testing/sysfs-ibft), as far as iscsiadm reads it.
FIRMWARE = """
set -e
mount -t tmpfs tmpfs /sys/firmware
mkdir -p /sys/firmware/ibft/initiator /sys/firmware/ibft/ethernet0 /sys/firmware/ibft/target0
put() {{ echo "$2" >"/sys/firmware/ibft/$1"; }}
put initiator/flags 3; put initiator/initiator-name iqn.2026-01.com.example:from-firmware
put ethernet0/index 0; put ethernet0/flags 3; put ethernet0/mac "$(cat /sys/class/net/vec1/address)"
put target0/index 0; put target0/flags 3; put target0/nic-assoc 0; put target0/lun 0
put target0/target-name {target}; put target0/ip-addr {portal}; put target0/port 3260
put target0/chap-name db; put target0/chap-secret {secret}
"""


@pytest.fixture(autouse=True)
def forgotten(compute, storage):
    """No discovery record is left, nor what it led to."""
    yield
    for portal in portals_of(storage):
        for kind, port in (("st", 3260), ("isns", 3205)):
            compute.run(f"iscsiadm -m discoverydb -t {kind} -p {portal}:{port} -o delete", check=False)


def test_what_is_offered_is_recorded_and_what_is_recorded_keeps_its_settings(compute, storage):
    first, second = portals_of(storage)
    with given(storage, compute, target("old", storage, compute), target("new", storage, compute)):
        chap = {"user": "db", "secret": SECRET}
        old = {"target": f"{IQN}:old", "portals": [first], "startup": "automatic", "chap": chap}
        succeeded(compute, compute.module("nodes", nodes=[old]))
        result = converges(compute, "discovery", {"portals": [first]})
        ours = [f"{IQN}:old", f"{IQN}:new"]
        found = {
            (one["target"], one["portal"]) for one in result["state"]["targets"] if one["target"] in ours
        }
        assert found == {(name, f"{portal}:3260") for name in ours for portal in (first, second)}
        lost = compute.module("discovery", portals=[first], ifaces=["no-such-iface"])
        assert "There is no iface 'no-such-iface'" in lost["msg"]
        kept = records(compute, "old")
        assert sorted(kept) == [f"{first}:3260", f"{second}:3260"]
        assert "node.startup = automatic" in kept[f"{first}:3260"] and SECRET in kept[f"{first}:3260"]
        assert "node.startup = manual" in kept[f"{second}:3260"]
        assert sessions(compute, "new") == []


def test_what_is_no_longer_offered_goes_when_asked_and_not_under_a_session(compute, storage):
    first = portals_of(storage)[0]
    node = {"target": f"{IQN}:goes", "portals": [first]}
    with given(storage, compute, target("stays", storage, compute), target("goes", storage, compute)):
        succeeded(compute, compute.module("discovery", portals=[first]))
        succeeded(compute, compute.module("nodes", nodes=[{**node, "logged_in": True}]))
        gone = [{"name": f"{IQN}:goes", "state": "absent"}]
        succeeded(storage, storage.module("targets", targets=gone, force=True))
        assert not compute.module("discovery", portals=[first])["changed"], "nothing is pruned unasked"
        refusal = compute.module("discovery", portals=[first], prune=True)
        assert f"Cannot prune the record of '{IQN}:goes'" in refusal["msg"] and not refusal.get("changed")
        succeeded(compute, compute.module("nodes", nodes=[{**node, "logged_in": False}]))
        converges(compute, "discovery", {"portals": [first], "prune": True})
        assert records(compute, "goes") == {} and records(compute, "stays") != {}


def test_discovery_with_chap_one_way_and_mutual(compute, storage):
    first = portals_of(storage)[0]
    root = "/sys/kernel/config/target/iscsi/discovery_auth"
    compute.run("systemctl start iscsid")  # which a check run would not start
    with given(storage, compute, target("hidden", storage, compute)):
        storage.run(
            f"printf scout >{root}/userid; printf {SECRET} >{root}/password; echo 1 >{root}/enforce_discovery_auth"
        )
        try:
            refused(compute, "discovery", "rejects the CHAP user or secret", portals=[first])
            chap = {"user": "scout", "secret": SECRET}
            checked = compute.module("discovery", check=True, portals=[first], chap=chap)
            assert not checked["state"]["portals"][0]["known"]
            result = converges(compute, "discovery", {"portals": [first], "chap": chap})
            assert checked["steps"] == result["steps"]
            assert f"{IQN}:hidden" in [one["target"] for one in result["state"]["targets"]]
            kept = compute.run(f"iscsiadm -m discoverydb -t st -p {first}:3260 -S").out
            wrong = compute.module("discovery", portals=[first], chap={"user": "scout", "secret": OTHER})
            assert "The discovery record is as it was before" in wrong["msg"]
            assert compute.run(f"iscsiadm -m discoverydb -t st -p {first}:3260 -S").out == kept
            storage.run(f"printf array >{root}/userid_mutual; printf {OTHER} >{root}/password_mutual")
            both = {**chap, "mutual_user": "array", "mutual_secret": OTHER}
            result = converges(compute, "discovery", {"portals": [first], "chap": both})
            one_way = compute.module("discovery", portals=[first], chap=chap)
            assert f"{IQN}:hidden" in str(succeeded(compute, one_way)["state"]["targets"]), (
                "it need not prove itself"
            )
            said = json.dumps([checked, wrong, result, one_way])
            assert SECRET not in said and OTHER not in said
            stored = f"iscsi/send_targets/{first},3260/st_config"
            modes = compute.run(f"stat -c %a /etc/{stored} /var/lib/{stored} 2>/dev/null; true").out
            assert modes.split() == ["600"]
        finally:
            storage.run(
                f"echo 0 >{root}/enforce_discovery_auth; "
                f"for it in userid password userid_mutual password_mutual; do printf '\\n' >{root}/$it; done"
            )


def test_portals_that_this_host_cannot_use_get_no_record(compute, storage):
    first, second = portals_of(storage)
    six = f"[{storage.address('san1', 6)}]:3260"
    with given(storage, compute, target("wide", storage, compute, portals=[first, second, six])):
        asked = {"portals": [first], "families": ["ipv4"], "reachable": True}
        compute.run(f"ip route add unreachable {second}/32")
        try:
            result = converges(compute, "discovery", asked)
        finally:
            compute.run(f"ip route del unreachable {second}/32")
        assert sorted(records(compute, "wide")) == [f"{first}:3260"]
        skipped = {one["portal"]: one["skip_reason"] for one in result["state"]["targets"]}
        assert skipped[f"{first}:3260"] is None
        assert skipped[six] == "is not of the families ipv4"
        assert skipped[f"{second}:3260"] == "does not answer (No route to host)"
        succeeded(compute, compute.module("discovery", **asked))
        assert sorted(records(compute, "wide")) == [f"{first}:3260", f"{second}:3260"]
        converges(compute, "discovery", {"portals": [first], "subnets": [NETS["san2"]], "prune": True})
        assert sorted(records(compute, "wide")) == [f"{second}:3260"]


def test_discovery_by_isns(compute, storage):
    first, second = portals_of(storage)
    name = f"{IQN}:listed"
    with given(storage, compute, target("listed", storage, compute)):
        storage.write("/etc/isns/target.conf", f"SourceName = {name}\nServerAddress = 127.0.0.1\n")
        storage.run("systemctl start isnsd.service")
        try:
            storage.run(
                f"isnsadm -c /etc/isns/target.conf --register entity=store.example target={name} "
                f"portal={first}:3260 portal={second}:3260"
            )
            asked = {"type": "isns", "portals": [first], "subnets": [NETS["san1"]], "poll_interval": 60}
            converges(compute, "discovery", asked)
            assert sorted(records(compute, "listed")) == [f"{first}:3260"]
            assert "node.discovery_type = isns" in records(compute, "listed")[f"{first}:3260"]
            shown = compute.run(f"iscsiadm -m discoverydb -t isns -p {first}:3205").out
            assert "discovery.isns.discoveryd_poll_inval = 60" in shown
            converges(compute, "discovery", {"type": "isns", "portals": [first], "state": "absent"})
            assert records(compute, "listed") != {}, "iscsiadm would have deleted the node records too"
            gone = compute.module("discovery", type="isns", portals=[first], state="absent", prune=True)
            assert len(succeeded(compute, gone)["steps"]) == 1
            assert records(compute, "listed") == {}
        finally:
            storage.run("systemctl stop isnsd.service; rm -rf /var/lib/isns/* /etc/isns/target.conf")
        deaf = compute.module("discovery", type="isns", portals=[first])
        assert f"Cannot discover at {first}:3205: it does not answer" in deaf["msg"]


def test_a_host_that_boots_from_iscsi_records_what_its_firmware_names(compute, storage):
    first = portals_of(storage)[0]
    with given(storage, compute, target("boot", storage, compute)):
        compute.run(FIRMWARE.format(target=f"{IQN}:boot", portal=first, secret=SECRET))
        try:
            result = converges(compute, "discovery", {"type": "firmware"})
        finally:
            compute.run("umount /sys/firmware")
        record = records(compute, "boot")[f"{first}:3260"]
        assert "node.startup = onboot" in record and SECRET in record
        assert SECRET not in json.dumps(result)
        assert compute.module("discovery", type="firmware")["state"]["targets"] == [], (
            "no firmware, no targets"
        )


def polled_sessions(compute, name):
    """The sessions to a target that have no record, once there are any."""
    for _try in range(60):
        known = compute.module("initiator_info")["sessions"]
        found = [one for one in known if one["target"] == f"{IQN}:{name}" and not one["recorded"]]
        if len(found) == 2 and all(one["disks"] and one["disks"][0]["device"] for one in found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"iscsid did not log in: {known}")


def test_iscsid_polls_and_is_not_restarted_over_disks_in_use(compute, storage):
    first = portals_of(storage)[0]
    with given(storage, compute, target("polled", storage, compute)):
        try:
            asked = {
                "portals": [first],
                "use_discoveryd": True,
                "poll_interval": 2,
                "subnets": ["192.0.2.0/24"],
            }
            before = compute.fingerprint()
            checked = succeeded(compute, compute.module("discovery", check=True, **asked))
            same(before, compute.fingerprint(), "The check of polling")
            ran = succeeded(compute, compute.module("discovery", **asked))
            assert ran["steps"] == checked["steps"] and "iscsid" in ran["steps"][-1]
            assert "logs out every session" in str(ran["warnings"])
            found = polled_sessions(compute, "polled")
            assert records(compute, "polled") == {} and len(found) == 2
            assert not compute.module("discovery", **asked)["changed"]
            shown = compute.module("discovery", **asked)["state"]["targets"]
            assert {(one["recorded"], one["logged_in"]) for one in shown if "polled" in one["target"]} == {
                (False, True)
            }
            disk = found[0]["disks"][0]["device"]
            compute.run(f"nohup sleep 600 <{disk} >/dev/null 2>&1 & echo $! >/run/holder")
            said = refused(
                compute, "discovery", "Cannot restart iscsid", portals=[first], use_discoveryd=False
            )
            assert disk in said["msg"]
            assert (
                "Cannot restart iscsid" in compute.module("discovery", portals=[first], state="absent")["msg"]
            )
            compute.run("kill $(cat /run/holder); rm /run/holder")
            converges(compute, "discovery", {"portals": [first], "use_discoveryd": False})
            assert sessions(compute, "polled") == []
            succeeded(compute, compute.module("discovery", portals=[first], state="absent"))
            assert compute.module("initiator_info")["discovery"] == []
        finally:
            compute.run("kill $(cat /run/holder); rm -f /run/holder", check=False)
            compute.run(f"iscsiadm -m discoverydb -t st -p {first}:3260 -o delete; systemctl restart iscsid")


def test_other_discovery_sessions_of_this_host_end_ours(compute, storage):
    """The target takes all of them for one session (RFC 7143 section 6.3.5); iscsid's polling is such a one too."""
    first, second = portals_of(storage)
    other = f"iscsiadm -m discoverydb -t st -p {second} -o nonpersistent --discover"
    with given(storage, compute, target("busy", storage, compute)):
        compute.run("systemctl start iscsid")
        for _loop in "ab":
            compute.run(
                f"nohup sh -c 'while {other} || :; do :; done' >/dev/null 2>&1 & echo $! >>/run/other"
            )
        try:
            for _try in range(8):
                shown = succeeded(compute, compute.module("discovery", check=True, portals=[first]))
                assert f"{IQN}:busy" in [one["target"] for one in shown["state"]["targets"]]
        finally:
            compute.run("kill $(cat /run/other); rm /run/other")


def test_bad_input_is_refused(compute):
    cases = [
        ({"portals": ["10.77.1.250"]}, "does not answer (No route to host)"),
        ({"portals": ["10.77.1.256"]}, "is not a portal"),
        ({"portals": ["no-such-host.invalid"]}, "does not answer"),
        ({"portals": ["10.77.1.11"], "type": "slp"}, "SLP discovery was never finished"),
    ]
    each_refused(compute, "discovery", cases)
