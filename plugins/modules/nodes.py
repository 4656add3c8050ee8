#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Manage the records of many targets and the sessions to them
version_added: 1.0.0
description:
  - Manages the records of targets and the sessions to them, for exactly the portals and ifaces that are listed, with one look
    at the host for all of them.
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
options:
  nodes:
    description: The nodes. A target may be listed several times, with different portals or ifaces.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description:
          - The iSCSI name of the target. Names are compared in lower case.
          - For a target that is recorded, logged in or offered, its existing spelling is used, since targets compare names
            byte by byte. A new one is recorded as it is given here.
        type: str
        required: true
      portals:
        description:
          - The portals, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT). Exactly these are changed.
          - A host name is accepted only if a record of the target has it already, since it may resolve to another address
            later.
          - May be omitted with O(nodes[].state=absent) only. Then every record and session of the target is removed.
        type: list
        elements: str
        default: []
      ifaces:
        description: The ifaces to which the sessions are bound, see M(lunworks.iscsi.iface). Exactly these are changed.
        type: list
        elements: str
        default: [default]
      tpg:
        description:
          - The portal group tag of the portals, 0 to 65535.
          - If omitted, it is left unchanged; a new record gets 1, which is correct for LIO.
        type: int
      startup:
        description:
          - V(automatic) logs in at boot, V(manual) does not, V(onboot) is for the root disk.
          - If omitted, it is left unchanged; a new record gets what C(iscsid.conf) says.
        type: str
        choices: [manual, automatic, onboot]
      preset:
        description:
          - A set of timers for the records that suits the use of the disks, see O(lunworks.iscsi.iscsid_conf#module:preset).
            O(nodes[].settings) take precedence. If omitted, they are left unchanged.
        type: str
        choices: [multipath, direct, root_on_iscsi, md3000i, ontap]
      settings:
        description:
          - Settings of the records, any C(node.) key of C(iscsid.conf), checked before they are written.
          - A setting that is not named is left unchanged; a new record gets what C(iscsid.conf) says.
          - Sessions keep the settings that they logged in with.
        type: dict
        default: {}
      reset_to_defaults:
        description:
          - Settings to set to what C(iscsid.conf) says now, so that a change of that file reaches existing records.
          - Each is the name of a setting, or the beginning of several, like V(node.session.timeo) for all below it.
          - A setting that C(iscsid.conf) does not set stays as it is; O(nodes[].settings), O(nodes[].startup) and O(nodes[].chap)
            take precedence.
        type: list
        elements: str
        default: []
      chap:
        description:
          - The CHAP credentials with which this host authenticates to the target, and with the mutual ones the target to this
            host.
          - An empty O(nodes[].chap.user) with an empty O(nodes[].chap.secret) means no CHAP.
          - If omitted, it is left unchanged; a new record gets what C(iscsid.conf) says.
        type: dict
        suboptions:
          user:
            description: The name, at most 255 bytes.
            type: str
            required: true
          secret:
            description: The secret, 12 to 255 bytes.
            type: str
            required: true
          mutual_user:
            description: The user name with which the target authenticates. If omitted, the target does not authenticate.
            type: str
          mutual_secret:
            description: The secret of the target, 12 to 255 bytes, different from O(nodes[].chap.secret).
            type: str
      logged_in:
        description:
          - Whether each of the portals and ifaces must have a session, or as many sessions as the record's
            C(node.session.nr_sessions) says.
          - If omitted, it is left unchanged.
        type: bool
      state:
        description: Whether the records must exist. V(absent) logs out first.
        type: str
        choices: [present, absent]
        default: present
  by_startup:
    description:
      - Whether every record on this host that has this startup must have sessions, in addition to O(nodes). It does not apply
        to what O(nodes) lists.
      - This does what C(iscsiadm --loginall) and C(--logoutall) do, but keeps the sessions of disks that are in use.
      - Records with a startup that is omitted are left unchanged.
    type: dict
    suboptions:
      automatic:
        description: Records that are logged in at boot.
        type: bool
      manual:
        description: Records that are not logged in at boot, including those that do not set it.
        type: bool
      onboot:
        description: Records of the root disk. V(false) is refused.
        type: bool
  unreachable:
    description:
      - What to do when a portal that is to be logged in to does not answer.
      - V(fail) names the portal, fails, and changes nothing at all.
      - V(skip) records the portal without logging in to it, does everything else, and warns. This way a host gets its other
        paths while one storage network is down. The next run logs in once the portal is back.
    type: str
    choices: [fail, skip]
    default: fail
  assume_present:
    description:
      - In check mode, targets and ifaces to treat as present because an earlier task of the same check run reported that it
        would serve or create them, or that it would give this host its name. A real run still needs every one of them.
    type: list
    elements: str
    default: []
  purge:
    description:
      - Whether to remove other records and sessions of the targets, through portals and ifaces that are not listed.
      - Targets that are not listed are never changed.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
notes:
  - Before a login the portal is asked what it offers (SendTargets; nothing is recorded), in check mode too. This starts iscsid
    through its socket, and loads the kernel module of the transport.
seealso:
  - module: lunworks.iscsi.node
  - module: lunworks.iscsi.discovery
  - module: lunworks.iscsi.iface
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: Log in to the database's targets over exactly the two storage networks
  lunworks.iscsi.nodes:
    nodes:
      - target: iqn.2026-01.com.example:store1.db
        portals: [10.77.1.11, 10.77.2.11]
        startup: automatic
        chap: {user: db, secret: "{{ vault_db_chap }}"}
        settings:
          node.session.timeo.replacement_timeout: 5
        logged_in: true
      - target: iqn.2026-01.com.example:store1.backup
        portals: ["[fd77:1::b]"]
        startup: manual
        logged_in: false
    purge: true
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
  description: The records and sessions of the targets, including those that were not listed.
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
from ..module_utils._open_iscsi.node.resource import BY_STARTUP, OPTIONS, UNREACHABLE, WishedNodes

SPEC = {
    "nodes": {"type": "list", "elements": "dict", "default": [], "options": OPTIONS},
    "by_startup": BY_STARTUP,
    "unreachable": UNREACHABLE,
    "assume_present": {"type": "list", "elements": "str", "default": []},
    "purge": {"type": "bool", "default": False},
}


class Nodes(WishedNodes):
    def __init__(self, options):
        super().__init__(
            options["nodes"],
            options["purge"],
            options["unreachable"],
            options["assume_present"],
            options["by_startup"],
        )


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Nodes)


if __name__ == "__main__":
    main()
