# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iSCSI hosts on real kernels. There is no card in the lab: its hosts are those of software iSCSI, one for each session."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    each_refused,
    given,
    portals_of,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import refused, same, succeeded

MAC = "00:c0:dd:07:1f:d5"
FLASHNODE = {"mac": MAC, "target": f"{IQN}:card", "portal": "10.0.0.1"}
ENTRY = {"user": "db-a", "secret": "a-secret-of-cards"}
ASK = """
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload import chap_table as table
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.offload.host import look_hosts
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret

card, host = look_hosts(Host())[0], Host()
entry = table.Entry(table.EntryId("db-a"), Secret("a-secret-of-cards"))
for ask in (
    lambda: table.read_table(host, card),
    lambda: table.write_entry(host, card, 4, entry),
    lambda: table.delete_entry(host, card, 4),
):
    try:
        print("answered", ask())
    except Problem as problem:
        print(problem)
"""


@pytest.fixture(name="session")
def one_session(storage, compute):
    """A session of software iSCSI, and with it an iSCSI host."""
    portal = portals_of(storage)[0]
    with given(storage, compute, target("card", storage, compute)):
        nodes = [{"target": f"{IQN}:card", "portals": [portal], "logged_in": True}]
        succeeded(compute, compute.module("nodes", nodes=nodes))
        yield f"{portal}:3260"


def test_the_hosts_of_software_iscsi_are_told(compute, session):
    before = compute.fingerprint()
    told = compute.module("host_info", statistics=True)
    same(before, compute.fingerprint(), "host_info")
    (host,) = told["hosts"]
    assert (host["transport"], host["mac"], host["state"]) == ("tcp", None, "running")
    assert host["sessions"] == [f"'{IQN}:card' at {session}"]
    assert (host["ifaces"], host["flashnodes"], host["chap"], host["statistics"]) == ({}, [], None, None)
    assert "keeps no CHAP table" in host["chap_reason"]


def test_the_kernel_understands_what_it_is_asked_by_netlink(compute, session):
    """Software iSCSI has no CHAP table, and the kernel says so, to reading, writing and deleting; nothing else happens."""
    ran = compute.python(ASK)
    assert ran.rc == 0, ran.err
    reading, writing, deleting = ran.out.splitlines()
    assert "cannot be read: its driver keeps no CHAP table" in reading
    assert "cannot be changed: its driver keeps no CHAP table" in writing
    assert deleting == writing
    assert sessions(compute, "card") == [session]


def test_a_card_that_is_not_there_is_named(compute, session):
    said = f"has the hardware address '{MAC}'. There are: none (tcp, host"
    refused(compute, "host_chap", said, mac=MAC, entries=[ENTRY])
    refused(compute, "flashnode", said, **FLASHNODE)
    assert said in compute.module("host_info", mac=MAC)["msg"]


def test_without_any_host_the_lists_are_empty(compute):
    assert compute.module("host_info")["hosts"] == []
    said = "There are: none. Is the card there"
    refused(compute, "host_chap", said, mac=MAC, entries=[])
    refused(compute, "flashnode", said, **FLASHNODE, state="absent")


def test_exit_codes_of_iscsiadm_are_as_the_guide_says(compute, storage):
    for command, code in (
        ("-m host", 21),
        ("-m host -H 99 -C chap -o show", 12),
        ("-m host -H 99 -C flashnode", 12),
        ("-m host -H 99 -C stats", 12),
        ("-m iface -I default -o apply", 0),
    ):
        assert (command, compute.run(f"iscsiadm {command}", check=False).rc) == (command, code)


def test_only_a_card_has_a_ping_of_its_own(compute):
    each_refused(
        compute,
        "iface_ping_info",
        [
            ({"iface": "default", "address": "10.77.1.11"}, "use 'ping -I NIC 10.77.1.11'"),
            ({"iface": "none", "address": "10.77.1.11"}, "There is no iface 'none' on this host"),
            ({"iface": "default", "address": "store1"}, "'store1' is not an IP address"),
            ({"iface": "default", "address": "10.77.1.11", "count": 0}, "The count 0 is out of range"),
            ({"iface": "default", "address": "10.77.1.11", "size": 70000}, "The size 70000 is out of range"),
            (
                {"iface": "default", "address": "10.77.1.11", "interval": -1},
                "The interval -1 is out of range",
            ),
        ],
    )
    asked = {"name": "absent-card", "transport": "qla4xxx", "mac": MAC}
    succeeded(compute, compute.module("iface", **asked))
    try:
        said = "Cannot ping through the iface 'absent-card': iscsiadm ended with exit code 7"
        each_refused(compute, "iface_ping_info", [({"iface": "absent-card", "address": "10.77.1.11"}, said)])
    finally:
        succeeded(compute, compute.module("iface", name="absent-card", state="absent"))


def test_bad_input_is_refused(compute):
    each_refused(
        compute,
        "host_chap",
        [
            ({"mac": "5", "entries": []}, "'5' is not a hardware address"),
            ({"mac": MAC, "entries": [{"user": "db-a"}]}, "must have a user and a secret"),
            (
                {"mac": MAC, "entries": [{"user": "db-a", "secret": "short"}]},
                "has 5 bytes; it must have 12 to 99",
            ),
            ({"mac": MAC, "entries": [ENTRY, ENTRY]}, "is given more than once"),
        ],
    )
    each_refused(
        compute,
        "flashnode",
        [
            ({**FLASHNODE, "portal": "store1"}, "is not a portal"),
            ({**FLASHNODE, "target": "disk"}, "is not an iSCSI name"),
            (
                {**FLASHNODE, "settings": {"flashnode.session.password": "a-secret"}},
                "write the CHAP entry with host_chap",
            ),
            ({**FLASHNODE, "state": "absent", "logged_in": True}, "cannot be both absent and logged in"),
        ],
    )
