# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a move plans and what it refuses: tests/unit/plans/move/cases.yml.

'san' is what is asked for and what the info modules answer on each host; a case changes some of it ('but': paths, of which '*'
is each entry of a list) and says which 'steps' are left, or a part of the message by which it is 'refused'.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.filter.move_plan import move_plan

STORY = yaml.safe_load((Path(__file__).parents[2] / "plans/move/cases.yml").read_text())


def asked(case):
    san = json.loads(json.dumps(STORY["san"]))
    for path, value in case.get("but", {}).items():
        change(san, path.split("/"), value)
    return {**san.pop("request"), "answers": san}


def change(place, keys, value):
    key, *below = keys
    if isinstance(place, list):
        for number in range(len(place)) if key == "*" else [int(key)]:
            if below:
                change(place[number], below, value)
            else:
                place[number : number + 1] = [value]  # one that is not there yet is added
    elif below:
        change(place[key], below, value)
    else:
        place[key] = value


@pytest.mark.parametrize("case", STORY["cases"], ids=[case["name"] for case in STORY["cases"]])
def test_move(case):
    plan = move_plan(asked(case))
    assert case.get("refused", "") in plan["refused"]
    assert bool(plan["refused"]) == ("refused" in case)
    assert plan["refused"].endswith((".", ").")) or not plan["refused"]
    assert " ".join(step["name"] for step in plan["steps"]) == case.get("steps", "")


def test_a_mount_point_that_no_tag_can_hold_is_refused():
    given = asked({})
    given["answers"]["a"]["use"]["mounts"][0]["path"] = "/srv/" + "x" * 1100
    assert "too long to be noted" in move_plan(given)["refused"]


def test_metadata_that_the_controller_has_no_room_for_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=1, f_frsize=10))
    assert "no room on the controller" in move_plan({**asked({}), "backup_dir": str(tmp_path)})["refused"]
