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
  sample: {name: san1, ipv4: 10.77.1.0/24, ipv6: "fd77:1::/64"}
"""

from dataclasses import dataclass, field, replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge, plain
from ..module_utils._uml import host as uml_host
from ..module_utils._uml import network as uml_network
from ..module_utils._uml.controller import OPTIONS, Controller, lab_of, refuse_unfit

SPEC = {
    **OPTIONS,
    "name": {"type": "str"},
    "ipv4": {"type": "str"},
    "ipv6": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
RULES = {"required_if": [("state", "present", ["name", "ipv4"])]}


@dataclass(frozen=True)
class Seen:
    """A network, or all of a lab; and the hosts that are on it."""

    network: object
    hosts: tuple[str, ...] = field(default=(), compare=False)


class LabNetwork(Resource):
    def __init__(self, options):
        self.lab = lab_of(options["lab"], options["directory"])
        self.name = options["name"]
        present = options["state"] == "present"
        self.wanted = uml_network.network(self.name, options["ipv4"], options["ipv6"]) if present else None

    def look(self, host):
        refuse_unfit(removing=self.wanted is None)
        hosts = tuple(uml_host.hosts_on(host, self.lab, self.name))
        if self.name is None:
            return Seen(uml_network.look_lab(host, self.lab), hosts)
        return Seen(uml_network.look_networks(host, self.lab).get(self.name), hosts)

    def want(self, seen):
        return replace(seen, network=self.wanted)

    def plan(self, seen, want):
        if self.name is None:
            return uml_network.plan_lab(self.lab, seen.network)
        return uml_network.plan_network(self.lab, seen.network, want.network)

    def refuse(self, seen, want, steps):
        uml_network.refuse_network(self.lab, self.name, steps, seen.hosts)

    def show(self, state):
        return plain(state.network)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True, **RULES), LabNetwork, Controller())


if __name__ == "__main__":
    main()
