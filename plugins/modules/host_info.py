#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Return the iSCSI hosts of this machine, including offload cards
version_added: 1.0.0
description:
  - Returns what iscsiadm calls hosts, the SCSI hosts of iSCSI drivers. An offload card has one for each port; software iSCSI
    creates one for each session.
  - Includes the network settings in force on a card, the names in its CHAP table, its flashnodes, its sessions and, on
    request, its counters. Secrets are never shown.
  - Tested against a model built from the sources of the kernel and iscsiadm, not on real hardware.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  mac:
    description: The hardware address of the only host to return. If omitted, all hosts are returned.
    type: str
  statistics:
    description: Whether to return the counters of cards (C(iscsiadm -m host -C stats)).
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - ref: ansible_collections.lunworks.iscsi.docsite.guide_cards
    description: Network cards, offload cards, iSER, and what was tested on what.
  - module: lunworks.iscsi.host_chap
  - module: lunworks.iscsi.flashnode
  - module: lunworks.iscsi.iface
"""

EXAMPLES = r"""
- name: Find the cards and the entries of their CHAP tables
  lunworks.iscsi.host_info:
  register: iscsi

- name: Show the names
  ansible.builtin.debug:
    msg: "{{ iscsi.hosts | selectattr('chap') | items2dict(key_name='mac', value_name='chap') }}"
"""

RETURN = r"""
hosts:
  description: The hosts, by their number.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The number of the SCSI host, until the next boot.
      type: int
      returned: always
    transport:
      description: The iSCSI transport, V(tcp) for software iSCSI.
      type: str
      returned: always
    mac:
      description: The hardware address; null for software iSCSI.
      type: str
      returned: always
    address:
      description: Its IP address; null if it reports none.
      type: str
      returned: always
    nic:
      description: Its network interface; null if it reports none.
      type: str
      returned: always
    initiator_name:
      description: The iSCSI name of the card; null if it reports none.
      type: str
      returned: always
    port_state:
      description: Whether its port has a link; null if it does not report it.
      type: str
      returned: always
    port_speed:
      description: The speed of its port; null if it does not report it.
      type: str
      returned: always
    state:
      description: The state of the SCSI host, normally V(running).
      type: str
      returned: always
    ifaces:
      description: The network settings in force on a card, by the kernel's name of each of its interfaces.
      type: dict
      returned: always
    chap:
      description: The entries of its CHAP table, each with C(index), C(user) and C(mutual); null if it has no table.
      type: list
      elements: dict
      returned: always
    chap_reason:
      description: Why there is no table; null if there is one.
      type: str
      returned: always
    flashnodes:
      description: Its flashnodes, each with C(index), C(target), C(portal) and C(settings).
      type: list
      elements: dict
      returned: always
    sessions:
      description: The sessions through it.
      type: list
      elements: str
      returned: always
    statistics:
      description: Its counters by name; null without O(statistics), or if it has none.
      type: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._open_iscsi.iface.fields import hardware_address
from ..module_utils._open_iscsi.offload.host_info import tell_hosts

SPEC = {"mac": {"type": "str"}, "statistics": {"type": "bool", "default": False}}


def question(options, host):
    mac = None if options["mac"] is None else hardware_address(options["mac"])
    return tell_hosts(host, mac, options["statistics"])


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
