#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target
short_description: Manage one iSCSI target
version_added: 1.0.0
description:
  - Creates, changes or removes one target of a storage host, with the portals on which it listens. Works with LIO, the iSCSI
    target of the Linux kernel, and with tgt. LUNs and igroups are added with M(lunworks.iscsi.lun) and M(lunworks.iscsi.igroup),
    or all together with M(lunworks.iscsi.targets).
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description: The iSCSI name of the target (RFC 7143 section 4.2.7).
    type: str
    required: true
  purge:
    description: Whether to remove portals that are not listed.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.san.target
  - lunworks.iscsi.san
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Create a target on two networks
  lunworks.iscsi.target:
    name: iqn.2026-01.com.example:store1.db
    portals: [10.77.1.11, "[fd77:2::11]:3260"]

- name: Remove it, even if initiators are logged in
  lunworks.iscsi.target:
    name: iqn.2026-01.com.example:store1.db
    state: absent
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
        - The target; an empty list if it is absent.
        - Each with C(name), C(enabled), C(portals), C(alias), C(attributes) and C(parameters) (those that were given, are
          relied on or are saved), C(luns) (each with C(name), C(number), C(path), C(size) in bytes, C(serial), C(wwid),
          C(block_size), C(write_back), C(read_only), C(attributes), and C(alua) if it is in a group) and
          C(igroups) (each with C(name), C(initiators), C(luns)
          as C(name), C(number), C(read_only), and C(chap) with the user names, null without CHAP).
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._providers import OPTION, provider_of
from ..module_utils._san.options import TARGET

SPEC = {
    **TARGET,
    "purge": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **OPTION,
}


def resource(options):
    return provider_of(options).resource([options], purge=options["purge"], force=options["force"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
