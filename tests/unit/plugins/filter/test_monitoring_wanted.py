# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.monitoring_wanted import monitoring_wanted
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of

A = "iqn.2026-01.com.example:a"
NODE = {"target": A, "portals": ["10.77.1.11", "[FD00::2]:3261"]}
LUN = {"target": A, "name": "db0"}


def test_sessions_are_portals_by_ifaces_each_once():
    nodes = [NODE, {**NODE, "ifaces": ["san1", "san2"]}, NODE]
    assert [tuple(one.values()) for one in monitoring_wanted(nodes)["sessions"]] == [
        (A, "10.77.1.11:3260", "default"),
        (A, "[fd00::2]:3261", "default"),
        (A, "10.77.1.11:3260", "san1"),
        (A, "10.77.1.11:3260", "san2"),
        (A, "[fd00::2]:3261", "san1"),
        (A, "[fd00::2]:3261", "san2"),
    ]


@pytest.mark.parametrize("left_out", [{"state": "absent"}, {"logged_in": False}])
def test_what_shall_not_be_logged_in_is_not_wanted(left_out):
    assert monitoring_wanted([{**NODE, **left_out}]) == {
        key: [] for key in ("sessions", "luns", "groups", "nics", "settings")
    }


def test_luns_are_found_by_the_serial_that_both_sides_derive_or_by_wwid():
    groups = [{"name": "vg_db", "luns": [LUN, {"wwid": "60014050E0247A1964592DA511314E2F", "paths": 4}]}]
    direct = [{**LUN, "name": "fs"}, {**LUN, "name": "old", "state": "absent"}]
    assert monitoring_wanted([], groups, direct, 2)["luns"] == [
        {"name": "db0", "serial": serial_of(A, "db0"), "paths": 2},
        {
            "name": "60014050E0247A1964592DA511314E2F",
            "wwid": "360014050e0247a1964592da511314e2f",
            "paths": 4,
        },
        {"name": "fs", "serial": serial_of(A, "fs"), "paths": 2},
    ]


def test_volumes_that_shall_be_active():
    volumes = [{"name": "data"}, {"name": "old", "state": "absent"}, {"name": "cold", "active": False}]
    groups = [{"name": "vg_db", "luns": [], "volumes": volumes}, {"name": "vg_raw", "luns": []}]
    assert monitoring_wanted([], groups)["groups"] == [
        {"name": "vg_db", "volumes": ["data"]},
        {"name": "vg_raw", "volumes": []},
    ]


@pytest.mark.parametrize(
    "given",
    [
        ([{"target": A}],),
        ([{"target": A, "portals": ["x y"]}],),
        ([], [{"name": "vg"}]),
        ([], [{"name": "vg", "luns": [{"target": A}]}]),
        ([], [{"name": "vg", "luns": [{"wwid": "3"}]}]),
        ([], [], [5]),
        ("x",),
    ],
)
def test_data_of_another_form(given):
    with pytest.raises(AnsibleFilterError, match="do not have the form that the roles document"):
        monitoring_wanted(*given)


def test_nics_that_must_have_an_mtu():
    mtu = [{"nic": "eth1", "mtu": "9000"}, {"nic": "eth2", "state": "absent"}]
    assert monitoring_wanted([], mtu=mtu)["nics"] == [{"nic": "eth1", "mtu": 9000}]


def test_settings_that_records_have_for_themselves():
    given = {"preset": "ontap", "settings": {"node.session.queue_depth": 64}}
    told = monitoring_wanted([{**NODE, **given}, {**NODE, "state": "absent", **given}])["settings"]
    assert told == [
        {
            "target": A,
            "names": [
                "node.conn[0].timeo.noop_out_interval",
                "node.conn[0].timeo.noop_out_timeout",
                "node.session.queue_depth",
                "node.session.timeo.replacement_timeout",
            ],
        }
    ]
