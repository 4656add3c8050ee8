# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to the planner of a move."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import asdict
from typing import Any, Mapping

from ..module_utils._block.pv_label import Label
from ..plugin_utils._move.checks.group import refuse_group
from ..plugin_utils._move.checks.request import refuse_request
from ..plugin_utils._move.model import Refusal, mounts_of
from ..plugin_utils._move.plan import Planned, plan
from ..plugin_utils._move.position import Standing, moving_wwids, newest, standing
from ..plugin_utils._move.status import left, status
from ..plugin_utils._move.survey import survey_of

DOCUMENTATION = r"""
name: move_plan
short_description: Plan the steps that move volume groups from one host to another
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Derives from the results of the info modules where each volume group is in its move, and plans the remaining steps.
  - Nothing is remembered between runs. After a crash at any point, the next run plans exactly the remaining steps.
  - Used by the role P(lunworks.iscsi.move_volume_group#role).
positional: _input
options:
  _input:
    description:
      - C(groups), the names; C(source), C(destination), C(storage) (names of hosts); C(source_is_dead); C(hooks) (C(before),
        C(after)); C(igroups), names of igroups by target; C(backup_dir), where the controller keeps metadata; C(answers) by host
        with C(initiator), C(use), C(groups), C(luns), the results of M(lunworks.iscsi.initiator_info),
        M(lunworks.iscsi.volume_use_info), M(lunworks.iscsi.volume_group_info) and M(lunworks.iscsi.lun_info), and C(declared),
        the targets that a host's data names, and C(name), its initiator name there; C(begun), when this run was begun,
        by which it claims the move.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What is left to do
  ansible.builtin.debug:
    msg: "{{ (survey | lunworks.iscsi.move_plan).steps | map(attribute='say') | flatten }}"
"""

RETURN = r"""
_value:
  description:
    - C(steps), each with C(name), C(host), C(groups), C(say) (sentences) and the arguments of its tasks; C(status), sentences
      about where each group stands; C(refused), why nothing may be done, empty when it may; C(backups), the metadata of each
      group as it is now, and where it is mounted; C(seqnos), the sequence number of each group's metadata that is planned on.
  type: dict
"""


def move_plan(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The plan; a refusal is a part of it, so that where things stand can still be told."""
    room = _room(asked["backup_dir"]) if asked.get("backup_dir") else None
    run = (f"{getpass.getuser()}@{os.uname().nodename}", asked.get("begun") or "")
    survey, groups = survey_of({**asked, "backup_room": room, "run": run}), list(asked["groups"])
    told: list[str] = []
    steps: list[Planned] = []
    try:
        refuse_request(survey, groups)
        moving = moving_wwids(survey, groups)
        standings = [standing(survey, group, moving) for group in groups]
        told = [line for one in standings for line in status(one)]
        for one in standings:
            refuse_group(survey, one)
        told = [line for one in standings for line in (*status(one), left(plan([one])))]
        steps = plan(standings, frozenset(asked.get("hooks") or ()))
    except Refusal as refusal:
        return {"steps": [], "status": told, "refused": str(refusal), "backups": [], "seqnos": []}
    return {
        "steps": [step.plain() for step in steps],
        "status": told,
        "refused": "",
        "backups": [one for each in standings for one in _backups(newest(survey, each.group), each)]
        if steps
        else [],
        "seqnos": [
            {"name": label.group, "uuid": label.uuid, "seqno": label.seqno}
            for label in (newest(survey, group) for group in groups)
        ],
    }


def _room(directory: str) -> int:
    """The free bytes of the file system that a directory of the controller is on, or will be on."""
    while not os.path.isdir(directory) and os.path.dirname(directory) != directory:
        directory = os.path.dirname(directory)
    told = os.statvfs(directory)
    return told.f_bavail * told.f_frsize


def _backups(label: Label, one: Standing) -> list[dict[str, str]]:
    """The metadata, and beside it where the volumes are mounted: only 'mark' notes that in the metadata."""
    name = f"{label.group}-{label.uuid}-{label.seqno:06}"
    mounts = [asdict(mount) for mount in one.source.mounts or one.destination.mounts or mounts_of(one.tags)]
    noted = (
        [{"file": f"{name}.mounts.json", "metadata": json.dumps(mounts, indent=1) + "\n"}] if mounts else []
    )
    return [{"file": f"{name}.vg", "metadata": label.metadata}, *noted]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"move_plan": move_plan}
