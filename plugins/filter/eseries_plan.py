# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on a NetApp E-Series array so that it has what the data says."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._host import Problem
from ..plugin_utils._eseries.asked import Asked, asked_of
from ..plugin_utils._eseries.model import Array, read
from ..plugin_utils._eseries.plan import Scope, plan_array
from ..plugin_utils._eseries.step import Plan

DOCUMENTATION = r"""
name: eseries_plan
short_description: Plan the changes of an E-Series array
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.eseries#role). Compares the data with what the array has, and returns the steps between, or
    why nothing may be done. Nothing is contacted.
positional: _input, graph
options:
  _input:
    description: The targets, as in O(lunworks.iscsi.eseries#role:main:target_targets).
    type: list
    elements: dict
    required: true
  graph:
    description:
      - The object graph of the array, C(GET /devmgr/v2/storage-systems/ID/graph). If omitted, only the data is checked.
    type: dict
  purge:
    description: As in O(lunworks.iscsi.eseries#role:main:target_purge).
    type: bool
    default: false
  force:
    description: As in O(lunworks.iscsi.eseries#role:main:target_force).
    type: bool
    default: false
  delete:
    description: As in O(lunworks.iscsi.eseries#role:main:eseries_delete_volumes).
    type: bool
    default: false
  send_chap:
    description: As in O(lunworks.iscsi.eseries#role:main:eseries_send_chap).
    type: bool
    default: false
  only_chap:
    description: Whether the CHAP secret is all that is planned.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What would be done
  ansible.builtin.debug:
    msg: "{{ (target_targets | lunworks.iscsi.eseries_plan(array.json)).say }}"
"""

RETURN = r"""
_value:
  description:
    - RV(ignore:faults), why nothing may be done; RV(ignore:say), the steps as sentences without secrets; RV(ignore:notes), what
      is more open on the array than it looks; RV(ignore:steps), what the tasks need, by the kind of the step (with the CHAP
      secret); RV(ignore:wwids), the WWID of each LUN that is there, by its target and name.
  type: dict
"""


def eseries_plan(
    targets: Sequence[Mapping[str, Any]],
    graph: Mapping[str, Any] | None = None,
    **scope: bool,
) -> dict[str, Any]:
    """The plan as a dictionary."""
    plan, array, asked = Plan(), None, None
    try:
        asked = asked_of(targets)
        array = read(graph) if graph is not None else None
        if array and asked:
            plan = plan_array(array, asked, Scope(**scope))
    except Problem as problem:
        plan.refuse(str(problem))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"The targets are not in the form that the role documents: {error!r}"
        ) from error
    return {
        "faults": plan.faults,
        "say": [] if plan.faults else plan.said(),
        "notes": plan.notes,
        "steps": plan.steps,
        "wwids": _wwids(array, asked) if array and asked else {},
    }


def _wwids(array: Array, asked: Asked) -> dict[str, dict[str, str]]:
    found = {lun.name: array.volume(lun.volume) for lun in asked.luns if not lun.gone}
    return {asked.target: {name: volume.wwid for name, volume in found.items() if volume and volume.wwid}}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"eseries_plan": eseries_plan}
