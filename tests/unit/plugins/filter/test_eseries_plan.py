# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for an E-Series array, as data (tests/unit/plans/eseries/cases.yml); each plan is taken, and nothing is left to do."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.filter.array_luns import array_luns
from ansible_collections.lunworks.iscsi.plugins.filter.eseries_plan import eseries_plan
from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import san_faults
from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import size
from ansible_collections.lunworks.iscsi.tests.unit.eseries_double import ACCESS, IQN, NOBODY, Array

CASES = yaml.safe_load((Path(__file__).parents[2] / "plans/eseries/cases.yml").read_text())["cases"]


def array_of(has):
    """An array with what others, or an earlier run, made."""
    array = Array()
    named = {"everybody": NOBODY}
    for name, initiators in has.get("hosts", {}).items():
        named[name] = array.have_host(name, *map(initiator, initiators))["hostRef"]
    for name, hosts in has.get("groups", {}).items():
        named[name] = array.have_group(name)["clusterRef"]
        for host in hosts:
            array.move_host(named[host], {"group": named[name]})
    for name, given in has.get("volumes", {}).items():
        more = given if isinstance(given, dict) else {"capacity": given}
        array.have_volume(name, size(more["capacity"]))
        array.volumes[-1].update({**more, "capacity": str(size(more["capacity"]))})
    volumes = {**{one["name"]: one for one in array.volumes}, "access": {"volumeRef": ACCESS}}
    for volume, to, number in has.get("maps", []):
        array.have_map(volumes[volume], named[to], number)
    if has.get("chap"):
        array.change_target({"enableChapAuthentication": True, "chapSecret": "the first secret"})
    return array


def initiator(name):
    return f"iqn.2026-01.com.example:{name}"


def data_of(case):
    igroups = deepcopy(case.get("igroups", []))
    for group in igroups:
        if "initiators" in group:
            group["initiators"] = [initiator(name) for name in group["initiators"]]
    return [{"name": IQN, "luns": case.get("luns", []), "igroups": igroups, **case.get("target", {})}]


def take(array, data, options, watch=lambda: None):
    """What the tasks of the role do, in their order, on the array itself; after each task somebody may watch."""
    told = eseries_plan(data, array.graph(), **options)
    later = {**options, "send_chap": False}
    for kind in ("unmap", "remove_host", "remove_volume", "chap", "host", "volume", "grow"):
        for step in told["steps"][kind]:
            TAKEN[kind](array, step)
        watch()
    for kind in ("host_group", "map"):
        for step in eseries_plan(data, array.graph(), **later)["steps"][kind]:
            TAKEN[kind](array, step)
            watch()
    return eseries_plan(data, array.graph(), **later)


def named(things, name):
    return next((one["id"] for one in things if one["name"].lower() == name.lower()), None)


def take_host(array, step):
    ref = named(array.hosts, step["name"])
    kind = {"index": int(step["host_type"] or 28)}
    if ref is None:
        array.new_host({"name": step["name"], "hostType": kind, "ports": step["ports"]})
        return
    seen = next(one for one in array.hosts if one["id"] == ref)["hostSidePorts"]
    kept = {port["port"] for port in step["ports"]}
    known = {port["address"] for port in seen}
    body = {"portsToRemove": [one["id"] for one in seen if one["address"] not in kept], "hostType": kind}
    array.change_host(ref, {**body, "ports": [one for one in step["ports"] if one["port"] not in known]})


def take_group(array, step):
    ref = named(array.groups, step["name"])
    array.change_group(ref, step) if ref else array.new_group(step)


def take_map(array, step):
    to = named(array.hosts, step["to"]) or named(array.groups, step["to"])
    volume = named(array.volumes, step["volume"])
    found = [one["id"] for one in array.maps if one["volumeRef"] == volume]
    body = {"targetId": to, "lun": step["number"]}
    if found:
        array.move_map(found[0], body)
    else:
        array.new_map({**body, "mappableObjectId": volume})


def take_unmap(array, step):
    volume = named(array.volumes, step["volume"])
    array.remove_map(next(one["id"] for one in array.maps if one["volumeRef"] == volume))


def take_volume(array, step):
    body = {"name": step["name"], "poolId": named(array.pools, step["pool"]), "segSize": 128}
    array.new_volume({**body, "size": step["bytes"]})


TAKEN = {
    "unmap": take_unmap,
    "remove_host": lambda array, step: array.remove_host(named(array.hosts, step["name"])),
    "remove_volume": lambda array, step: array.remove_volume(named(array.volumes, step["name"])),
    "chap": lambda array, step: array.change_target(
        {"enableChapAuthentication": bool(step["secret"]), "chapSecret": step["secret"]}
    ),
    "host": take_host,
    "volume": take_volume,
    "grow": lambda array, step: array.expand_volume(step["id"], step["body"]),
    "host_group": take_group,
    "map": take_map,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_plan_is_that_of_the_case_and_leads_there(case):
    array, data, options = array_of(case.get("has", {})), data_of(case), case.get("options", {})
    told = eseries_plan(data, array.graph(), **options)
    if "refused" in case:
        assert [fault for fault in told["faults"] if case["refused"] in fault], told
        assert told["say"] == []
        return
    assert (told["faults"], told["say"]) == ([], case["say"])
    notes = case.get("notes", [])
    assert len(told["notes"]) == len(notes)
    assert all(said.startswith(note) for said, note in zip(told["notes"], notes)), told["notes"]
    assert "a secret of sixteen" not in str(told["say"])
    if case["say"]:
        after = take(array, data, options)
        assert (after["faults"], after["say"]) == ([], [])


def test_wwids_are_told_for_the_luns_that_are_there():
    array = array_of({"volumes": {"db0": "4g"}})
    told = eseries_plan(
        data_of({"luns": [{"name": "db0"}, {"name": "gone", "state": "absent"}]}), array.graph()
    )
    assert told["wwids"] == {IQN: {"db0": "3" + array.volumes[0]["worldWideName"].lower()}}


def test_without_an_answer_the_data_alone_is_checked():
    assert eseries_plan(data_of({}))["faults"] == []
    assert eseries_plan([])["say"] == []
    assert "has one target" in eseries_plan([*data_of({}), *data_of({})])["faults"][0]


def test_the_data_checks_refuse_before_contact_and_hosts_get_the_wwids():
    """A host may name a LUN by target and name, since the role tells its WWID; what the array cannot have is a fault."""
    luns = [{"name": "db0", "path": "/pool1/db0", "size": "4g"}]
    igroups = [{"name": "db-a", "initiators": ["a"], "luns": ["db0"]}]
    san = {
        "array": {
            "target_provider": "eseries",
            "target_targets": data_of({"luns": luns, "igroups": igroups}),
        },
        "db-a": {
            "initiator_name": initiator("a"),
            "initiator_nodes": [{"target": IQN}],
            "volume_groups": [{"name": "vg_db", "luns": [{"target": IQN, "name": "db0"}]}],
        },
    }
    assert san_faults(san) == []
    array = array_of({"volumes": {"db0": "4g"}})
    told = {"array": eseries_plan(san["array"]["target_targets"], array.graph())["wwids"]}
    wwid = "3" + array.volumes[0]["worldWideName"].lower()
    assert array_luns(san, "db-a", told)["volume_groups"] == [{"name": "vg_db", "luns": [{"wwid": wwid}]}]
    luns[0]["number"] = 31
    assert [fault for fault in san_faults(san) if "LUN 31 is kept for the array's own access volume" in fault]


def test_an_answer_that_is_none_is_a_fault():
    told = eseries_plan(data_of({}), {"errorMessage": "?"})
    assert "is not in the form of SANtricity's Web Services API" in told["faults"][0]


def test_random_data_on_random_arrays_touches_no_one_else_and_leads_there():
    """What others have (hosts, maps and volumes that no data names) is the same after every plan."""
    dice, taken = random.Random(15), 0
    for _number in range(200):
        array, data, options = random_array(dice), random_data(dice), random_options(dice)
        before = others(array)
        told = eseries_plan(data, array.graph(), **options)
        if told["faults"]:
            continue
        taken += 1
        after = take(array, data, options)
        assert (after["faults"], after["say"]) == ([], []), (data, options, told["say"])
        assert others(array) == before, (data, options, told["say"])
    assert taken > 40


def test_whoever_has_a_map_never_sees_what_the_default_host_group_has():
    dice, taken = random.Random(31), 0
    for _number in range(400):
        array, data, options = random_array(dice), random_data(dice), random_options(dice)
        array.have_volume("open", size("1g"))
        array.have_map(array.volumes[-1], NOBODY, 200)
        names = ["ha", "hb", "hc", "hd"]
        for group in data[0]["igroups"]:
            group["initiators"] = [initiator(names.pop(dice.randrange(len(names))))]
        told = eseries_plan(data, array.graph(), **options)
        if told["say"]:
            taken += 1
            take(array, data, options, watcher(array, (data, options, told["say"])))
    assert taken > 40


def watcher(array, what):
    """Whoever has a map now has one whenever this is called."""
    before = having(array)

    def watch():
        assert before <= having(array), what

    return watch


def having(array):
    """The initiators that have a map of their own."""
    reached = {one["mapRef"] for one in array.maps}
    hosts = [one for one in array.hosts if {one["hostRef"], one["clusterRef"]} & reached - {NOBODY}]
    return {port["address"] for host in hosts for port in host["hostSidePorts"]}


def others(array):
    names = {one["id"]: one["name"] for one in (*array.hosts, *array.groups, *array.volumes)}
    maps = [(names[one["volumeRef"]], names[one["mapRef"]], one["lun"]) for one in array.maps]
    return (
        [one for one in array.hosts if one["name"].startswith("esx")],
        sorted(one for one in maps if one[0].startswith("other") or one[1].startswith("esx")),
        [one["capacity"] for one in array.volumes if one["name"].startswith("other")],
    )


def random_array(dice):
    hosts = {name: [name] for name in ("ha", "hb", "hc", "esx") if dice.random() < 0.6}
    volumes = {name: dice.choice(["1g", "2g"]) for name in ("va", "vb", "other") if dice.random() < 0.6}
    groups = {"grp": dice.sample(sorted(hosts), min(2, len(hosts)))} if dice.random() < 0.4 else {}
    maps = [
        [name, dice.choice([*hosts, *groups]), number]
        for number, name in enumerate(volumes)
        if hosts and dice.random() < 0.6
    ]
    return array_of({"hosts": hosts, "groups": groups, "volumes": volumes, "maps": maps})


def random_data(dice):
    luns = [
        {"name": name, "path": f"/pool1/{name}", "size": dice.choice(["1g", "2g"]), "shared": True}
        if dice.random() < 0.8
        else {"name": name, "state": "absent"}
        for name in ("va", "vb")
        if dice.random() < 0.8
    ]
    there = [lun["name"] for lun in luns if lun.get("state") != "absent"]
    igroups = [
        {"name": name, "initiators": [name], "luns": [lun for lun in there if dice.random() < 0.5]}
        if dice.random() < 0.8
        else {"name": name, "state": "absent"}
        for name in ("ha", "hb", "hc")
        if dice.random() < 0.8
    ]
    return data_of({"luns": luns, "igroups": igroups})


def random_options(dice):
    return {name: dice.random() < 0.6 for name in ("purge", "force", "delete")}
