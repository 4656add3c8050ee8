# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iSER on portals of LIO: set live, saved, brought back, and left as it is where nobody asks for it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.rdma import DEVICES
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import W
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_others import (
    TPG,
    A,
    document,
    host_of,
    planned,
    refused,
    session,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

HERE = f"{TPG}/np/192.0.2.1:3260"
RDMA = {f"{DEVICES}/mlx5_0/node_type": "1: CA\n"}
ADDRESSES = {
    "/proc/net/fib_trie": "Main:\n   |-- 192.0.2.1\n      /32 host LOCAL\n   |-- 192.0.2.2\n      /32 host LOCAL\n",
    "/proc/net/if_inet6": "20010db8000000000000000000000001 03 40 00 80     eth1\n",
}
SAVES = f"Save the configuration in '{SAVED}', so that it comes back after a boot"
ON = [{"portal": "192.0.2.1", "iser": True}]
OFF = [{"portal": "192.0.2.1", "iser": False}]


def host_with(iser=None, **files):
    """A host with an RDMA device, and a target with one portal; 'iser': what is saved of it."""
    entry = {"ip_address": "192.0.2.1", "port": 3260, **({} if iser is None else {"iser": iser})}
    return host_of(document(A, portals=[entry]), **{**RDMA, **ADDRESSES, **files})


def ran(host, **options):
    host.process += 1
    return killing.run(lambda: resources_of("target", {"name": W, **options}), host)


def target(host, **options):
    """The steps of the module target, and nothing to do in a second run."""
    first = ran(host, **options)
    assert not first.get("failed"), first
    assert ran(host, **options)["steps"] == []
    assert tell_targets(host, None)["drift"] == []
    return first["steps"]


def saved_portals(host):
    (group,) = json.loads(host.files[SAVED]["text"])["targets"][0]["tpgs"]
    return group["portals"]


def test_a_portal_speaks_iser_and_ends_it_again():
    host = host_with()
    assert target(host, portals=ON) == [f"Let the portal 192.0.2.1:3260 of '{W}' speak iSER too", SAVES]
    assert host.files[f"{HERE}/iser"] == "1\n"
    assert saved_portals(host) == [{"ip_address": "192.0.2.1", "port": 3260, "iser": True}]
    (told,) = tell_targets(host, None)["targets"]
    assert (told["portals"], told["iser"]) == (["192.0.2.1:3260"], ["192.0.2.1:3260"])
    assert target(host, portals=["192.0.2.1"]) == []
    assert target(host, alias="x")[-1] == SAVES
    assert host.files[f"{HERE}/iser"] == "1\n" and saved_portals(host)[0]["iser"] is True
    assert target(host, portals=OFF) == [
        f"Let the portal 192.0.2.1:3260 of '{W}' no longer speak iSER",
        SAVES,
    ]
    assert host.files[f"{HERE}/iser"] == "0\n" and saved_portals(host)[0]["iser"] is False


def test_a_new_portal_has_it_from_the_beginning():
    host = host_with(iser=False)
    new = {"portal": "[2001:0db8::1]:3261", "iser": True}
    steps = target(host, portals=["192.0.2.1", new, "192.0.2.2"])
    assert steps == [
        f"Let '{W}' listen on 192.0.2.2:3260",
        f"Let '{W}' listen on [2001:db8::1]:3261, with iSER too",
        SAVES,
    ]
    assert host.files[f"{TPG}/np/[2001:db8::1]:3261/iser"] == "1\n"
    assert saved_portals(host) == [
        {"ip_address": "192.0.2.1", "port": 3260, "iser": False},
        {"ip_address": "192.0.2.2", "port": 3260},
        {"ip_address": "[2001:db8::1]", "port": 3261, "iser": True},
    ]


@pytest.mark.parametrize("portal", ["192.0.2.1", "192.0.2.2"])
def test_where_the_kernel_refuses_the_portals_are_as_they_were(portal):
    host = host_with()
    before, saved = host.configfs(), host.files.get(SAVED)
    host.fails = "/iser"
    result = ran(host, portals=[{"portal": portal, "iser": True}])
    assert result["failed"]
    assert f"Let the portal {portal}:3260 of '{W}' speak iSER too" in result["msg"]
    assert "RDMA device" in result["msg"] and "ib_isert" in result["msg"]
    assert host.configfs() == before and host.files.get(SAVED) == saved


def test_without_a_device_it_is_refused_before_anything_is_done():
    host = host_of(document(A), **ADDRESSES)
    said = refused(host, "target", name=W, portals=ON)
    assert f"The portal 192.0.2.1:3260 of '{W}' cannot speak iSER: this host has no RDMA device." in said
    assert planned(host, "target", name=W, portals=OFF)[0] == []


def test_what_runs_is_kept_where_the_device_has_gone():
    host = host_with(iser=True)
    del host.files[f"{DEVICES}/mlx5_0/node_type"]
    assert target(host, portals=ON) == []
    assert target(host, portals=OFF)[0] == f"Let the portal 192.0.2.1:3260 of '{W}' no longer speak iSER"


def test_a_lost_portal_comes_back_with_it():
    host = host_with(iser=True)
    del host.files[f"{HERE}/iser"]
    steps, notes = planned(host, "target", name=W)
    assert steps == [f"Let '{W}' listen on 192.0.2.1:3260, with iSER too"]
    assert "portal 192.0.2.1:3260" in notes[0]
    assert target(host, alias="x")[-1] == SAVES
    assert host.files[f"{HERE}/iser"] == "1\n" and saved_portals(host)[0]["iser"] is True


@pytest.mark.parametrize("runs", [True, False])
def test_what_runs_otherwise_than_it_is_saved_is_drift_and_stays(runs):
    host = host_with(iser=not runs, **{f"{HERE}/iser": f"{int(runs)}\n"})
    how = ("with", "without") if runs else ("without", "with")
    drift = [f"The portal 192.0.2.1:3260 of '{W}' runs {how[0]} iSER and is saved {how[1]} it."]
    assert tell_targets(host, None)["drift"] == drift
    assert planned(host, "target", name=W, portals=["192.0.2.1"])[0] == []
    ran(host, alias="x")
    assert tell_targets(host, None)["drift"] == drift
    assert target(host, portals=ON if runs else OFF) == [SAVES]
    assert saved_portals(host)[0]["iser"] is runs


def test_nobody_who_may_use_it_is_cut_off():
    host = host_with(iser=True, **session())
    for options in ({"portals": OFF}, {"portals": ["192.0.2.2"], "purge": True}):
        said = refused(host, "target", name=W, **options)
        assert "Refused: " in said and "192.0.2.9" in said
    assert planned(host, "target", name=W, portals=OFF, force=True)[0][0].endswith("no longer speak iSER")
    quiet = host_with(**session())
    assert planned(quiet, "target", name=W, portals=ON)[0][0].endswith("speak iSER too")


def test_a_run_that_is_killed_is_finished_by_the_next_one():
    asked = {"name": W, "portals": [*ON, {"portal": "192.0.2.2", "iser": True}]}

    def resources():
        return resources_of("target", asked)

    ends = killing.points_of(resources, host_with(iser=False))
    assert len(ends) > 4
    for end in ends:
        host = host_with(iser=False)
        killing.healed(resources, host, end)
        assert [one["iser"] for one in saved_portals(host)] == [True, True]
        assert host.files[f"{HERE}/iser"] == host.files[f"{TPG}/np/192.0.2.2:3260/iser"] == "1\n"


@pytest.mark.parametrize(
    "entry",
    [
        {"iser": True},
        {"portal": "192.0.2.1", "iser": "maybe"},
        {"portal": "192.0.2.1", "isre": True},
        {"portal": "192.0.2.300"},
        ["192.0.2.1"],
        None,
    ],
)
def test_what_is_no_portal_is_refused(entry):
    assert "portal" in refused(host_with(), "target", name=W, portals=[entry])


def test_one_portal_is_not_asked_for_twice_over():
    assert "given twice" in refused(host_with(), "target", name=W, portals=["192.0.2.1:3260", *ON])
