# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role initiator on a real host, and what comes back after the power was cut.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    SECRET,
    given,
    initiator_of,
    portals_of,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import beats, same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

PLAYBOOK = """
- hosts: compute
  gather_facts: false
  roles: [lunworks.iscsi.initiator]
"""
CHAP = {"user": "db", "secret": SECRET}
GIVE_UP = 120  # seconds that iscsid tries, left to itself


@pytest.fixture(scope="module")
def served(storage, compute):
    with given(storage, compute, target("boot", storage, compute, chap=CHAP)):
        yield
    succeeded(compute, compute.module("iface", name="boot1", state="absent"))


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
    data |= {"initiator_ifaces": [{"name": "boot1", "nic": nic}], "initiator_rp_filter_interfaces": [nic]}
    return lambda *options: played(lab, str(path), *options, hosts=[compute], **data)


def both(storage):
    return [f"{portal}:3260" for portal in portals_of(storage)]


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
    assert len(ran.remote_tasks(compute.name)) <= 7
    assert SECRET not in ran.output + checked.output
    after = compute.fingerprint()
    assert role().changed() == {}
    same(after, compute.fingerprint(), "The role's second run")


def test_the_sessions_come_back_after_a_power_cut(lab, compute, storage, role):
    compute.run("sync")
    lab.power_cut(compute)
    lab.boot(compute)
    come_back(compute, both(storage), 60)
    assert role().changed() == {}


def test_a_portal_that_is_away_does_not_hold_up_the_boot_and_comes_back_by_itself(lab, compute, storage):
    compute.run("sync")
    lab.link(storage, "san2", False)
    try:
        lab.power_cut(compute)
        lab.boot(compute)
        come_back(compute, both(storage)[:1], 60)
        assert compute.run("systemctl is-active open-iscsi.service").out.strip() == "active"
        up = float(compute.read("/proc/uptime").split()[0])
        assert up < GIVE_UP, "the boot waited for the portal"
        compute.run(f"sleep {GIVE_UP + 20 - up:.0f}", timeout=GIVE_UP + 60)
        assert sessions(compute, "boot") == both(storage)[:1]
    finally:
        lab.link(storage, "san2", True)
    come_back(compute, both(storage), 60)


def test_the_unit_can_be_given_back_to_the_distribution(compute, served):
    beats(compute, "login_unit", {"wait": True, "started": False})
    assert compute.run("systemctl cat open-iscsi.service").out.count("ExecStart=/") == 2
    assert "-W" not in compute.run("systemctl show -p ExecStart open-iscsi.service").out
    beats(compute, "login_unit", {"wait": False})
    succeeded(compute, compute.module("login_unit", wait=True))
