# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import san_faults
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
            "b": {"initiator_name": B},
        }
    )


def test_a_host_that_lists_its_targets_must_list_those_that_it_waits_for():
    def misspelled(data):
        data["a"]["initiator_nodes"][0]["target"] = DB + "x"

    faults = faults_after(misspelled)
    assert len(faults) == 2 and all("none of its initiator_nodes is that target" in fault for fault in faults)


@pytest.mark.parametrize(
    "found", [{"initiator_nodes": []}, {"initiator_discovery": [{"portal": "10.77.1.11"}]}]
)
def test_a_host_may_have_found_its_targets_otherwise(found):
    def otherwise(data):
        data["a"]["initiator_nodes"][0]["target"] = DB + "x"
        data["a"].update(found)

    assert faults_after(otherwise) == []


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
        (twice_the_same_group, "'a' has the volume group 'vg' more than once"),
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
