#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iface_ping_info
short_description: Ping an address from an iSCSI offload card
version_added: 1.0.0
description:
  - Pings an address from an offload card's own network stack, which the kernel's C(ping) cannot use (C(iscsiadm -m iface -C
    ping)). Some packets are sent; nothing is changed.
  - Software iSCSI uses the kernel's network stack, so an iface of it is refused; use C(ping -I NIC) there.
  - Tested with answers modelled on the source of iscsiadm, not on real hardware.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  iface:
    description: The iface of the card, see M(lunworks.iscsi.iface).
    type: str
    required: true
  address:
    description: The IP address to ping.
    type: str
    required: true
  count:
    description: The number of packets, 1 to 20.
    type: int
    default: 1
  size:
    description: The size of each packet in bytes, 1 to 65507.
    type: int
    default: 32
  interval:
    description: The number of seconds between two packets, 0 to 60.
    type: int
    default: 0
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.iface
"""

EXAMPLES = r"""
- name: Check that the storage host answers the card over a path with MTU 9000
  lunworks.iscsi.iface_ping_info:
    iface: qla4xxx.00:c0:dd:07:1f:d5.ipv4.0
    address: 10.77.2.11
    size: 8972
    count: 3
  register: ping
  failed_when: ping.answered < 3
"""

RETURN = r"""
answered:
  description: The number of packets that were answered.
  returned: success
  type: int
  sample: 3
pings:
  description: For each packet, whether it was answered (C(answered)) and if not, why not (C(reason)).
  returned: success
  type: list
  elements: dict
  sample: [{answered: true, reason: null}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import address
from ..module_utils._converge import tell
from ..module_utils._host import Problem
from ..module_utils._open_iscsi.iface.ping import ping
from ..module_utils._open_iscsi.record import iface_name

SPEC = {
    "iface": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "count": {"type": "int", "default": 1},
    "size": {"type": "int", "default": 32},
    "interval": {"type": "int", "default": 0},
}
RANGES = {"count": (1, 20), "size": (1, 65507), "interval": (0, 60)}


def question(options, host):
    for name, (low, high) in RANGES.items():
        if not low <= options[name] <= high:
            raise Problem(
                f"The {name} {options[name]} is out of range. It must be a number from {low} to {high}."
            )
    where = address(options["address"])
    return ping(
        host, iface_name(options["iface"]), where, options["count"], options["size"], options["interval"]
    )


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
