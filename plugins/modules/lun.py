#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lun
short_description: Manage one LUN of an iSCSI target
version_added: 1.0.0
description:
  - Creates, grows, changes or removes one LUN of a target. Works with LIO, the iSCSI target of the Linux kernel, and with tgt.
  - No initiator sees a LUN until it is in an igroup; see M(lunworks.iscsi.igroup).
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  target:
    description: The iSCSI name of the target, which must exist.
    type: str
    required: true
  name:
    description: The name of the LUN, at most 63 letters, digits, V(.), V(_) and V(-); unique in its target.
    type: str
    required: true
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.san.lun
  - lunworks.iscsi.san
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Create a LUN on a file
  lunworks.iscsi.lun:
    target: iqn.2026-01.com.example:store1.db
    name: db0
    path: /srv/luns/db0.img
    size: 40g

- name: Grow it online
  lunworks.iscsi.lun:
    target: iqn.2026-01.com.example:store1.db
    name: db0
    size: 60g
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
        - The target with all its LUNs.
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
from ..module_utils._san.options import LUN

SPEC = {
    "target": {"type": "str", "required": True},
    **LUN,
    "force": {"type": "bool", "default": False},
    **OPTION,
}


def resource(options):
    target = {"name": options["target"], "luns": [options]}
    return provider_of(options).resource([target], force=options["force"], inside=True)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
