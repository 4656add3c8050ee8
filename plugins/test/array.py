# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether storage software is an array, which no module on a storage host drives."""

from __future__ import annotations

from typing import Any

from ..module_utils._providers import NAMES, provider

DOCUMENTATION = r"""
name: array
short_description: Check whether the storage software of a host is an array
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Arrays are hosts of the inventory to which no connection is made; the modules for storage hosts do not run on them.
positional: _input
options:
  _input:
    description: O(lunworks.iscsi.target#role:main:target_provider) of the host.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: What the storage host serves
  lunworks.iscsi.target_info:
    provider: "{{ target_provider | default('lio') }}"
  when: target_provider | default('lio') is not lunworks.iscsi.array
"""

RETURN = r"""
_value:
  description: Whether it is an array.
  type: bool
"""


def array(name: Any) -> bool:
    """Whether it is one."""
    return str(name) in NAMES and not provider(str(name)).on_host


class TestModule:
    """The tests of this file."""

    def tests(self) -> dict[str, Any]:
        """Their names."""
        return {"array": array}
