# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many paths the nodes of a host give each of its disks at least."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import portal, target_key
from ..module_utils._host import Problem

DOCUMENTATION = r"""
name: min_paths
short_description: Count the paths that every disk of a host will have at least
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Counts the portals of each target, each once for every iface through which it is logged in, over all entries of the target,
    and returns the smallest count. Entries that are absent or not logged in do not count.
  - The role P(lunworks.iscsi.host_storage#role) waits for this number of paths of each disk.
positional: _input
options:
  _input:
    description: The nodes, as in O(lunworks.iscsi.initiator#role:main:initiator_nodes).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: As many as the target with the fewest
  ansible.builtin.debug:
    msg: "{{ initiator_nodes | lunworks.iscsi.min_paths }}"
"""

RETURN = r"""
_value:
  description: The number of paths, 1 if there are no nodes.
  type: int
  sample: 2
"""


def min_paths(nodes: list[dict[str, Any]]) -> int:
    """The paths of the target that has the fewest."""
    paths: dict[str, set[tuple[str, str]]] = defaultdict(set)
    try:
        for node in nodes or []:
            if node.get("state", "present") != "absent" and node.get("logged_in") in (None, True):
                ways = [
                    (where, iface) for where in node["portals"] for iface in node.get("ifaces") or ["default"]
                ]
                paths[target_key(node["target"])] |= {
                    (str(portal(where, names=True)), str(iface)) for where, iface in ways
                }
    except (Problem, KeyError, AttributeError, TypeError) as problem:
        raise AnsibleFilterError(
            f"initiator_nodes is a list of nodes, each with its target and its portals: {problem}"
        ) from problem
    return min((len(ways) for ways in paths.values() if ways), default=1)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"min_paths": min_paths}
