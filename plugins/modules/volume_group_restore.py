#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_group_restore
short_description: Restore lost volume group metadata from a backup
version_added: 1.0.0
description:
  - Restores the metadata of a volume group from a backup, if LVM no longer finds the group or has lost the label of a physical
    volume. Existing metadata is never overwritten, so this cannot be used to undo a move.
  - A restored group is not active. Only its metadata is restored; check the file systems (fsck(8), xfs_repair(8)) before
    mounting them.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description: The name of the volume group, which must be that of the backup.
    type: str
    required: true
  metadata:
    description:
      - The backup, as returned by RV(lunworks.iscsi.volume_group_info#module:groups[].metadata), written on the controller by
        a move, or written by vgcfgbackup(8).
    type: str
    required: true
  devices:
    description:
      - The disks of physical volumes whose label is lost. Each becomes a physical volume with its old UUID.
      - They must be empty and unused. A disk with any content is named and refused.
    type: list
    elements: dict
    default: []
    suboptions:
      uuid:
        description: The UUID of the physical volume, as the backup has it.
        type: str
        required: true
      device:
        description: Its disk, by a name that refers to the same disk after every boot, like C(/dev/mapper/NAME).
        type: path
        required: true
  force:
    description:
      - Whether to restore even a group with thin pools. Their own metadata is not in the backup; if the two do not match, data
        is lost.
      - Set it only for the one task that needs it.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Restore the lost metadata of vg_db
  lunworks.iscsi.volume_group_restore:
    name: vg_db
    metadata: "{{ lookup('ansible.builtin.file', 'backups/vg_db-AVPksc-bGId-5Fzn-uWMh-bRa4-PYzY-TsC9hq-000012.vg') }}"

- name: Restore it when one of its disks has lost its label too
  lunworks.iscsi.volume_group_restore:
    name: vg_db
    metadata: "{{ lookup('ansible.builtin.file', 'vg_db.vg') }}"
    devices:
      - {uuid: 9a3Hqr-zLc1-7bBa-H0Hq-yUkw-2nJp-dWkZ0e, device: /dev/mapper/36001405aa0f3c1de5b14d60a9c4ff901}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Write the metadata of 'vg_db' back as it was at its change 12"]
state:
  description: The group afterwards.
  returned: success
  type: dict
  contains:
    uuid:
      description: Its UUID.
      type: str
      returned: always
    physical_volumes:
      description: The device of each physical volume by its UUID.
      type: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._host_lock import VOLUMES
from ..module_utils._lvm.group.restore import (
    look_restorable,
    plan_restore,
    refuse_restore,
    restore_wish,
    want_restored,
)

SPEC = {
    "name": {"type": "str", "required": True},
    "metadata": {"type": "str", "required": True},
    "devices": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "uuid": {"type": "str", "required": True},
            "device": {"type": "path", "required": True},
        },
    },
    "force": {"type": "bool", "default": False},
}


class Restored(Resource):
    locks = (VOLUMES,)

    def __init__(self, options):
        self.wish = restore_wish(options)

    def look(self, host):
        return look_restorable(host, self.wish)

    def want(self, seen):
        return want_restored(self.wish, seen)

    def plan(self, seen, want):
        return plan_restore(self.wish, seen, want)

    def refuse(self, seen, want, steps):
        refuse_restore(self.wish, seen, steps)

    def show(self, state):
        return {"uuid": state.uuid or None, "physical_volumes": dict(state.pvs)}


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Restored)


if __name__ == "__main__":
    main()
