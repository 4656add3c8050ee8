#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Manage the records of a target and the sessions to it
version_added: 1.0.0
description:
  - Manages the records of one target and the sessions to it, for exactly the portals and ifaces that are listed.
  - Only what is listed is changed. Names, portals and ifaces are compared exactly, never by pattern.
  - Logins run in parallel. Records are written first, then sessions are logged in, and only then others are logged out, so
    that a host never loses its last path on the way.
  - A portal that does not answer is reported before anything is changed. If a login fails, a record that this run created is
    deleted again; an existing record keeps what was written.
  - The module refuses to log out of a session while its disk is in use (mounted, swap, open, in an active volume group, under
    another device or a loop device, or exported), unless the disk is one path of a multipath map that retains another
    responding path.
  - Secrets are written to the records, mode 0600, under open-iscsi's own lock. They never appear on a command line.
author:
  - The lunworks.iscsi authors (@lunworks)
extends_documentation_fragment:
  - lunworks.iscsi.open_iscsi.node
  - lunworks.iscsi.open_iscsi
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.discovery
  - module: lunworks.iscsi.iface
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: Log in to the database's target over both storage networks
  lunworks.iscsi.node:
    target: iqn.2026-01.com.example:store1.db
    portals: [10.77.1.11, 10.77.2.11]
    startup: automatic
    chap: {user: db, secret: "{{ vault_db_chap }}"}
    logged_in: true

- name: Remove one path while the other one carries the I/O
  lunworks.iscsi.node:
    target: iqn.2026-01.com.example:store1.db
    portals: [10.77.2.11]
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample:
    - Record 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260
    - Log in to 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260
steps_left:
  description: The steps that were not taken because others failed.
  returned: failure
  type: list
  elements: str
problems:
  description: What failed and why, one sentence for each portal and iface. The other logins are kept.
  returned: failure
  type: list
  elements: str
  sample:
    - "Log in to 'iqn.2026-01.com.example:store1.db' at 10.77.2.11:3260: the portal did not answer in time."
state:
  description: The records and sessions of the target, including those that were not listed.
  returned: success
  type: dict
  contains:
    nodes:
      description: One entry for each portal and iface.
      type: list
      elements: dict
      returned: always
      contains:
        target:
          description: The target.
          type: str
          returned: always
        portal:
          description: The portal.
          type: str
          returned: always
        iface:
          description: The iface.
          type: str
          returned: always
        tpg:
          description: The portal group tag in the record; null without a record.
          type: int
          returned: always
        recorded:
          description: Whether there is a record.
          type: bool
          returned: always
        startup:
          description: Its startup, which says whether it is logged in at boot; null without a record.
          type: str
          returned: always
        chap_user:
          description: The CHAP user name of this host; null without CHAP.
          type: str
          returned: always
        settings:
          description: The values of the settings that the task lists.
          type: dict
          returned: always
        logged_in:
          description: Whether there is a session.
          type: bool
          returned: always
        sessions:
          description: The number of sessions.
          type: int
          returned: always
        login_blocked_by:
          description: Why a requested login is not possible now; null if nothing is known to block it.
          type: str
          returned: always
  sample:
    nodes:
      - target: iqn.2026-01.com.example:store1.db
        portal: 10.77.1.11:3260
        iface: default
        tpg: 1
        recorded: true
        startup: automatic
        chap_user: null
        settings: {}
        logged_in: true
        sessions: 1
        login_blocked_by: null
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._open_iscsi.node.resource import OPTIONS, UNREACHABLE, WishedNodes

SPEC = {**OPTIONS, "unreachable": UNREACHABLE, "purge": {"type": "bool", "default": False}}


class Node(WishedNodes):
    def __init__(self, options):
        super().__init__([options], options["purge"], options["unreachable"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Node)


if __name__ == "__main__":
    main()
