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
  - Cards with an address of their own (offload) get it by C(iscsiadm -m iface -o apply), which this module does not run.
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
  address:
    description:
      - The IP address of a card that has one of its own (offload). Software iSCSI cannot be bound by address.
      - An empty text removes it. Left out, it stays as it is.
    type: str
  prefix:
    description:
      - The length of the network prefix of O(address), 0 to 128. Left out, it stays as it is.
    type: int
  subnet_mask:
    description:
      - The IPv4 subnet mask of O(address). Left out, it stays as it is.
    type: str
  gateway:
    description:
      - The IPv4 gateway of O(address). Left out, it stays as it is.
    type: str
  vlan:
    description:
      - The VLAN of a card that tags by itself, 0 to 4094. Left out, it stays as it is.
    type: int
  mtu:
    description:
      - The MTU of a card that has one of its own, in bytes, 576 to 9216. Left out, it stays as it is.
    type: int
  initiator_name:
    description:
      - The iSCSI name that sessions through this iface give, instead of the host's own. An empty text removes it.
      - Left out, it stays as it is.
    type: str
  state:
    description: Whether the iface shall be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.rp_filter
"""

EXAMPLES = r"""
- name: One iface for each storage card
  lunworks.iscsi.iface:
    name: "{{ item }}"
    nic: "{{ item }}"
  loop: [eth1, eth2]
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
  sample: {name: san1, iface: {iface.net_ifacename: eth1, iface.transport_name: tcp}, records: [], sessions: []}
"""

import re
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import address, iscsi_name
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_iface import (
    NAME,
    TRANSPORTS,
    check_name,
    look_iface,
    plan_iface,
    refuse_iface,
)

FIELDS = {
    "nic": "iface.net_ifacename",
    "mac": "iface.hwaddress",
    "address": "iface.ipaddress",
    "prefix": "iface.prefix_len",
    "subnet_mask": "iface.subnet_mask",
    "gateway": "iface.gateway",
    "vlan": "iface.vlan_id",
    "mtu": "iface.mtu",
    "initiator_name": "iface.initiatorname",
    "transport": "iface.transport_name",
}
RANGES = {"prefix": (0, 128), "vlan": (0, 4094), "mtu": (576, 9216)}
SPEC = {
    "name": {"type": "str", "required": True},
    "nic": {"type": "str"},
    "mac": {"type": "str"},
    "transport": {"type": "str", "choices": list(TRANSPORTS)},
    "address": {"type": "str"},
    "prefix": {"type": "int"},
    "subnet_mask": {"type": "str"},
    "gateway": {"type": "str"},
    "vlan": {"type": "int"},
    "mtu": {"type": "int"},
    "initiator_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class Iface(Resource):
    def __init__(self, options):
        self.name = check_name(options["name"])
        self.absent = options["state"] == "absent"
        self.fields = {
            FIELDS[name]: checked(name, options[name]) for name in FIELDS if options[name] is not None
        }

    def look(self, host):
        return look_iface(host, self.name)

    def want(self, seen):
        if self.absent:
            return replace(seen, iface=None)
        new = {NAME: self.name, "iface.transport_name": "tcp"}
        fields = {**(new if seen.iface is None else seen.iface), **self.fields}
        check_binding(self.name, fields, seen.nics)
        fields["iface.transport_name"] = fields.pop(
            "iface.transport_name", "tcp"
        )  # last, as iscsiadm wants it
        records = {
            name: replace(record, settings={**record.settings, **fields})
            for name, record in seen.records.items()
        }
        return replace(seen, iface=fields, records=records)

    def plan(self, seen, want):
        return plan_iface(seen, want)

    def refuse(self, seen, steps):
        refuse_iface(seen, steps)

    def show(self, state):
        return {
            "name": state.name,
            "iface": state.iface,
            "records": sorted(map(str, state.records)),
            "sessions": sorted(map(str, state.sessions)),
        }


def checked(name, value):
    if name in RANGES:
        low, high = RANGES[name]
        if not low <= value <= high:
            raise Problem(f"The {name} {value} is out of range. Wanted is a number from {low} to {high}.")
        return str(value)
    if not value:
        return ""
    if name == "initiator_name":
        return iscsi_name(value)
    if name in ("address", "subnet_mask", "gateway"):
        return address(value)
    if name == "mac":
        if not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", value.lower()):
            raise Problem(
                f"'{value}' is not a hardware address. Wanted are six pairs of hex digits: 52:54:00:12:34:56."
            )
        return value.lower()
    return value


def check_binding(name, fields, nics):
    nic, mac, ip = (fields.get(FIELDS[one], "") for one in ("nic", "mac", "address"))
    if fields.get(FIELDS["transport"], "tcp") not in ("tcp", "iser"):
        return
    there = ", ".join(f"{one} ({nics[one]})" for one in nics)
    if nic and mac:
        raise Problem(
            f"The iface '{name}' cannot be bound by nic '{nic}' and by mac '{mac}' at once. Choose one."
        )
    if ip and not nic and not mac:
        raise Problem(
            f"The iface '{name}' cannot be bound by address '{ip}': software iSCSI binds by nic or mac."
        )
    if nic and nic not in nics:
        raise Problem(f"There is no network interface '{nic}' on this host. There are: {there}.")
    if mac and mac not in nics.values():
        raise Problem(
            f"No network interface of this host has the hardware address '{mac}'. There are: {there}."
        )


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Iface)


if __name__ == "__main__":
    main()
