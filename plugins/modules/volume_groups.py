#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_groups
short_description: Manage LVM volume groups on shared disks, many at once
version_added: 1.0.0
description:
  - Creates a group on empty disks, extends it with more disks, grows it with its disks, activates and deactivates it, exports
    and imports it, and removes it when it is empty.
  - Disks are given by persistent names, never by C(/dev/sdX). Existing data is never overwritten, no disk is ever removed from
    a group, and no force option of LVM is used.
  - Volumes of an active group that use a single path of a disk and bypass its multipath map are moved to the map online.
  - One look at the system covers all groups, and one LVM command all groups that need the same step. If it fails for one group
    it is still done for the others; then the module fails, reports which group and why, and takes no further steps.
author:
  - The lunworks.iscsi authors (@lunworks)
extends_documentation_fragment:
  - lunworks.iscsi.lvm.groups
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Attach the disks
  lunworks.iscsi.disks:
    disks:
      - {target: "iqn.2026-01.com.example:store1.db", lun: db0, paths: 2}
      - {target: "iqn.2026-01.com.example:store1.www", lun: www, paths: 2}
  register: found

- name: Create a volume group on each
  lunworks.iscsi.volume_groups:
    groups:
      - {name: vg_db, devices: ["{{ found.state.disks[0].device }}"]}
      - {name: vg_www, devices: ["{{ found.state.disks[1].device }}"], tags: [web]}
    # In a check run on a bare host the disks will come, but have no paths yet.
    assume_present: "{{ found.state.disks | selectattr('paths', 'equalto', []) | map(attribute='device') }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Create the volume group 'vg_db' on '/dev/disk/by-id/dm-uuid-mpath-36001405...'"]
state:
  description: The groups that exist afterwards.
  returned: success
  type: dict
  contains:
    groups:
      description: One entry for each group, in the order of the option; absent groups have none.
      type: list
      elements: dict
      returned: always
      contains:
        name:
          description: The name.
          type: str
          returned: always
        uuid:
          description: The UUID; null for a group that a check run would create.
          type: str
          returned: always
        state:
          description:
            - V(active), V(inactive), V(exported); V(foreign), belongs to a host with another system ID; V(partial), physical
              volumes are missing; V(duplicate), there are copies of its physical volumes.
          type: str
          returned: always
        exported:
          description: Whether it is exported.
          type: bool
          returned: always
        system_id:
          description: The system ID of the host to which it belongs; null if it has none.
          type: str
          returned: always
        autoactivation:
          description: Whether hosts activate it by themselves; null if LVM is older than 2.03.12 or the default applies.
          type: bool
          returned: always
        tags:
          description: Its tags.
          type: list
          elements: str
          returned: always
        seqno:
          description: The sequence number of its metadata, which increases with every change.
          type: int
          returned: always
        extent_size:
          description: The size of an extent in bytes; null if it is not known yet.
          type: int
          returned: always
        size:
          description: Its size in bytes.
          type: int
          returned: always
        free:
          description: The free space, in bytes.
          type: int
          returned: always
        missing:
          description: The UUIDs of the physical volumes that are missing on this host.
          type: list
          elements: str
          returned: always
        copies:
          description: Devices that are copies of its physical volumes.
          type: list
          elements: str
          returned: always
        bypasses_multipath:
          description: Whether active volumes use single paths of disks that have a multipath map, because they were activated
            before it was created. With O(groups[].state=active) they are moved to the map while they are in use.
          type: bool
          returned: always
        hidden:
          description: Whether LVM does not see it, because this host's devices file (lvmdevices(8)) does not list its disks.
          type: bool
          returned: always
        checksums:
          description: The checksum sample of each logical volume that is active, by its name.
          type: dict
          returned: with O(groups[].state=active) or O(groups[].state=exported) and O(groups[].checksums)
        physical_volumes:
          description:
            - Its physical volumes, each with C(device) (as it was given, otherwise as LVM names it; null if it is missing),
              C(uuid), C(wwid) (null if the disk reports none), C(size) and C(free) in bytes.
          type: list
          elements: dict
          returned: always
        logical_volumes:
          description: Its logical volumes, each with C(name), C(size) in bytes, C(active) and C(layout) as in lvs(8).
          type: list
          elements: dict
          returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._lvm.group.resource import ASSUME_PRESENT, GROUP, WishedGroups

SPEC = {
    "groups": {"type": "list", "elements": "dict", "required": True, "options": GROUP},
    "assume_present": ASSUME_PRESENT,
}


class VolumeGroups(WishedGroups):
    def __init__(self, options):
        super().__init__(options["groups"], options["assume_present"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), VolumeGroups)


if __name__ == "__main__":
    main()
