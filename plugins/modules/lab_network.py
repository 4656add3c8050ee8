#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_network
short_description: Create or remove a network of a lab
version_added: 1.0.0
description:
  - A network of a lab is a bridge in the lab's own network namespace. Nothing leaves it, and nothing else can be reached from
    it. The first network of a lab creates the namespace; removing the last one removes the lab.
  - The controller has the first address of each subnet. The host with the number 1 has the addresses C(.11) and
    C(::11), and so on.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The network's name, at most 11 lower-case letters, digits and C(-). Required when O(state=present).
      - If omitted with O(state=absent), all networks of the lab are removed, together with whatever is left of the lab.
    type: str
  ipv4:
    description: The IPv4 subnet, a C(/24) or larger. Required when O(state=present).
    type: str
  ipv6:
    description: An IPv6 subnet. If omitted, the network has no IPv6 addresses.
    type: str
  mtu:
    description:
      - The largest packet in bytes that the network forwards, 1280 to 1500, as a switch with a smaller MTU would. Larger ones are
        lost without a word. The NICs of the hosts keep their own MTU.
      - It can be changed while hosts are on the network. They send bundles of frames, which pass, until their next boot.
    type: int
    default: 1500
  state:
    description: V(absent) removes the network, or without O(name) the whole lab. Refused while it has hosts.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.lab
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.lab_host
"""

EXAMPLES = r"""
- name: Create two storage networks, so that multipath has two independent paths
  lunworks.iscsi.lab_network:
    name: "{{ item.name }}"
    ipv4: "{{ item.ipv4 }}"
    ipv6: "{{ item.ipv6 }}"
  loop:
    - {name: san1, ipv4: 10.77.1.0/24, ipv6: "fd77:1::/64"}
    - {name: san2, ipv4: 10.77.2.0/24, ipv6: "fd77:2::/64"}

- name: Let the second network lose what is larger than 1300 bytes, to see that this is found
  lunworks.iscsi.lab_network:
    name: san2
    ipv4: 10.77.2.0/24
    ipv6: "fd77:2::/64"
    mtu: 1300

- name: Remove the whole lab, whatever its networks are called
  lunworks.iscsi.lab_network:
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Make the network 'san1' (10.77.1.0/24, fd77:1::/64) in the lab 'lab'"]
state:
  description: The network; null if there is none.
  returned: success
  type: dict
  contains:
    name:
      description: The network's name.
      type: str
      returned: always
    ipv4:
      description: The IPv4 subnet.
      type: str
      returned: always
    ipv6:
      description: The IPv6 subnet; null if it has none.
      type: str
      returned: always
    mtu:
      description: The largest packet that it forwards.
      type: int
      returned: always
  sample: {name: san1, ipv4: 10.77.1.0/24, ipv6: "fd77:1::/64", mtu: 1500}
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._uml.controller import Controller
from ..module_utils._uml.resource import NETWORK, NETWORK_RULES, LabNetwork

SPEC = NETWORK
RULES = NETWORK_RULES


def resource(options):
    return LabNetwork(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True, **RULES), resource, Controller())


if __name__ == "__main__":
    main()
