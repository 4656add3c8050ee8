# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and cables: addresses, what is refused, the plans."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import Lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.link import (
    Cable,
    Link,
    SetDelay,
    SetUp,
    link_of,
    look_link,
    look_taps,
    parse_netem,
    plan_link,
    refuse_link,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.network import (
    MakeNetwork,
    Network,
    RemoveNetwork,
    look_networks,
    network_of,
    plan_network,
    refuse_network,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

LAB = Lab("lab")
SAN1 = Network("san1", "10.77.1.0/24", "fd77:1::/64")
CABLE = Cable("db-a", 3, "san1", 1)
NETNS = {"/run/netns/lab-lab": {"dev": 4}}
BRIDGES = [
    {},
    {
        "ifname": "san1",
        "addr_info": [
            {"family": "inet", "local": "10.77.1.1", "prefixlen": 24, "scope": "global"},
            {"family": "inet6", "local": "fd77:1::1", "prefixlen": 64, "scope": "global"},
            {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ],
    },
]


def test_the_number_of_a_host_makes_its_addresses():
    assert [SAN1.address(0), SAN1.address(1), SAN1.address(3, 6)] == ["10.77.1.1", "10.77.1.11", "fd77:1::13"]
    assert SAN1.interfaces(200) == ["10.77.1.210/24", "fd77:1::210/64"]
    assert Network("management", "10.77.0.0/24").interfaces(1) == ["10.77.0.11/24"]
    with pytest.raises(Problem, match="'management' has no IPv6 addresses"):
        Network("management", "10.77.0.0/24").address(1, 6)


@pytest.mark.parametrize(
    "given, message",
    [
        (("San1", "10.77.1.0/24"), "'San1' is not a name for a network"),
        (("much-too-long", "10.77.1.0/24"), "at most 11"),
        (("san1", "10.77.1.5/24"), "has host bits set"),
        (("san1", "10.77.1.0/25"), "is not an IPv4 subnet of a /24"),
        (("san1", "fd77:1::/64"), "is not an IPv4 subnet"),
        (("san1", "10.77.1.0/24", "10.77.2.0/24"), "is not an IPv6 subnet"),
        (("san1", "10.77.1.0/24", "fd77:1::/120"), "is not an IPv6 subnet of a /24 (IPv6: /116)"),
        (("san1", "banana"), "'banana' is not a subnet"),
    ],
)
def test_a_network_that_cannot_be_is_refused(given, message):
    with pytest.raises(Problem) as refused:
        network_of(*given)
    assert message in str(refused.value)


def test_networks_are_seen_as_they_were_made():
    host = ScriptedHost(NETNS, {"ip -netns lab-lab -json address show type bridge": json.dumps(BRIDGES)})
    assert look_networks(host, LAB) == {"san1": SAN1}
    assert look_networks(ScriptedHost(), LAB) == {}, "there is no such lab"
    left = ScriptedHost({"/run/netns/lab-lab": ""})
    assert look_networks(left, LAB) == {}, "no namespace is mounted on the entry"


def test_a_network_with_other_subnets_is_recreated():
    other = Network("san1", "10.88.1.0/24")
    assert plan_network(LAB, None, SAN1) == [MakeNetwork(LAB, SAN1)]
    assert plan_network(LAB, SAN1, other) == [RemoveNetwork(LAB, "san1"), MakeNetwork(LAB, other)]
    assert plan_network(LAB, SAN1, None) == [RemoveNetwork(LAB, "san1")]
    for state in (None, SAN1, other):
        assert plan_network(LAB, state, state) == []


def test_the_size_of_its_packets_changes_in_place_and_keeps_the_hosts_on_it():
    thin = replace(SAN1, mtu=1300)
    steps = plan_network(LAB, SAN1, thin)
    assert [str(step) for step in steps] == [
        "Let the network 'san1' of the lab 'lab' forward packets of 1300 bytes at most"
    ]
    refuse_network(LAB, "san1", steps, ["db-a"])
    assert plan_network(LAB, thin, SAN1)[0].mtu == 1500
    assert plan_network(LAB, None, thin) == [MakeNetwork(LAB, thin)]
    elsewhere = replace(thin, ipv4="10.88.1.0/24")
    assert plan_network(LAB, SAN1, elsewhere) == [RemoveNetwork(LAB, "san1"), MakeNetwork(LAB, elsewhere)]
    told = [{**BRIDGES[1], "mtu": 1300}]
    host = ScriptedHost(NETNS, {"ip -netns lab-lab -json address show type bridge": json.dumps(told)})
    assert look_networks(host, LAB)["san1"].mtu == 1300
    assert network_of("san1", "10.77.1.0/24", None, 1300).mtu == 1300
    for mtu in (1279, 1501):
        with pytest.raises(Problem, match=f"the MTU {mtu} is not between 1280 and 1500"):
            network_of("san1", "10.77.1.0/24", None, mtu)


def test_a_network_with_hosts_on_it_stays():
    with pytest.raises(Problem, match="on it are db-a, store1"):
        refuse_network(LAB, "san1", [RemoveNetwork(LAB, "san1")], ["db-a", "store1"])
    refuse_network(LAB, "san1", [RemoveNetwork(LAB, "san1")], [])
    refuse_network(LAB, "san1", [MakeNetwork(LAB, SAN1)], ["db-a"])


STATES = [Link(up, delay, loss) for up, delay, loss in product((True, False), (0, 50), (0.0, 1.5))]


@pytest.mark.parametrize("seen, want", list(product(STATES, STATES)))
def test_the_steps_of_a_cable_lead_from_any_state_to_any_other(seen, want):
    steps = plan_link(LAB, CABLE, seen, want)
    assert bool(steps) == (seen != want)
    for step in steps:
        change = {"up": step.up} if isinstance(step, SetUp) else {"delay": step.delay, "loss": step.loss}
        seen = replace(seen, **change)
    assert seen == want


def test_the_steps_of_a_cable_say_themselves():
    assert str(SetUp(LAB, CABLE, False)) == "Cut 'db-a' off from the network 'san1'"
    assert str(SetUp(LAB, CABLE, True)) == "Connect 'db-a' to the network 'san1'"
    assert (
        str(SetDelay(LAB, CABLE, 50, 0.5))
        == "Make packets from 'db-a' on the network 'san1' 50 ms late and lose 0.5 % of them"
    )


@pytest.mark.parametrize("delay, loss", [(-1, 0), (60001, 0), (0, -0.1), (0, 101)])
def test_a_delay_or_loss_that_cannot_be_is_refused(delay, loss):
    with pytest.raises(Problem, match="is not between 0 and"):
        link_of(True, delay, loss)


def test_the_way_to_a_host_stays_open():
    first = Cable("db-a", 3, "management", 0)
    with pytest.raises(Problem, match="could not be healed"):
        refuse_link(first, [SetDelay(LAB, first, 0, 100)])
    refuse_link(first, [SetDelay(LAB, first, 200, 5)])
    refuse_link(CABLE, [SetDelay(LAB, CABLE, 0, 100)])


@pytest.mark.parametrize(
    "said, found",
    [
        ("qdisc netem 8001: root refcnt 2 limit 100000 delay 100ms\n", (100, 0.0)),
        ("qdisc netem 8001: root refcnt 2 limit 100000 delay 1.5s loss 2.5%\n", (1500, 2.5)),
        ("qdisc netem 8001: root refcnt 2 limit 100000 loss 100%\n", (0, 100.0)),
        ("qdisc pfifo_fast 0: root refcnt 2 bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1\n", (0, 0.0)),
        ("qdisc noqueue 0: root refcnt 2\n", (0, 0.0)),
    ],
)
def test_delay_and_loss_are_read_from_tc(said, found):
    assert parse_netem(said) == found


def test_a_cable_is_asked_about_delay_only_when_that_matters():
    taps = [
        {"ifname": "san1.3", "master": "san1"},
        {"ifname": "san1"},
        {"ifname": "san2.3"},
        {"ifname": "san2.13"},
    ]
    host = ScriptedHost(NETNS, {"ip -netns lab-lab -json link show": json.dumps(taps)})
    assert look_link(host, LAB, Cable("db-a", 3, "san2", 2), ask=False) == Link(False, None, None)
    assert look_link(host, LAB, CABLE, ask=False) == Link(True, None, None)
    host.runs[f"ssh -F {LAB.ssh_config} db-a tc qdisc show dev vec1"] = (
        "qdisc netem 1: root limit 9 delay 7ms"
    )
    assert look_link(host, LAB, CABLE, ask=True) == Link(True, 7, 0.0)
    assert look_taps(host, LAB, 3) == ["san1", "san2"]
