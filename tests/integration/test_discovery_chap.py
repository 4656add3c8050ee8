# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask a storage host for its targets, and under which name it serves them, on real kernels."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.by_discovery import offered
from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    OTHER,
    SECRET,
    given,
    initiator_of,
    portals_of,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded

SAVED = "/etc/rtslib-fb-target/saveconfig.json"
ONE_WAY = {"user": "scout", "secret": SECRET}
BOTH_WAYS = {**ONE_WAY, "mutual_user": "array", "mutual_secret": OTHER}
GENTOO = "iqn.2001-04.org.gentoo:iSCSI.test.disk1"


@pytest.fixture(autouse=True)
def open_again(compute, storage):
    """In the end everybody may ask, and nobody remembers whom."""
    yield
    succeeded(storage, storage.module("targets", targets=[], discovery_chap={"user": "", "secret": ""}))
    compute.run(f"iscsiadm -m discoverydb -t st -p {portals_of(storage)[0]} -o delete", check=False)


def test_who_asks_for_targets_proves_himself_one_way_and_both_ways(compute, storage):
    portal = portals_of(storage)[0]
    hidden = f"{IQN}:hidden"
    with given(storage, compute, target("hidden", storage, compute)):
        assert hidden in offered(compute, portal)
        ran = converges(storage, "targets", {"targets": [], "discovery_chap": ONE_WAY})
        assert ran["state"]["discovery_chap"] == {"user": "scout", "mutual_user": "", "enforced": True}
        assert offered(compute, portal) is None
        assert offered(compute, portal, username="scout", password=OTHER) is None
        assert hidden in offered(compute, portal, username="scout", password=SECRET)
        both = converges(storage, "targets", {"targets": [], "discovery_chap": BOTH_WAYS})
        proof = {"username": "scout", "password": SECRET, "username_in": "array"}
        assert hidden in offered(compute, portal, **proof, password_in=OTHER)
        assert offered(compute, portal, **proof, password_in="not the right secret") is None
        converges(storage, "targets", {"targets": [], "discovery_chap": {**ONE_WAY, "enforced": False}})
        assert hidden in offered(compute, portal)
        told = storage.module("target_info")
        assert told["drift"] == [] and told["discovery_chap"]["enforced"] is False
        said = json.dumps([ran, both, told])
        assert SECRET not in said and OTHER not in said
        converges(storage, "targets", {"targets": [], "discovery_chap": {"user": "", "secret": ""}})
        assert storage.module("target_info")["discovery_chap"] is None


def test_what_is_asked_at_discovery_comes_back_with_the_restore_and_rtslib_saves_the_same(compute, storage):
    with given(storage, compute, target("hidden", storage, compute)):
        options = {"targets": [], "discovery_chap": BOTH_WAYS}
        succeeded(storage, storage.module("targets", **options))
        root = "/sys/kernel/config/target/iscsi/discovery_auth"
        storage.run(f"targetctl clear; echo 0 >{root}/enforce_discovery_auth; printf NULL >{root}/password")
        storage.run(f"targetctl restore {SAVED}")
        assert storage.module("target_info")["drift"] == []
        assert succeeded(storage, storage.module("targets", **options))["steps"] == []
        storage.run("targetctl save")
        assert succeeded(storage, storage.module("targets", **options))["steps"] == []


def test_a_name_with_capitals_is_the_same_after_the_restore_and_is_logged_in_to(compute, storage):
    portal = portals_of(storage)[0]
    named = {**target("capitals", storage, compute, portals=[portal]), "name": GENTOO}
    with given(storage, compute, named):
        assert GENTOO.lower() in offered(compute, portal)
        storage.run(f"targetctl restore {SAVED}")
        assert GENTOO.lower() in offered(compute, portal)
        assert succeeded(storage, storage.module("targets", targets=[named]))["steps"] == []
        node = {"target": GENTOO, "portals": [portal], "logged_in": True}
        succeeded(compute, compute.module("nodes", nodes=[node]))
        told = compute.module("initiator_info")
        assert [one["target"] for one in told["sessions"]] == [GENTOO.lower()]
        assert told["name"] == initiator_of(compute)
