#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_links
short_description: Create links to iSCSI disks by target and LUN number
version_added: 1.0.0
description:
  - Installs udev rules that give every LUN of an iSCSI session a link C(/dev/iscsi/TARGET/lunN), and each of its partitions
    one that ends in C(-partN). A LUN under a multipath map has one link, to the map.
  - Links for existing disks are created at once.
  - The links are for people and for software that identifies a LUN by its number. A LUN number can be reassigned to another
    disk, and then the link leads there. Refer to disks that hold data by WWID instead, as M(lunworks.iscsi.disk) returns it,
    or by alias (M(lunworks.iscsi.multipath_alias)).
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  state:
    description: Whether the rules must exist. V(absent) removes the links too.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - The rules are in C(/etc/udev/rules.d/71-iscsi-target-lun.rules). udev(7) reads them at once, and at boot.
  - Links are created and removed by C(change) events, as C(udevadm trigger) sends them.
  - LUN numbers are those of the kernel, as in C(lsscsi). From 256 on they may be in the flat addressing format of SAM-5, such
    as 16640.
seealso:
  - module: lunworks.iscsi.disk
  - module: lunworks.iscsi.multipath_alias
"""

EXAMPLES = r"""
- name: Create links to LUNs by target and number
  lunworks.iscsi.disk_links:

- name: Show them, such as /dev/iscsi/iqn.2026-01.com.example:store1.db/lun0
  ansible.builtin.command: ls -lR /dev/iscsi
  changed_when: false
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Let udev make the link /dev/iscsi/iqn.2026-01.com.example:store1.db/lun0"]
state:
  description: The state of the rules and links afterwards.
  returned: success
  type: dict
  contains:
    rules:
      description: The file with the rules; null if there is none.
      type: str
      returned: always
    links:
      description: The links, and the device that each leads to.
      type: dict
      returned: always
  sample:
    rules: /etc/udev/rules.d/71-iscsi-target-lun.rules
    links: {"/dev/iscsi/iqn.2026-01.com.example:store1.db/lun0": /dev/dm-0}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._open_iscsi import disk_links as open_iscsi_link

SPEC = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


class DiskLinks(Resource):
    def __init__(self, options):
        self.present = options["state"] == "present"

    def look(self, host):
        return open_iscsi_link.look_links(host)

    def want(self, seen):
        return open_iscsi_link.want_links(seen, self.present)

    def plan(self, seen, want):
        return open_iscsi_link.plan_links(seen, want)

    def show(self, state):
        links = {name: device for name, device in sorted(state.links.items()) if device}
        return {
            "rules": open_iscsi_link.RULES if state.rules else None,
            "links": {f"{open_iscsi_link.LINKS}/{name}": f"/dev/{device}" for name, device in links.items()},
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), DiskLinks)


if __name__ == "__main__":
    main()
