#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rp_filter
short_description: Loosen reverse path filtering where storage interfaces share a subnet
version_added: 1.0.0
description:
  - With two interfaces in one subnet, a reply may arrive through the other interface, and strict filtering drops it, so that
    sessions that are bound to an interface (see M(lunworks.iscsi.iface)) fail.
  - The kernel uses the higher of C(net.ipv4.conf.all.rp_filter) and the interface's own value. If that is 1 (strict), the
    interface's own value is set to 2 (loose), now and in C(/etc/sysctl.d/90-iscsi-rp-filter.conf). If it is 0 (off) or 2,
    nothing is done. Filtering is never made stricter, and C(conf.all) is never changed.
  - A file that is read later and would undo it at the next boot is reported, and nothing is changed.
  - This filter exists for IPv4 only.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  interfaces:
    description: The network interfaces through which storage is reached, by their kernel names.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.iface
  - name: Kernel documentation of rp_filter
    description: The values, and which one counts.
    link: https://docs.kernel.org/networking/ip-sysctl.html
"""

EXAMPLES = r"""
- name: Loosen the filter of two storage interfaces in one subnet
  lunworks.iscsi.rp_filter:
    interfaces: [eth1, eth2]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample: ["Loosen the reverse path filter of 'eth1' (1 to 2)"]
state:
  description:
    - By the name of each interface, C(running), the filter in force now (0 off, 1 strict, 2 loose), C(at_boot), the filter
      after the next boot, C(managed), whether the file of this module sets it, and C(overridden_by), the file that is read
      later and sets another value, or an empty text.
  returned: success
  type: dict
  sample: {eth1: {running: 2, at_boot: 2, managed: true, overridden_by: ""}}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import NIC, unique
from ..module_utils._converge import Resource, converge
from ..module_utils._host import Problem
from ..module_utils._net.rp_filter import LOOSE, STRICT, look_filters, plan_filters, refuse_filters

SPEC = {"interfaces": {"type": "list", "elements": "str", "required": True}}


class RpFilter(Resource):
    def __init__(self, options):
        self.interfaces = options["interfaces"]
        unique("interface", self.interfaces)
        for name in self.interfaces:
            if name in ("all", "default", ".", "..") or not NIC.fullmatch(name):
                raise Problem(f"'{name}' is not the name of a network interface.")

    def look(self, host):
        return look_filters(host, self.interfaces)

    def want(self, seen):
        return {name: loosened(found) for name, found in seen.items()}

    def plan(self, seen, want):
        return plan_filters(seen, want)

    def refuse(self, seen, want, steps):
        refuse_filters(seen, steps)


def loosened(found):
    if STRICT not in (found.running, found.at_boot):
        return found
    running = LOOSE if found.running == STRICT else found.running
    return replace(found, running=running, at_boot=LOOSE, managed=True)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), RpFilter)


if __name__ == "__main__":
    main()
