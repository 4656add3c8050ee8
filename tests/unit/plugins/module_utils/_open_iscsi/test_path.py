# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways from NICs to portals: what is found of them, and said."""

from __future__ import annotations

import json
import threading

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.way import SMALL, WAITS, largest
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi import path
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.path import OPTIONS, look_ways
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

PORTAL, SIX = "10.77.1.11", "fd77:1::11"
TARGET = "iqn.2026-01.com.example:store1.db"
FILES = {
    "/sys/class/net/eth1/mtu": "9000\n",
    "/sys/class/net/eth2/mtu": "1500\n",
    "/proc/sys/net/ipv4/conf/all/rp_filter": "0\n",
    "/proc/sys/net/ipv4/conf/eth1/rp_filter": "1\n",
    "/proc/sys/net/ipv4/conf/eth2/rp_filter": "1\n",
    "/etc/iscsi/ifaces/san2": "iface.iscsi_ifacename = san2\niface.net_ifacename = eth2\niface.transport_name = tcp\n",
    "/etc/iscsi/ifaces/card": "iface.iscsi_ifacename = card\niface.transport_name = qla4xxx\n",
}
SESSION = {
    "/sys/class/iscsi_session/session1/targetname": TARGET,
    "/sys/class/iscsi_session/session1/state": "LOGGED_IN",
    "/sys/class/iscsi_session/session1/ifacename": "default",
    "/sys/class/iscsi_connection/connection1:0/persistent_address": PORTAL,
    "/sys/class/iscsi_connection/connection1:0/persistent_port": "3260",
}
RECORD = f"node.name = {TARGET}\nnode.conn[0].address = {PORTAL}\nnode.conn[0].port = 3260\niface.iscsi_ifacename = san2\n"


def route(address, nic, source="10.77.1.12", through=""):
    command = f"ip -json route get {address}" + (f" oif {through}" if through else "")
    return {command: json.dumps([{"dst": address, "dev": nic, "prefsrc": source}])}


ROUTES = {
    **route(PORTAL, "eth1"),
    **route(PORTAL, "eth1", through="eth1"),
    **route(PORTAL, "eth2", "10.77.1.13", through="eth2"),
    **route(SIX, "eth1", "fd77:1::12"),
}


def asked(host, **options):
    checked = ArgumentSpecValidator(OPTIONS).validate(options)
    assert not checked.error_messages
    return look_ways(checked.validated_parameters, host)


def test_no_time_at_all_is_refused():
    with pytest.raises(Problem, match="it must be a number of seconds, 1 or more"):
        asked(ScriptedHost(FILES, ROUTES), seconds=0)


def host(files=None, largest=None, **more):
    return ScriptedHost(
        {**FILES, **(files or {})}, ROUTES, largest=largest or {PORTAL: 9000, SIX: 9000}, **more
    )


def test_the_nic_is_that_of_the_iface_or_the_one_that_the_routes_choose():
    told = asked(
        host(), ways=[{"portals": [PORTAL], "ifaces": ["default", "san2"]}, {"portals": [f"[{SIX}]"]}]
    )
    assert told["faults"] == []
    assert [(path["portal"], path["nic"], path["source"], path["largest"]) for path in told["paths"]] == [
        ("10.77.1.11:3260", "eth1", "10.77.1.12", 9000),
        ("10.77.1.11:3260", "eth2", "10.77.1.13", 1500),
        ("[fd77:1::11]:3260", "eth1", "fd77:1::12", 9000),
    ]


@pytest.mark.parametrize("limit", [1500, 1304, 1300, 577, SMALL])
def test_the_largest_packet_is_found_exactly(limit):
    assert largest(host(largest={PORTAL: limit}), PORTAL, "", 9000) == limit


def test_a_way_that_loses_a_packet_now_and_then_is_not_taken_for_a_narrow_one():
    tries = []

    class Lossy(ScriptedHost):
        def echo(self, address, size, nic="", seconds=1):
            tries.append(size)
            return len(tries) % len(WAITS) == 0

    assert largest(Lossy(), PORTAL, "", 9000) == 9000
    assert tries == [SMALL] * 3 + [9000] * 3


def test_an_mtu_that_is_too_large_on_the_way_is_one_sentence_for_all_its_portals():
    way = [{"portals": [PORTAL, f"{PORTAL}:3261"]}]
    told = asked(host(largest={PORTAL: 1500}), ways=way, mtu=[{"nic": "eth1", "mtu": 9000}])
    (fault,) = told["faults"]
    assert fault["text"] == (
        "Packets of 9000 bytes, the MTU of 'eth1', do not reach 10.77.1.11:3260 and 10.77.1.11:3261; the largest that do have "
        "1500 bytes: a login succeeds, and then data hangs."
    )
    assert fault["todo"].startswith("Set the MTU of 'eth1' to 1500 (initiator_mtu), or that of switches")
    assert (fault["kind"], fault["fits_wanted"], fault["logged_in"]) == ("mtu_on_the_way", False, False)
    assert [(path["fits"], path["largest"]) for path in told["paths"]] == [(False, 1500)] * 2


@pytest.mark.parametrize(
    "mtu, wanted, limit, fits, fits_wanted",
    [
        (9000, 9000, 9000, True, True),
        (9000, 1300, 1300, False, True),  # it will be lowered
        (1500, 9000, 1500, True, None),  # it will be raised
        (1500, 9000, 1300, False, False),
        (9000, 1300, 1280, False, False),
        (1500, 1500, 0, None, None),  # pings are not answered
    ],
)
def test_what_is_now_and_what_is_wanted_are_told_apart(mtu, wanted, limit, fits, fits_wanted):
    files = {"/sys/class/net/eth1/mtu": f"{mtu}\n"}
    told = asked(
        host(files, {PORTAL: limit}), ways=[{"portals": [PORTAL]}], mtu=[{"nic": "eth1", "mtu": wanted}]
    )
    (path,) = told["paths"]
    assert (path["fits"], path["fits_wanted"], path["largest"]) == (fits, fits_wanted, limit or None)
    kinds = {fault["kind"] for fault in told["faults"]}
    assert ("mtu_on_the_way" in kinds, "mtu_of_nic" in kinds) == (fits is False, mtu != wanted)
    untried = f"it tries packets of {wanted} bytes before it logs in, and at a boot nobody tries them"
    assert any(untried in fault["todo"] for fault in told["faults"]) == (wanted > mtu)


def test_a_nic_whose_strict_filter_drops_the_answers():
    silent = {f"{PORTAL}:3260": "timed out"}
    told = asked(host(silent=silent), ways=[{"portals": [PORTAL], "nics": ["eth2"]}])
    (fault,) = told["faults"]
    assert fault["kind"] == "rp_filter"
    assert "its reverse path filter is strict, and the route to it goes through 'eth1'" in fault["text"]
    assert fault["todo"] == "Add 'eth2' to initiator_rp_filter_interfaces (module rp_filter)."
    loose = {"/proc/sys/net/ipv4/conf/all/rp_filter": "2\n"}
    told = asked(host(loose, silent=silent), ways=[{"portals": [PORTAL], "nics": ["eth2"]}])
    assert [fault["text"] for fault in told["faults"]] == [
        "10.77.1.11:3260 cannot be reached from 'eth2' (timed out)."
    ]
    (path,) = told["paths"]
    assert (path["reachable"], path["source"], path["largest"]) == (False, "10.77.1.13", None)


def test_without_ways_those_of_sessions_and_of_records_that_log_in_at_boot():
    records = {
        f"/etc/iscsi/nodes/{TARGET}/{PORTAL},3260,1/san2": f"{RECORD}node.startup = automatic\n# END RECORD\n",
        f"/etc/iscsi/nodes/{TARGET}/10.88.1.1,3260,1/default": f"{RECORD}node.startup = manual\n# END RECORD\n",
    }
    # A session needs no connection to prove that it is there.
    silent = {f"{PORTAL}:3260": "timed out"}
    told = asked(host({**SESSION, **records}, silent=silent))
    found = [(path["iface"], path["nic"], path["reachable"], path["logged_in"]) for path in told["paths"]]
    assert found == [("default", "eth1", True, True), ("san2", "eth2", False, False)]


def test_a_card_with_a_network_of_its_own_is_left_out_and_an_unknown_iface_is_named():
    told = asked(host(), ways=[{"portals": [PORTAL], "ifaces": ["card", "san9"]}])
    assert [(path["iface"], path["why"]) for path in told["paths"]] == [("san9", "there is no iface 'san9'")]


def test_no_route_and_no_nic():
    runs = {
        f"ip -json route get {PORTAL}": {"rc": 2, "err": "RTNETLINK answers: Network is unreachable"},
        f"ip -json route get {PORTAL} oif eth9": {"rc": 1, "err": 'Cannot find device "eth9"'},
    }
    lost = ScriptedHost(FILES, runs, silent={f"{PORTAL}:3260": "Network is unreachable"})
    told = asked(lost, ways=[{"portals": [PORTAL]}, {"portals": [PORTAL], "nics": ["eth9"]}])
    assert {fault["text"] for fault in told["faults"]} == {
        "10.77.1.11:3260 cannot be reached from this host (Network is unreachable).",
        "10.77.1.11:3260 cannot be reached from 'eth9' (there is no network interface 'eth9').",
    }


@pytest.mark.parametrize("through", ["", "eth1"])
def test_a_portal_on_this_host_has_no_way_that_could_be_too_narrow(through):
    files = {"/sys/class/net/lo/mtu": "65536\n"}
    runs = {**route("10.77.1.12", "lo"), **route("10.77.1.12", "lo", through="eth1")}
    here = ScriptedHost({**FILES, **files}, runs, largest={"10.77.1.12": 1500})
    told = asked(here, ways=[{"portals": ["10.77.1.12"], "nics": [through] if through else []}])
    assert told["faults"] == []
    assert [(path["reachable"], path["largest"]) for path in told["paths"]] == [(True, None)]


def test_a_hundred_ways_are_looked_at_at_once():
    together = threading.Barrier(100)

    class Waiting(ScriptedHost):
        def unreachable(self, *_where, **_how):
            together.wait(20)
            return "timed out"

    portals = [f"{PORTAL}:{port}" for port in range(3260, 3360)]
    told = asked(Waiting(FILES, ROUTES), ways=[{"portals": portals}])
    assert len(told["paths"]) == 100


def test_what_is_narrow_for_one_address_is_tried_first_for_the_next():
    asked_sizes = []

    class Counting(ScriptedHost):
        def echo(self, address, size, nic="", seconds=1):
            asked_sizes.append(size)
            return super().echo(address, size, nic, seconds)

    assert largest(Counting(largest={PORTAL: 1500}), PORTAL, "", 9000, 1500) == 1500
    assert asked_sizes == [SMALL, *[9000] * 3, 1500, *[1501] * 3, *[9000] * 3]


@pytest.mark.parametrize("likely", [0, SMALL, 1299, 1300, 1301, 8999, 9000, 65520])
def test_the_largest_is_found_whatever_was_likely(likely):
    assert largest(host(largest={PORTAL: 1300}), PORTAL, "", 9000, likely) == 1300


def test_ways_that_the_time_does_not_suffice_for_are_named(monkeypatch):
    now = [0]

    class Slow(ScriptedHost):
        def unreachable(self, *_where, **_how):
            now[0] += 5
            return "timed out"

    monkeypatch.setattr(path, "AT_ONCE", 1)
    monkeypatch.setattr(path, "monotonic", lambda: now[0])
    portals = [f"{PORTAL}:{port}" for port in range(3260, 3270)]
    told = asked(Slow(FILES, ROUTES), ways=[{"portals": portals}], seconds=20)
    assert [one["portal"] for one in told["paths"]] == portals[:4]
    unreachable, late = told["faults"]
    assert (unreachable["kind"], unreachable["portals"]) == ("unreachable", portals[:4])
    assert (late["kind"], late["portals"], late["nic"]) == ("not_looked_at", portals[4:], "")
    assert late["text"] == (
        "After 20 seconds 6 of 10 ways to portals had not been looked at yet: to 10.77.1.11:3264, 10.77.1.11:3265, "
        "10.77.1.11:3266 and 3 more."
    )
    assert set(late) == set(unreachable)
    assert len(asked(Slow(FILES, ROUTES), ways=[{"portals": portals}])["paths"]) == 10


@pytest.mark.parametrize(
    "options, message",
    [
        ({"mtu": [{"nic": "eth1", "mtu": 99}]}, "The MTU of 'eth1' is 99"),
        ({"ways": [{"portals": ["10.77.1.300"]}]}, "is not a portal"),
        ({"ways": [{"portals": [PORTAL], "nics": ["a/b"]}]}, "'a/b' is not the name of a network interface"),
        ({"ways": [{"portals": [PORTAL], "ifaces": ["../x"]}]}, "is not the name of an iface"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    with pytest.raises(Problem, match=message):
        asked(host(), **options)
