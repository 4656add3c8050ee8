#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: relogin
short_description: Log sessions out and in again, one path at a time
version_added: 1.0.0
description:
  - A session keeps the settings, the CHAP secret and the initiator name that it logged in with. This module logs it out and in
    again, so that it uses what its record and C(/etc/iscsi/initiatorname.iscsi) say now.
  - Sessions are logged out and in again one after the other, never two at a time. Before a session is ended, the module
    verifies that every disk behind it has at least O(min_paths) other working paths (active paths of the same multipath map
    whose LUN answers), and, by a login that is broken off before it becomes a session, that the target would let this host in
    with the new settings.
  - After the login, the session must be logged in, each of its LUNs must be back with the same WWID, and each must be an
    active path of its map again. Only then is it the next session's turn. If anything fails, no further session is touched.
  - If the login itself fails, the session is logged in with its old settings again, provided that the target still accepts
    them. The record is not changed.
  - Without O(targets) and O(portals) all sessions are considered, except those on which the host itself runs (its root file
    system, or the startup V(onboot)). Such a session is never logged out.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  targets:
    description:
      - The iSCSI names of the targets whose sessions are considered.
      - If omitted, the sessions of all targets are.
    type: list
    elements: str
    default: []
  portals:
    description:
      - The portals of the sessions, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT); a host name if the record has one.
      - If omitted, all portals are considered.
    type: list
    elements: str
    default: []
  stale_only:
    description:
      - Whether to log out and in again only the sessions that differ from their record. The comparison covers the initiator
        name, CHAP users and secrets, timers, digests, and negotiable values if the session has more than the record would
        offer.
      - What the kernel does not show (queue depths, the interface) is not compared; V(false) renews every session in every
        run.
      - The replacement timeout of a path in a multipath map is not compared either, since multipathd sets it
        (C(fast_io_fail_tmo)).
    type: bool
    default: true
  min_paths:
    description: The minimum number of other paths of each disk that must work while one session is logged out, at least 1.
    type: int
    default: 1
  timeout:
    description: How long the LUNs of a session may take to come back after its login, in seconds.
    type: int
    default: 60
  verify_old_secret:
    description:
      - Where the CHAP credentials change, whether to verify that the target refuses the old ones. That too is a login that
        is broken off before it becomes a session. If the target still accepts them, the module fails.
    type: bool
    default: false
  force:
    description:
      - Whether to log out of a session although a disk behind it has too few other paths, as long as nothing uses that disk.
      - A disk that is in use keeps its last paths even with O(force). Set it only for the one task that needs it.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
attributes:
  idempotent:
    support: partial
    details: With O(stale_only=false) every run logs all sessions out and in again.
notes:
  - Arrays may count a login that is broken off as a failed login.
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.initiator_name
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: Set a new CHAP secret in the records
  lunworks.iscsi.nodes:
    nodes:
      - target: iqn.2026-01.com.example:store1.db
        portals: [10.77.1.11, 10.77.2.11]
        chap: {user: db, secret: "{{ vault_db_chap }}"}

- name: Renew the sessions path by path, and verify that the old secret is refused
  lunworks.iscsi.relogin:
    targets: [iqn.2026-01.com.example:store1.db]
    verify_old_secret: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample:
    - "Log in again to 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260, for node.session.auth.password"
state:
  description: The sessions that were considered.
  returned: success
  type: dict
  contains:
    sessions:
      description: One entry for each session.
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
        state:
          description: The state that the kernel reports, V(LOGGED_IN) or V(FAILED).
          type: str
          returned: always
        recorded:
          description: Whether it has a record; a session without one cannot be compared.
          type: bool
          returned: always
        differences:
          description:
            - What a new login would change, each with C(setting), C(record), C(session) and C(text). Secrets are masked.
          type: list
          elements: dict
          returned: always
  sample:
    sessions:
      - target: iqn.2026-01.com.example:store1.db
        portal: 10.77.1.11:3260
        iface: default
        state: LOGGED_IN
        recorded: true
        differences: []
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._open_iscsi.relogin.resource import OPTIONS, Relogin

SPEC = OPTIONS


def resource(options):
    return Relogin(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
