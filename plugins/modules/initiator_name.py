#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: initiator_name
short_description: Set the iSCSI name of this host
version_added: 1.0.0
description:
  - Sets the initiator name, and optionally the alias, that this host gives to targets, in C(/etc/iscsi/initiatorname.iscsi).
  - iscsid reads the file only when it starts. A running daemon that is older than the file is restarted, but only the daemon;
    C(iscsi.service) is never restarted, since that would log out every session.
  - A polling daemon (discoveryd) logs out of everything that it found when it stops. While there are sessions, it is not
    restarted.
  - Sessions keep the name that they logged in with, even when iscsid is restarted. While any session is logged in, a new name
    is refused unless O(allow_active_sessions) is set.
  - The file gets the mode 0600; other lines in it are kept. iscsid uses the first line with C(InitiatorName), so no second one
    is left. Whatever would keep Debian's iscsid from starting with this name is removed (C(GenerateName=yes), a space before
    the C(=)).
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The iSCSI name (RFC 7143 section 4.2.7), C(iqn.), C(eui.) or C(naa.), at most 223 bytes.
      - Upper case is converted to lower case, the form in which names are compared, unless the file has the name in upper case
        already.
      - A name that the file has already is accepted unchanged, whatever characters it contains (V(_) is common).
    type: str
    required: true
  alias:
    description:
      - A human-readable text that targets may show together with the name. An empty string removes the alias.
      - If omitted, it is left unchanged.
    type: str
  allow_active_sessions:
    description:
      - Whether the name may change while sessions are logged in under the old one. Each session takes the new name at its next
        login (M(lunworks.iscsi.relogin)), so the storage must let in both names by then.
      - The playbook C(lunworks.iscsi.rename_initiator) does all of this in the safe order.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.iscsid_conf
  - module: lunworks.iscsi.relogin
"""

EXAMPLES = r"""
- name: Set the initiator name of this host
  lunworks.iscsi.initiator_name:
    name: iqn.2026-01.com.example:db-a
    alias: "{{ inventory_hostname }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Write the initiator name 'iqn.2026-01.com.example:db-a'"]
state:
  description: The state of the initiator afterwards.
  returned: success
  type: dict
  contains:
    name:
      description: The iSCSI name in the file.
      type: str
      returned: always
    alias:
      description: The alias in the file; null if there is none.
      type: str
      returned: always
    loaded:
      description: Whether the running daemon has read the file since it last changed.
      type: bool
      returned: always
    sessions:
      description: The number of sessions that are logged in.
      type: int
      returned: always
  sample: {name: "iqn.2026-01.com.example:db-a", alias: null, loaded: true, sessions: 0}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge
from ..module_utils._open_iscsi.conf import initiator_name as open_iscsi_name

SPEC = {
    "name": {"type": "str", "required": True},
    "alias": {"type": "str"},
    "allow_active_sessions": {"type": "bool", "default": False},
}


class InitiatorName(Resource):
    def __init__(self, options):
        self.name = options["name"].strip()
        self.alias = None if options["alias"] is None else open_iscsi_name.alias_of(options["alias"])
        self.allow_active_sessions = options["allow_active_sessions"]

    def look(self, host):
        return open_iscsi_name.look_initiator(host)

    def want(self, seen):
        return open_iscsi_name.want_initiator(seen, self.name, self.alias)

    def plan(self, seen, want):
        return open_iscsi_name.plan_initiator(seen, want)

    def refuse(self, seen, want, steps):
        open_iscsi_name.refuse_initiator(seen, steps, self.allow_active_sessions)

    def show(self, state):
        return {name: getattr(state, name) for name in ("name", "alias", "loaded", "sessions")}


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), InitiatorName)


if __name__ == "__main__":
    main()
