# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALUA groups of LUNs on a real kernel: made, told to the host, changed live, saved, and there after a boot."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import IQN, given, target
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, settled, succeeded

NAME = f"{IQN}:alua"
FAR = {"group": "far", "number": 7, "state": "standby", "access_type": "implicit"}


def lun_of(storage):
    told = succeeded(storage, storage.module("target_info", name=NAME))
    assert told["drift"] == [] and not [one for one in told["unmanaged"] if "ALUA" in one]
    return told["targets"][0]["luns"][0]


def test_a_lun_is_in_the_group_that_is_asked_for_live_and_after_a_boot(lab, storage, compute):
    with given(storage, compute, target("alua", storage, compute)):
        lun = {"target": NAME, "name": "alua"}
        converges(storage, "lun", {**lun, "alua": FAR})
        assert lun_of(storage)["alua"] == {**FAR, "preferred": False}
        converges(
            storage,
            "lun",
            {**lun, "alua": {"group": "far", "state": "active_nonoptimized", "preferred": True}},
        )
        converges(storage, "lun", {**lun, "alua": {"group": "far", "access_type": "explicit"}})
        converges(storage, "lun", {**lun, "alua": {"group": "far", "state": "active_optimized", "number": 9}})
        wanted = {
            "group": "far",
            "number": 9,
            "state": "active_optimized",
            "access_type": "explicit",
            "preferred": True,
        }
        assert lun_of(storage)["alua"] == wanted
        lab.power_cut(storage)
        lab.boot(storage)
        settled(storage, "systemctl is-active rtslib-fb-targetctl.service", 120)
        assert lun_of(storage)["alua"] == wanted
        converges(storage, "lun", {**lun, "alua": {"group": "default_tg_pt_gp"}})
        assert "alua" not in lun_of(storage)


@pytest.mark.parametrize(
    "state, said", [("active_nonoptimized", "active/non optimized"), ("standby", "standby")]
)
def test_a_host_is_told_the_state_of_its_paths(storage, compute, state, said):
    with given(storage, compute, target("aluah", storage, compute)):
        name = f"{IQN}:aluah"
        group = {"group": "g", "number": 3, "state": state}
        succeeded(storage, storage.module("lun", target=name, name="aluah", alua=group))
        node = {"target": name, "portals": [storage.address("san1")], "logged_in": True}
        succeeded(compute, compute.module("nodes", nodes=[node]))
        disk = f"/dev/disk/by-path/ip-{storage.address('san1')}:3260-iscsi-{name}-lun-0"
        settled(compute, f"test -b {disk}", 30)
        told = compute.run(f"sg_rtpg --decode {disk}").out
        assert "group id : 0x3" in told and said in told
