# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a report answered, out of their variables."""

from __future__ import annotations

from typing import Any, Mapping

from ..plugin_utils._report.paths import ASKED

DOCUMENTATION = r"""
name: report_answers
short_description: Collect what the hosts of a report answered
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.report). Takes the results that it registered from the variables of the hosts.
positional: _input
options:
  _input:
    description: The variables of each host by its name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What each host answered
  ansible.builtin.debug:
    msg: "{{ dict(hosts | zip(hosts | map('extract', hostvars))) | lunworks.iscsi.report_answers }}"
"""

RETURN = r"""
_value:
  description: The input of P(lunworks.iscsi.san_report#filter).
  type: dict
"""


def report_answers(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answers by host; what a host was not asked is left out."""
    return {host: _answers(variables[host]) for host in variables}


def _answers(known: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: known.get(f"lunworks_report_{name}") for name in ASKED}
    return {name: result for name, result in told.items() if result and not result.get("skipped")}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"report_answers": report_answers}
