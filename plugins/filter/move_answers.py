# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a move answered, out of their variables."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: move_answers
short_description: Collect what the hosts of a move answered
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.move_volume_group#role). Takes the results that its survey registered from the variables
    of the hosts, the names of the targets that their data declares, and their initiator names there.
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
    msg: "{{ dict(hosts | zip(hosts | map('extract', hostvars))) | lunworks.iscsi.move_answers }}"
"""

RETURN = r"""
_value:
  description: The C(answers) of P(lunworks.iscsi.move_plan#filter).
  type: dict
"""

ASKED = ("initiator", "use", "groups", "luns")


def move_answers(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answers by host; a host that was not asked something has {} for it."""
    return {host: _answers(host, variables[host]) for host in variables}


def _answers(host: str, known: Mapping[str, Any]) -> dict[str, Any]:
    nodes = known.get("initiator_nodes") or []
    for number, node in enumerate(nodes):
        if not isinstance(node, Mapping) or "target" not in node:
            raise AnsibleFilterError(
                f"'{host}': initiator_nodes[{number}] must be a dictionary with a target."
            )
    return {
        **{name: known.get(f"move_volume_group_{name}") or {} for name in ASKED},
        "declared": [str(node["target"]).lower() for node in nodes],
        "name": str(known.get("initiator_name") or "").lower(),
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"move_answers": move_answers}
