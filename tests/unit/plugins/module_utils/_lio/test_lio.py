# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LIO read from recorded hosts, planned over all pairs of small states, and saved without losing what others saved."""

from __future__ import annotations

import ast
import itertools
import json
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._chap import Chap
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs import (
    Keys,
    Running,
    look_running,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import ROOT
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.persistence import Saved, restore_order
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.plan import plan_serving
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.saveconfig import merged, saved_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.state import Serving
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.steps import backstore as lio_backstore
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.steps import lun as lio_lun
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.steps import remove as lio_remove
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.steps import target as lio_target
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.sockets import Sockets
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.backing import Backing
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.target import (
    Initiator,
    Lun,
    LunMap,
    Target,
    whole,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.way_back import bare
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT / "lio"
DB = "iqn.2026-01.com.example:store1.db"
FOREIGN = "iqn.2026-01.com.example:foreign"
A, B = "iqn.2026-01.com.example:db-a", "iqn.2026-01.com.example:db-b"
SUITES = ("bookworm", "trixie")


def recorded(suite):
    """A host with the configfs that was recorded from a real one."""
    files = {}
    for line in (FIXTURES / f"configfs-{suite}.txt").read_text().splitlines()[1:]:
        path, arrow, link = line.partition(" -> ")
        if arrow and " = " not in path:
            files[f"{ROOT}/{path}"] = {"link": link}
        elif " = " in line:
            path, _equals, text = line.partition(" = ")
            files[f"{ROOT}/{path}"] = ast.literal_eval(text)
        else:
            files[f"{ROOT}/{line.rstrip('/')}"] = {"kind": "directory"}
    return ScriptedHost(files)


def saved_by_rtslib(suite):
    return json.loads((FIXTURES / f"saveconfig-{suite}.json").read_text().partition("\n")[2])


@pytest.fixture(params=SUITES)
def suite(request):
    return request.param


def test_a_recorded_host_is_read_whole(suite):
    number = {"bookworm": 11, "trixie": 12}[suite]
    running = look_running(recorded(suite), Keys(attributes={DB: ["authentication"]}))
    found = running.targets[DB]
    assert found.enabled
    assert found.portals == {Portal(f"10.77.1.{number}"), Portal(f"fd77:1::{number}", 3261)}
    assert found.attributes == {"authentication": "1"}
    assert {lun.name: (lun.number, lun.path, lun.size) for lun in found.luns.values()} == {
        "db0": (0, "/srv/luns/db0.img", 128 << 20),
        "db1": (7, "/dev/vg_store/l0", None),
    }
    chap = Chap("db", Secret("very secret 123"), "store", Secret("another secret"))
    maps = {0: LunMap(0, 0), 1: LunMap(7, 1, True)}
    assert found.initiators == {A: Initiator("db", maps, chap), B: Initiator("db", maps, chap)}
    assert found.luns[7].backstore == f"block/{DB}:db1"


def test_what_others_made_is_read_in_the_same_words(suite):
    found = look_running(recorded(suite), Keys()).targets[FOREIGN]
    assert [(lun.name, lun.write_back) for lun in found.luns.values()] == [("plain", True)]
    assert found.initiators["iqn.2026-01.com.example:www"].igroup == "iqn.2026-01.com.example:www"
    assert found.initiators["iqn.2026-01.com.example:www"].chap is None


def test_who_is_logged_in_is_named():
    sessions = look_running(recorded("bookworm"), Keys()).sessions
    assert [(one.target, one.initiator, one.address) for one in sessions] == [(DB, A, "10.77.1.13")]


def test_what_runs_and_what_rtslib_saved_of_it_are_equal(suite):
    document = saved_by_rtslib(suite)
    kept = saved_targets(document)
    keys = Keys(
        attributes={name: target.attributes for name, target in kept.items()},
        parameters={name: target.parameters for name, target in kept.items()},
        backstores={lun.backstore: lun.attributes for one in kept.values() for lun in one.luns.values()},
    )
    running = look_running(recorded(suite), keys).targets
    assert running == kept
    assert merged(document, kept, running) == document, "saving what is saved changes nothing"


def test_merging_one_target_keeps_all_that_others_saved(suite):
    document = saved_by_rtslib(suite)
    kept = saved_targets(document)
    gone = merged(document, kept, {DB: None})
    assert [one["wwn"] for one in gone["targets"]] == [FOREIGN]
    assert [one["name"] for one in gone["storage_objects"]] == ["plain"]
    foreign = next(one for one in document["targets"] if one["wwn"] == FOREIGN)
    assert foreign in gone["targets"]
    back = merged(gone, {}, {DB: kept[DB]})
    assert saved_targets(back) == kept


def test_a_backstore_that_another_target_serves_stays_saved():
    document = saved_by_rtslib("bookworm")
    other = json.loads(json.dumps(next(one for one in document["targets"] if one["wwn"] == DB)))
    other["wwn"] = f"{DB}2"
    document["targets"].append(other)
    gone = merged(document, saved_targets(document), {DB: None})
    assert len(gone["storage_objects"]) == len(document["storage_objects"])


def test_the_restore_waits_for_devices_and_mounts():
    order = restore_order(saved_by_rtslib("bookworm"))
    assert "After=dev-vg_store-l0.device\n" in order
    assert "RequiresMountsFor=/srv/luns\n" in order
    escaped = restore_order({"storage_objects": [{"plugin": "block", "dev": "/dev/disk/by-id/dm-name-a+b"}]})
    assert "Wants=dev-disk-by\\x2did-dm\\x2dname\\x2da\\x2bb.device\n" in escaped


def test_what_a_half_restore_lost_is_part_of_the_whole():
    kept = saved_targets(saved_by_rtslib("bookworm"))[DB]
    lost = replace(
        kept,
        portals=frozenset(),
        luns={0: kept.luns[0]},
        initiators={A: replace(kept.initiators[A], luns={})},
    )
    assert whole(lost, kept) == kept
    assert whole(None, kept) == kept
    assert whole(kept, None) == kept


# -- The two laws, over all pairs of small states -------------------------------------------------------------------

CHAP = Chap("db", Secret("a secret of 18 b."))
X = Lun("x", 0, "/srv/x", "serial-x", size=1 << 20, backstore=f"fileio/{DB}:x")
Y = Lun("y", 1, "/dev/vg/y", "serial-y", backstore=f"block/{DB}:y")


def targets():
    for luns in (
        {},
        {0: X},
        {0: replace(X, size=2 << 20), 1: Y},
        {1: replace(X, number=1)},
        {1: Y},
        {0: replace(Y, number=0), 1: replace(X, number=1)},
        {0: X, 3: replace(X, number=3)},
    ):
        maps = {number: LunMap(number, number) for number in luns}
        protected = {number: replace(entry, read_only=True) for number, entry in maps.items()}
        for initiators in (
            {},
            {A: Initiator("g", maps)},
            {A: Initiator("h", protected, CHAP), B: Initiator("h", maps, CHAP)},
        ):
            yield Target(
                DB, True, frozenset({Portal("192.0.2.1")}), {"authentication": "0"}, {}, luns, initiators
            )
    yield Target(
        DB,
        False,
        frozenset({Portal("192.0.2.2")}),
        {"authentication": "1"},
        {},
        {0: replace(X, serial="z")},
    )
    for portals in ({Portal("192.0.2.1")}, {Portal("192.0.2.1"), Portal("192.0.2.2")}):
        for iser in ({Portal("192.0.2.1")}, portals):
            yield Target(DB, True, frozenset(portals), {"authentication": "0"}, iser=frozenset(iser))


def serving(target):
    luns = target.luns.values() if target else ()
    luns = list({lun.backstore: lun for lun in luns}.values())
    backstores = {lun.backstore: f"{lun.backstore.partition('/')[0]}_{at}/n" for at, lun in enumerate(luns)}
    document = merged({}, {}, {DB: target}) if target else {}
    return Serving(
        loaded=True,
        running=Running(
            {DB: target} if target else {}, backstores, stores={lun.backstore: lun for lun in luns}
        ),
        saved=Saved("/etc/target/saveconfig.json", document),
        backing={lun.path: Backing(lun.size or 1 << 20, (lun.path,)) for lun in luns},
        sockets=Sockets(),
        kept={DB: target} if target else {},
        rdma=True,
    )


def walked(target, steps):
    """What the steps make of a target, in a model that is as strict as configfs."""
    stores = {lun.backstore: lun for lun in target.luns.values()} if target else {}
    served = {number: lun.backstore for number, lun in target.luns.items()} if target else {}
    acls = {name: [one, dict(one.luns)] for name, one in target.initiators.items()} if target else {}
    portals = set(target.portals) if target else set()
    iser = set(target.iser) if target else set()
    state = target
    for step in map(bare, steps):
        if isinstance(step, lio_remove.RemoveTarget):
            state, served, acls, portals, iser = None, {}, {}, set(), set()
        elif isinstance(step, lio_backstore.RemoveBackstore):
            name = step.place.replace("_0/n", "").replace("_1/n", "")
            key = next(one for one in stores if one.startswith(f"{name}/"))
            assert key not in served.values(), "a backstore in use cannot go"
            del stores[key]
        elif isinstance(step, lio_backstore.MakeBackstore):
            assert step.lun.backstore not in stores
            stores[step.lun.backstore] = step.lun
        elif isinstance(step, lio_backstore.GrowBackstore):
            key = next(one for one, lun in stores.items() if lun.name == step.lun)
            stores[key] = replace(stores[key], size=step.size)
        elif isinstance(step, lio_target.MakeTarget):
            assert state is None
            state = Target(DB, False, attributes=step.attributes, parameters=step.parameters)
        elif isinstance(step, lio_target.SetTarget):
            state = replace(state, attributes={**state.attributes, step.key: step.value})
        elif isinstance(step, (lio_target.Enable, lio_target.Disable)):
            state = replace(state, enabled=isinstance(step, lio_target.Enable))
        elif isinstance(step, lio_target.AddPortal):
            portals.add(step.portal)
            iser |= {step.portal} if step.iser else set()
        elif isinstance(step, lio_target.SetIser):
            assert step.portal in portals and (step.portal in iser) != step.on
            iser ^= {step.portal}
        elif isinstance(step, lio_target.RemovePortal):
            portals.remove(step.portal)
            iser.discard(step.portal)
        elif isinstance(step, lio_lun.AddLun):
            key = next(one for one, lun in stores.items() if lun.name == step.lun)
            assert step.number not in served
            served[step.number] = key
        elif isinstance(step, lio_lun.RemoveLun):
            mapped = [entry.lun for _one, maps in acls.values() for entry in maps.values()]
            assert step.number not in mapped, "a mapped LUN cannot go"
            del served[step.number]
        elif isinstance(step, lio_target.AllowInitiator):
            acls[step.initiator] = [Initiator(step.initiator), {}]
        elif isinstance(step, lio_target.ForbidInitiator):
            assert not acls[step.initiator][1]
            del acls[step.initiator]
        elif isinstance(step, lio_target.SetIgroup):
            acls[step.initiator][0] = replace(acls[step.initiator][0], igroup=step.igroup)
        elif isinstance(step, lio_target.SetChap):
            acls[step.initiator][0] = replace(acls[step.initiator][0], chap=step.chap)
        elif isinstance(step, lio_target.MapLun):
            assert stores[served[step.tpg_number]].name == step.lun
            assert step.number not in acls[step.initiator][1]
            acls[step.initiator][1][step.number] = LunMap(step.tpg_number, step.number, step.read_only)
        elif isinstance(step, lio_target.UnmapLun):
            del acls[step.initiator][1][step.number]
        elif isinstance(step, lio_target.ProtectLun):
            old = acls[step.initiator][1][step.number]
            acls[step.initiator][1][step.number] = replace(old, read_only=step.read_only)
    if state is None:
        return None
    luns = {number: replace(stores[key], number=number) for number, key in served.items()}
    initiators = {name: replace(one, luns=maps) for name, (one, maps) in acls.items()}
    return replace(state, portals=frozenset(portals), iser=frozenset(iser), luns=luns, initiators=initiators)


@pytest.mark.parametrize("first, second", [(A, B), (B, A)])
def test_what_may_write_is_stopped_before_another_may_write_whatever_their_names_are(first, second):
    def opened(writer, reader):
        maps = {name: {0: LunMap(0, 0, name == reader)} for name in (writer, reader)}
        initiators = {name: Initiator(name, luns) for name, luns in maps.items()}
        return Target(DB, True, frozenset({Portal("192.0.2.1")}), {}, {}, {0: X}, initiators)

    steps = plan_serving(serving(opened(first, second)), serving(opened(second, first)))
    assert [
        (step.initiator, step.read_only) for step in steps if isinstance(step, lio_target.ProtectLun)
    ] == [(first, True), (second, False)]


def test_a_map_that_may_only_read_is_never_able_to_write():
    host = ScriptedHost()
    lio_target.MapLun(DB, 1, A, "x", 0, 0, True).take(host)
    base = f"/sys/kernel/config/target/iscsi/{DB}/tpgt_1"
    assert host.did == [
        f"mkdir {base}/acls/{A}/lun_0",
        f"poke {base}/attrib/prod_mode_write_protect '1'",
        f"symlink {base}/lun/lun_0 {base}/acls/{A}/lun_0/lunworks",
        f"poke {base}/acls/{A}/lun_0/write_protect '1'",
        f"poke {base}/attrib/prod_mode_write_protect '0'",
    ]


@pytest.mark.parametrize("target", [None, *targets()])
def test_a_host_that_is_as_wanted_has_nothing_to_do(target):
    assert plan_serving(serving(target), serving(target)) == []


@pytest.mark.parametrize("before, after", list(itertools.product([None, *targets()], repeat=2)))
def test_the_steps_lead_from_one_state_to_the_other(before, after):
    assert walked(before, plan_serving(serving(before), serving(after))) == after


# -- What target_info tells ------------------------------------------------------------------------------------------


def told(suite, change):
    document = saved_by_rtslib(suite)
    change(document)
    host = recorded(suite)
    host.files["/etc/target/saveconfig.json"] = json.dumps(document)
    for path in ("/srv/luns/db0.img", "/srv/luns/plain.img"):
        host.files[path] = {"size": 128 << 20}
    host.files["/dev/vg_store/l0"] = {"kind": "block"}
    host.files["/sys/class/block/l0/size"] = "32768"
    return tell_targets(host, None)


def group_of(document, name):
    return next(one for one in document["targets"] if one["wwn"] == name)["tpgs"][0]


def test_a_host_that_runs_what_is_saved_has_no_drift_and_tells_no_secret(suite):
    answer = told(suite, lambda document: None)
    assert answer["drift"] == []
    assert [target["name"] for target in answer["targets"]] == [FOREIGN, DB]
    assert answer["targets"][1]["luns"][1]["size"] == 16 << 20
    assert "very secret" not in str(answer) and "another secret" not in str(answer)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda document: document["targets"].clear(), f"The target '{DB}' is running but not saved."),
        (
            lambda document: group_of(document, DB)["portals"].append(
                {"ip_address": "192.0.2.9", "port": 3260}
            ),
            f"The portal '192.0.2.9:3260' of '{DB}' is saved but not running.",
        ),
        (
            lambda document: group_of(document, DB)["node_acls"].pop(),
            f"The initiator '{A}' of '{DB}' is running but not saved.",
        ),
        (
            lambda document: group_of(document, DB)["node_acls"][0].update(chap_password="a third secret"),
            "runs with a different igroup, map or CHAP than saved.",
        ),
        (
            lambda document: group_of(document, DB)["attributes"].update(login_timeout=7),
            f"'login_timeout' of '{DB}' is '15' and saved as '7'.",
        ),
        (
            lambda document: [one.update(wwn="0000-1111") for one in document["storage_objects"]],
            f"The LUN 'db0' of '{DB}' runs with a different serial than saved.",
        ),
    ],
)
def test_drift_is_said_in_a_sentence(change, sentence):
    drift = told("bookworm", change)["drift"]
    assert any(sentence.replace(A, who) in said for said in drift for who in (A, B)), drift
    assert "a third secret" not in str(drift)
