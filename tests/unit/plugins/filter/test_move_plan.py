# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the answers of the info modules to a plan: the door of the planner."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.filter.move_plan import move_plan
from ansible_collections.lunworks.iscsi.plugins.filter.move_seqnos import move_seqnos
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.model import run_tag

T = "iqn.2026-01.com.example:store.db"
UUID = "AVPksc-bGId-5Fzn-uWMh-bRa4-PYzY-TsC9hq"
LABEL = {
    "pv": "pv-1",
    "group": "vg_db",
    "uuid": UUID,
    "seqno": 3,
    "exported": False,
    "system_id": "",
    "status": ["READ", "WRITE"],
    "tags": [],
    "pvs": [["pv-1", "/dev/mapper/w1"]],
    "volumes": ["data"],
    "metadata": "vg_db {}",
}
MOUNT = {
    "path": "/srv/db",
    "group": "vg_db",
    "volume": "data",
    "device": "/dev/vg_db/data",
    "filesystem": "xfs",
    "options": "_netdev,nofail",
    "in_fstab": True,
    "mounted": True,
    "root": "/",
}
GROUP = {
    "name": "vg_db",
    "uuid": UUID,
    "state": "active",
    "exported": False,
    "system_id": None,
    "missing": [],
    "physical_volumes": [{"uuid": "pv-1", "wwid": "36001405aaa"}],
    "logical_volumes": [
        {"name": "data", "active": True, "layout": "linear", "users": ["/dev/dm-1 is mounted on '/srv/db'"]}
    ],
}
WAYS = [{"target": T, "portal": "10.0.1.1:3260"}]


def compute(name, **more):
    return {
        "initiator": {"name": f"iqn.2026-01.com.example:{name}", "records": [], "sessions": []},
        "use": {"active": {}, "mounts": []},
        "groups": {"system_id": None, "version": "2.03.16", "groups": []},
        "declared": [],
        **more,
    }


ASKED = {
    "groups": ["vg_db"],
    "source": "a",
    "destination": "b",
    "storage": ["store"],
    "source_is_dead": False,
    "hooks": [],
    "answers": {
        "a": compute(
            "a",
            initiator={
                "name": "iqn.2026-01.com.example:a",
                "records": WAYS,
                "sessions": [{**WAYS[0], "disks": [{"wwid": "naa.6001405aaa", "device": "/dev/sda"}]}],
            },
            use={"active": {"vg_db": ["data"]}, "mounts": [MOUNT]},
            groups={"system_id": None, "version": "2.03.16", "groups": [GROUP]},
        ),
        "b": compute("b"),
        "store": {
            "luns": {
                "targets": [
                    {
                        "name": T,
                        "enabled": True,
                        "portals": ["10.0.1.1:3260"],
                        "igroups": [
                            {"name": "a", "initiators": ["iqn.2026-01.com.example:a"], "chap": False}
                        ],
                    }
                ],
                "luns": [
                    {
                        "target": T,
                        "name": "db0",
                        "path": "/srv/db0.img",
                        "wwid": "36001405aaa",
                        "initiators": ["iqn.2026-01.com.example:a"],
                        "saved_initiators": ["iqn.2026-01.com.example:a"],
                        "read_only_initiators": [],
                        "saved_read_only_initiators": [],
                        "label": LABEL,
                    }
                ],
            }
        },
    },
}


def asked(**more):
    return {**copy.deepcopy(ASKED), **more}


def test_answers_become_steps_with_what_their_tasks_need():
    plan = move_plan(asked())
    steps = {step["name"]: step for step in plan["steps"]}
    assert plan["refused"] == ""
    assert list(steps) == ("mark show connect attach export switch start forget unmap finish leave".split())
    assert steps["connect"]["nodes"] == [
        {"target": T, "portals": ["10.0.1.1:3260"], "startup": "automatic", "logged_in": True}
    ]
    assert steps["export"]["mounts"] == [{"path": "/srv/db", "state": "absent"}]
    assert steps["forget"]["disks"] == [{"wwid": "36001405aaa", "state": "absent"}]
    fenced, opened = steps["switch"]["targets"][0]["igroups"]
    assert fenced["initiators"] == ["iqn.2026-01.com.example:a"]
    assert fenced["luns"] == [{"name": "db0", "read_only": True}]
    assert opened["initiators"] == ["iqn.2026-01.com.example:b"]
    assert opened["luns"] == [{"name": "db0", "read_only": False, "shared": True}]
    assert steps["start"]["volumes"] == [{"group": "vg_db", "volume": "data"}]
    assert steps["start"]["mounts"] == [
        {"path": "/srv/db", "device": "/dev/vg_db/data", "filesystem": "xfs", "options": "_netdev,nofail"}
    ]
    assert steps["leave"]["nodes"] == [{"target": T, "state": "absent"}]


def test_the_metadata_is_backed_up_under_a_name_that_says_which():
    whole, mounts = move_plan(asked())["backups"]
    assert whole == {"file": f"vg_db-{UUID}-000003.vg", "metadata": "vg_db {}"}
    assert mounts["file"] == f"vg_db-{UUID}-000003.mounts.json"
    (mount,) = json.loads(mounts["metadata"])
    assert (mount["volume"], mount["path"], mount["options"]) == ("data", "/srv/db", "_netdev,nofail")


def test_the_status_names_the_owner_on_both_sides():
    status = move_plan(asked())["status"]
    assert status[0] == f"'vg_db' ({UUID}) is owned by 'a'"
    assert "1 of 1 LUNs mapped, 1 saved; 1 disks there; active: 'data'; mounted: '/srv/db'" in status[2]
    assert status[3].startswith("  'b': 0 of 1 LUNs mapped")


@pytest.mark.parametrize(
    "silence", [{"unreachable": True, "msg": "no route"}, {"failed": True, "msg": "no"}, {}, None]
)
def test_a_host_that_did_not_answer_is_silent(silence):
    given = asked()
    given["answers"]["b"]["groups"] = silence
    assert "'b' does not answer" in move_plan(given)["refused"]


def test_users_other_than_the_mounts_that_the_move_takes_away_are_named():
    given = asked()
    volume = given["answers"]["a"]["groups"]["groups"][0]["logical_volumes"][0]
    volume["users"].append("/dev/dm-1 is mounted on '/elsewhere'")
    assert (
        "'vg_db/data' is in use on 'a': /dev/dm-1 is mounted on '/elsewhere'" in move_plan(given)["refused"]
    )


def test_a_refusal_still_tells_where_things_stand():
    given = asked()
    given["answers"]["store"]["luns"]["luns"][0]["initiators"].append("iqn.2026-01.com.example:b")
    plan = move_plan(given)
    assert plan["steps"] == [] and "nothing would stop two writers" in plan["refused"]
    assert plan["status"][0].endswith("is mapped to both hosts")


def test_the_status_says_who_began_the_run_and_a_refused_one_hears_of_it():
    tags = ["lunworks.move:a:b", run_tag("anna@ctl", "2026-01-02T03:04:05Z", "b", "a")]
    seen = asked()
    for one in seen["answers"]["store"]["luns"]["luns"]:
        one["label"]["tags"] = tags
    status = "\n".join(move_plan(seen)["status"])
    assert (
        "moving from 'a' to 'b', by a run that 'anna@ctl' began at 2026-01-02T03:04:05Z from 'b' to 'a'"
        in status
    )
    plan = move_plan({**seen, "begun": "2026-01-03T00:00:00Z"})
    (state,) = next(step for step in plan["steps"] if step["name"] == "mark")["states"]
    (claim,) = [tag for tag in state["tags"] if tag.startswith("lunworks.run:")]
    assert claim.endswith(":2026-01-03T00.00.00Z:a:b"), "the latest run has the move"
    assert plan["seqnos"] == [{"name": "vg_db", "uuid": UUID, "seqno": 3}]


def test_the_highest_sequence_number_that_a_run_knows_is_the_one_that_must_be_there():
    known = [{"name": "vg_a", "uuid": "u", "seqno": 3}, {"name": "vg_b", "uuid": "v", "seqno": 9}]
    marked = {"state": {"groups": [{"name": "vg_a", "uuid": "u", "seqno": 4}]}}
    exported = {"state": {"mounted": [], "groups": {"groups": [{"name": "vg_a", "uuid": "u", "seqno": 6}]}}}
    states = [{"name": "vg_a"}, {"name": "vg_b"}, {"name": "vg_new"}]
    assert move_seqnos(states, known, [marked, {"skipped": True}, exported, {}]) == [
        {"name": "vg_a", "seqno": 6},
        {"name": "vg_b", "seqno": 9},
        {"name": "vg_new"},
    ]
    looked = {"groups": [{"name": "vg_b", "uuid": "v", "seqno": 11}]}
    assert move_seqnos([{"group_uuid": "v", "lun": "x"}], known, [looked])[0]["seqno"] == 11
