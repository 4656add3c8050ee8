#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_group_clone
short_description: Import an array snapshot as a separate volume group
version_added: 1.0.0
description:
  - A snapshot or clone of LUNs has the UUIDs and the name of the original, so LVM sees one group twice and refuses both. This
    module gives the copy new UUIDs and a new name, as vgimportclone(8) does, so that both can be used on one host.
  - The group is not active afterwards.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description: The new name of the group on the copies, by the rules of lvm(8). No other group may have it.
    type: str
    required: true
  devices:
    description:
      - All disks of the copy, by names that refer to the same disk after every boot, like C(/dev/mapper/NAME);
        M(lunworks.iscsi.disks) returns such names.
      - Disks that are in use are refused, and so is an incomplete copy.
    type: list
    elements: path
    required: true
extends_documentation_fragment:
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Attach the snapshots of both LUNs of vg_db
  lunworks.iscsi.disks:
    disks:
      - {wwid: 3600a0980383036347a3f4d2f4c324b31}
      - {wwid: 3600a0980383036347a3f4d2f4c324b32}
  register: found

- name: Import them as a separate volume group
  lunworks.iscsi.volume_group_clone:
    name: vg_db_snapshot
    devices: "{{ found.state.disks | map(attribute='device') }}"

- name: Activate it alongside the original
  lunworks.iscsi.volume_group:
    name: vg_db_snapshot
    state: active
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Import the copy of 'vg_db' on '/dev/mapper/snap' as the separate volume group 'vg_db_snapshot'"]
state:
  description: The disks afterwards.
  returned: success
  type: dict
  contains:
    disks:
      description: Each disk, with C(device), C(pv) (the UUID of the physical volume), C(group) and C(uuid) of the volume group.
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._lvm.group.clone import OPTIONS, VolumeGroupClone

SPEC = OPTIONS


def resource(options):
    return VolumeGroupClone(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
