# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to an SVM of ONTAP so that it has what the data says."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._host import Problem
from ..plugin_utils._ontap.asked import Asked, asked_of
from ..plugin_utils._ontap.plan import chap_only, plan_svm
from ..plugin_utils._ontap.seen import Svm, read
from ..plugin_utils._ontap.step import Plan

DOCUMENTATION = r"""
name: ontap_plan
short_description: Plan the changes of an SVM of ONTAP
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.ontap#role). Compares the data with what the SVM has, and returns the calls of ONTAP's REST
    API between, or why nothing may be done. Nothing is contacted.
positional: _input, info
options:
  _input:
    description: The targets, as in O(lunworks.iscsi.ontap#role:main:target_targets).
    type: list
    elements: dict
    required: true
  info:
    description: RV(ignore:ontap_info) of C(netapp.ontap.na_ontap_rest_info). If omitted, only the data is checked.
    type: dict
  svm:
    description: The SVM, as in O(lunworks.iscsi.ontap#role:main:ontap_svm).
    type: str
    default: ''
  volume:
    description: The volume of the LUNs without a path, as in O(lunworks.iscsi.ontap#role:main:ontap_volume).
    type: str
    default: ''
  os_type:
    description: As in O(lunworks.iscsi.ontap#role:main:ontap_os_type).
    type: str
    default: linux
  purge:
    description: As in O(lunworks.iscsi.ontap#role:main:target_purge).
    type: bool
    default: false
  force:
    description: As in O(lunworks.iscsi.ontap#role:main:target_force).
    type: bool
    default: false
  delete_luns:
    description: As in O(lunworks.iscsi.ontap#role:main:ontap_delete_luns).
    type: bool
    default: false
  secrets:
    description: As in O(lunworks.iscsi.ontap#role:main:ontap_update_secrets).
    type: str
    choices: [always, on_create]
    default: on_create
  only_chap:
    description: Whether to plan only the CHAP credentials.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What would be done
  ansible.builtin.debug:
    msg: "{{ (target_targets | lunworks.iscsi.ontap_plan(answer.ontap_info, svm='svm1', volume='san')).say }}"
"""

RETURN = r"""
_value:
  description:
    - RV(ignore:faults), why nothing may be done; RV(ignore:say), the calls as sentences without secrets; RV(ignore:service),
      RV(ignore:chap) (with CHAP secrets) and RV(ignore:steps), the calls in this order, each with the options of
      C(netapp.ontap.na_ontap_restit); RV(ignore:wwids), the WWID of each LUN that is there, by its name, by target.
  type: dict
"""


def ontap_plan(
    targets: Sequence[Mapping[str, Any]],
    info: Mapping[str, Any] | None = None,
    svm: str = "",
    volume: str = "",
    os_type: str = "linux",
    purge: bool = False,
    force: bool = False,
    delete_luns: bool = False,
    secrets: str = "on_create",
    only_chap: bool = False,
) -> dict[str, Any]:
    """The plan as a dictionary."""
    try:
        asked = asked_of(targets, volume)
        if asked is None or info is None:
            return _told(Plan(), None, asked)
        seen = read(info, svm)
        rewrite = secrets == "always"
        if only_chap:
            return _told(chap_only(seen, asked, rewrite), seen, asked)
        options = {"purge": purge, "delete_luns": delete_luns, "rewrite": rewrite, "force": force}
        return _told(plan_svm(seen, asked, os_type=os_type, **options), seen, asked)
    except Problem as problem:
        return _told(Plan(faults=[str(problem)]), None, None)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"The targets are not in the form that the role ontap documents: {error!r}"
        ) from error


def _told(plan: Plan, seen: Svm | None, asked: Asked | None) -> dict[str, Any]:
    luns = asked.luns.values() if asked and seen else ()
    known = {
        lun.name: seen.luns[lun.path].wwid for lun in luns if seen and lun.path in seen.luns and not lun.gone
    }
    return {
        "faults": plan.faults,
        "say": [f"{call.say}." for call in plan.calls()],
        "service": [call.plain() for call in plan.service],
        "chap": [call.plain() for call in plan.chap],
        "steps": [call.plain() for call in plan.steps],
        "wwids": {asked.name: known} if asked else {},
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"ontap_plan": ontap_plan}
