# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.chap_faults import chap_faults
from ansible_collections.lunworks.iscsi.plugins.filter.chap_options import chap_options

DB, LOG = "iqn.2026-01.com.example:store1.db", "iqn.2026-01.com.example:store1.log"
A = "iqn.2026-01.com.example:db-a"
CHAP = {
    "user": "db",
    "secret": "twelve-bytes-1",
    "mutual_user": "store",
    "mutual_secret": "twelve-bytes-2",
}


def san():
    return deepcopy(
        {
            "store1": {
                "target_targets": [
                    {
                        "name": DB,
                        "portals": ["10.77.1.11"],
                        "luns": [{"name": "db0", "path": "/srv/db0"}],
                        "igroups": [{"name": "a", "initiators": [A], "luns": ["db0"], "chap": dict(CHAP)}],
                    },
                    {"name": LOG, "igroups": [{"name": "a", "initiators": [A]}]},
                ]
            },
            "a": {
                "initiator_name": A,
                "initiator_nodes": [
                    {"target": DB, "portals": ["10.77.1.11"], "startup": "automatic", "chap": dict(CHAP)},
                    {"target": LOG, "portals": ["10.77.1.11"]},
                ],
            },
        }
    )


def faults_after(change, targets=""):
    data = san()
    change(data["store1"]["target_targets"][0]["igroups"][0], data["a"]["initiator_nodes"][0], data["a"])
    return chap_faults(data, targets)


def test_both_sides_agree():
    assert chap_faults(san()) == chap_faults(san(), DB.upper()) == []


@pytest.mark.parametrize(
    "change, said",
    [
        (
            lambda group, node, host: group["chap"].update(secret="short"),
            "has 5 bytes; it must have 12 to 255",
        ),
        (
            lambda group, node, host: node["chap"].update(secret="x" * 256),
            "of 'a': The CHAP secret has 256 bytes",
        ),
        (lambda group, node, host: node["chap"].update(secret=" twelve-bytes-1"), "white space"),
        (lambda group, node, host: node["chap"].update(mutual_secret="twelve-bytes-1"), "are the same"),
        (lambda group, node, host: node["chap"].update(user="other"), "do not have the same CHAP user for"),
        (lambda group, node, host: node["chap"].update(secret="twelve-bytes-3"), "the same CHAP secret for"),
        (lambda group, node, host: node["chap"].pop("secret"), "chap has a user and a secret"),
        (lambda group, node, host: node.update(chap="secret"), "chap has a user and a secret"),
        (lambda group, node, host: node.pop("chap"), "requires CHAP, but the node"),
        (lambda group, node, host: group.pop("chap"), "no igroup with"),
        (lambda group, node, host: host.update(initiator_name="iqn.2026-01.com.example:b"), "no igroup with"),
    ],
)
def test_a_fault_is_said_and_no_secret_is(change, said):
    faults = faults_after(change)
    assert any(said in fault for fault in faults), faults
    assert not any("twelve-bytes" in fault for fault in faults)


def test_a_secret_that_yaml_takes_for_a_number_is_a_text():
    data, number = san(), {"user": "db", "secret": 123456789012}
    data["store1"]["target_targets"][0]["igroups"][0]["chap"] = number
    data["a"]["initiator_nodes"][0]["chap"] = {"user": "db", "secret": "123456789012"}
    assert chap_faults(data) == []


def test_what_one_side_alone_has_is_a_fault_where_chap_is_not_required_too():
    data = san()
    del data["store1"]["target_targets"][0]["igroups"][0]["chap"]
    (said,) = chap_faults(data, required=False)
    assert said.startswith(
        f"'a' has CHAP credentials for '{DB}', but its igroup 'a' ('store1') requires none"
    )
    data["store1"]["target_provider"] = "manual"  # set by hand, perhaps
    assert chap_faults(data, required=False) == []
    data = san()
    del data["a"]["initiator_nodes"][0]["chap"]
    (said,) = chap_faults(data, required=False)
    assert f"requires CHAP, but the node '{DB}' of 'a' has none" in said


def test_no_chap_on_both_sides_is_right_however_it_is_said():
    none = {"user": "", "secret": ""}
    for group in ({}, {"chap": none}):
        for node in ({}, {"chap": none}):
            data = san()
            data["store1"]["target_targets"][0]["igroups"][0] = {"name": "a", "initiators": [A], **group}
            data["a"]["initiator_nodes"][0] = {"target": DB, **node}
            assert chap_faults(data, required=False) == []


def test_a_target_without_chap_cannot_be_chosen():
    assert "There is no CHAP in the inventory for" in chap_faults(san(), f"{DB},{LOG}")[0]
    assert "There is no CHAP in the inventory:" in chap_faults({"a": {}})[0]


def test_targets_that_nobody_declares_are_not_judged():
    data = san()
    data["store1"]["target_targets"] = []
    assert chap_faults(data) == []


def test_a_malformed_target_name_or_another_form_of_data_is_refused():
    with pytest.raises(AnsibleFilterError, match="is not an iSCSI name"):
        chap_faults(san(), "store1.db")
    with pytest.raises(AnsibleFilterError, match="does not have the form"):
        chap_faults({"a": {"initiator_nodes": [{"chap": CHAP}]}})


def test_the_options_are_about_chap_and_nothing_else():
    data = san()
    assert chap_options(data["store1"]) == {
        "targets": [{"name": DB, "igroups": [{"name": "a", "chap": CHAP}]}],
        "nodes": [],
    }
    assert chap_options(data["a"])["nodes"] == [{"target": DB, "portals": ["10.77.1.11"], "chap": CHAP}]
    assert chap_options(data["a"], LOG) == {"targets": [], "nodes": []}
    data["a"]["initiator_nodes"][0]["state"] = "absent"
    assert chap_options(data["a"])["nodes"] == []
