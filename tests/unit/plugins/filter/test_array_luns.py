# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LUNs of arrays get their WWIDs in the data of the hosts that use them."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.array_luns import array_luns
from ansible_collections.lunworks.iscsi.plugins.filter.san_faults import san_faults

FILER, STORE = "iqn.1992-08.com.netapp:sn.1:vs.4", "iqn.2026-01.com.example:store"
HOST = "iqn.2026-01.com.example:db"
WWID = "3600a0980" + "7770" * 6
SAN = {
    "svm": {
        "target_provider": "ontap",
        "target_targets": [
            {
                "name": FILER.upper().replace("IQN", "iqn"),
                "luns": [{"name": "db0", "size": "1g"}, {"name": "www", "size": "1g"}],
                "igroups": [{"name": "db", "initiators": [HOST], "luns": ["db0", "www"]}],
            }
        ],
    },
    "store": {
        "target_targets": [
            {
                "name": STORE,
                "luns": [{"name": "log"}],
                "igroups": [{"name": "db", "initiators": [HOST], "luns": ["log"]}],
            }
        ]
    },
    "db": {
        "initiator_name": HOST,
        "initiator_nodes": [{"target": FILER}, {"target": STORE}],
        "volume_groups": [
            {
                "name": "vg",
                "luns": [{"target": FILER, "name": "db0", "paths": 2}, {"target": STORE, "name": "log"}],
            }
        ],
        "volume_filesystems": [
            {"target": FILER, "name": "www", "mount": "/www"},
            {"target": FILER, "name": "old", "mount": "/old", "state": "absent"},
        ],
    },
}
TOLD = {"svm": {FILER: {"db0": WWID, "www": WWID.replace("7770", "7771")}}, "store": {}}


def test_the_luns_of_an_array_are_named_by_their_wwids_and_no_others():
    found = array_luns(SAN, "db", TOLD)
    assert found["volume_groups"][0]["luns"] == [
        {"wwid": WWID, "paths": 2},
        {"target": STORE, "name": "log"},
    ]
    assert found["volume_filesystems"] == [
        {"wwid": WWID.replace("7770", "7771"), "mount": "/www"},
        SAN["db"]["volume_filesystems"][1],
    ]
    assert found["named"] and found["missing"] == []


def test_a_wwid_that_nobody_told_is_missed_unless_the_data_has_it():
    data = copy.deepcopy(SAN)
    data["svm"]["target_targets"][0]["luns"][0]["wwid"] = WWID.upper().replace("3600A", "0x600A")
    found = array_luns(data, "db", {"store": {}})
    assert found["volume_groups"][0]["luns"][0] == {"wwid": WWID, "paths": 2}
    (missing,) = found["missing"]
    assert "The WWID of the LUN 'www'" in missing and "Include 'svm' in the run (--limit)" in missing


def test_a_host_without_luns_of_arrays_keeps_its_data():
    data = {**SAN, "db": {"volume_groups": [{"name": "vg", "luns": [{"target": STORE, "name": "log"}]}]}}
    found = array_luns(data, "db", TOLD)
    assert not found["named"] and found["volume_groups"] == data["db"]["volume_groups"]


def test_the_data_checks_let_a_host_name_such_a_lun_by_target_and_name():
    assert san_faults(SAN) == []
    data = copy.deepcopy(SAN)
    data["svm"]["target_targets"][0]["luns"][0]["wwid"] = WWID
    assert san_faults(data) == []


def test_the_data_checks_find_what_an_svm_cannot_have():
    data = copy.deepcopy(SAN)
    data["svm"]["target_targets"][0]["luns"][0]["write_back"] = True
    (fault,) = san_faults(data)
    assert fault.startswith("'svm': target '") and "'write_back' cannot be set on ONTAP" in fault


def test_data_in_another_form_is_refused():
    with pytest.raises(AnsibleFilterError, match="does not have the form that the roles document"):
        array_luns({"db": {"volume_groups": [{"luns": [{"target": FILER}]}]}, "svm": SAN["svm"]}, "db", TOLD)
