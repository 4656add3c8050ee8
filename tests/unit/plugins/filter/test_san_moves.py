# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups that the data wants on another host than the one that has their LUNs."""

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.san_moves import san_moves
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio

T = "iqn.2026-01.com.example:store1.db"
A, B, C = (f"iqn.2026-01.com.example:db-{name}" for name in "abc")
GROUP = {"name": "vg_db", "luns": [{"target": T, "name": "db0"}, {"target": T, "name": "db1"}]}


def parts(owner="b", igroup="www"):
    """The data: both hosts have an igroup, and the owner's has the LUNs."""
    luns = {"a": [], "b": []}
    luns[owner] = ["db0", {"name": "db1"}]
    return {
        "store1": {
            "target_targets": [
                {
                    "name": T,
                    "luns": [{"name": "db0", "path": "/srv/db0"}, {"name": "db1", "path": "/srv/db1"}],
                    "igroups": [
                        {"name": "a", "initiators": [A], "luns": luns["a"]},
                        {"name": igroup, "initiators": [B], "luns": luns["b"]},
                    ],
                }
            ]
        },
        "a": {"initiator_name": A, "volume_groups": [deepcopy(GROUP)] if owner == "a" else []},
        "b": {"initiator_name": B, "volume_groups": [deepcopy(GROUP)] if owner == "b" else []},
    }


def luns(*mapped, saved=None, group="vg_db", tags=()):
    """What the storage host tells: the LUNs are mapped to these initiators."""
    label = {"group": group, "tags": list(tags)} if group is not None else None
    return {
        "store1": {
            "luns": [
                {
                    "target": T,
                    "name": name,
                    "wwid": f"0wwid-{name}",
                    "initiators": list(mapped),
                    "saved_initiators": list(mapped if saved is None else saved),
                    "label": label,
                }
                for name in ("db0", "db1")
            ]
        }
    }


def test_storage_software_may_spell_a_target_otherwise_than_the_data():
    served = luns(A)
    for lun in served["store1"]["luns"]:
        lun["target"] = T.replace("store1", "STORE1")
    assert san_moves(parts(), served) == san_moves(parts(), luns(A)) != {"moves": [], "faults": []}


@pytest.mark.parametrize(
    "served",
    [luns(B), luns(), luns(group=None), luns(A, group=None), luns(A, group=""), {}],
    ids=["there", "nowhere", "empty", "empty and mapped", "in no group", "storage not in the run"],
)
def test_what_is_where_the_data_wants_it_or_nowhere_yet_does_not_move(served):
    assert san_moves(parts(), served) == {"moves": [], "faults": []}


def test_a_group_of_another_host_is_to_move_and_both_ways_out_are_told():
    found = san_moves(parts(), luns(A))
    (move,) = found["moves"]
    assert found["faults"] == []
    assert (move["source"], move["destination"], move["groups"]) == ("a", "b", ["vg_db"])
    assert move["igroups"] == {T: "www"}
    assert move["hosts"] == ["a", "b", "store1"]
    assert move["allowed"] is False
    (say,) = move["say"]
    assert "'vg_db' is on 'a', and the inventory wants it on 'b'" in say
    assert "allow_move=vg_db" in say
    assert f"'{T} db0', '{T} db1' into an igroup" in say


def test_what_only_the_saved_map_has_counts():
    (move,) = san_moves(parts(), luns(saved=[A]))["moves"]
    assert move["source"] == "a"


def test_a_disk_named_by_its_wwid_counts():
    data = parts()
    data["b"]["volume_groups"][0]["luns"] = [{"wwid": "0wwid-db0"}, {"wwid": "0wwid-db1"}]
    (move,) = san_moves(data, luns(A))["moves"]
    assert move["source"] == "a"


@pytest.mark.parametrize(
    "said, allowed",
    [
        (True, True),
        ("true", True),
        ("yes", True),
        ("vg_db", True),
        ("vg_www, vg_db", True),
        (["vg_db"], True),
        (False, False),
        ("false", False),
        ("", False),
        (None, False),
        ("vg_www", False),
        (["vg_www"], False),
    ],
)
def test_who_may_move_is_said_for_all_or_by_name(said, allowed):
    (move,) = san_moves(parts(), luns(A), said)["moves"]
    assert move["allowed"] is allowed


def test_one_group_that_may_not_move_holds_back_those_that_go_the_same_way():
    data, served = parts(), luns(A)
    data["b"]["volume_groups"].append({"name": "vg_www", "luns": [{"target": T, "name": "www"}]})
    www = {**served["store1"]["luns"][0], "name": "www", "label": {"group": "vg_www", "tags": []}}
    served["store1"]["luns"].append(www)
    data["store1"]["target_targets"][0]["luns"].append({"name": "www", "path": "/srv/www"})
    (move,) = san_moves(data, served, "vg_db")["moves"]
    assert (move["groups"], move["allowed"]) == (["vg_db", "vg_www"], False)


@pytest.mark.parametrize("mapped", [(), (A,), (B,)], ids=["nobody", "source", "destination"])
@pytest.mark.parametrize("way", ["a:b", "b:a"])
def test_an_unfinished_move_is_finished_wherever_the_luns_are(mapped, way):
    (move,) = san_moves(parts(), luns(*mapped, tags=[f"lunworks.move:{way}", "theirs"]))["moves"]
    assert (move["source"], move["destination"]) == ("a", "b")


def test_an_unfinished_move_between_others_is_told():
    found = san_moves(parts(), luns(A, tags=["lunworks.move:a:c"]))
    assert found["moves"] == []
    assert "in the middle of a move from 'a' to 'c', and the inventory wants it on 'b'" in found["faults"][0]


def test_luns_of_an_initiator_that_nobody_knows_are_no_move():
    found = san_moves(parts(), luns(C))
    assert found["moves"] == []
    assert f"its LUNs are mapped to '{C}', the initiator of no host in this run" in found["faults"][0]


def test_luns_of_two_others_are_no_move():
    assert "more than one host" in san_moves(parts(), luns(A, C))["faults"][0]


def test_luns_that_are_shared_are_not_judged():
    data = parts()
    for lun in data["store1"]["target_targets"][0]["luns"]:
        lun["shared"] = True
    assert san_moves(data, luns(A)) == {"moves": [], "faults": []}


def test_luns_whose_text_says_that_they_are_not_shared_are_judged():
    data = parts()
    for lun in data["store1"]["target_targets"][0]["luns"]:
        lun["shared"] = "false"
    assert san_moves(data, luns(A)) == san_moves(parts(), luns(A)) != {"moves": [], "faults": []}


def test_a_run_for_the_storage_host_alone_gives_no_group_to_a_second_host():
    data = {"store1": parts()["store1"]}
    found = san_moves(data, luns(A))
    assert found["moves"] == []
    assert f"carries 'vg_db' and is mapped to '{A}'; the inventory gives it to '{B}'" in found["faults"][0]
    assert san_moves(data, luns(B)) == {"moves": [], "faults": []}


def test_a_lun_with_a_serial_that_others_gave_is_named_with_its_real_wwid():
    told = luns(B, group=None)
    told["store1"]["luns"][0]["wwid"] = "36001405aaaaaaaaaaaaaaaaaaaaaaaaa"
    told["store1"]["luns"][1]["wwid"] = wwid_of_lio(serial_of(T, "db1"))
    (fault,) = san_moves(parts(), told)["faults"]
    assert "'b' wants the LUN 'db0'" in fault and "{wwid: 36001405aaaaaaaaaaaaaaaaaaaaaaaaa}" in fault


def test_data_of_another_form_is_refused():
    with pytest.raises(AnsibleFilterError, match="does not have the form"):
        san_moves({"b": {"volume_groups": ["vg_db"]}}, luns(A))
    with pytest.raises(AnsibleFilterError, match="is not an iSCSI name"):
        data = parts()
        data["store1"]["target_targets"][0]["name"] = "store1"
        san_moves(data, luns(A))
