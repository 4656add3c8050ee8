#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_paths
short_description: Bring the paths of multipath maps back into use that answer again
version_added: 1.0.0
description:
  - After all paths of a multipath map were gone at once it gets its first path back from C(multipathd). Since version 0.10
    C(multipathd) can wait for that map itself, when a thin pool stands on it and the map queues (C(no_path_retry)); then it never
    does, and LVM, C(multipath -ll) and everything that writes hang until the host boots.
  - This looks for maps without any path in use, asks each path which disk it is now, and leaves those that answer as the map's
    disk to C(multipathd), while that answers. Where it does not, the kernel is told (C(reinstate_path), Linux,
    drivers/md/dm-mpath.c).
  - A map whose paths do not answer is warned of, and nothing is done to it.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  timeout:
    description:
      - Seconds that C(multipathd) gets to do it, while it answers, 1 to 3600. It checks paths every 5 to 20 seconds.
      - Else seconds for which the kernel is told again, where paths fail again that answered.
    type: int
    default: 60
  wait:
    description:
      - Seconds that are waited for a path to answer, while the initiator is logging in to its target again, 0 to 3600.
    type: int
    default: 30
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - Nothing is lost by it, and nothing that waits is thrown away. The I/O that was queued goes on.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.timers_info
"""

EXAMPLES = r"""
- name: Maps that lost all paths have them again
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
      description: Whether the kernel sends I/O to any path of it.
      type: bool
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_revival import (
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
