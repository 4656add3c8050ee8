# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery that cannot hurt, on real hosts."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    SECRET,
    each_refused,
    given,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import beats, refused, succeeded


@pytest.fixture(autouse=True)
def forgotten(compute, storage):
    """No discovery record is left, nor what it led to."""
    yield
    for portal in portals_of(storage):
        compute.run(f"iscsiadm -m discoverydb -t st -p {portal}:3260 -o delete", check=False)


def test_what_is_offered_is_recorded_and_what_is_recorded_keeps_its_settings(compute, storage):
    first, second = portals_of(storage)
    with given(storage, compute, target("old", storage, compute), target("new", storage, compute)):
        chap = {"user": "db", "secret": SECRET}
        old = {"target": f"{IQN}:old", "portals": [first], "startup": "automatic", "chap": chap}
        succeeded(compute, compute.module("nodes", nodes=[old]))
        result = beats(compute, "discovery", {"portals": [first]})
        ours = [f"{IQN}:old", f"{IQN}:new"]
        found = {
            (one["target"], one["portal"]) for one in result["state"]["targets"] if one["target"] in ours
        }
        assert found == {(name, f"{portal}:3260") for name in ours for portal in (first, second)}
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
        beats(compute, "discovery", {"portals": [first], "prune": True})
        assert records(compute, "goes") == {} and records(compute, "stays") != {}


def test_discovery_with_chap(compute, storage):
    first = portals_of(storage)[0]
    root = "/sys/kernel/config/target/iscsi/discovery_auth"
    with given(storage, compute, target("hidden", storage, compute)):
        storage.run(
            f"printf scout >{root}/userid; printf {SECRET} >{root}/password; echo 1 >{root}/enforce_discovery_auth"
        )
        try:
            refused(compute, "discovery", "rejects the CHAP user or secret", portals=[first])
            chap = {"user": "scout", "secret": SECRET}
            checked = compute.module("discovery", check=True, portals=[first], chap=chap)
            result = succeeded(compute, compute.module("discovery", portals=[first], chap=chap))
            assert checked["steps"] == result["steps"] and not checked["state"]["portals"][0]["known"]
            assert f"{IQN}:hidden" in [one["target"] for one in result["state"]["targets"]]
            assert not compute.module("discovery", portals=[first], chap=chap)["changed"]
            assert SECRET not in json.dumps([checked, result])
        finally:
            storage.run(
                f"echo 0 >{root}/enforce_discovery_auth; printf '\\n' >{root}/userid; printf '\\n' >{root}/password"
            )


def test_bad_input_is_refused(compute):
    cases = [
        ({"portals": ["10.77.1.250"]}, "does not answer (No route to host)"),
        ({"portals": ["10.77.1.256"]}, "is not a portal"),
        ({"portals": ["no-such-host.invalid"]}, "does not answer"),
    ]
    each_refused(compute, "discovery", cases)
