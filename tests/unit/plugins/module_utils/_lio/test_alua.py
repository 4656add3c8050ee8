# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALUA target port groups of LUNs: made, changed live, saved, brought back, and those of others left as they are."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import CORE
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import W
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_others import (
    TPG,
    A,
    F,
    document,
    host_of,
    planned,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

STORE = f"{CORE}/fileio_0/f"
GROUP = f"{STORE}/alua/far"
FAR = {"group": "far", "number": 7, "state": "standby", "access_type": "implicit", "preferred": False}
SAVED_FAR = {
    "name": "far",
    "tg_pt_gp_id": 7,
    "alua_access_state": 2,
    "alua_access_status": 0,
    "alua_access_type": 1,
    "alua_support_active_nonoptimized": 1,
    "alua_support_active_optimized": 1,
    "alua_support_offline": 1,
    "alua_support_standby": 1,
    "alua_support_transitioning": 1,
    "alua_support_unavailable": 1,
    "alua_write_metadata": 0,
    "implicit_trans_secs": 0,
    "nonop_delay_msecs": 100,
    "preferred": 0,
    "trans_delay_msecs": 0,
}


def lun(host, **options):
    """The result of the module lun on the LUN of the file, and nothing to do in a second run."""
    host.process += 1
    options = {"target": W, "name": "f", **options}
    first = killing.run(lambda: resources_of("lun", options), host)
    assert not first.get("failed"), first
    host.process += 1
    assert killing.run(lambda: resources_of("lun", options), host)["steps"] == []
    return first


def said(host, name):
    return host.read(f"{GROUP}/{name}").strip()


def saved(host):
    """The saved group and the LUN's name of it."""
    document_ = json.loads(host.read(SAVED))
    (store,) = document_["storage_objects"]
    (entry,) = document_["targets"][0]["tpgs"][0]["luns"]
    return store.get("alua_tpgs", []), entry.get("alua_tg_pt_gp_name")


def put(**more):
    """A host whose LUN has been put into a group."""
    host = host_of(document(F))
    lun(host, alua={**FAR, **more})
    return host


def test_a_lun_is_put_into_a_group_that_is_made_for_it_live_and_saved():
    host = host_of(document(F))
    told = lun(host, alua=FAR)
    assert told["steps"][0] == (
        f"Put the LUN 'f' of '{W}' into the ALUA group 'far' (number 7, standby, access type implicit)"
    )
    assert [said(host, name) for name in ("tg_pt_gp_id", "alua_access_state", "alua_access_type")] == [
        "7",
        "2",
        "Implicit",
    ]
    assert "far" in host.read(f"{TPG}/lun/lun_0/alua_tg_pt_gp")
    assert saved(host) == ([SAVED_FAR], "far")
    assert not [one for one in host.did if "rmdir" in one or "symlink" in one]
    (target,) = tell_targets(host, W)["targets"]
    assert target["luns"][0]["alua"] == FAR
    assert tell_targets(host, W)["drift"] == [] and not tell_targets(host, None)["unmanaged"]


@pytest.mark.parametrize(
    "begin, change",
    [
        ({}, {"state": "active_nonoptimized"}),
        ({}, {"preferred": True}),
        ({}, {"access_type": "both"}),
        ({"access_type": "explicit"}, {"state": "unavailable"}),
        ({"access_type": "none"}, {"state": "active_optimized", "access_type": "explicit"}),
        ({}, {"number": 8}),
    ],
)
def test_a_group_changes_live_and_what_is_not_said_stays(begin, change):
    host = put(**begin)
    lun(host, alua={"group": "far", **change})
    (target,) = tell_targets(host, W)["targets"]
    assert target["luns"][0]["alua"] == {**FAR, **begin, **change}
    assert tell_targets(host, W)["drift"] == []


def test_a_lun_leaves_its_group_for_another_one_or_for_none_and_an_empty_one_goes():
    host = put()
    lun(host, alua={"group": "near", "number": 3})
    assert host.stat(GROUP) is None and saved(host)[1] == "near"
    assert [one["name"] for one in saved(host)[0]] == ["near"]
    lun(host, alua={"group": "default_tg_pt_gp"})
    assert host.list(f"{STORE}/alua") == [] and saved(host) == ([], None)


def test_a_group_comes_back_with_its_lun_where_that_is_made_anew_or_was_lost():
    host = put()
    lun(host, attributes={"queue_depth": 64}, force=True)
    assert said(host, "alua_access_state") == "2" and host.read(f"{STORE}/attrib/queue_depth") == "64\n"
    lost = host_of(json.loads(host.read(SAVED)))
    for path in [
        path for path in lost.files if path.startswith((f"{STORE}/", f"{TPG}/lun/", f"{TPG}/acls/"))
    ]:
        del lost.files[path]
    lun(lost)
    assert lost.read(f"{STORE}/alua/far/tg_pt_gp_id") == "7\n"
    assert "far" in lost.read(f"{TPG}/lun/lun_0/alua_tg_pt_gp")


def test_a_lun_with_a_group_goes_with_it():
    host = put()
    lun(host, state="absent", force=True)
    assert host.stat(STORE) is None


def test_a_run_that_is_killed_anywhere_is_ended_by_the_next():
    def asked():
        return resources_of("lun", {"target": W, "name": "f", "alua": FAR})

    points = killing.points_of(asked, host_of(document(F)))
    assert len(points) > 5
    for point in points:
        host = host_of(document(F))
        killing.healed(asked, host, point)
        assert saved(host) == ([SAVED_FAR], "far") and said(host, "alua_access_state") == "2", host.did


@pytest.mark.parametrize(
    "strange",
    [
        {"nonop_delay_msecs": 5},
        {"alua_access_state": 4},
        {"alua_support_standby": 0},
        {"implicit_trans_secs": 9},
    ],
)
def test_a_group_with_settings_that_are_not_made_here_stays_as_it_is(strange):
    described = document({**F, "alua_tpgs": [{**SAVED_FAR, **strange}]})
    described["targets"][0]["tpgs"][0]["luns"][0]["alua_tg_pt_gp_name"] = "far"
    host = host_of(described)
    assert planned(host, "lun", target=W, name="f")[0] == []
    assert any("ALUA group 'far'" in one for one in tell_targets(host, None)["unmanaged"])


def test_a_group_that_the_lun_is_not_in_stays_beside_that_of_the_lun():
    host = host_of(document({**F, "alua_tpgs": [{**SAVED_FAR, "name": "other", "tg_pt_gp_id": 9}]}))
    lun(host, alua=FAR)
    assert host.stat(f"{STORE}/alua/other") is not None
    assert [one["name"] for one in saved(host)[0]] == ["other", "far"]


@pytest.mark.parametrize(
    "alua, why",
    [
        ({"group": "far"}, "give the number of that group"),
        ({"group": "far", "number": 0}, "must be 1 to 65535"),
        ({"group": "a b", "number": 1}, "is not a name for an ALUA group"),
    ],
)
def test_what_is_no_group_is_refused(alua, why):
    with pytest.raises(Problem, match=why):
        planned(host_of(document(F)), "lun", target=W, name="f", alua=alua)


@pytest.mark.parametrize("software", ["tgt", "iet", "netbsd"])
def test_other_storage_software_has_none(software):
    with pytest.raises(Problem, match="does not have that: it reports no target port groups"):
        planned(host_of(document(A)), "lun", provider=software, target=W, name="a", alua=FAR)
