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
  - A session keeps the settings, the CHAP secret and the initiator name that it logged in with. This module lets it take what
    its record, and C(/etc/iscsi/initiatorname.iscsi), say now, by a new login.
  - One session after the other, never two at a time. Before a session is ended it is proved that every disk behind it keeps
    O(keep) other paths that work (an active path of the same multipath map whose LUN answers), and, by a login
    that is broken off before a session comes of it, that the target would let this host in with the new settings.
  - After the login the session must be logged in, each of its LUNs must be back with the same WWID, and each must be an
    active path of its map again. Only then comes the next session. Where anything fails, no further session is touched.
  - Where the login itself fails, the session is logged in with its old settings again, if the target still takes them. The
    record stays as it was.
  - Without O(targets) and O(portals) all sessions are looked at, except those that the host runs on (its root file system, or
    the startup V(onboot)). Such a session is never logged out.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  targets:
    description:
      - The iSCSI names of the targets whose sessions are looked at.
      - Left out, those of all targets.
    type: list
    elements: str
    default: []
  portals:
    description:
      - The portals through which they are, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT); a host name where the record has
        one.
      - Left out, all portals.
    type: list
    elements: str
    default: []
  stale_only:
    description:
      - Whether only sessions are logged in anew that differ from their record. Compared are the initiator name, CHAP users and
        secrets, timers, digests, and what the target may negotiate down where the session has more than the record would offer.
      - What the kernel does not show (the depth of queues, the interface) is not compared; V(false) logs in anew in any case, in
        every run.
      - The replacement timeout of a path in a multipath map is not compared either, since multipathd sets it
        (C(fast_io_fail_tmo)).
    type: bool
    default: true
  keep:
    description: How many other paths of each disk must work while one session is away, at least 1.
    type: int
    default: 1
  timeout:
    description: How many seconds the LUNs of a session may take to come back after its login.
    type: int
    default: 60
  old_secret_refused:
    description:
      - Whether to prove, where the CHAP credentials change, that the target refuses the old ones. That too is a login which
        is broken off before a session comes of it. If the target still takes them, the module fails.
    type: bool
    default: false
  force:
    description:
      - Whether a session is logged in anew although a disk behind it has too few other paths, while nobody uses that disk.
      - A disk that is used keeps its last paths with O(force) too. Set it for one task.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
attributes:
  idempotent:
    support: partial
    details: With O(stale_only=false) every run logs in anew.
notes:
  - Arrays may count a login that is broken off as a failed one.
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.initiator_name
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: The records have a new CHAP secret
  lunworks.iscsi.nodes:
    nodes:
      - target: iqn.2026-01.com.example:store1.db
        portals: [10.77.1.11, 10.77.2.11]
        chap: {user: db, secret: "{{ vault_db_chap }}"}

- name: The sessions take it, path by path, and the old one is worth nothing any more
  lunworks.iscsi.relogin:
    targets: [iqn.2026-01.com.example:store1.db]
    old_secret_refused: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, in order, one sentence each. No secret is in it.
  returned: always
  type: list
  elements: str
  sample:
    - "Log in anew to 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260, for node.session.auth.password"
state:
  description: The sessions that were looked at.
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
          description: What the kernel says, V(LOGGED_IN) or V(FAILED).
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

from ansible_collections.lunworks.iscsi.plugins.module_utils import open_iscsi_relogin
from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import portal, target_key, unique
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge, plain
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_anew import Terms
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_lock import Locking

SPEC = {
    "targets": {"type": "list", "elements": "str", "default": []},
    "portals": {"type": "list", "elements": "str", "default": []},
    "stale_only": {"type": "bool", "default": True},
    "keep": {"type": "int", "default": 1},
    "timeout": {"type": "int", "default": 60},
    "old_secret_refused": {"type": "bool", "default": False, "no_log": False},
    "force": {"type": "bool", "default": False},
}


class Relogin(Locking):
    def __init__(self, options):
        unique("target", options["targets"])
        if options["keep"] < 1:
            raise Problem(
                f"keep is {options['keep']}, but one path at least goes on working. For a disk with a single path that nobody "
                "uses, set force."
            )
        if not 1 <= options["timeout"] <= 3600:
            raise Problem(f"The timeout is 1 to 3600 seconds, not {options['timeout']}.")
        names = frozenset(target_key(name) for name in options["targets"])
        self.terms = Terms(
            **{
                **options,
                "targets": names,
                "portals": frozenset(portal(text, names=True) for text in options["portals"]),
            }
        )

    def look(self, host):
        return open_iscsi_relogin.look_standings(host, self.terms)

    def want(self, seen):
        return open_iscsi_relogin.want_standings(seen, self.terms)

    def again(self, after, want):
        return open_iscsi_relogin.again_standings(after, want, self.terms)

    def plan(self, seen, want):
        return open_iscsi_relogin.plan_standings(seen, want, self.terms)

    def refuse(self, seen, steps):
        open_iscsi_relogin.refuse_standings(seen, steps, self.terms)

    def notes(self, seen, steps):
        return open_iscsi_relogin.note_standings(seen, self.terms)

    def show(self, state):
        return plain(open_iscsi_relogin.shown(state))


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Relogin)


if __name__ == "__main__":
    main()
