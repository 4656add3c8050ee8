#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: flashnode
short_description: Manage a target portal in the flash memory of an iSCSI card
version_added: 1.0.0
description:
  - Manages a flashnode, a portal of a target that an offload card stores in its flash memory and logs in to by itself, even
    before an operating system runs. Does what C(iscsiadm -m host -C flashnode) does.
  - A flashnode is identified by its card, its target and its portal; the card chooses the index in its memory.
  - Among the kernel's drivers, only qla4xxx has flashnodes.
  - The module refuses to log out while a disk of the session is in use, unless the disk is one path of a multipath map that
    retains another responding path. It refuses to delete the flashnode that the card boots from.
  - A flashnode holds no secrets. For CHAP it refers to an entry of the card's CHAP table by its index, see
    M(lunworks.iscsi.host_chap).
  - Tested against sysfs trees and exit codes modelled on the sources of the kernel and iscsiadm, not on real hardware.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  mac:
    description: The hardware address of the card's port.
    type: str
    required: true
  target:
    description: The iSCSI name of the target.
    type: str
    required: true
  portal:
    description: The portal, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT).
    type: str
    required: true
  settings:
    description:
      - Parameters of the flashnode, by the names that iscsiadm uses, such as V(flashnode.session.chap_auth_en),
        V(flashnode.session.chap_out_idx) or V(flashnode.conn[0].max_recv_dlength), checked before they are set. Switches are
        V(0) and V(1).
      - A parameter that is not named is left unchanged; a new flashnode gets the card's defaults.
      - Sessions keep the parameters that they logged in with.
    type: dict
    default: {}
  logged_in:
    description:
      - Whether the card must have a session with the portal.
      - If omitted, it is left unchanged.
    type: bool
  state:
    description: Whether the flashnode must exist. V(absent) logs out first.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - ref: ansible_collections.lunworks.iscsi.docsite.guide_cards
    description: Network cards, offload cards, iSER, and what was tested on what.
  - module: lunworks.iscsi.host_chap
  - module: lunworks.iscsi.host_info
"""

EXAMPLES = r"""
- name: Let the card log in to the database's storage with entry 4 of its CHAP table
  lunworks.iscsi.flashnode:
    mac: 00:c0:dd:07:1f:d5
    target: iqn.2026-01.com.example:store1.db
    portal: 10.77.2.11
    settings:
      flashnode.session.chap_auth_en: 1
      flashnode.session.chap_out_idx: 4
    logged_in: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - >-
      Let the qla4xxx host 00:c0:dd:07:1f:d5 log in to 'iqn.2026-01.com.example:store1.db' at 10.77.2.11:3260
state:
  description: The state of the flashnode afterwards.
  returned: success
  type: dict
  contains:
    mac:
      description: The hardware address of the card's port.
      type: str
      returned: always
    index:
      description: Its index in the card's memory; null if it does not exist, and in a check run if it is new.
      type: int
      returned: always
    settings:
      description: Its parameters; null if it does not exist.
      type: dict
      returned: always
    logged_in:
      description: Whether the card has a session with the portal.
      type: bool
      returned: always
  sample: {mac: "00:c0:dd:07:1f:d5", index: 2, settings: {"flashnode.session.chap_out_idx": "4"}, logged_in: true}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import portal, target_name
from ..module_utils._converge import Resource, converge
from ..module_utils._host import Problem
from ..module_utils._open_iscsi.iface.fields import hardware_address
from ..module_utils._open_iscsi.offload.flashnode import (
    NEW,
    look_flash,
    plan_flash,
    refuse_flash,
    want_flash,
    wanted_settings,
)
from ..module_utils._open_iscsi.record import RecordId

SPEC = {
    "mac": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "portal": {"type": "str", "required": True},
    "settings": {"type": "dict", "default": {}},
    "logged_in": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class Flashnode(Resource):
    def __init__(self, options):
        self.mac = hardware_address(options["mac"])
        self.name = RecordId.of(target_name(options["target"]), portal(options["portal"]))
        self.settings = wanted_settings(options["settings"])
        self.logged_in = options["logged_in"]
        self.absent = options["state"] == "absent"
        if self.absent and self.logged_in:
            raise Problem(
                f"The flashnode for {self.name} cannot be both absent and logged in. Leave one of the two out."
            )

    def look(self, host):
        return look_flash(host, self.mac, self.name, self.absent or self.logged_in is False)

    def want(self, seen):
        return want_flash(seen, self.settings, self.logged_in, self.absent)

    def plan(self, seen, want):
        return plan_flash(seen, want)

    def refuse(self, seen, want, steps):
        refuse_flash(seen, steps)

    def show(self, state):
        there = state.flashnode
        return {
            "mac": state.card.mac,
            "index": None if there is None or there.index == NEW else there.index,
            "settings": None if there is None else there.settings,
            "logged_in": state.logged_in,
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Flashnode)


if __name__ == "__main__":
    main()
