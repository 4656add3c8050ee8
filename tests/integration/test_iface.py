# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ifaces on real hosts: sessions go through the card that they are bound to."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.iface.fields import (
    ADDRESSES,
    ONLY_IPV4,
    ONLY_IPV6,
    SETTINGS,
)
from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    each_refused,
    given,
    initiator_of,
    portals_of,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded


def card(compute, network):
    """The network interface in a network of the lab."""
    return compute.run(f"ip -o addr show to {compute.address(network)}").out.split()[1]


@pytest.fixture(autouse=True)
def gone(compute):
    yield
    for name in ("test1", "test2", "card-ipv4", "card-ipv6"):
        succeeded(compute, compute.module("iface", name=name, state="absent"))


def test_an_iface_is_made_changed_and_removed(compute):
    first, second = card(compute, "san1"), card(compute, "san2")
    converges(compute, "iface", {"name": "test1", "nic": first})
    assert f"iface.net_ifacename = {first}" in compute.run("iscsiadm -m iface -I test1").out
    converges(compute, "iface", {"name": "test1", "nic": second, "initiator_name": f"{IQN}:other"})
    shown = compute.run("iscsiadm -m iface -I test1").out
    assert f"iface.net_ifacename = {second}" in shown and f"iface.initiatorname = {IQN}:other" in shown
    converges(compute, "iface", {"name": "test1", "state": "absent"})
    assert compute.run("iscsiadm -m iface -I test1", check=False).rc != 0


def test_iscsiadm_can_read_an_iface_with_an_ipv6_address(compute):
    """open-iscsi 2.1.8 cannot read what its own iscsiadm writes."""
    asked = {
        "name": "card-ipv6",
        "transport": "qla4xxx",
        "mac": "00:c0:dd:00:00:01",
        "address": "fd00::7",
        "prefix": 64,
    }
    converges(compute, "iface", asked)
    assert "iface.ipaddress = fd00::7" in compute.run("iscsiadm -m iface -I card-ipv6").out


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_open_iscsi_reads_every_field_of_a_card(compute, family):
    """All fields at once, each with a value of its kind: what is written is what iscsiadm reads."""
    other = ONLY_IPV6 if family == "ipv4" else ONLY_IPV4
    settings = {name: a_value(name, kind) for name, kind in SETTINGS.items() if name not in other}
    network = {"address": "10.77.1.99", "subnet_mask": "255.255.255.0", "gateway": "10.77.1.1"}
    asked = {
        "name": f"card-{family}",
        "transport": "qla4xxx",
        "mac": "00:c0:dd:00:00:01",
        "iface_num": 1,
        **(network if family == "ipv4" else {"address": "fd00::7", "prefix": 64}),
        "vlan": 7,
        "vlan_priority": 3,
        "mtu": 9000,
        "settings": settings,
    }
    converges(compute, "iface", asked)
    shown = compute.run(f"iscsiadm -m iface -I card-{family}").out.splitlines()
    missing = [f"{name} = {value}" for name, value in settings.items() if f"{name} = {value}" not in shown]
    assert missing == []
    assert {"iface.vlan_id = 7", "iface.vlan_priority = 3", "iface.mtu = 9000"} <= set(shown)


def a_value(name, kind):
    """A value that a field can hold and that is not what it is without one."""
    if name in ADDRESSES:
        return "fe80::9"
    if isinstance(kind, int):
        return "a-text"
    return str(kind[-1]) if isinstance(kind[0], str) else str(max(int(kind[0]), min(int(kind[1]), 1024)))


def test_a_session_is_bound_by_the_address_of_its_card(compute, storage):
    portal, nic = portals_of(storage)[1], card(compute, "san2")
    mac = compute.read(f"/sys/class/net/{nic}/address").strip()
    converges(compute, "iface", {"name": "test1", "mac": mac.upper()})
    asked = {"target": f"{IQN}:bound", "portals": [portal], "ifaces": ["test1"], "logged_in": True}
    with given(storage, compute, target("bound", storage, compute)):
        converges(compute, "nodes", {"nodes": [asked]})
        assert f"%{nic}:" in compute.run(f"ss -Htn dst {portal}:3260").out


def test_iser_without_rdma_is_recorded_and_its_login_says_why_not(compute, storage):
    portal = portals_of(storage)[0]
    converges(compute, "iface", {"name": "test1", "transport": "iser", "nic": card(compute, "san1")})
    asked = {"target": f"{IQN}:rdma", "portals": [portal], "ifaces": ["test1"]}
    with given(storage, compute, target("rdma", storage, compute)):
        converges(compute, "nodes", {"nodes": [{**asked, "logged_in": False}]})
        result = compute.module("nodes", nodes=[{**asked, "logged_in": True}])
        assert result["failed"] and "the kernel has no such transport" in result["msg"], result


def test_a_session_is_bound_to_its_card_and_holds_its_iface(compute, storage):
    portal, nic = portals_of(storage)[0], card(compute, "san1")
    succeeded(compute, compute.module("iface", name="test1", nic=nic))
    asked = {"target": f"{IQN}:bound", "portals": [portal], "ifaces": ["test1"]}
    with given(storage, compute, target("bound", storage, compute)):
        converges(compute, "nodes", {"nodes": [{**asked, "logged_in": True}]})
        assert sessions(compute, "bound") == [f"{portal}:3260"]
        assert f"%{nic}:" in compute.run(f"ss -Htn dst {portal}:3260").out
        refused(compute, "iface", "Cannot change the iface 'test1': a session uses it", name="test1", nic="")
        converges(compute, "nodes", {"nodes": [{**asked, "logged_in": False}]})
        refused(
            compute, "iface", "Cannot delete the iface 'test1': the record of", name="test1", state="absent"
        )
        result = converges(compute, "iface", {"name": "test1", "nic": card(compute, "san2")})
        assert len(result["steps"]) == 2, "the record that is bound to it follows"


def test_a_session_under_another_name(compute, storage):
    portal = portals_of(storage)[0]
    other = f"{initiator_of(compute)}.second"
    succeeded(compute, compute.module("iface", name="test2", initiator_name=other))
    asked = target("second", storage, compute)
    asked["igroups"][0]["initiators"] = [other]
    with given(storage, compute, asked):
        nodes = [{"target": f"{IQN}:second", "portals": [portal], "ifaces": ["test2"], "logged_in": True}]
        converges(compute, "nodes", {"nodes": nodes})


def test_bad_input_is_refused(compute):
    cases = [
        ({"name": "default", "nic": "lo"}, "is a built-in iface of open-iscsi"),
        ({"name": "x" * 65, "nic": "lo"}, "It must have 1 to 64 characters"),
        ({"name": "test1", "nic": "eth77"}, "There is no network interface 'eth77'"),
        ({"name": "test1", "mac": "00:11:22:33:44"}, "is not a hardware address"),
        ({"name": "test1", "address": "10.77.1.13"}, "software iSCSI binds by nic or mac"),
        ({"name": "test1", "transport": "qla4xxx", "mtu": 70000}, "The mtu 70000 is out of range"),
        ({"name": "test1", "nic": "lo", "vlan": 7}, "a VLAN is one: nic eth1.7"),
        ({"name": "test1", "nic": "lo", "applied": True}, "gets its settings at each login"),
        (
            {"name": "test1", "transport": "qla4xxx", "mac": "00:c0:dd:00:00:01", "applied": True},
            "No iSCSI host of this machine has the hardware address '00:c0:dd:00:00:01'",
        ),
        (
            {"name": "test1", "transport": "qla4xxx", "settings": {"iface.mld": "enable"}},
            "with 'ipv6' in its name",
        ),
    ]
    each_refused(compute, "iface", cases)
