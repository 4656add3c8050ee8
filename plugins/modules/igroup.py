#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: igroup
short_description: Manage which initiators have access to which LUNs of an iSCSI target
version_added: 1.0.0
description:
  - Creates, changes or removes one igroup of a target, a named set of initiators with the LUNs that they see and the CHAP
    credentials with which they authenticate. Works with LIO, the iSCSI target of the Linux kernel, and with tgt.
  - In LIO an igroup is the set of node ACLs with the same tag; an ACL without a tag is an igroup that has the name of its
    initiator.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  target:
    description: The iSCSI name of the target, which must exist.
    type: str
    required: true
  name:
    description:
      - The name of the igroup, at most 63 letters, digits, V(.), V(_) and V(-).
      - Or the name of its only initiator, for an ACL without a tag, as targetcli creates it.
    type: str
    required: true
  purge:
    description: Whether to remove initiators and LUNs that are not listed from the igroup.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.san.igroup
  - lunworks.iscsi.san
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
"""

EXAMPLES = r"""
- name: Give the database host one LUN, and another one read-only
  lunworks.iscsi.igroup:
    target: iqn.2026-01.com.example:store1.db
    name: db
    initiators: [iqn.2026-01.com.example:db-a]
    luns:
      - db0
      - {name: reference, read_only: true}

- name: Remove db0 from the igroup after the host has released it
  lunworks.iscsi.igroup:
    target: iqn.2026-01.com.example:store1.db
    name: db
    luns:
      - {name: db0, state: absent}
    force: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Make the target 'iqn.2026-01.com.example:store1.db'"]
state:
  description: What the host serves afterwards.
  returned: success
  type: dict
  contains:
    targets:
      description:
        - The target with all its igroups.
        - Each with C(name), C(enabled), C(portals), C(alias), C(attributes) and C(parameters) (those that were given, are
          relied on or are saved), C(luns) (each with C(name), C(number), C(path), C(size) in bytes, C(serial), C(wwid),
          C(block_size), C(write_back), C(read_only), C(attributes)) and C(igroups) (each with C(name), C(initiators), C(luns)
          as C(name), C(number), C(read_only), and C(chap) with the user names, null without CHAP).
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._providers import OPTION, provider_of
from ..module_utils._san.options import IGROUP

SPEC = {
    "target": {"type": "str", "required": True},
    **IGROUP,
    "purge": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **OPTION,
}


def resource(options):
    target = {"name": options["target"], "igroups": [options]}
    return provider_of(options).resource(
        [target], purge=options["purge"], force=options["force"], inside=True
    )


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
