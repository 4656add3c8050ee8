# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a host's nodes as the options of the module that manages them, with the defaults of the role."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._open_iscsi.conf.presets import PRESETS

DOCUMENTATION = r"""
name: node_options
short_description: Convert the data of nodes to module options
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.initiator#role). Adds the defaults of the role to the entries of
    O(lunworks.iscsi.initiator#role:main:initiator_nodes), startup V(automatic), logged in, and the time for which iscsid
    retries a login at boot. What an entry says itself takes precedence.
  - Entries with the state V(absent) are returned last and as they are. An entry that occurs twice is returned once.
positional: _input, preset, login_timeout_at_boot, settings
options:
  _input:
    description: The nodes.
    type: list
    elements: dict
    required: true
  preset:
    description: The preset of entries without one. If omitted, they have none.
    type: str
  login_timeout_at_boot:
    description: For how long iscsid retries a login at boot, in seconds.
    type: int
    default: 120
  settings:
    description: Keys of C(iscsid.conf), which take precedence over those of O(preset) there, and so in the records too.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: The targets of this host
  lunworks.iscsi.nodes:
    nodes: "{{ initiator_nodes | lunworks.iscsi.node_options('multipath') }}"
"""

RETURN = r"""
_value:
  description: The option O(lunworks.iscsi.nodes#module:nodes).
  type: list
  elements: dict
"""

RETRIES = "node.session.initial_login_retry_max"
LOGIN_TIMEOUT = 15  # seconds of each try: node.conn[0].timeo.login_timeout in open-iscsi's iscsid.conf


def node_options(
    nodes: Sequence[Mapping[str, Any]],
    preset: str | None = None,
    login_timeout_at_boot: int = 120,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The nodes that must be there with the defaults, then those that must not."""
    if not re.fullmatch("[0-9]+", str(login_timeout_at_boot)):
        raise AnsibleFilterError(
            f"The login timeout at boot is a number of seconds, not '{login_timeout_at_boot}'."
        )
    retries = max(int(login_timeout_at_boot) // LOGIN_TIMEOUT, 1)
    present: list[Mapping[str, Any]] = []
    absent: list[dict[str, Any]] = []
    for number, node in enumerate(nodes):
        if not isinstance(node, Mapping):
            raise AnsibleFilterError(
                f"initiator_nodes[{number}] must be a dictionary with a target, not '{node}'."
            )
        if node.get("state") == "absent":
            absent.append(dict(node.items()))
        elif node not in present:
            present.append(node)
    known = PRESETS.get(preset or "", {})
    if settings is not None and not isinstance(settings, Mapping):
        raise AnsibleFilterError(
            f"The settings must be a dictionary of keys of iscsid.conf, not '{settings}'."
        )
    over = {key: value for key, value in (settings or {}).items() if key in known and value is not None}
    return [_with_defaults(node, preset, {RETRIES: retries}, over) for node in present] + absent


def _with_defaults(
    node: Mapping[str, Any], preset: str | None, settings: dict[str, Any], over: dict[str, Any]
) -> dict[str, Any]:
    own = node.get("settings") or {}
    settings = settings if "preset" in node else {**settings, **over}
    return {
        "startup": "automatic",
        "logged_in": True,
        **({} if preset is None else {"preset": preset}),
        **dict(node.items()),
        "settings": {**settings, **dict(own.items())} if isinstance(own, Mapping) else own,
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"node_options": node_options}
