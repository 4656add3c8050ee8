# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a collection is installed on the controller."""

from __future__ import annotations

import importlib.util
from typing import Any

DOCUMENTATION = r"""
name: installed
short_description: Check whether a collection is installed
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - The roles for arrays drive the collections of their vendors, which this collection does not depend on. They check for them
    with this test.
positional: _input
options:
  _input:
    description: The name of the collection.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The collection of the array is installed
  ansible.builtin.assert:
    that: "'netapp_eseries.santricity' is lunworks.iscsi.installed"
"""

RETURN = r"""
_value:
  description: Whether it is installed on the controller.
  type: bool
"""


def installed(name: str) -> bool:
    """Whether Ansible finds it."""
    try:
        return importlib.util.find_spec(f"ansible_collections.{name}") is not None
    except ModuleNotFoundError:  # nor anything else of its namespace
        return False


class TestModule:
    """The tests of this file."""

    def tests(self) -> dict[str, Any]:
        """Their names."""
        return {"installed": installed}
