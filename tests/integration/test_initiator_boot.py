# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role initiator on a real host, and what comes back after the power was cut.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    SECRET,
    given,
    initiator_of,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

PLAYBOOK = """
- hosts: compute
  gather_facts: false
  roles: [lunworks.iscsi.initiator]
"""
CHAP = {"user": "db", "secret": SECRET}
ASKED = "/sys/kernel/config/target/iscsi/discovery_auth"  # what LIO asks of who asks it
GIVE_UP = 120  # seconds that iscsid tries, left to itself


@pytest.fixture(scope="module")
def served(storage, compute):
    compute.run("cp -a /etc/iscsi/iscsid.conf /root/iscsid.conf.boot")
    with given(storage, compute, target("boot", storage, compute, chap=CHAP)):
        yield
    succeeded(compute, compute.module("iface", name="boot1", state="absent"))
    compute.run(
        "mv /root/iscsid.conf.boot /etc/iscsi/iscsid.conf; systemctl reset-failed iscsid; systemctl try-restart iscsid",
        timeout=150,
    )


@pytest.fixture
def role(lab, storage, compute, served, tmp_path):
    """The role with its data, as a user runs it."""
    path = tmp_path / "initiator.yml"
    path.write_text(PLAYBOOK)
    first, second = portals_of(storage)
    nodes = [
        {"target": f"{IQN}:boot", "portals": [first], "ifaces": ["boot1"], "chap": CHAP},
        {"target": f"{IQN}:boot", "portals": [second], "chap": CHAP},
    ]
    nic = compute.run(f"ip -o addr show to {compute.address('san1')}").out.split()[1]
    data = {"initiator_name": initiator_of(compute), "initiator_alias": "boots", "initiator_nodes": nodes}
    data |= {"initiator_preset": "multipath"}
    data |= {"initiator_ifaces": [{"name": "boot1", "nic": nic}], "initiator_rp_filter_interfaces": [nic]}
    return lambda *options, **more: played(lab, str(path), *options, hosts=[compute], **data, **more)


def both(storage):
    return [f"{portal}:3260" for portal in portals_of(storage)]


@pytest.fixture(scope="module")
def mounted(lab, storage, compute, served):
    """A file system on the LUN, over both paths, as the role volume makes it."""
    target, portals = f"{IQN}:boot", portals_of(storage)
    nodes = [
        {"target": target, "portals": portals[:1], "ifaces": ["boot1"]},
        {"target": target, "portals": portals[1:]},
    ]
    for node in nodes:
        node |= {"startup": "automatic", "logged_in": True}
    compute.run("systemctl enable --now multipathd.service", timeout=120)
    did(compute, "nodes", nodes=nodes)
    disk = did(compute, "disk", target=target, lun="boot", paths=2)["state"]
    did(compute, "volume_group", name="vg_boot", devices=[disk["device"]])
    did(compute, "logical_volume", group="vg_boot", name="data", size="100%FREE", filesystem="ext4")
    mount = {"path": "/srv/boot", "device": "/dev/vg_boot/data", "filesystem": "ext4"}
    did(compute, "mounts", mounts=[mount])
    compute.run("echo kept > /srv/boot/file")
    yield
    did(compute, "mounts", mounts=[{"path": "/srv/boot", "state": "absent"}])
    did(compute, "volume_group", name="vg_boot", state="absent", force=True)
    did(compute, "disk", wwid=disk["wwid"], state="absent")
    compute.run("systemctl disable --now multipathd.service multipathd.socket", timeout=120)


def did(host, module, **options):
    return succeeded(host, host.module(module, **options))


def settled(host, condition, seconds):
    """Wait until something holds, without anyone's help."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{host.name}: still not after {seconds} seconds"
        time.sleep(1)


def mounted_there(compute):
    return compute.run("findmnt /srv/boot", check=False).rc == 0


def here_again(compute, seconds):
    settled(compute, lambda: mounted_there(compute), seconds)
    assert compute.read("/srv/boot/file") == "kept\n"


def started(compute, unit):
    """When a unit became active, in microseconds since the boot."""
    return int(compute.run(f"systemctl show --value -p ActiveEnterTimestampMonotonic {unit}").out)


def map_paths(compute):
    """How many paths of the one map are active."""
    (only,) = json.loads(compute.run("multipathd show maps json").out)["maps"]
    return only["paths"]


def come_back(compute, wanted, seconds):
    """Wait until the host is logged in again, without anyone's help."""
    end = time.monotonic() + seconds
    while sessions(compute, "boot") != wanted:
        assert time.monotonic() < end, f"only {sessions(compute, 'boot')} after {seconds} seconds"
        time.sleep(1)


def test_the_role_converges_in_one_run_and_its_check_has_said_how(compute, storage, role):
    before = compute.fingerprint()
    checked = role("--check", "--diff")
    same(before, compute.fingerprint(), "The role's check")
    ran = role()
    assert checked.changed() == ran.changed() != {}
    assert sessions(compute, "boot") == both(storage)
    assert len(ran.remote_tasks(compute.name)) <= 8
    for text in records(compute, "boot").values():
        assert "node.session.timeo.replacement_timeout = 5\n" in text
    assert SECRET not in ran.output + checked.output
    after = compute.fingerprint()
    assert role().changed() == {}
    same(after, compute.fingerprint(), "The role's second run")


@pytest.mark.once
def test_the_role_records_what_its_filters_let_through_and_tells_no_secret(compute, storage, role):
    first, second = portals_of(storage)
    six = f"[{storage.address('san2', 6)}]:3260"
    asked = {"portals": [first], "chap": CHAP, "subnets": ["10.77.2.0/24"], "families": ["ipv4"]}
    with given(storage, compute, target("wide", storage, compute, portals=[first, second, six])):
        data = {"initiator_discovery": [{**asked, "link_local": False, "reachable": True}]}
        storage.run(
            f"cd {ASKED}; printf db >userid; printf {SECRET} >password; echo 1 >enforce_discovery_auth"
        )
        try:
            ran, again = role(**data), role("--check", "--diff", **data)
        finally:
            storage.run(
                f"cd {ASKED}; echo 0 >enforce_discovery_auth; for it in userid password; do printf '\\n' >$it; done"
            )
        assert sorted(records(compute, "wide")) == [f"{second}:3260"] and sessions(compute, "wide") == []
        assert again.changed() == {} and SECRET not in ran.output + again.output
    succeeded(compute, compute.module("discovery", portals=[first], state="absent"))


def test_all_comes_up_in_order_after_a_reboot_and_went_down_in_order_before(lab, compute, storage, mounted):
    lab.reboot(compute)
    come_back(compute, both(storage), 60)
    here_again(compute, 60)
    units = ("multipathd.service", "iscsid.socket", "open-iscsi.service", "srv-boot.mount")
    at = {unit: started(compute, unit) for unit in units}
    assert "multipathd.service" in compute.run("systemctl show -p After open-iscsi.service").out
    assert sorted(units, key=lambda unit: at[unit]) in (list(units), [units[1], units[0], *units[2:]]), at
    assert 0 < started(compute, "iscsid.service") < at["srv-boot.mount"]
    # A file system that lost its disk before it was unmounted has its journal to replay.
    assert "recovery" not in compute.run("dmesg | grep EXT4-fs.*dm-").out
    assert map_paths(compute) == 2


def test_a_target_that_stays_away_holds_up_no_boot_and_all_comes_back_by_itself(
    lab, compute, storage, mounted, role, long_story
):
    compute.run("sync")
    for network in ("san1", "san2"):
        lab.link(storage, network, False)
    try:
        lab.power_cut(compute)
        lab.boot(compute)  # returns when systemd has nothing left to start
        up = float(compute.read("/proc/uptime").split()[0])
        assert up < GIVE_UP + 60, f"the boot took {up:.0f} seconds"
        assert (
            compute.run("systemctl is-active open-iscsi.service multi-user.target").out.split()
            == ["active"] * 2
        )
        assert (sessions(compute, "boot"), mounted_there(compute)) == ([], False)
        compute.run(f"sleep {max(0, GIVE_UP + 20 - up):.0f}", timeout=GIVE_UP + 60)
        lab.link(storage, "san1", True)
        come_back(compute, both(storage)[:1], 90)
        here_again(compute, 60)  # one path is enough
    finally:
        for network in ("san1", "san2"):
            lab.link(storage, network, True)
    come_back(compute, both(storage), 90)
    settled(compute, lambda: map_paths(compute) == 2, 60)
    assert role().changed() == {}


def test_the_unit_can_be_given_back_to_the_distribution(compute, served):
    converges(compute, "login_unit", {"wait": True, "started": False})
    assert compute.run("systemctl cat open-iscsi.service").out.count("ExecStart=/") == 2
    assert "-W" not in compute.run("systemctl show -p ExecStart open-iscsi.service").out
    assert did(compute, "login_unit", wait=False)["changed"]
    succeeded(compute, compute.module("login_unit", wait=True))
