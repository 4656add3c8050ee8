# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a host's data that is about CHAP, as the options of the modules that set it."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import target_key
from ..module_utils._host import Problem
from ..plugin_utils._form import lacking
from ..plugin_utils._san_use import named_targets, present

DOCUMENTATION = r"""
name: chap_options
short_description: Select the part of a host's data that is about CHAP
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.rotate_chap), so that it applies nothing but CHAP.
positional: _input, targets
options:
  _input:
    description:
      - O(lunworks.iscsi.target#role:main:target_targets) and O(lunworks.iscsi.initiator#role:main:initiator_nodes) of a host.
    type: dict
    required: true
  targets:
    description: The names of the targets to select, separated by commas; empty for all of them.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: The records have the CHAP credentials of the data
  lunworks.iscsi.nodes:
    nodes: "{{ (data | lunworks.iscsi.chap_options).nodes }}"
"""

RETURN = r"""
_value:
  description: C(targets) for M(lunworks.iscsi.targets) and C(nodes) for M(lunworks.iscsi.nodes).
  type: dict
"""


def chap_options(part: Mapping[str, Any], targets: str = "") -> dict[str, list[dict[str, Any]]]:
    """The part of one host's data that is about CHAP, as options of the modules targets and nodes."""
    try:
        return _of_chosen(part, targets)
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"target_targets and initiator_nodes do not have the form that the roles document: {lacking(error)}."
        ) from error


def _of_chosen(part: Mapping[str, Any], targets: str) -> dict[str, list[dict[str, Any]]]:
    chosen = named_targets(targets)
    served = [
        {
            "name": target["name"],
            "igroups": [
                {"name": group["name"], "chap": group["chap"]} for group in present(target, "igroups", "chap")
            ],
        }
        for target in present(part, "target_targets", "igroups")
        if not chosen or target_key(target["name"]) in chosen
    ]
    nodes: list[dict[str, Any]] = [
        {key: node[key] for key in ("target", "portals", "ifaces", "chap") if key in node}
        for node in present(part, "initiator_nodes", "chap")
        if not chosen or target_key(node["target"]) in chosen
    ]
    return {"targets": [one for one in served if one["igroups"]], "nodes": nodes}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"chap_options": chap_options}
