#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk
short_description: One LUN as this host sees it
version_added: 1.0.0
description:
  - Finds the disk by its WWID, never by C(/dev/sdX) or a LUN number, and proves the WWID on every path by asking the device.
  - Missing paths are scanned for on the sessions of the target, then waited for, with a time limit, until udev and the
    multipath map are there.
  - What uses the disk stands on its map, which is proved too. Volumes that LVM activated on a single path are moved to the map
    online (C(vgchange --refresh)); anything else on a single path is refused, since it fails when that path goes.
  - A LUN that grew on the storage is read again on every path, then its map grows.
  - With O(state=absent) it leaves in the safe order. What is mounted, active, exported, swap or open on it is named, and
    the removal refused. Then queueing goes off, the map is flushed and removed, its WWID forgotten, and exactly its devices.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  target:
    description:
      - The iSCSI name of the target that the LUN is behind. Only the sessions to it are scanned.
      - If omitted with O(wwid), all iSCSI sessions are.
    type: str
  lun:
    description:
      - The LUN's name in the data of its target, as given to M(lunworks.iscsi.targets).
      - Its serial, and so its WWID, is derived from O(target) and this name.
    type: str
  serial:
    description:
      - The LUN's unit serial, where its target's data gives it one of its own.
      - If omitted, it is the one that is derived from both names.
    type: str
  wwid:
    description:
      - The WWID of a LUN of any storage, as C(multipath -ll) shows it in parentheses and C(/lib/udev/scsi_id -g) prints it.
      - Taken are also capitals, and an NAA or EUI-64 as arrays, C(lsblk), sysfs and C(/dev/disk/by-id) write it (C(naa.),
        C(eui.), C(t10.), C(0x), C(wwn-0x), C(scsi-3), without the C(3), with colons).
    type: str
  paths:
    description: On how many paths, at least, the disk must answer with its own WWID.
    type: int
    default: 1
  multipath:
    description:
      - Whether the disk is used through a multipath map, which is made where there is none, on a single path too.
      - V(false) is for hosts without multipathd. A disk that is under a map is refused then.
    type: bool
    default: true
  size:
    description:
      - The size that the disk must have at least, a number with a binary unit, like V(40g).
      - Given or not, a disk whose LUN has grown grows with it.
    type: str
  timeout:
    description: How long to wait for paths, udev and the map, in seconds, V(1) to V(3600).
    type: int
    default: 60
  state:
    description:
      - V(present) waits for the disk, proves it and lets it grow.
      - V(absent) removes it from this host, not from the storage. While the LUN is still mapped to this host, the next scan
        brings it back.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - Devices are asked with INQUIRY, VPD pages 0x83 and 0x80 (SPC-4 sections 6.4 and 7.8) and READ CAPACITY (16) (SBC-3 section
    5.16), in check mode too; these only read.
  - "A LUN number that was given to another LUN leaves a device on the host that still bears the old name. It is never used:
    an unused one is removed and scanned for anew; one in use is refused."
  - O(size) and growth need every path up, and the same size on all of them, before the map is touched.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.multipath_conf
  - module: lunworks.iscsi.multipath_alias
"""

EXAMPLES = r"""
- name: The LUN db0 is here, on both paths
  lunworks.iscsi.disk:
    target: iqn.2026-01.com.example:store1.db
    lun: db0
    paths: 2
  register: db0

- name: Its device never changes
  ansible.builtin.debug:
    var: db0.state.device

- name: A LUN of an array, known by its WWID
  lunworks.iscsi.disk:
    wwid: 3600a098038303053453f463045727a79
    size: 40g

- name: It goes, before the array takes it away
  lunworks.iscsi.disk:
    wwid: 3600a098038303053453f463045727a79
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Scan host2 (portal 10.77.1.11:3260) for new LUNs"]
state:
  description: The disk as it is afterwards.
  returned: success
  type: dict
  contains:
    wwid:
      description: The WWID that every path has proved.
      type: str
      returned: always
    device:
      description:
        - The name to use, which no alias and no boot changes, C(/dev/disk/by-id/dm-uuid-mpath-WWID) with a map and
          C(/dev/disk/by-id/scsi-WWID) without. In check mode the name that it will have.
        - Null when the disk is absent.
      type: str
      returned: always
    name:
      description: The name of the map, an alias or the WWID; null without a map.
      type: str
      returned: always
    size:
      description: The size in bytes; null when it is not known yet.
      type: int
      returned: always
    serial:
      description: The unit serial that the disk tells; null when it was not asked.
      type: str
      returned: always
    paths:
      description: The paths, in check mode those that are there already.
      type: list
      elements: dict
      returned: always
      contains:
        device:
          description: The name that this path has until the next boot.
          type: str
          returned: always
        hctl:
          description: Host, channel, target and LUN number.
          type: str
          returned: always
        state:
          description:
            - V(running) carries I/O. V(failed) is what multipathd says. V(silent) did not answer within 10 seconds.
              V(unmapped) has no LUN behind it any more. Others are the kernel's, like V(blocked), V(offline) and
              V(transport-offline).
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
  sample: {wwid: 360014050db5c0a5d3c95d0a8b1ad1bb0, device: /dev/disk/by-id/dm-uuid-mpath-360014050db5c0a5d3c95d0a8b1ad1bb0,
    name: db0, size: 42949672960, serial: 0db5c0a5-d3c9-5d0a-8b1a-d1bb01e2a7c4, paths: [{device: /dev/sdb, hctl: "2:0:0:0",
    state: running, portal: "10.77.1.11:3260", session: 1}]}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_wish import (
    ONE_LUN,
    OPTIONS,
    WishedDisks,
)

SPEC = OPTIONS
RULES = ONE_LUN


class Disk(WishedDisks):
    def __init__(self, options):
        super().__init__([options])

    def show(self, state):
        return super().show(state)["disks"][0]


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True, **RULES), Disk)


if __name__ == "__main__":
    main()
