#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disks
short_description: Attach, grow or remove LUNs on this host, many at once
version_added: 1.0.0
description:
  - Finds each disk by its WWID, never by C(/dev/sdX) or a LUN number, and verifies the WWID on every path by asking the
    device.
  - Scans the sessions of the target for missing paths, then waits, up to a time limit, until udev has processed them and the
    multipath map exists.
  - Verifies that whatever uses the disk uses it through its map. Volumes that LVM activated on a single path are moved to the
    map online (C(vgchange --refresh)); any other use of a single path is refused, since it fails when that path fails.
  - When a LUN has grown on the storage, its size is reread on every path, then the map is resized.
  - With O(disks[].state=absent) the disk is removed in a safe order. While anything on it is mounted, active, exported, open,
    or swap, the removal is refused and the users are named. Otherwise queueing is turned off, the map is flushed and removed,
    its WWID is forgotten, and exactly its devices are deleted.
  - One look at the system, one scan and one wait cover all disks.
author:
  - The lunworks.iscsi authors (@lunworks)
extends_documentation_fragment:
  - lunworks.iscsi.multipath.disks
  - lunworks.iscsi.multipath
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.disk
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.multipath_conf
  - module: lunworks.iscsi.multipath_alias
"""

EXAMPLES = r"""
- name: Attach the disks of the database on both paths
  lunworks.iscsi.disks:
    disks:
      - {target: "iqn.2026-01.com.example:store1.db", lun: db0, paths: 2}
      - {target: "iqn.2026-01.com.example:store1.db", lun: db1, paths: 2, size: 40g}
      - {wwid: 3600a098038303053453f463045727a79, state: absent}
  register: found

- name: Show their persistent device names
  ansible.builtin.debug:
    msg: "{{ found.state.disks | map(attribute='device') }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Scan host2 (portal 10.77.1.11:3260) for new LUNs"]
state:
  description: The state of the disks afterwards.
  returned: success
  type: dict
  contains:
    disks:
      description: One entry for each disk, in the order of the option.
      type: list
      elements: dict
      returned: always
      contains:
        wwid:
          description: The WWID, verified on every path.
          type: str
          returned: always
        device:
          description:
            - The persistent name to use, which neither an alias nor a reboot changes, C(/dev/disk/by-id/dm-uuid-mpath-WWID)
              with a map and C(/dev/disk/by-id/scsi-WWID) without. In check mode the name that it will have.
            - Null when the disk is absent.
          type: str
          returned: always
        name:
          description: The name of the map, an alias or the WWID; null without a map.
          type: str
          returned: always
        size:
          description: The size in bytes; null if it is not known yet.
          type: int
          returned: always
        serial:
          description: The unit serial that the disk reports; null if it was not asked.
          type: str
          returned: always
        paths:
          description: The paths; in check mode those that exist already.
          type: list
          elements: dict
          returned: always
          contains:
            device:
              description: The kernel's name of this path, which may change at the next boot.
              type: str
              returned: always
            hctl:
              description: SCSI host, channel, target and LUN number.
              type: str
              returned: always
            state:
              description:
                - V(running) means that it carries I/O, V(failed) that multipathd reports it as failed, V(silent) that it did
                  not answer within 10 seconds, V(unmapped) that it no longer has a LUN behind it. Other states are the
                  kernel's, such as V(blocked), V(offline) and V(transport-offline).
              type: str
              returned: always
            portal:
              description: The portal of its session; null for a path that is not iSCSI.
              type: str
              returned: always
            session:
              description: The number of its session.
              type: int
              returned: always
  sample:
    disks:
    - {wwid: 360014050db5c0a5d3c95d0a8b1ad1bb0, device: /dev/disk/by-id/dm-uuid-mpath-360014050db5c0a5d3c95d0a8b1ad1bb0,
      name: db0, size: 42949672960, serial: 0db5c0a5-d3c9-5d0a-8b1a-d1bb01e2a7c4, paths: [{device: /dev/sdb, hctl: "2:0:0:0",
      state: running, portal: "10.77.1.11:3260", session: 1}]}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._multipath.disk.resource import ONE_LUN, OPTIONS, WishedDisks

SPEC = {
    "disks": {"type": "list", "elements": "dict", "required": True, "options": OPTIONS, **ONE_LUN},
}


class Disks(WishedDisks):
    def __init__(self, options):
        super().__init__(options["disks"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Disks)


if __name__ == "__main__":
    main()
