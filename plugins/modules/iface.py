#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iface
short_description: Bind iSCSI sessions to a network card
version_added: 0.1.0
description:
  - Manages an iface of open-iscsi, which sessions can be bound to. Sessions of a node go through the ifaces that its
    records name (see M(lunworks.iscsi.nodes)).
  - Records that are bound to the iface carry a copy of its fields; they are changed with it.
  - While a session uses the iface, nothing of it is changed. While a record names it, it is not deleted.
  - A card with a network of its own (offload) gets the settings with O(applied). What was tested on which cards says the
    guide about cards.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The name of the iface, at most 64 characters. V(default), V(tcp) and V(iser) are open-iscsi's own.
    type: str
    required: true
  nic:
    description:
      - The network interface that sessions go through, like V(eth1). It must be there. An empty text unbinds.
      - Software iSCSI is bound either by O(nic) or by O(mac), not by both.
      - Left out, it stays as it is.
    type: str
  mac:
    description:
      - The hardware address of the card that sessions go through. An empty text unbinds.
      - Left out, it stays as it is.
    type: str
  transport:
    description:
      - The driver. V(tcp) is software iSCSI over any card; the others are for cards that speak iSCSI or RDMA.
      - Left out, it stays as it is; a new iface gets V(tcp).
    type: str
    choices: [tcp, iser, bnx2i, cxgb3i, cxgb4i, be2iscsi, qla4xxx, qedi, ocs]
  iface_num:
    description:
      - Which interface of the card it is, 0 to 255; cards with one interface for each address family have number 0.
      - Left out, it stays as it is.
    type: int
  address:
    description:
      - The IP address of a card that has one of its own (offload). Software iSCSI cannot be bound by address.
      - An empty text removes it. Left out, it stays as it is.
    type: str
  prefix:
    description:
      - The length of the network prefix of an IPv6 O(address), 0 to 128. Left out, it stays as it is.
    type: int
  subnet_mask:
    description:
      - The subnet mask of an IPv4 O(address). An empty text removes it. Left out, it stays as it is.
    type: str
  gateway:
    description:
      - The IPv4 gateway of a card that has an address of its own. An empty text removes it. Left out, it stays as it is.
    type: str
  vlan:
    description:
      - The VLAN of a card that tags by itself, 0 to 4094; V(0) is no VLAN. Left out, it stays as it is.
      - For software iSCSI a VLAN is a network interface, given as O(nic) (V(eth1.7)).
    type: int
  vlan_priority:
    description:
      - The priority in the VLAN tag, 0 to 7. Left out, it stays as it is.
    type: int
  mtu:
    description:
      - The MTU of a card that has one of its own, in bytes, 576 to 9216. Left out, it stays as it is.
    type: int
  settings:
    description:
      - Any other field of the iface as open-iscsi names it, like V(iface.bootproto) (V(static), V(dhcp)), V(iface.state),
        V(iface.ipv6_autocfg), V(iface.tcp_nagle) or V(iface.max_burst_len). The guide about cards lists them.
      - Names, values and whether the transport makes anything of them are checked. Switches are V(enable) and V(disable).
      - Fields for IPv6 need an iface with C(ipv6) in its name and fields for IPv4 one without, or open-iscsi cannot read
        them.
      - An empty text removes a field. A field that is not named stays as it is.
    type: dict
    default: {}
  initiator_name:
    description:
      - The iSCSI name that sessions through this iface give, instead of the host's own. An empty text removes it.
      - Upper case is made lower case, unless the iface says it in upper case too. A name that the iface says already is taken
        as it is, whatever is in it.
      - Left out, it stays as it is.
    type: str
  applied:
    description:
      - Whether the card shall have these settings in force now (C(iscsiadm -m iface -o apply)). What it has is read from
        the kernel, so nothing is done where all is in force.
      - For cards that keep a network in their firmware (V(be2iscsi), V(qla4xxx), V(ocs)), known by O(mac).
      - While any session goes through the card, nothing is applied.
    type: bool
    default: false
  state:
    description: Whether the iface shall be there.
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
- name: One iface for each storage card
  lunworks.iscsi.iface:
    name: "{{ item }}"
    nic: "{{ item }}"
  loop: [eth1, eth2]

- name: The second port of a QLogic card, with an address of its own in VLAN 7
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
  description: What was done, or in check mode would be done, in order, one sentence each. No secret is in it.
  returned: always
  type: list
  elements: str
  sample: ["Write the iface 'san1' with iface.net_ifacename = eth1, iface.transport_name = tcp"]
state:
  description: The iface as it is afterwards.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    iface:
      description: Its fields as open-iscsi names them; null when it is not there.
      type: dict
      returned: always
    card:
      description: What its card has in force, by the names of the fields; null without O(applied).
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

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_iface import (
    check_name,
    look_iface,
    plan_iface,
    refuse_iface,
    want_iface,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_iface_card import look_card
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_iface_field import (
    TRANSPORTS,
    wanted_fields,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_lock import Locking

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

    def refuse(self, seen, steps):
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
