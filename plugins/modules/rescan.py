#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rescan
short_description: Rescan sessions for added, resized and removed LUNs
version_added: 1.0.0
description:
  - Asks each target which LUNs it offers (REPORT LUNS), and lets the kernel scan exactly those that it does not have yet.
    Sessions without new LUNs are left alone.
  - LUNs that the target no longer maps are reported, and with O(remove=true) removed if nothing uses them, in the safe order
    of M(lunworks.iscsi.disk).
  - LUNs whose size has changed are reported; use M(lunworks.iscsi.disk) to grow their disks.
  - A LUN number that was reassigned to another LUN is reported with both serials. While anything uses the old disk the module
    fails, since whatever is written to it lands on the wrong LUN.
  - For disks whose name or WWID is known, M(lunworks.iscsi.disks) does all of this and waits for them too. This module is for
    LUNs that are not known yet.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  targets:
    description: The iSCSI names of the targets. If omitted, the sessions to all targets are rescanned.
    type: list
    elements: str
    default: []
  portals:
    description:
      - The portals of the sessions, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT); a host name if the record has one.
      - If omitted, the sessions through all portals are rescanned.
    type: list
    elements: str
    default: []
  luns:
    description:
      - The LUN numbers to consider, add and remove, as the kernel numbers them. With C(node.session.scan=manual) in a record,
        its login adds no LUN, and this option adds only some of them.
      - If omitted, all LUNs are.
    type: list
    elements: int
    default: []
  remove:
    description:
      - Whether to remove devices whose LUN is gone, or is now another LUN. A device that is mounted, active, swap, exported or
        open is refused, and named.
      - A path of a map that has other paths is removed from the map; a map whose paths are all removed is removed with them.
    type: bool
    default: false
  wait:
    description:
      - How long to wait for sessions that the initiator is logging in again, in seconds, V(0) to V(3600). After that they are
        skipped, with a warning.
    type: int
    default: 0
  timeout:
    description: How long to wait for a device or a map to disappear, in seconds, V(1) to V(3600).
    type: int
    default: 60
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - REPORT LUNS (SPC-4 section 6.33) only reads; it is sent in check mode too, so that a check run reports the LUNs that would
    be added.
  - "A session without any LUN cannot be asked: only a scan can find its LUNs. A check run then reports V(changed) and that it
    would scan. A real run reports V(changed) only when the scan has found something."
  - C(iscsiadm -m session --rescan) lets the kernel reread the identity of all disks, so that a reassigned LUN number can no
    longer be distinguished from the old disk. This module never does that.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: Add the LUNs that the array has mapped to this host
  lunworks.iscsi.rescan:
    targets: ["iqn.1992-08.com.netapp:sn.33604307"]
  register: scanned

- name: Show the LUNs that need attention
  ansible.builtin.debug:
    msg: "{{ scanned.state.unmapped + scanned.state.reused + scanned.state.resized }}"

- name: Remove the devices of LUNs that the array no longer maps
  lunworks.iscsi.rescan:
    remove: true

- name: Add one LUN of a record with node.session.scan=manual
  lunworks.iscsi.rescan:
    targets: ["iqn.2026-01.com.example:store1.db"]
    luns: [3]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Scan host2 (portal 10.77.1.11:3260) for the new LUN 3"]
state:
  description: The sessions and their LUNs afterwards.
  returned: success
  type: dict
  contains:
    sessions:
      description: The sessions that were considered.
      type: list
      elements: dict
      returned: always
      contains:
        number:
          description: The number of the session.
          type: int
          returned: always
        target:
          description: The target.
          type: str
          returned: always
        portal:
          description: The portal.
          type: str
          returned: always
        state:
          description: The state of the session, normally V(LOGGED_IN). Other sessions are skipped.
          type: str
          returned: always
        offered:
          description: The LUN numbers that the target reports; null if it could not be asked.
          type: list
          elements: int
          returned: always
        luns:
          description: The LUNs that the kernel has; in check mode those that it would have.
          type: list
          elements: dict
          returned: always
          contains:
            lun:
              description: The LUN number.
              type: int
              returned: always
            device:
              description: The device name until the next boot; null if it is not a disk, or does not exist yet.
              type: str
              returned: always
            wwid:
              description: The WWID; null if it is not a disk, or does not exist yet.
              type: str
              returned: always
    unmapped:
      description: Devices whose LUN the target no longer maps.
      type: list
      elements: dict
      returned: always
      contains: &device
        device:
          description: The device name until the next boot.
          type: str
          returned: always
        hctl:
          description: SCSI host, channel, target and LUN number.
          type: str
          returned: always
        portal:
          description: The portal of its session.
          type: str
          returned: always
        wwid:
          description: The WWID that this host still associates with it.
          type: str
          returned: always
        serial:
          description: The unit serial that the kernel knows; null if it knows none.
          type: str
          returned: always
        size:
          description: The size that the kernel knows, in bytes.
          type: int
          returned: always
        wwid_now:
          description: The WWID that answers there now; null if none does.
          type: str
          returned: always
        serial_now:
          description: The unit serial that answers there now; null if none does.
          type: str
          returned: always
        size_now:
          description: The current size of the LUN, in bytes; null if none answers.
          type: int
          returned: always
    reused:
      description: Devices behind which another LUN answers now.
      type: list
      elements: dict
      returned: always
      contains: *device
    resized:
      description: Devices whose LUN has a different size now.
      type: list
      elements: dict
      returned: always
      contains: *device
  sample:
    sessions:
      - {number: 1, target: "iqn.2026-01.com.example:store1.db", portal: "10.77.1.11:3260", state: LOGGED_IN, offered: [0],
        luns: [{lun: 0, device: /dev/sda, wwid: 360014050db5c0a5d3c95d0a8b1ad1bb0}]}
    unmapped: []
    reused: []
    resized: []
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import portal, target_key
from ..module_utils._converge import Resource, converge
from ..module_utils._host import Problem
from ..module_utils._multipath.disk import rescan as multipath_rescan
from ..module_utils._multipath.disk.luns import logged_in, look_reaches

SPEC = {
    "targets": {"type": "list", "elements": "str", "default": []},
    "portals": {"type": "list", "elements": "str", "default": []},
    "luns": {"type": "list", "elements": "int", "default": []},
    "remove": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 0},
    "timeout": {"type": "int", "default": 60},
}
LARGEST = 2**64 - 1  # SAM-5 section 4.7: a LUN has eight bytes


class Rescan(Resource):
    def __init__(self, options):
        self.targets = [target_key(name) for name in options["targets"]]
        self.portals = [str(portal(text, names=True)) for text in options["portals"]]
        self.luns, self.remove, self.timeout = options["luns"], options["remove"], options["timeout"]
        wrong = [lun for lun in self.luns if not 0 <= lun <= LARGEST]
        if wrong:
            raise Problem(f"{wrong[0]} is not a LUN number. It must be a number from 0 to {LARGEST}.")
        if not 1 <= self.timeout <= 3600:
            raise Problem(f"The timeout {self.timeout} is not a time in seconds from 1 to 3600.")
        self.wait = options["wait"]
        if not 0 <= self.wait <= 3600:
            raise Problem(f"wait: {self.wait} is not a time in seconds from 0 to 3600.")

    def look(self, host):
        host.until(lambda: logged_in(host, self.targets, self.portals), self.wait, 1)
        return look_reaches(host, self.targets, self.portals, self.luns, scanned=False)

    def look_again(self, host, before):
        return look_reaches(host, self.targets, self.portals, self.luns, scanned=True)

    def want(self, seen):
        return multipath_rescan.want_reaches(seen, self.luns, self.remove)

    def plan(self, seen, want):
        return multipath_rescan.plan_reaches(seen, want, self.timeout)

    def refuse(self, seen, want, steps):
        multipath_rescan.refuse_reaches(seen, steps)

    def changed(self, seen, after, steps):
        return multipath_rescan.changed_reaches(seen, after, steps)

    def notes(self, seen, steps):
        return multipath_rescan.note_reaches(seen, steps)

    def show(self, state):
        return multipath_rescan.show_reaches(state)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Rescan)


if __name__ == "__main__":
    main()
