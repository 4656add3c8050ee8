# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a group stands and where it could move, by its name alone."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.filter.move_outlook import move_outlook
from ansible_collections.lunworks.iscsi.plugins.filter.move_plan import move_plan
from ansible_collections.lunworks.iscsi.tests.unit.playing import run_playbook
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.test_move_cases import asked

MOUNT = "a/use/mounts/0"


def told(but=None, hosts=("a", "b"), **request):
    given = asked({"but": but or {}})
    return move_outlook({**given, "source": "", "destination": "", "hosts": list(hosts), **request})


def test_the_host_that_has_it_is_found_and_the_others_are_where_it_could_move():
    lines = told()["status"]
    assert lines[0].startswith("'vg_db' (uuid-db) is on 'a'")
    assert any(line.startswith("  'a': 2 of 2 LUNs mapped") for line in lines)
    assert lines[-1] == "  to 'b': nothing speaks against it"
    assert told()["unknown"] == []


def test_what_speaks_against_a_move_is_named():
    given = {"a/groups/groups/0/logical_volumes/0/users": ["/dev/dm-1 is open in the process 7 (tar)"]}
    assert (
        "'vg_db/data' is in use on 'a': /dev/dm-1 is open in the process 7 (tar)" in told(given)["status"][-1]
    )
    silent = {"b/initiator": {"unreachable": True}}
    assert told(silent)["status"][-1] == "  to 'b': The destination 'b' does not answer."


def test_a_source_that_is_silent_is_known_by_its_data_and_the_variable_is_named():
    dead = {"a/initiator": {"unreachable": True}, "a/name": "iqn.2026-01.com.example:a"}
    lines = told(dead)["status"]
    assert lines[0].startswith("'vg_db' (uuid-db) is on 'a'")
    assert any("a move takes -e move_volume_group_source_is_dead=true" in line for line in lines)
    assert "may still write to 'vg_db'" in lines[-1]


def test_a_move_from_a_silent_source_is_told_with_the_variable_and_without_a_plan():
    plan = move_plan(asked({"but": {"a": {}}}))
    assert (
        "'a' does not answer" in plan["refused"] and "set move_volume_group_source_is_dead" in plan["refused"]
    )
    assert plan["steps"] == [] and not any("to do: " in line for line in plan["status"])


def test_a_move_that_cannot_know_the_mounts_says_so():
    said = "'a' cannot be asked where it was mounted, so a move mounts nothing. Afterwards lunworks.iscsi.site does"

    def lines(but):
        plan = move_plan(asked({"but": {"request/source_is_dead": True, **but}}))
        return [line for line in plan["status"] if said in line]

    assert len(lines({"a": {}})) == 1
    assert lines({}) == lines({"a": {}, "store/luns/luns/*/label/tags": ["lunworks.mount:none"]}) == []


@pytest.mark.parametrize("status", [True, False])
def test_only_a_move_must_say_from_where_to_where(tmp_path, status):
    options = ["-e", "vg=vg_db", *(["--tags", "status"] if status else [])]
    ran = run_playbook(tmp_path, "-i", "localhost,", *options, "lunworks.iscsi.move_volume_group")
    assert ("Say what to move: -e vg=NAME[,NAME...] -e from=HOST -e to=HOST." in ran.stdout) is not status


def test_what_no_boot_mounts_is_named():
    def lines(but):
        return [line.strip() for line in told(but)["status"]]

    assert not any("no boot there" in line for line in lines({}))
    assert "'/srv/db' is mounted and is not in the fstab of 'a': no boot there mounts it" in lines(
        {f"{MOUNT}/in_fstab": False}
    )
    assert "'/srv/db' has 'noauto' in the fstab of 'a': no boot there mounts it" in lines(
        {f"{MOUNT}/options": "noauto"}
    )
    assert any(
        line.startswith("'data' of it: active on 'a', and neither mounted nor in its fstab")
        for line in lines({f"{MOUNT}/group": "other"})
    )


def test_a_move_that_has_begun_says_from_where_to_where():
    tag = "lunworks.move:b:a"
    given = {"store/luns/luns/*/label/tags": [tag], "store/luns/luns/*/label/exported": True}
    lines = told(given)["status"]
    assert any("moving from 'b' to 'a'" in line for line in lines)
    assert [line for line in lines if line.startswith("  to ")][0].startswith("  to 'a': ")
    assert len([line for line in lines if line.startswith("  to ")]) == 1


def test_a_group_that_nobody_has_is_named_with_those_that_there_are():
    answer = told(groups=["vg_none", "vg_db"])
    assert len(answer["unknown"]) == 1
    assert answer["unknown"][0].startswith(
        "There is no volume group 'vg_none' on any LUN of the storage hosts"
    )
    assert "There are: 'vg_db'." in answer["unknown"][0]
    assert answer["status"][0].startswith("'vg_db'")
    assert "There are: 'vg_db'." in move_plan({**asked({}), "groups": ["vg_none"]})["refused"]


def test_a_storage_host_that_does_not_answer_is_named_first():
    lines = told({"store/luns": {"unreachable": True}}, groups=[])["status"]
    assert lines == ["The storage host 'store' does not answer: what is on its LUNs is not known."]


def test_a_group_with_nowhere_to_move_is_told_all_the_same():
    lines = told(hosts=["a"])["status"]
    assert lines[0].startswith("'vg_db' (uuid-db) is on 'a'")
    assert not any(line.startswith("  to ") for line in lines)
