# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import clashes, san_faults
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio

DB = "iqn.2026-01.com.example:store1.db"
A, B = "iqn.2026-01.com.example:db-a", "iqn.2026-01.com.example:db-b"


def san():
    return deepcopy(
        {
            "store1": {
                "target_targets": [
                    {
                        "name": DB,
                        "portals": ["10.77.1.11", "10.77.2.11"],
                        "luns": [{"name": "db0", "path": "/srv/db0"}, {"name": "db1", "path": "/srv/db1"}],
                        "igroups": [{"name": "a", "initiators": [A], "luns": ["db0", {"name": "db1"}]}],
                    }
                ]
            },
            "a": {
                "initiator_name": A,
                "initiator_nodes": [{"target": DB, "portals": ["10.77.1.11", "10.77.2.11:3260"]}],
                "volume_groups": [
                    {
                        "name": "vg",
                        "luns": [{"target": DB, "name": "db0"}, {"target": DB, "name": "db1"}],
                        "volumes": [{"name": "lv", "mount": "/srv/db"}],
                    }
                ],
            },
            "b": {"initiator_name": B, "initiator_nodes": [{"target": DB}]},
        }
    )


def test_a_host_that_lists_its_targets_must_list_those_that_it_waits_for():
    def misspelled(data):
        data["a"]["initiator_nodes"][0]["target"] = DB + "x"

    faults = faults_after(misspelled)
    assert faults == [
        f"'a' wants the LUNs 'db0' and 'db1' of '{DB}' for the volume group 'vg', but none of its initiator_nodes is that "
        f"target, so it never logs in there. Is '{DB}x' meant?"
    ]


def test_a_host_may_have_found_its_targets_by_a_discovery():
    def discovered(data):
        del data["a"]["initiator_nodes"]
        data["a"]["initiator_discovery"] = [{"type": "firmware"}]

    assert faults_after(discovered) == []


@pytest.mark.parametrize("luns", ["by their names", "by their WWIDs"])
def test_a_host_that_lists_no_targets_gets_no_disks(luns):
    def nowhere(data):
        data["a"]["initiator_nodes"] = []
        if luns == "by their WWIDs":
            data["a"]["volume_groups"][0]["luns"] = [
                {"wwid": wwid_of_lio(serial_of(DB, lun))} for lun in ("db0", "db1")
            ]

    assert faults_after(nowhere) == [
        f"'a' wants the LUNs 'db0' and 'db1' of '{DB}' for the volume group 'vg', but it has no initiator_nodes, so it never "
        "logs in there. Add it to them (or to initiator_discovery what finds it; type: firmware where the firmware logs in)."
    ]


# ---- targets that nobody has ----

TYPO = DB.replace("store1.db", "store1.bd")


def wanted_from(target, listed=DB):
    """A host that wants LUNs of one target and lists another."""

    def change(data):
        data["a"]["volume_groups"][0]["luns"] = [{"target": target, "name": one} for one in ("db0", "db1")]
        data["a"]["initiator_nodes"] = [{"target": listed, "portals": ["10.77.1.11"]}] if listed else []

    return change


def test_a_misspelled_target_of_luns_is_named_with_the_one_that_is_meant():
    assert faults_after(wanted_from(TYPO)) == [
        f"'a' wants the LUNs 'db0' and 'db1' of '{TYPO}' for the volume group 'vg', but no storage host of the inventory has "
        f"that target, and none of its initiator_nodes is that target, so it never logs in there. Is '{DB}' meant?"
    ]


def test_a_misspelled_target_of_a_file_system_is_named():
    data = direct()
    data["b"]["volume_filesystems"][0]["target"] = TYPO
    (said,) = san_faults(data)
    assert f"'b' wants the LUN 'plain' of '{TYPO}' for the file system on '/srv/b'" in said
    assert said.endswith(f"Is '{DB}' meant?")


@pytest.mark.parametrize("listed", [TYPO, ""])
def test_a_target_that_is_misspelled_everywhere_is_named_where_a_like_one_gives_luns_to_the_host(listed):
    assert faults_after(wanted_from(TYPO, listed)) == [
        f"'a' names the target '{TYPO}', which no storage host of the inventory has. Is '{DB}' meant? Its igroup 'a' gives LUNs "
        "to this host, whose data does not name it."
    ]


def test_a_target_of_another_array_whose_name_has_another_number_is_not_misspelled():
    other = DB.replace("db", "db2") if "db" in DB else f"{DB}2"
    assert faults_after(wanted_from(other, other)) == []


def test_a_target_that_only_the_nodes_misspell_is_named():
    def only_listed(data):
        wanted_from(TYPO, TYPO)(data)
        del data["a"]["volume_groups"]

    (said,) = faults_after(only_listed)
    assert f"'a' names the target '{TYPO}'" in said and f"Is '{DB}' meant?" in said


def another_array(data):
    """A host with LUNs of two arrays with names alike, of which the inventory has one."""
    data["a"]["initiator_nodes"].append({"target": TYPO, "portals": ["10.77.1.12"]})
    data["a"]["volume_groups"].append({"name": "vg2", "luns": [{"target": TYPO, "name": "x"}]})


def storage_in_another_inventory(data):
    del data["store1"]


def not_listed_and_without_storage(data):
    del data["store1"]
    data["a"]["initiator_nodes"] = [{"target": "iqn.1984-05.com.dell:powervault.6001"}]


def an_array_that_gives_nothing_to_the_host(data):
    wanted_from(TYPO, TYPO)(data)
    data["store1"]["target_targets"][0]["igroups"] = []


@pytest.mark.parametrize(
    "change",
    [
        another_array,
        storage_in_another_inventory,
        not_listed_and_without_storage,
        an_array_that_gives_nothing_to_the_host,
    ],
)
def test_a_target_of_which_the_inventory_knows_nothing_is_not_judged(change):
    assert faults_after(change) == []


def test_a_misspelled_lun_is_named_with_the_one_that_is_meant():
    def misspelled(data):
        data["a"]["volume_groups"][0]["luns"][0]["name"] = "dbO"

    (said,) = faults_after(misspelled)
    assert said.endswith("'store1' declares no such LUN (it has 'db0' and 'db1'). Is 'db1' meant?")


def test_it_is_known_where_each_part_of_a_fault_stands():
    def places_after(change):
        data = san()
        change(data)
        return [clash.places for clash in clashes(data)]

    first = ("target_targets", 0)
    assert places_after(twin_names) == [(("a", ("initiator_name",)), ("b", ("initiator_name",)))]
    assert places_after(twin_serials) == [(("store1", (*first, "luns", 0)), ("store1", (*first, "luns", 1)))]
    assert places_after(one_lun_in_two_igroups) == [
        (("store1", (*first, "igroups", 0)), ("store1", (*first, "igroups", 1)))
    ]
    assert places_after(an_igroup_of_a_lun_that_nobody_has) == [
        (("store1", (*first, "igroups", 0, "luns", 2)),)
    ]
    assert places_after(a_portal_that_is_not_served) == [(("a", ("initiator_nodes", 0, "portals", 2)),)]
    assert places_after(twice_the_same_mount) == [
        tuple(("a", ("volume_groups", 0, "volumes", number, "mount")) for number in (0, 1))
    ]
    wanted = ("volume_groups", 0, "luns")
    assert places_after(wanted_from(TYPO, TYPO)) == [
        (("a", (*wanted, 0)), ("a", (*wanted, 1)), ("a", ("initiator_nodes", 0, "target")))
    ]


def test_a_lun_that_an_igroup_loses_may_be_given_to_another():
    def handed_over(data):
        store = data["store1"]["target_targets"][0]
        store["igroups"][0]["luns"] = [{"name": "db0", "state": "absent"}, "db1"]
        store["igroups"].append({"name": "b", "initiators": [B], "luns": ["db0"]})

    (fault,) = faults_after(handed_over)
    assert f"wants the LUN 'db0' of '{DB}'" in fault and "no igroup gives it" in fault


def test_a_sound_san_has_no_faults():
    assert san_faults(san()) == []


def faults_after(change):
    data = san()
    change(data)
    return san_faults(data)


def twin_names(data):
    data["b"]["initiator_name"] = A.upper()


def a_name_that_an_iface_of_another_host_gives(data):
    data["b"]["initiator_ifaces"] = [{"name": "san1", "initiator_name": A}, {"name": "san2"}]


def twin_targets(data):
    data["store2"] = {"target_targets": [{"name": DB}]}
    del data["a"]["volume_groups"], data["a"]["initiator_nodes"]


def twin_targets_in_two_spellings(data):
    data["store2"] = {"target_targets": [{"name": DB.replace("store1", "STORE1")}]}
    del data["a"]["volume_groups"], data["a"]["initiator_nodes"]


def a_serial_that_others_gave(data):
    data["store1"]["target_targets"][0]["luns"][0]["serial"] = "2b9d0a3c"


def twin_serials(data):
    for lun in data["store1"]["target_targets"][0]["luns"]:
        lun["serial"] = "2b9d0a3c"


def one_lun_in_two_igroups(data):
    data["store1"]["target_targets"][0]["igroups"].append({"name": "b", "initiators": [B], "luns": ["db0"]})


def one_lun_on_two_hosts(data):
    target = data["store1"]["target_targets"][0]
    target["igroups"][0]["initiators"].append(B)
    target["luns"][1]["shared"] = True
    data["b"]["volume_groups"] = [{"name": "vg_b", "luns": [{"target": DB, "name": "db0"}]}]


def two_hosts_in_one_igroup(data):
    data["store1"]["target_targets"][0]["igroups"][0]["initiators"].append(B)


def a_lun_that_nobody_has(data):
    data["a"]["volume_groups"][0]["luns"].append({"target": DB, "name": "db7"})


def a_lun_that_is_not_given(data):
    data["store1"]["target_targets"][0]["igroups"][0]["luns"] = ["db0"]


def a_portal_that_is_not_served(data):
    data["a"]["initiator_nodes"][0]["portals"].append("10.77.3.11")


def an_igroup_of_a_lun_that_nobody_has(data):
    data["store1"]["target_targets"][0]["igroups"][0]["luns"].append("dbo")


def a_target_that_goes(data):
    data["store1"]["target_targets"][0]["state"] = "absent"
    data["a"]["volume_groups"][0]["luns"].pop()


def twice_the_same_group(data):
    data["a"]["volume_groups"].append({"name": "vg"})


def twice_the_same_mount(data):
    data["a"]["volume_groups"][0]["volumes"].append({"name": "lv2", "mount": "/srv/db"})


@pytest.mark.parametrize(
    "change, said",
    [
        (twin_names, f"The initiator name '{A}' is used by 'a' and 'b'"),
        (a_name_that_an_iface_of_another_host_gives, f"The initiator name '{A}' is used by 'a' and 'b'"),
        (twin_targets_in_two_spellings, f"The target '{DB}' is used by 'store1' and 'store2'"),
        (twin_targets, f"The target '{DB}' is used by 'store1' and 'store2'"),
        (
            a_serial_that_others_gave,
            "so that its WWID is 360014052b9d0a3c00000000000000000 and not the one that follows",
        ),
        (twin_serials, f"The serial '2b9d0a3c' is used by '{DB} db0' and '{DB} db1'"),
        (one_lun_in_two_igroups, f"The LUN 'db0' of '{DB}' is given to the igroups 'a' and 'b'"),
        (one_lun_on_two_hosts, f"The LUN 'db0' of '{DB}' is in volume groups of 'a' and 'b'"),
        (two_hosts_in_one_igroup, f"The igroup 'a' of '{DB}' gives the LUNs 'db0' and 'db1' to 'a' and 'b'"),
        (a_lun_that_nobody_has, "'store1' declares no such LUN (it has 'db0' and 'db1')"),
        (a_lun_that_is_not_given, f"no igroup gives it to the initiator '{A}'"),
        (
            a_portal_that_is_not_served,
            f"'a' logs in to '{DB}' at '10.77.3.11', where 'store1' does not serve it",
        ),
        (
            a_target_that_goes,
            f"LUN 'db0' of '{DB}' for the volume group 'vg', but 'store1' removes that target",
        ),
        (twice_the_same_group, "'a' has the volume group 'vg' more than once"),
        (
            an_igroup_of_a_lun_that_nobody_has,
            f"The igroup 'a' of '{DB}' has the LUN 'dbo', which 'store1' does not declare (it has 'db0' and 'db1'). Is 'db",
        ),
        (twice_the_same_mount, "'a' has the mount point '/srv/db' more than once"),
    ],
)
def test_a_fault_is_found_and_named_once(change, said):
    found = faults_after(change)
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize("change", [one_lun_in_two_igroups, one_lun_on_two_hosts, two_hosts_in_one_igroup])
def test_a_lun_that_is_said_to_be_shared_is_no_fault(change):
    def shared(data):
        change(data)
        for lun in data["store1"]["target_targets"][0]["luns"]:
            lun["shared"] = True

    assert faults_after(shared) == []


@pytest.mark.parametrize("said", ["false", "no", "False", 0])
@pytest.mark.parametrize(
    "change, faults", [(one_lun_in_two_igroups, 1), (one_lun_on_two_hosts, 1), (two_hosts_in_one_igroup, 1)]
)
def test_text_that_says_no_does_not_share_a_lun(change, faults, said):
    data = san()
    change(data)
    expected = san_faults(data)
    for lun in data["store1"]["target_targets"][0]["luns"]:
        lun.setdefault("shared", said)
    assert san_faults(data) == expected and len(expected) == faults


def test_what_is_neither_true_nor_false_is_named():
    data = san()
    data["store1"]["target_targets"][0]["igroups"][0]["luns"][1]["shared"] = "perhaps"
    with pytest.raises(
        AnsibleFilterError, match="'store1': igroup 'a', LUN 'db1': shared must be true or false"
    ):
        san_faults(data)


def test_what_is_declared_absent_is_no_fault():
    def gone(data):
        data["b"]["volume_groups"] = [
            {"name": "vg_b", "luns": [{"target": DB, "name": "db0"}], "state": "absent"}
        ]

    assert faults_after(gone) == []


def test_ifaces_of_one_host_may_give_its_own_name():
    def bound(data):
        data["a"]["initiator_ifaces"] = [{"name": one, "initiator_name": A} for one in ("san1", "san2")]

    assert faults_after(bound) == []


def test_an_array_that_nobody_declares_is_not_judged():
    def array(data):
        del data["store1"]

    assert faults_after(array) == []


FROM_ARRAY = "36001c23000c9dcf5000002e84a6d3b11"


def on_an_array(data, wwid=FROM_ARRAY, wanted=None):
    """The same SAN, its storage set up by hand."""
    data["store1"]["target_provider"] = "manual"
    for number, lun in enumerate(data["store1"]["target_targets"][0]["luns"]):
        lun.pop("path")
        if wwid:
            lun["wwid"] = wwid[:-1] + str(number)
    named = data["a"]["volume_groups"][0]["luns"]
    data["a"]["volume_groups"][0]["luns"] = [{"wwid": one} for one in wanted] if wanted else named


BOTH = [f"{FROM_ARRAY[:-1]}{number}" for number in (0, 1)]


def test_an_array_that_is_set_up_by_hand_is_judged_like_a_storage_host():
    assert faults_after(lambda data: on_an_array(data, wanted=BOTH)) == []

    def ungiven(data):
        on_an_array(data, wanted=BOTH)
        data["store1"]["target_targets"][0]["igroups"][0]["luns"] = ["db0"]

    (fault,) = faults_after(ungiven)
    assert f"wants the LUN 'db1' of '{DB}'" in fault and f"no igroup gives it to the initiator '{A}'" in fault


def test_a_lun_of_an_array_is_named_by_the_wwid_that_the_array_gave_it():
    faults = faults_after(on_an_array)
    assert len(faults) == 2
    assert f"'store1' has it with the WWID {BOTH[0]} and not the one that follows from its names" in faults[0]


@pytest.mark.parametrize("software, wrong", [("iet", "lio"), ("iet", ""), ("lio", "iet"), ("tgt", "iet")])
def test_the_wwid_of_a_lun_is_the_one_that_its_storage_software_makes(software, wrong):
    def by(provider):
        def change(data):
            data["store1"]["target_provider"] = software
            for lun in data["a"]["volume_groups"][0]["luns"]:
                lun.update({"provider": provider} if provider else {})

        return change

    assert faults_after(by(software)) == []
    faults = faults_after(by(wrong))
    assert faults and all("not the one that follows from its names" in one for one in faults)
    assert all(f"or say 'provider: {software}' there" in one for one in faults)


def test_a_lun_of_an_array_set_up_by_hand_is_named_by_its_wwid():
    own = "36001c23000c9dcf5000002e84a6d3b1"

    def change(data):
        data["store1"]["target_provider"] = "manual"
        for number, lun in enumerate(data["store1"]["target_targets"][0]["luns"]):
            lun["wwid"] = f"{own}{number}"

    faults = [said for said in faults_after(change) if "follows from its names" in said]
    assert faults and all(f"Write 'wwid: {own}" in said and "there instead of" in said for said in faults)
    assert not any("provider: manual" in said for said in faults)


def test_a_lun_of_an_array_without_its_wwid_cannot_be_waited_for():
    faults = faults_after(lambda data: on_an_array(data, wwid=""))
    assert len(faults) == 2 and all("the inventory has no wwid for it" in fault for fault in faults)


def test_software_whose_luns_have_no_identity_is_no_error_of_the_data():
    def netbsd(data):
        data["store1"]["target_provider"] = "netbsd"
        del data["a"]["volume_groups"]

    (fault,) = faults_after(netbsd)
    assert "asks for several LUNs in one target. netbsd does not have that" in fault


def test_a_wwid_in_the_data_wins_over_the_serial_and_may_be_spelled_as_the_array_shows_it():
    def spelled(data):
        on_an_array(data, wanted=BOTH)
        for lun in data["store1"]["target_targets"][0]["luns"]:
            lun["wwid"], lun["serial"] = f"naa.{lun['wwid'][1:].upper()}", f"not the same {lun['name']}"

    assert faults_after(spelled) == []


def test_a_wwid_that_is_none_is_named_with_its_host():
    with pytest.raises(AnsibleFilterError, match="The data of 'store1': 'naa.60a90' is not a WWID"):
        faults_after(lambda data: on_an_array(data, wwid="naa.60a9x"))


def test_one_wwid_of_two_luns():
    def twins(data):
        on_an_array(data, wanted=BOTH[:1])
        data["store1"]["target_targets"][0]["luns"][1]["wwid"] = BOTH[0]

    assert any(
        f"The WWID '{BOTH[0]}' is used by '{DB} db0' and '{DB} db1'" in one for one in faults_after(twins)
    )


def test_software_that_nobody_knows():
    with pytest.raises(AnsibleFilterError, match="target_provider is 'lioo'; it must be one of"):
        faults_after(lambda data: data["store1"].update(target_provider="lioo"))


def test_data_in_another_form_is_refused_with_a_reason():
    with pytest.raises(AnsibleFilterError, match="does not have the form"):
        san_faults({"a": {"volume_groups": ["vg"]}})
    with pytest.raises(AnsibleFilterError, match="is not an iSCSI name"):
        san_faults({"a": {"initiator_name": "db-a"}})


def test_only_the_hosts_that_are_named_are_looked_at():
    data = san()
    twin_names(data)
    assert san_faults(data, hosts=["store1", "a"]) == []


# ---- file systems directly on LUNs ----


def direct(**more):
    """What the data says when 'b' has a file system on this LUN."""
    data = san()
    target = data["store1"]["target_targets"][0]
    target["luns"].append({"name": "plain", "path": "/srv/plain", "shared": True})
    target["igroups"].append({"name": "b", "initiators": [B], "luns": ["plain"]})
    data["b"]["volume_filesystems"] = [
        {"target": DB, "name": "plain", "filesystem": "xfs", "mount": "/srv/b", **more}
    ]
    return data


def test_a_file_system_on_a_lun_of_its_own_is_no_fault():
    assert san_faults(direct()) == []


def test_a_file_system_and_a_volume_group_of_another_host_are_one_lun_too_many():
    data = direct()
    data["a"]["volume_groups"][0]["luns"].append({"target": DB, "name": "plain"})
    data["store1"]["target_targets"][0]["igroups"][0]["luns"].append("plain")
    assert san_faults(data) == [
        f"The LUN 'plain' of '{DB}' is used by 'a' for the volume group 'vg' and 'b' for the file system on '/srv/b'. A file "
        "system that two hosts mount is destroyed, in a cluster too; give the LUN to one of them."
    ]


@pytest.mark.parametrize("spelled", ["3{}", "naa.{}", "0x{}", "wwn-0x{}"])
def test_a_lun_is_the_same_by_its_wwid_however_that_is_spelled(spelled):
    data = direct()
    digits = wwid_of_lio(serial_of(DB, "plain"))[1:]
    data["a"]["volume_filesystems"] = [
        {"wwid": spelled.format(digits.upper()), "filesystem": "ext4", "mount": "/srv/a"}
    ]
    data["store1"]["target_targets"][0]["igroups"][0]["luns"].append("plain")
    faults = san_faults(data)
    assert len(faults) == 1 and faults[0].startswith(
        f"The LUN 'plain' of '{DB}' is used by 'a' for the file system on '/srv/a' and 'b'"
    )


def test_a_lun_is_one_thing_only():
    data = direct()
    data["b"]["volume_groups"] = [{"name": "vg_b", "luns": [{"target": DB, "name": "plain"}]}]
    assert san_faults(data) == [
        f"The LUN 'plain' of '{DB}' is named twice: by 'b' for the volume group 'vg_b' and 'b' for the file system on "
        "'/srv/b'. A LUN can only be used for one thing."
    ]


def test_a_lun_in_two_volume_groups_of_a_host_is_named_with_them():
    data = san()
    data["a"]["volume_groups"].append({"name": "vg2", "luns": [{"target": DB, "name": "db1"}]})
    assert san_faults(data) == [
        f"The LUN 'db1' of '{DB}' is named twice: by 'a' for the volume group 'vg' and 'a' for the volume group 'vg2'. A LUN "
        "can only be used for one thing."
    ]


def test_a_mount_point_of_a_volume_and_of_a_file_system_is_one():
    data = direct(mount="/srv/b/")
    data["b"]["volume_groups"] = [
        {"name": "vg_b", "luns": [], "volumes": [{"name": "lv", "mount": "/srv/b"}]}
    ]
    assert san_faults(data) == ["'b' has the mount point '/srv/b' more than once."]


def test_a_file_system_on_a_lun_that_never_comes():
    assert san_faults(direct(name="plane"))[0].startswith(
        f"'b' wants the LUN 'plane' of '{DB}' for the file system on '/srv/b', but 'store1' declares no such LUN"
    )


@pytest.mark.parametrize(
    "portals", [["0.0.0.0"], ["[::]"], ["0.0.0.0:3260", "[::]:3261"], ["10.77.1.11", "10.77.2.11"]]
)
def test_a_target_that_listens_on_every_address_serves_each_of_them(portals):
    assert faults_after(lambda data: data["store1"]["target_targets"][0].update(portals=portals)) == []


def test_every_ipv4_address_is_no_ipv6_address_and_no_other_port():
    def change(data):
        data["store1"]["target_targets"][0]["portals"] = ["0.0.0.0"]
        data["a"]["initiator_nodes"][0]["portals"] = ["[fd00::1]", "10.77.1.11:3261", "10.77.1.11"]

    assert ["fd00::1" in said or ":3261" in said for said in faults_after(change)] == [True, True]


def test_a_host_may_have_a_name_that_no_rfc_knows():
    data = san()
    data["a"]["initiator_name"] = "iqn.2026-01.com.example:web_1"
    faults = san_faults(data)
    assert faults and all("to the initiator 'iqn.2026-01.com.example:web_1'" in fault for fault in faults)


def test_what_the_storage_software_cannot_enforce_is_a_fault_of_the_data():
    data = san()
    data["store1"]["target_provider"] = "tgt"
    assert san_faults(data) == []
    data["store1"]["target_targets"][0]["igroups"][0]["luns"] = ["db0"]
    told = [one for one in san_faults(data) if one.startswith("'store1': target ")]
    assert len(told) == 1 and "asks for LUNs of a target that only some of its initiators see" in told[0]
    data["store1"]["target_provider"] = "lio"
    assert not any("asks for" in one for one in san_faults(data))
