#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: targets
short_description: Serve iSCSI targets, many at once
version_added: 0.1.0
description:
  - Brings the targets of a storage host with their portals, LUNs and igroups to the declared state, all in one call, and
    saves them so that they come back after a boot. Works with LIO, the target of the Linux kernel.
  - What is not declared stays as it is, also inside a declared target, unless O(purge) is set.
  - Nothing is taken away from an initiator that is logged in unless O(force) is set.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  purge:
    description:
      - Remove targets that are not listed, and in the listed ones every portal, LUN, igroup, initiator and map that its
        list does not have. A list that is left out stays as it is.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.san.targets
  - lunworks.iscsi.san
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
"""

EXAMPLES = r"""
- name: Two LUNs for one host, over two networks
  lunworks.iscsi.targets:
    targets:
      - name: iqn.2026-01.com.example:store1.db
        portals: [10.77.1.11, 10.77.2.11]
        luns:
          - {name: db0, path: /srv/luns/db0.img, size: 40g}
          - {name: db1, path: /dev/vg_store/db1}
        igroups:
          - name: db
            initiators: [iqn.2026-01.com.example:db-a]
            luns: [db0, db1]
            chap: {user: db, secret: "{{ vault_db_secret }}"}
  diff: true

- name: Months later, db0 grows online
  lunworks.iscsi.targets:
    targets:
      - name: iqn.2026-01.com.example:store1.db
        luns:
          - {name: db0, size: 60g}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, in order, one sentence each.
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
        - The targets that were asked for; with O(purge) all targets of the host.
        - Each with C(name), C(enabled), C(portals), C(alias), C(attributes) and C(parameters) (those that were asked for,
          are relied on or saved), C(luns) (each with C(name), C(number), C(path), C(size) in bytes, C(serial), C(wwid),
          C(block_size), C(write_back), C(read_only), C(attributes)) and C(igroups) (each with C(name), C(initiators), C(luns)
          as C(name), C(number), C(read_only), and C(chap) with the user names, null without).
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_serve import Serve
from ansible_collections.lunworks.iscsi.plugins.module_utils.san_asked import LISTED_TARGET

SPEC = {
    "targets": {"type": "list", "elements": "dict", "required": True, "options": LISTED_TARGET},
    "purge": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
}


class Targets(Serve, Resource):
    def __init__(self, options):
        purge = options["purge"]
        super().__init__(options["targets"], purge=purge, purge_targets=purge, force=options["force"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Targets)


if __name__ == "__main__":
    main()
