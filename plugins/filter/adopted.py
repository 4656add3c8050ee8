# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on hosts, as inventory files that site.yml agrees with."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._host import Problem
from ..plugin_utils._adopt.whole import adopted as whole

DOCUMENTATION = r"""
name: adopted
short_description: Convert what stands on hosts to inventory data
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.adopt). Converts the answers of the info modules of this collection to the texts of
    inventory files with the variables of its roles, and to lists for people.
  - What a new target, record or group would have by itself is left out, and no secret is in it. Where CHAP needs one, the
    text names a variable of a vault.
positional: _input
options:
  _input:
    description:
      - For each host, as C(storage) and C(compute) what the modules answered there.
      - C(storage) has C(provider), C(target_info), C(missing), C(unit) and C(steps), what M(lunworks.iscsi.targets) would do in a
        check run.
      - C(compute) has C(initiator_info), C(multipath_info), C(volume_group_info), C(volume_use_info), C(timers_info), C(missing),
        C(multipath_enabled), C(login_unit), what M(lunworks.iscsi.login_unit) would do, and in a second call C(settings_steps),
        C(rp_filter_check) and C(discovery_checks), what check runs with the C(settings), C(rp_filter) and C(discovery) of the
        first one returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What stands, as files
  ansible.builtin.set_fact:
    written: "{{ facts | lunworks.iscsi.adopted }}"

- name: What is dangerous
  ansible.builtin.debug:
    msg: "{{ written.dangerous }}"
"""

RETURN = r"""
_value:
  description: What was found.
  type: dict
  contains:
    files:
      description: The files, each with C(path) (below the directory of an inventory) and C(text).
      type: list
      elements: dict
    targets:
      description: >-
        The targets of each storage host as in O(lunworks.iscsi.target#role:main:target_targets), without C(chap), so that they
        can be checked while nobody has put the secrets into a vault.
      type: dict
    settings:
      description: What is written of C(iscsid.conf), by host, to be checked by M(lunworks.iscsi.iscsid_conf).
      type: dict
    rp_filter:
      description: The NICs with a loose reverse path filter, by host, to be checked by M(lunworks.iscsi.rp_filter).
      type: dict
    discovery:
      description: >-
        An entry for each discovery record, by host, without C(chap), to be checked by M(lunworks.iscsi.discovery). In a second
        call, those that are refused are not written.
      type: dict
    cannot:
      description: What the data has no words for, one sentence each.
      type: list
      elements: str
    dangerous:
      description: What is dangerous on these hosts, one sentence each.
      type: list
      elements: str
    decisions:
      description: What needs a decision, one sentence each.
      type: list
      elements: str
    changes:
      description: What the playbook C(lunworks.iscsi.site) will still change, and why, one sentence each.
      type: list
      elements: str
"""


def adopted(facts: Mapping[str, Mapping[str, Any]]) -> Any:
    """The files and the lists. What a host says is no template."""
    try:
        return wrap_var(whole(facts))
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The input must be the answers of the info modules by host: {error!r}"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"adopted": adopted}
