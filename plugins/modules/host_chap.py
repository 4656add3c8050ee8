#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_chap
short_description: Manage the CHAP table in the flash memory of an iSCSI card
version_added: 1.0.0
description:
  - Manages entries of the CHAP table that an offload card stores in its flash memory, one for each user name with which the
    host authenticates, or with O(entries[].mutual) a target. Flashnodes refer to an entry by its index, see
    M(lunworks.iscsi.flashnode).
  - Among the kernel's drivers, only qla4xxx has such a table.
  - C(iscsiadm -m host -C chap) takes secrets on its command line only, where every user of the machine can read them.
    Therefore this module talks to the kernel by netlink, as iscsiadm does, and runs no command.
  - The module refuses to change an entry with which a session has logged in, and to delete one to which a flashnode refers.
    The driver itself does not check live sessions.
  - Tested with kernels that have no such card, and against a model of the driver, not on real hardware.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  mac:
    description:
      - The hardware address of the card's port. The number of its SCSI host is not used, since it may belong to another card
        after the next boot.
    type: str
    required: true
  entries:
    description: The entries. Entries that are not listed are kept unless O(purge) is set.
    type: list
    elements: dict
    default: []
    suboptions:
      user:
        description: The CHAP name, 1 to 255 bytes.
        type: str
        required: true
      secret:
        description: The secret, 12 to 99 bytes. Needed unless O(entries[].state=absent).
        type: str
      mutual:
        description: Whether the target authenticates with this entry (mutual CHAP), not the host.
        type: bool
        default: false
      index:
        description:
          - The index in the table, 0 to 1023; smaller cards have fewer entries. The card reserves 0 to 3 for itself.
          - If omitted, it is left unchanged; a new entry gets the lowest free index from 4 on.
        type: int
      state:
        description: Whether the entry must exist.
        type: str
        choices: [present, absent]
        default: present
  purge:
    description: Whether to delete all other entries from index 4 on. Entries below 4 belong to the card and are never touched.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
seealso:
  - ref: ansible_collections.lunworks.iscsi.docsite.guide_cards
    description: Network cards, offload cards, iSER, and what was tested on what.
  - module: lunworks.iscsi.flashnode
  - module: lunworks.iscsi.host_info
"""

EXAMPLES = r"""
- name: Set the CHAP credentials of the card and of the storage
  lunworks.iscsi.host_chap:
    mac: 00:c0:dd:07:1f:d5
    entries:
      - {user: db-a, secret: "{{ vault_db_a_chap }}"}
      - {user: store1, secret: "{{ vault_store1_chap }}", mutual: true}
    purge: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample: ["Write the CHAP entry 4 of the qla4xxx host 00:c0:dd:07:1f:d5 for 'db-a'"]
state:
  description: The state of the table afterwards.
  returned: success
  type: dict
  contains:
    mac:
      description: The hardware address of the card's port.
      type: str
      returned: always
    entries:
      description: All entries, each with C(index), C(user) and C(mutual). Secrets are not shown.
      type: list
      elements: dict
      returned: always
  sample: {mac: "00:c0:dd:07:1f:d5", entries: [{index: 4, user: db-a, mutual: false}]}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._open_iscsi.iface.fields import hardware_address
from ..module_utils._open_iscsi.offload.chap import (
    check_wishes,
    look_table,
    plan_table,
    refuse_table,
    want_table,
    wish_of,
)

ENTRY = {
    "user": {"type": "str", "required": True},
    "secret": {"type": "str", "no_log": True},
    "mutual": {"type": "bool", "default": False},
    "index": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
SPEC = {
    "mac": {"type": "str", "required": True},
    "entries": {"type": "list", "elements": "dict", "default": [], "options": ENTRY},
    "purge": {"type": "bool", "default": False},
}


class HostChap(Resource):
    def __init__(self, options):
        self.mac = hardware_address(options["mac"])
        self.wishes = check_wishes([wish_of(entry) for entry in options["entries"]])
        self.purge = options["purge"]

    def look(self, host):
        return look_table(host, self.mac)

    def want(self, seen):
        return want_table(seen, self.wishes, self.purge)

    def plan(self, seen, want):
        return plan_table(seen, want)

    def refuse(self, seen, want, steps):
        refuse_table(seen, steps)

    def show(self, state):
        return {
            "mac": state.card.mac,
            "entries": [
                {"index": index, "user": entry.name.user, "mutual": entry.name.mutual}
                for index, entry in sorted(state.entries.items())
            ],
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), HostChap)


if __name__ == "__main__":
    main()
