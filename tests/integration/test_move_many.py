# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many volume groups move in one run, with a user's tasks around the time without service."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.moving import Group, San

GROUPS = (Group("vg_db"), Group("vg_www"), Group("vg-mail"))
HOOKS = Path(__file__).resolve().parent / "hooks"


@pytest.fixture(scope="session")
def many(lab, long_story, storage, compute, spare):
    return San.standing(lab, storage, compute, spare, *GROUPS)


def test_many_groups_move_in_one_run_with_one_task_for_each_step(many):
    told = many.move(
        vg=",".join(group.name for group in GROUPS),
        source=many.first,
        destination=many.second,
        move_volume_group_hooks_before=[str(HOOKS / "before.yml")],
        move_volume_group_hooks_after=[str(HOOKS / "after.yml")],
    )
    assert told.rc == 0, told.messages()
    for group in GROUPS:
        many.owned(group, many.second, many.first)
    exports = [task for _host, task, _result in told.results if "the groups are exported" in task]
    assert len(exports) == 1


def test_the_hooks_ran_on_their_hosts_while_everything_was_mounted(many):
    mounts = str(2 * len(GROUPS))
    assert many.first.read("/run/hook_before").strip() == mounts
    assert many.second.read("/run/hook_after").strip() == mounts


def test_one_of_them_moves_back_and_the_others_stay(many):
    told = many.move(vg="vg_www", source=many.second, destination=many.first)
    assert told.rc == 0, told.messages()
    many.owned(GROUPS[1], many.first, many.second)
    for group in (GROUPS[0], GROUPS[2]):
        many.owned(group, many.second, many.first)
