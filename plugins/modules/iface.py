#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iface
short_description: Manage ifaces that bind iSCSI sessions to a network interface
version_added: 1.0.0
description:
  - Manages an iface of open-iscsi, to which sessions can be bound. The sessions of a target go through the ifaces that its
    records name (see M(lunworks.iscsi.nodes)).
  - Records that are bound to the iface hold a copy of its fields, which is updated with it.
  - The module refuses to change the iface while a session uses it, and to delete it while a record names it.
  - An offload card, which has its own network stack, gets the settings with O(applied). The guide about cards says what was
    tested on which cards.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The name of the iface, at most 64 characters. V(default), V(tcp) and V(iser) are reserved by open-iscsi.
    type: str
    required: true
  nic:
    description:
      - The network interface that sessions go through, like V(eth1). It must exist. An empty string removes the binding.
      - Software iSCSI is bound either by O(nic) or by O(mac), not by both.
      - If omitted, it is left unchanged.
    type: str
  mac:
    description:
      - The hardware address of the card that sessions go through. An empty string removes the binding.
      - If omitted, it is left unchanged.
    type: str
  transport:
    description:
      - The driver. V(tcp) is software iSCSI over any card; the others are for cards that implement iSCSI or RDMA.
      - If omitted, it is left unchanged; a new iface gets V(tcp).
    type: str
    choices: [tcp, iser, bnx2i, cxgb3i, cxgb4i, be2iscsi, qla4xxx, qedi, ocs]
  iface_num:
    description:
      - Which interface of the card it is, 0 to 255; cards with one interface for each address family have number 0.
      - If omitted, it is left unchanged.
    type: int
  address:
    description:
      - The IP address of an offload card. Software iSCSI cannot be bound by address.
      - An empty string removes it. If omitted, it is left unchanged.
    type: str
  prefix:
    description:
      - The length of the network prefix of an IPv6 O(address), 0 to 128. If omitted, it is left unchanged.
    type: int
  subnet_mask:
    description:
      - The subnet mask of an IPv4 O(address). An empty string removes it. If omitted, it is left unchanged.
    type: str
  gateway:
    description:
      - The IPv4 gateway of an offload card. An empty string removes it. If omitted, it is left unchanged.
    type: str
  vlan:
    description:
      - The VLAN of a card that tags by itself, 0 to 4094; V(0) means no VLAN. If omitted, it is left unchanged.
      - For software iSCSI a VLAN is a network interface, given as O(nic) (V(eth1.7)).
    type: int
  vlan_priority:
    description:
      - The priority in the VLAN tag, 0 to 7. If omitted, it is left unchanged.
    type: int
  mtu:
    description:
      - The MTU of an offload card, in bytes, 576 to 9216. If omitted, it is left unchanged.
    type: int
  settings:
    description:
      - Any other field of the iface, by the name that open-iscsi uses, such as V(iface.bootproto) (V(static), V(dhcp)),
        V(iface.state), V(iface.ipv6_autocfg), V(iface.tcp_nagle) or V(iface.max_burst_len). The guide about cards lists them.
      - Names and values are checked, and whether the transport uses them. Switches are V(enable) and V(disable).
      - Fields for IPv6 need an iface with C(ipv6) in its name and fields for IPv4 one without, or open-iscsi cannot read
        them.
      - An empty string removes a field. A field that is not named is left unchanged.
    type: dict
    default: {}
  initiator_name:
    description:
      - The initiator name for sessions through this iface, instead of the host's own. An empty string removes it.
      - Upper case is converted to lower case, unless the iface has the name in upper case already. A name that the iface has
        already is accepted unchanged, whatever characters it contains.
      - If omitted, it is left unchanged.
    type: str
  applied:
    description:
      - Whether to apply these settings to the card now (C(iscsiadm -m iface -o apply)). The settings in force are read from
        the kernel, so nothing is done if they are right already.
      - For cards that store network settings in their firmware (V(be2iscsi), V(qla4xxx), V(ocs)), identified by O(mac).
      - Refused while any session goes through the card.
    type: bool
    default: false
  state:
    description: Whether the iface must exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - ref: ansible_collections.lunworks.iscsi.docsite.guide_cards
    description: Network cards, offload cards, iSER, and what was tested on what.
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.rp_filter
"""

EXAMPLES = r"""
- name: Create one iface for each storage interface
  lunworks.iscsi.iface:
    name: "{{ item }}"
    nic: "{{ item }}"
  loop: [eth1, eth2]

- name: Set the address of the second port of a QLogic card in VLAN 7
  lunworks.iscsi.iface:
    name: qla4xxx.00:c0:dd:07:1f:d5.ipv4.0
    transport: qla4xxx
    mac: 00:c0:dd:07:1f:d5
    address: 10.77.2.21
    subnet_mask: 255.255.255.0
    vlan: 7
    mtu: 9000
    settings:
      iface.bootproto: static
      iface.state: enable
    applied: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample: ["Write the iface 'san1' with iface.net_ifacename = eth1, iface.transport_name = tcp"]
state:
  description: The state of the iface afterwards.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    iface:
      description: Its fields, by the names that open-iscsi uses; null if it does not exist.
      type: dict
      returned: always
    card:
      description: The settings in force on its card, by the names of the fields; null without O(applied).
      type: dict
      returned: always
    records:
      description: The records that are bound to it.
      type: list
      elements: str
      returned: always
    sessions:
      description: The sessions that use it.
      type: list
      elements: str
      returned: always
  sample: {name: san1, iface: {iface.net_ifacename: eth1, iface.transport_name: tcp}, card: null, records: [], sessions: []}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._host import Problem
from ..module_utils._open_iscsi.iface.card import look_card
from ..module_utils._open_iscsi.iface.fields import TRANSPORTS, wanted_fields
from ..module_utils._open_iscsi.iface.plan import check_name, look_iface, plan_iface, refuse_iface, want_iface
from ..module_utils._open_iscsi.lock import Locking

SPEC = {
    "name": {"type": "str", "required": True},
    "nic": {"type": "str"},
    "mac": {"type": "str"},
    "transport": {"type": "str", "choices": list(TRANSPORTS)},
    "iface_num": {"type": "int"},
    "address": {"type": "str"},
    "prefix": {"type": "int"},
    "subnet_mask": {"type": "str"},
    "gateway": {"type": "str"},
    "vlan": {"type": "int"},
    "vlan_priority": {"type": "int"},
    "mtu": {"type": "int"},
    "settings": {"type": "dict", "default": {}},
    "initiator_name": {"type": "str"},
    "applied": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class Iface(Locking):
    def __init__(self, options):
        self.name = check_name(options["name"])
        self.absent = options["state"] == "absent"
        self.applied = options["applied"]
        self.fields = wanted_fields(options)
        if self.absent and self.applied:
            raise Problem(f"The iface '{self.name}' cannot be both absent and applied. Choose one.")

    def look(self, host):
        seen = look_iface(host, self.name)
        if not self.applied:
            return seen
        return replace(seen, card=look_card(host, self.name, {**(seen.iface or {}), **self.fields}))

    def want(self, seen):
        return replace(seen, iface=None) if self.absent else want_iface(seen, self.fields)

    def plan(self, seen, want):
        return plan_iface(seen, want)

    def refuse(self, seen, want, steps):
        refuse_iface(seen, steps)

    def show(self, state):
        return {
            "name": state.name,
            "iface": state.iface,
            "card": None if state.card is None else state.card.fields,
            "records": sorted(map(str, state.records)),
            "sessions": sorted(map(str, state.sessions)),
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Iface)


if __name__ == "__main__":
    main()
