# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of a fleet that log in under one name, as their files and sessions say."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterator, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: duplicate_initiator_names
short_description: Find hosts that share an initiator name
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Compares the results of M(lunworks.iscsi.initiator_info) on many hosts. Cloned machines share one C(initiatorname.iscsi),
    and then each takes over the sessions and the LUNs of the other.
  - P(lunworks.iscsi.san_faults#filter) checks the inventory data; this filter checks the names that the hosts really use,
    including sessions that still have an old name.
positional: _input
options:
  _input:
    description: The results, by the names of the hosts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: No two hosts have one name
  ansible.builtin.assert:
    that: answers | lunworks.iscsi.duplicate_initiator_names == []
    fail_msg: "{{ answers | lunworks.iscsi.duplicate_initiator_names | join(' ') }}"
"""

RETURN = r"""
_value:
  description: One sentence for each shared name; empty if there is none.
  type: list
  elements: str
"""


def duplicate_initiator_names(answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The shared names of a fleet as sentences."""
    users: dict[str, set[str]] = defaultdict(set)
    try:
        for host in answers:
            for name in _names(answers[host]):
                users[name.lower()].add(host)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The input must be the answers of initiator_info by host: {error!r}"
        ) from error
    return [
        f"The initiator name '{name}' is used by {' and '.join(repr(host) for host in sorted(hosts))}: a target takes them "
        f"for one host, and each cuts off the other. Were they cloned? Give each its own name (initiator_name)."
        for name, hosts in sorted(users.items())
        if len(hosts) > 1
    ]


def _names(answer: Mapping[str, Any]) -> Iterator[str]:
    """Every name that a host gives: of its file, of its ifaces, of its sessions."""
    given = [
        answer["name"],
        *(iface.get("iface.initiatorname") for iface in answer["ifaces"].values()),
        *(session["initiator"] for session in answer["sessions"]),
    ]
    yield from (name for name in given if name)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"duplicate_initiator_names": duplicate_initiator_names}
