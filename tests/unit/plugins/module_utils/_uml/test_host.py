# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lab hosts: what they are made of, how they are booted, the plan of their power."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import controller as uml
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import (
    Controller,
    Lab,
    Process,
    lab_of,
    refuse_unfit,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.host import (
    Seen,
    cable_between,
    cables,
    hosts_on,
    inventory,
    kernel_arguments,
    lab_host,
    look_hosts,
    machine_id,
    users_of_image,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.lab import describe, own
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.network import Network
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.power import (
    MakeHost,
    Power,
    PowerOff,
    PowerOn,
    RemoveHost,
    WaitForHost,
    plan_power,
    refuse_other,
    want_power,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.ssh import ssh_config
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

LAB = Lab("lab")
POWER = Power(LAB, "/cache")
NETWORKS = {
    "management": Network("management", "10.77.0.0/24"),
    "san1": Network("san1", "10.77.1.0/24", "fd77:1::/64"),
}
STORE = lab_host(
    name="store1", number=1, disks=[4 << 30], networks=["management", "san1"], groups=["storage"]
)


class ScriptedController(ScriptedHost, Controller):
    """A controller on which these sessions run."""

    def __init__(self, files=None, runs=None, sessions=()):
        super().__init__(files, runs)
        self.sessions = sessions

    def processes(self, lab):
        return [Process(session, session, False) for session in self.sessions]


def recorded(host, session=None):
    """The files of a host."""
    here = LAB.host_directory(host.name)
    files = {f"{here}/host.json": json.dumps({"host": vars(host), "image": "/cache/i.img", "kernel": "/k"})}
    return {**files, f"{here}/session": f"{session}\n"} if session else files


@pytest.mark.parametrize(
    "given, message",
    [
        ({"name": "Store"}, "is not a name for a host"),
        ({"name": "store_1"}, "is not a name for a host"),
        ({"name": "s" * 21}, "at most 20"),
        ({"number": 0}, "not between 1 and 200"),
        ({"number": 201}, "not between 1 and 200"),
        ({"suite": "buster"}, "not one of bookworm, trixie, forky"),
        ({"memory": 64}, "64 MiB is not enough"),
        ({"networks": []}, "on no network"),
        ({"disks": [1000]}, "a disk has 1 MiB or more"),
        ({"disks": [(1 << 20) + 1]}, "whole sectors"),
    ],
)
def test_a_host_that_cannot_be_is_refused(given, message):
    with pytest.raises(Problem) as refused:
        lab_host(**{"name": "one", "number": 1, "networks": ["san1"], **given})
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["", "Lab", "-lab", "a/b", "..", "l" * 21])
def test_a_labs_name_is_a_name(name):
    with pytest.raises(Problem, match="is not a name for a lab"):
        lab_of(name)


def test_a_directory_in_which_no_socket_fits_is_refused():
    with pytest.raises(Problem, match="too long for the sockets in it"):
        lab_of("lab", "/var/tmp/" + "d" * 60)


def test_the_kernel_is_told_its_disks_cards_and_addresses():
    words = kernel_arguments(LAB, Seen(STORE, "/cache/i.img"), NETWORKS)
    here = "/var/tmp/lunworks-lab/lab/hosts/store1"
    for word in (
        "mem=384M",
        f"ubd0={here}/root.cow,/cache/i.img",
        f"ubd1={here}/disk1.img",
        "vec0:transport=tap,ifname=management.1,depth=128,gro=1,mac=02:4c:57:00:01:00",
        "vec1:transport=tap,ifname=san1.1,depth=128,gro=1,mac=02:4c:57:00:01:01",
        "lab.address=vec0,10.77.0.11/24",
        "lab.address=vec1,10.77.1.11/24",
        "lab.address=vec1,fd77:1::11/64",
        "systemd.hostname=store1",
    ):
        assert word in words
    assert not any(" " in word for word in words)


def test_hosts_of_different_labs_are_different_machines():
    ids = {machine_id(Lab(lab), host) for lab, host in product(("left", "right"), ("db-a", "db-b"))}
    assert len(ids) == 4 and all(len(one) == 32 for one in ids)


def test_ansible_finds_a_host_with_its_groups_and_addresses():
    told = inventory(LAB, STORE, NETWORKS)
    assert told["storage"] == {"hosts": {"store1": {}}}
    seen = told["all"]["hosts"]["store1"]
    assert seen["ansible_ssh_common_args"] == f"-F {LAB.ssh_config}"
    assert seen["lab_addresses"] == {"management": "10.77.0.11", "san1": "10.77.1.11"}
    assert seen["lab_addresses6"] == {"san1": "fd77:1::11"}


def test_connections_of_two_labs_are_kept_apart():
    left, right = (ssh_config(Lab(name), "/key") for name in ("left", "right"))
    assert "ControlPath /var/tmp/lunworks-lab/left/ssh/%n" in left
    assert "ControlPath /var/tmp/lunworks-lab/right/ssh/%n" in right
    assert "nsproxy.py lab-left %h %p" in left


def test_a_host_is_on_when_its_session_has_a_process_in_the_labs_namespace():
    files = recorded(STORE, session=4711)
    assert look_hosts(ScriptedController(files, sessions=[4711]), LAB) == {
        "store1": Seen(STORE, "/cache/i.img", "/k", True)
    }
    assert not look_hosts(ScriptedController(files, sessions=[4712]), LAB)["store1"].powered_on
    assert not look_hosts(ScriptedController(recorded(STORE), sessions=[4711]), LAB)["store1"].powered_on
    half_made = {f"{LAB.host_directory('db-a')}/disk1.img": ""}
    assert look_hosts(ScriptedController(half_made), LAB) == {}, "without a record there is no host"


def test_what_hosts_hold_is_named():
    controller = ScriptedController(recorded(STORE))
    assert hosts_on(controller, LAB, "san1") == ["store1"]
    assert hosts_on(controller, LAB, "san2") == []
    assert users_of_image(controller, LAB.root, "/cache/i.img") == ["'store1' of the lab 'lab'"]
    assert users_of_image(controller, LAB.root, "/cache/other.img") == []
    assert users_of_image(controller, LAB.root, None) == []


def test_a_cable_is_between_a_host_and_a_network_that_are_there():
    controller = ScriptedController(recorded(STORE))
    assert cable_between(controller, LAB, "store1", "san1") == cables(STORE)[1]
    with pytest.raises(Problem, match="no host 'db-a'; it has: store1"):
        cable_between(controller, LAB, "db-a", "san1")
    with pytest.raises(Problem, match="not on a network 'san2'; it is on: management, san1"):
        cable_between(controller, LAB, "store1", "san2")


OFF = Seen(STORE, "/cache/i.img")
STATES = [None, OFF, replace(OFF, powered_on=True), replace(OFF, powered_on=True, ready=True)]


# All pairs, but for one: nobody wants a host to forget that it has booted.
PAIRS = [pair for pair in product(STATES, STATES) if pair != (STATES[3], STATES[2])]


@pytest.mark.parametrize("seen, want", PAIRS)
def test_the_steps_of_a_host_lead_from_any_state_to_any_other(seen, want):
    steps = plan_power(POWER, seen, want)
    assert bool(steps) == (seen != want)
    for step in steps:
        if isinstance(step, MakeHost):
            seen = OFF
        elif isinstance(step, PowerOn):
            seen = replace(seen, powered_on=True)
        elif isinstance(step, WaitForHost):
            assert seen.powered_on
            seen = replace(seen, ready=True)
        elif isinstance(step, PowerOff):
            seen = OFF
        else:
            assert isinstance(step, RemoveHost)
            seen = None
    assert seen == want


def test_the_steps_of_a_host_say_themselves():
    steps = (
        plan_power(POWER, None, STATES[3]) + plan_power(POWER, STATES[3], OFF) + plan_power(POWER, OFF, None)
    )
    assert [str(step) for step in steps] == [
        "Make the host 'store1' (bookworm) in the lab 'lab'",
        "Power on 'store1'",
        "Wait until 'store1' has booted",
        "Shut down 'store1'",
        "Remove the host 'store1' from the lab 'lab', its disks too",
    ]
    (cut,) = plan_power(replace(POWER, cut=True), STATES[3], OFF)
    assert str(cut) == "Cut the power of 'store1'"


def test_what_is_not_said_stays():
    assert want_power("store1", {}, OFF, "started", True) == replace(OFF, powered_on=True, ready=True)
    assert want_power("store1", {}, OFF, "started", False) == replace(OFF, powered_on=True)
    assert want_power("store1", {}, STATES[3], "started", False) == STATES[3]
    assert want_power("store1", {}, STATES[3], "stopped", True) == OFF
    assert want_power("store1", {}, OFF, "absent", True) is None


def test_a_new_host_has_to_be_said_whole():
    with pytest.raises(Problem, match="no host 'db-a' yet. To create it, give its number and its networks"):
        want_power("db-a", {"number": 3}, None, "started", True)
    made = want_power("db-a", {"number": 3, "networks": ["san1"]}, None, "stopped", True)
    assert (made.host.memory, made.host.suite, made.powered_on) == (384, "bookworm", False)


def test_a_host_is_never_remade_unasked():
    refuse_other(LAB, "store1", OFF, {"disks": [4 << 30], "networks": ["management", "san1"]})
    refuse_other(LAB, "store1", None, {"memory": 512})
    with pytest.raises(Problem, match="made with memory 384, disks .*; memory 512, disks"):
        refuse_other(LAB, "store1", OFF, {"memory": 512, "disks": [1 << 30]})


def test_a_lab_has_one_owner():
    controller = ScriptedController({f"{LAB.directory}/owner": "1 somewhen\n"})
    with pytest.raises(Problem, match="'lab' belongs to process 1"):
        own(controller, LAB, 2)
    assert controller.did == []


def test_a_lab_is_described_in_a_few_lines():
    lines = describe(LAB, {"store1": STATES[3]}, NETWORKS).splitlines()
    assert lines[1].split() == ["store1", "on", "bookworm", "384", "MiB", "10.77.0.11", "10.77.1.11"]


def test_what_a_machine_lacks_is_said_before_anything_is_begun(monkeypatch):
    monkeypatch.setattr(uml.os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        uml.shutil, "which", lambda program, path: None if program == "mmdebstrap" else program
    )
    with pytest.raises(Problem, match="Install: mmdebstrap"):
        refuse_unfit()
    refuse_unfit(removing=True)
    monkeypatch.setattr(uml.os, "geteuid", lambda: 1000)
    with pytest.raises(Problem, match="only root may do"):
        refuse_unfit(removing=True)
