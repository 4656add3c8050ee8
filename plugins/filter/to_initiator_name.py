# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The iSCSI name of a host by a rule, so that a fleet needs no list of names."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import iscsi_name
from ..module_utils._host import Problem

DOCUMENTATION = r"""
name: to_initiator_name
short_description: Derive the iSCSI name of a host from a naming authority
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Joins the naming authority and the name of the host, in lower case, and checks the result (RFC 7143 section 4.2.7).
  - The role P(lunworks.iscsi.initiator#role) uses it if O(lunworks.iscsi.initiator#role:main:initiator_naming_authority) is
    set. The igroups on the storage side can name their initiators in the same way.
positional: _input, authority
options:
  _input:
    description: The name of the host. It must not contain characters that an iSCSI name cannot contain, such as V(_).
    type: str
    required: true
  authority:
    description: The naming authority, C(iqn.), a year and month, and a reversed domain name that you owned at that time.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The name of this host
  ansible.builtin.debug:
    msg: "{{ inventory_hostname | lunworks.iscsi.to_initiator_name('iqn.2026-01.com.example') }}"

- name: The initiators of an igroup
  ansible.builtin.debug:
    msg: "{{ groups.compute | map('lunworks.iscsi.to_initiator_name', 'iqn.2026-01.com.example') }}"
"""

RETURN = r"""
_value:
  description: The iSCSI name.
  type: str
  sample: iqn.2026-01.com.example:db-a
"""


def to_initiator_name(host: str, authority: str) -> str:
    """The name of a host by a naming authority."""
    base = str(authority).strip().rstrip(":")
    if not base.lower().startswith("iqn."):
        raise AnsibleFilterError(
            f"'{authority}' is not a naming authority. It must be iqn.YYYY-MM.reversed.domain, like "
            f"'iqn.2026-01.com.example'; set names of the forms eui. and naa. by hand (initiator_name)."
        )
    try:
        iscsi_name(base)
    except Problem as problem:
        raise AnsibleFilterError(f"The naming authority is not valid: {problem}") from problem
    try:
        return iscsi_name(f"{base}:{str(host).strip()}")
    except Problem as problem:
        raise AnsibleFilterError(
            f"No iSCSI name can be made of the host name '{host}': {problem} Give this host an initiator_name."
        ) from problem


def declared_name(host: str, variables: Mapping[str, Any]) -> str:
    """The initiator name that its data gives a host: its own, or what the naming authority makes; '' if it keeps what it has."""
    name, authority = variables.get("initiator_name"), variables.get("initiator_naming_authority")
    return str(name or (to_initiator_name(host, authority) if authority else ""))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"to_initiator_name": to_initiator_name}
