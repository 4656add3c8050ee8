#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_leftovers
short_description: Remove stale device-mapper devices of lost logical volumes
version_added: 1.0.0
description:
  - A host that lost the disks of a volume group while it was active still has its tables in the kernel's device mapper,
    although LVM no longer finds a group that it could deactivate. This module removes exactly the tables of the given groups.
  - This is refused while a mount, a process, swap or another device uses one of them; the users are named. No force option is
    used.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  uuids:
    description: The UUIDs of the volume groups.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - On a group whose disks are present it has the effect of a deactivation. Use M(lunworks.iscsi.volume_groups) for that.
seealso:
  - module: lunworks.iscsi.volume_groups
  - module: lunworks.iscsi.volume_use_info
"""

EXAMPLES = r"""
- name: Remove what a fenced host still has of the group
  lunworks.iscsi.volume_leftovers:
    uuids: [AVPksc-bGId-5Fzn-uWMh-bRa4-PYzY-TsC9hq]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Remove the table 'vg_db-data' from the kernel's device mapper"]
state:
  description: The tables that are left afterwards, which is none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the table.
      type: str
      returned: always
    group:
      description: Its volume group.
      type: str
      returned: always
    users:
      description: What uses it.
      type: list
      elements: str
      returned: always
"""

import re

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import unique
from ..module_utils._converge import Resource, converge
from ..module_utils._host import Problem
from ..module_utils._host_lock import VOLUMES
from ..module_utils._lvm.volume.leftovers import look_leftovers, plan_leftovers, refuse_leftovers

SPEC = {"uuids": {"type": "list", "elements": "str", "required": True}}


class Leftovers(Resource):
    locks = (VOLUMES,)

    def __init__(self, options):
        self.uuids = options["uuids"]
        unique("UUID", self.uuids)
        for uuid in self.uuids:
            if not re.fullmatch(r"\w{6}(-\w{4}){5}-\w{6}", uuid):
                raise Problem(f"'{uuid}' is not the UUID of a volume group, as vgs -o vg_uuid shows it.")

    def look(self, host):
        return look_leftovers(host, self.uuids)

    def want(self, seen):
        return ()

    def plan(self, seen, want):
        return plan_leftovers(seen, want)

    def refuse(self, seen, want, steps):
        refuse_leftovers(seen)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Leftovers)


if __name__ == "__main__":
    main()
