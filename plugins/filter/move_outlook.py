# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where volume groups stand, and where they could move."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils._move.outlook import outlook

DOCUMENTATION = r"""
name: move_outlook
short_description: Find where volume groups are, and what speaks against moving them to each host
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.move_volume_group) with C(--tags status) where source and destination are not given.
positional: _input
options:
  _input:
    description:
      - As for P(lunworks.iscsi.move_plan#filter). C(source) and C(destination) may be empty; C(hosts) are the compute hosts that
        were asked.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Where they stand
  ansible.builtin.debug:
    msg: "{{ (survey | lunworks.iscsi.move_outlook).status }}"
"""

RETURN = r"""
_value:
  description:
    - C(status), sentences about where each group stands and what speaks against a move of it to each host; C(unknown), a sentence
      for each group that is on no LUN, with the names of those that are.
  type: dict
"""


def move_outlook(asked: Mapping[str, Any]) -> dict[str, list[str]]:
    """Sentences about each group."""
    try:
        return outlook(asked)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The input must be the answers of the hosts of a move: {error!r}"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"move_outlook": move_outlook}
