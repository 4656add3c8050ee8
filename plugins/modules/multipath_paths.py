#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_paths
short_description: Reinstate multipath paths that respond again
version_added: 1.0.0
description:
  - After a multipath map has lost all its paths at once, C(multipathd) reinstates the first one. Since version 0.10,
    C(multipathd) may itself wait for that map, if a thin pool is on it and the map queues (C(no_path_retry)); then it never
    reinstates a path, and LVM, C(multipath -ll) and every writer hang until the host reboots.
  - This module looks for maps without any active path, asks each of their paths which disk it is now, and leaves those that
    answer as the map's disk to C(multipathd), as long as it responds. If it does not, the module reinstates them in the kernel
    (C(reinstate_path), Linux, drivers/md/dm-mpath.c).
  - If the paths of a map do not answer, the module warns and leaves the map unchanged.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  timeout:
    description:
      - How long to wait for C(multipathd) to reinstate a path, while it responds, in seconds, 1 to 3600. It checks paths every
        5 to 20 seconds.
      - If C(multipathd) does not respond, how long to keep reinstating paths in the kernel that answered but fail again.
    type: int
    default: 60
  wait:
    description:
      - How long to wait for a path to answer while the initiator is logging in to its target again, in seconds, 0 to 3600.
    type: int
    default: 30
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - No data is lost and no waiting I/O is discarded. Queued I/O continues.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.timers_info
"""

EXAMPLES = r"""
- name: Reinstate the paths of maps that lost all of them
  lunworks.iscsi.multipath_paths:
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Bring the paths of the multipath map '36001405abc' back into use: /dev/sda, /dev/sdc"]
state:
  description: The maps of this host.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The map's name.
      type: str
      returned: always
    wwid:
      description: The WWID of its disk.
      type: str
      returned: always
    has_active_path:
      description: Whether the kernel sends I/O to any of its paths.
      type: bool
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._host import Problem
from ..module_utils._multipath.recovery import (
    look_revival,
    notes_of_revival,
    plan_revival,
    show_revival,
    want_revival,
)

SPEC = {"timeout": {"type": "int", "default": 60}, "wait": {"type": "int", "default": 30}}


class Revival(Resource):
    def __init__(self, options):
        self.timeout, self.wait = options["timeout"], options["wait"]
        for name, least in (("timeout", 1), ("wait", 0)):
            if not least <= options[name] <= 3600:
                raise Problem(f"{name}: {options[name]} is not a time in seconds from {least} to 3600.")

    def look(self, host):
        return look_revival(host, self.wait)

    def want(self, seen):
        return want_revival(seen)

    def plan(self, seen, want):
        return plan_revival(seen, want, self.timeout)

    def notes(self, seen, steps):
        return notes_of_revival(seen)

    def show(self, state):
        return show_revival(state)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Revival)


if __name__ == "__main__":
    main()
