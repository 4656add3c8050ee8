#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: login_unit
short_description: Log in at boot without waiting for unreachable portals
version_added: 1.0.0
description:
  - Manages the distribution's systemd unit that logs in to all records with C(node.startup = automatic) at boot and logs out
    at shutdown, C(open-iscsi.service) on Debian, C(iscsi.service) elsewhere. systemd is asked which of them exists.
  - The unit is never stopped or restarted, since that would log out every session.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  wait:
    description:
      - Whether the boot waits until every login has succeeded or failed. With V(false) iscsid keeps trying while the host
        boots, for C(node.session.initial_login_retry_max) times the login timeout of the record.
      - The upstream unit does not wait. Debian's waits two minutes if a portal is unreachable, and then fails. Therefore
        V(false) adds C(-W) to its command in a drop-in, which also orders it after C(multipathd.service), so that no path
        appears before multipathd starts or disappears after it stops. V(true) removes that drop-in, and is refused if the unit
        does not wait even without it.
      - Commands from a drop-in or unit file that somebody else wrote are not changed. If such a command waits, V(false) is
        refused and the file is named.
      - If omitted, it is left unchanged.
    type: bool
  enabled:
    description: Whether the unit is started at boot. If omitted, it is left unchanged.
    type: bool
  started:
    description:
      - Whether to start the unit now, so that it logs out in the right order at shutdown. Existing sessions are kept.
      - On a host without records there is nothing to start.
    type: bool
    default: true
  assume_present:
    description:
      - In check mode, whether to assume that there are records because an earlier task of the same check run reported that it
        would create them.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.nodes
"""

EXAMPLES = r"""
- name: Restore sessions at boot without waiting for unreachable portals
  lunworks.iscsi.login_unit:
    wait: false
    enabled: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Enable 'open-iscsi.service' at boot"]
state:
  description: The state of the unit afterwards.
  returned: success
  type: dict
  contains:
    name:
      description: The name of the unit.
      type: str
      returned: always
    wait:
      description: Whether the boot waits for an unreachable portal.
      type: bool
      returned: always
    enabled:
      description: Whether it is started at boot.
      type: bool
      returned: always
    started:
      description: Whether it is started.
      type: bool
      returned: always
  sample: {name: open-iscsi.service, wait: false, enabled: true, started: true}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._open_iscsi.login_unit import (
    look_login_unit,
    plan_login_unit,
    refuse_login_unit,
    refuse_no_wait,
    want_unwaiting,
)

SPEC = {
    "wait": {"type": "bool"},
    "enabled": {"type": "bool"},
    "started": {"type": "bool", "default": True},
    "assume_present": {"type": "bool", "default": False},
}


class Unit(Resource):
    def __init__(self, options):
        self.wait, self.enabled, self.started = (options[name] for name in ("wait", "enabled", "started"))
        self.assume_present = options["assume_present"]

    def look(self, host):
        return look_login_unit(host)

    def want(self, seen):
        want = replace(seen, active=seen.active or self.started and (seen.records or self.assume_present))
        if self.enabled is not None:
            want = replace(want, enabled=self.enabled)
        if self.wait is False:
            want = want_unwaiting(want)
        if self.wait:
            refuse_no_wait(seen)
            want = want.having(None)
        return want

    def plan(self, seen, want):
        return plan_login_unit(seen, want)

    def refuse(self, seen, want, steps):
        refuse_login_unit(seen, steps)

    def show(self, state):
        return {
            "name": state.name,
            "wait": state.waits,
            "enabled": state.enabled,
            "started": state.active,
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Unit)


if __name__ == "__main__":
    main()
