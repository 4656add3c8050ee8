# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Right data that is changed in one place: found, with its host and its place, in one short sentence without secrets."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.parsers import parsed
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.read import CLOSED
from ansible_collections.lunworks.iscsi.tests.unit.inventories import (
    CHAP,
    GROUPS,
    IQN,
    ROOT,
    SAN,
    faults_in,
    san,
)

MISTAKES = yaml.safe_load((ROOT / "tests/unit/mistakes.yml").read_text())
LONGEST = 500
# What may hold any text, and what only a host knows: keywords of multipath, a LUN of an alias, arguments of mkfs.
ANYTHING = {"alias", "label", "user", "lun", "filesystem_options", "initiator_alias", "tags"}
ANYTHING |= {
    "multipath_fallbacks",
    "multipath_devices",
    "multipath_aliases",
    "initiator_secrets",
    "target_discovery_chap",
}


def places(value, path=()):
    """Every place in the data, and what stands there."""
    if len(path) > 1:
        yield path, value
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def around(data, path):
    for key in path[:-1]:
        data = data[key]
    return data


def misspelled(data, path):
    """A letter is missing, or doubled in a short word."""
    parent, key = around(data, path), path[-1]
    parent[key[:-2] + key[-1] if len(key) > 3 else key + key[-1]] = parent.pop(key)


def of_another_type(data, path):
    around(data, path)[path[-1]] = "a text"


def of_no_such_value(data, path):
    around(data, path)[path[-1]] = "no such / value"


def left_out(data, path):
    del around(data, path)[path[-1]]


def twice(data, path):
    entries = around(data, path)[path[-1]]
    entries.append(entries[0])


REQUIRED = {
    "name": ("luns", "igroups", "volumes", "volume_groups", "initiator_ifaces"),
    "luns": ("volume_groups",),
}
UNIQUE = {
    "target_targets",
    "luns",
    "igroups",
    "initiators",
    "initiator_ifaces",
    "volumes",
    "volume_groups",
    "volume_filesystems",
}


def changes():
    """Every such change of the SAN that makes it wrong."""
    for path, value in places(SAN):
        key, free = path[-1], ANYTHING & set(path)
        named = isinstance(key, str) and not {"settings", "attributes", "parameters"} & set(path[:-1])
        if named and not free - {key}:
            yield path, misspelled
        if isinstance(value, (dict, list)) and not free - {key}:
            yield path, of_another_type
        if (
            not isinstance(value, (dict, list))
            and not free
            and not {"secret", "mutual_user", "mutual_secret"} & {key}
        ):
            yield path, of_no_such_value
        if key in REQUIRED and len(path) > 2 and path[-3] in REQUIRED[key]:
            yield path, left_out
        if key in UNIQUE and value:
            yield path, twice


CHANGES = [
    pytest.param(path, change, id=f"{'.'.join(map(str, path))} {change.__name__}")
    for path, change in changes()
]


def test_there_are_many():
    assert len(CHANGES) >= 200
    assert {change.values[1] for change in CHANGES} == {
        misspelled,
        of_another_type,
        of_no_such_value,
        left_out,
        twice,
    }


@pytest.mark.parametrize("path, change", CHANGES)
def test_one_wrong_thing_is_found_at_its_place(path, change):
    data = san()
    change(data, path)
    found = faults_in(data)
    assert found
    for said in found:
        assert path[0] in said and len(said) <= LONGEST
        assert "Error" not in said and not any(
            secret in said for secret in (CHAP["secret"], CHAP["mutual_secret"])
        )
    alone = [said for said in found if said.startswith(f"{path[0]}: ")]
    # A name that fits to nothing any more is the fault of two hosts; all else is said with its place.
    assert all(str(path[1])[:-3] in said for said in alone)
    assert alone or change in (of_no_such_value, twice)


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=[f"{one['at']} {one.get('has') or one['lacks']}" for one in MISTAKES]
)
def test_one_mistake_is_one_sentence(mistake):
    data = san()
    there = data
    for key in mistake["at"].split("."):
        there = there[int(key) if key.isdigit() else key]
    there.update(mistake.get("has", {}))
    there.pop(mistake.get("lacks"), None)
    assert mistake["said"] in faults_in(data)
    assert len(faults_in(data)) == 1


def test_a_volume_group_on_the_wrong_host_is_named_with_that_host():
    data = san()
    data["db-b"]["volume_groups"].append(data["db-a"]["volume_groups"].pop())
    assert [said.partition(" for ")[0] for said in faults_in(data)] == [
        f"'db-b' wants the LUN 'db0' of '{IQN}:store1.db'",
        f"'db-b' wants the LUN 'db1' of '{IQN}:store1.db'",
    ]


def test_all_mistakes_are_said_at_once():
    data = san()
    data["db-a"]["volume_groups"][0]["volumes"][0]["filesystem"] = "xsf"
    data["store1"]["target_targets"][0]["luns"][0]["size"] = "big"
    data["db-b"]["initiator_node"] = []
    assert [said.partition(":")[0] for said in faults_in(data)] == ["store1", "db-a", "db-b"]


def test_a_value_beside_a_secret_is_not_shown():
    """What stands at the wrong option may be the secret of the right one."""
    for place in ("target_discovery_chap", "chap"):
        data, pasted = san(), "a secret at the wrong place"
        if place == "chap":
            data["store1"]["target_targets"][0]["igroups"][0]["chap"]["user"] = [pasted]
        else:
            data["store1"][place]["enforced"] = pasted
        found = " ".join(faults_in(data))
        assert place in found and "must be" in found and pasted not in found


SCOUT = {"user": "scout", "secret": "a scouts secret"}
ASKS = "'db-b' asks 'store2' for its targets at '10.77.1.12'"
OTHER = "than its target_discovery_chap has. Give both the same."
BEGINS = "discovery.sendtargets.auth"


@pytest.mark.parametrize(
    "proof, said",
    [
        ({"chap": SCOUT}, ""),
        ({"chap": {**SCOUT, "secret": "b scouts secret"}}, f"{ASKS} with another CHAP secret {OTHER}"),
        ({"chap": {**SCOUT, "user": "x"}}, f"{ASKS} with another CHAP user {OTHER}"),
        (
            {"chap": {**SCOUT, "mutual_user": "store", "mutual_secret": "the targets secret"}},
            f"{ASKS} with another CHAP mutual_user and mutual_secret {OTHER}",
        ),
        ({"chap": {"user": "", "secret": ""}}, f"{ASKS} without CHAP, which"),
        ({}, f"{ASKS} without CHAP, which target_discovery_chap requires there."),
        ({"portals": ["store2.example.com", "10.77.9.12", "10.77.1.12:3261"]}, ""),
        ({"type": "isns"}, ""),
        ({"type": "firmware", "portals": []}, ""),
        ({"state": "absent"}, ""),
    ],
)
def test_a_host_that_asks_with_other_credentials_than_the_storage_host_wants_is_named(proof, said):
    data = san()
    data["store2"]["target_discovery_chap"] = SCOUT
    data["db-b"]["initiator_discovery"][0] = {"portals": ["10.77.1.12"], **proof}
    found = faults_in(data)
    assert len(found) == bool(said) and all(one.startswith(said) for one in found)
    assert "a scouts secret" not in "".join(found) and "b scouts" not in "".join(found)


def test_a_host_need_not_ask_a_portal_to_prove_itself():
    data = san()
    mutual = {"mutual_user": "store", "mutual_secret": "the targets secret"}
    data["store2"]["target_discovery_chap"] = {**SCOUT, **mutual}
    data["db-b"]["initiator_discovery"][0] = {"portals": ["10.77.1.12"], "chap": SCOUT}
    assert faults_in(data) == []
    data["db-b"]["initiator_discovery"][0]["chap"] = {**SCOUT, **mutual, "mutual_user": "other"}
    assert faults_in(data) == [f"{ASKS} with another CHAP mutual_user {OTHER}"]


@pytest.mark.parametrize("secret, wrong", [("a scouts secret", False), ("b scouts secret", True)])
def test_a_discovery_without_its_own_credentials_has_those_of_iscsid_conf(secret, wrong):
    data = san()
    data["store2"]["target_discovery_chap"] = SCOUT
    data["db-b"]["initiator_settings"] = {f"{BEGINS}.username": "scout"}
    data["db-b"]["initiator_secrets"] = {f"{BEGINS}.password": secret}
    assert faults_in(data) == ([f"{ASKS} with another CHAP secret {OTHER}"] if wrong else [])
    data["db-b"]["initiator_secrets"][f"{BEGINS}.password"] = "short"
    assert faults_in(data) == [f"{ASKS} with another CHAP secret {OTHER}"]
    data["db-b"]["initiator_secrets"][f"{BEGINS}.password"] = CLOSED
    assert faults_in(data) == []


def test_who_is_not_asked_for_chap_needs_none_and_an_address_of_two_hosts_says_nothing():
    data = san()
    data["store2"]["target_discovery_chap"] = {**SCOUT, "enforced": False}
    data["store2"]["target_provider"] = "lio"
    assert faults_in(data) == []
    data["store2"]["target_discovery_chap"]["enforced"] = True
    assert [said.startswith(f"{ASKS} without CHAP") for said in faults_in(data)] == [True]
    data["store2"]["target_targets"][0]["portals"] = ["0.0.0.0"]
    assert faults_in(data) == []
    data["store2"]["target_targets"][0]["portals"] = ["10.77.1.12", "10.77.2.12"]
    data["store1"]["target_targets"][0]["portals"] += ["10.77.1.12"]
    assert faults_in(data) == []


@pytest.mark.parametrize("software", ["tgt", "lio"])
def test_a_user_of_discovery_and_of_a_target_is_one_too_many_for_tgt(software):
    data = san()
    chap = {"user": "scout", "secret": "the hosts secret"}
    data["store2"].update(target_provider=software, target_discovery_chap=SCOUT)
    data["store2"]["target_targets"][0]["igroups"][0]["chap"] = chap
    data["db-b"]["initiator_nodes"][0]["chap"] = chap
    data["db-b"]["initiator_discovery"][0]["chap"] = SCOUT
    wrong = (
        "store2: target_discovery_chap: has a user that the chap of the igroup 'db-b' has too, and tgt has one secret for a "
        "user. Use another user for one of them"
    )
    assert faults_in(data) == ([wrong] if software == "tgt" else [])


@pytest.mark.parametrize(
    "path, software, found",
    [
        ("/dev/sdb", "lio", True),
        ("/dev/nvme0n1p2", "tgt", True),
        ("/dev/md127", "iet", True),
        ("/dev/rsd1d", "netbsd", False),
        ("/vol/sdb", "ontap", False),
        ("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "lio", False),
        ("/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "lio", False),
        ("/dev/vg_store/db0", "tgt", False),
        ("/dev/mapper/vg_store-db0", "lio", False),
        ("{{ device }}", "lio", False),
    ],
)
def test_a_device_must_have_a_name_that_stays(path, software, found):
    luns = [{"name": "a", "path": path}, {"name": "b", "path": "/dev/sdz", "state": "absent"}]
    values = {"target_provider": software, "target_targets": [{"name": f"{IQN}:x", "luns": luns}]}
    said = [(where, why) for where, why in parsed(values) if "after the next boot" in why]
    assert [where for where, _why in said] == [("target_targets", 0, "luns", 0, "path")] * found


def test_an_alias_may_be_of_a_lun_of_another_host_or_of_another_inventory():
    data = san()
    data["db-b"]["multipath_aliases"] = [
        {"target": f"{IQN}:store1.db", "lun": "db0", "alias": "db0"},
        {"target": "iqn.1984-05.com.dell:powervault.6001", "lun": "log", "alias": "log"},
        {"target": f"{IQN}:store3.db", "lun": "db0", "alias": "db3"},
        {"target": f"{IQN}:store1.db", "lun": "gone", "state": "absent"},
        {"wwid": "36001405aaaaaaaaaaaaaaaaaaaaaaaaa", "alias": "x"},
        {"target": "{{ somewhere }}", "lun": "x", "alias": "y"},
        "{{ another }}",
    ]
    assert faults_in(data) == []
    del data["db-b"]["initiator_discovery"]
    assert faults_in(data) == []
    data["db-b"]["multipath_aliases"][2]["target"] = f"{IQN}:stroe1.db"
    assert [said.partition(":")[0] for said in faults_in(data)] == ["db-b"]


QUOTED = re.compile(r"'([^' ]{3,})'")


def test_a_place_is_told_once():
    """The names that a message has in its place are not in what is said of it, but where one of two things is meant."""
    both = ("is requested for", "is used by")
    for path, change in changes():
        data = san()
        change(data, path)
        for said in faults_in(data):
            place, _colon, rest = said.partition("': ")
            names = set(QUOTED.findall(f"{place}'")) if rest and not said.startswith("'") else set()
            told = names & set(QUOTED.findall(rest))
            assert not told or any(one in said for one in both) or "must be" in rest, said


def test_what_many_hosts_have_from_one_place_is_one_mistake():
    hosts = {f"db-{number}": {"initiator_preset": "multpath"} for number in range(9)}
    assert faults_in(hosts, {"all": list(hosts), "compute": list(hosts)}) == [
        "db-0, db-1, db-2 and 6 more: initiator_preset: must be one of multipath, direct, root_on_iscsi, md3000i, ontap, not "
        "'multpath'; did you mean 'multipath'?"
    ]


def test_a_group_whose_name_nobody_knows_is_named():
    groups = {**GROUPS, "computes": GROUPS["compute"]}
    del groups["compute"]
    assert faults_in(san(), groups) == [
        "db-a: host_storage_paths: the group 'computes' means nothing here, so nobody reads it; did you mean 'compute'?",
        "db-b: initiator_discovery: the group 'computes' means nothing here, so nobody reads it; did you mean 'compute'?",
    ]
    assert faults_in({"db-a": SAN["db-a"]}, {"all": ["db-a"], "databases": ["db-a"]}) == [
        "db-a: host_storage_paths: no host is in the group 'compute', so nobody reads it"
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"target_env": "prod"},
        {"volume_type": "ssd"},
        {"lab_addresses": {"san1": "10.77.1.11"}},
        {"initiator_networks": ["10.77.1"], "san": "{{ initiator_networks }}"},
        {"targets": ["web", "db"]},
        {"monitoring_server": "mon1", "initiator_team": "san", "multipath_vendor": "DELL"},
        {
            "ontap_cluster": "c1",
            "eseries_site": "b",
            "host_storage_owner": "me",
            "multipath_no_path_retry": 12,
        },
        {"filesystems": [{"name": "f", "mount": "/x"}], "volume_mounts": [], "target_host": "x"},
        {"targets": [{"name": "a", "portals": ["x"]}]},
        {
            "volume_filesystem_type": "xfs",
            "initiator_group": "x",
            "target_port": 3260,
            "volume_group_name": "vg",
        },
        {"nodes": [{"hostname": "a", "rack": 1}]},
    ],
)
def test_variables_of_others_are_left_alone(variables):
    data = san()
    data["db-a"].update(variables)
    assert faults_in(data) == []
