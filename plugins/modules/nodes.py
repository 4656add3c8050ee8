#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Record many targets, log in to them and out of them
version_added: 1.0.0
description:
  - Manages the records of targets and the sessions to them, for exactly the portals and ifaces that are named, with one
    look at the host for all.
  - Only what is asked for is touched. Names, portals and ifaces are compared whole, never by pattern.
  - Logins run side by side. Records come first, then logins, and only then logouts, so that a host never loses its last
    path on the way.
  - A portal that does not answer is named before anything is changed. Where a login fails, a record that this run made
    is deleted again; a record that was there keeps what was written.
  - A session is not logged out while its disk is used (mounted, swap, open, in an active volume group, under a device,
    loop or exported), unless it is one path of a multipath map that keeps another one that answers.
  - Secrets are written into the records, mode 0600, under open-iscsi's own lock. They are never on a command line.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  nodes:
    description: The nodes. A target may be named several times, with different portals or ifaces.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description:
          - The iSCSI name of the target. Names are compared in lower case.
          - A target that is recorded, logged in or offered is written and sent as it spells itself there, since targets compare
            names byte by byte. A new one is written as it is given here.
        type: str
        required: true
      portals:
        description:
          - The portals, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT). Exactly these are touched.
          - A host name only where a record of the target has it already, since it may stand for another address tomorrow.
          - May be omitted with O(nodes[].state=absent) only. Then every record and session of the target goes.
        type: list
        elements: str
        default: []
      ifaces:
        description: The ifaces that the sessions go through, see M(lunworks.iscsi.iface). Exactly these are touched.
        type: list
        elements: str
        default: [default]
      tpg:
        description:
          - The portal group tag of the portals, 0 to 65535.
          - If omitted, it is left unchanged; a new record gets 1, which is right for LIO.
        type: int
      startup:
        description:
          - V(automatic) logs in at boot, V(manual) does not, V(onboot) is for the root disk.
          - If omitted, it is left unchanged; a new record gets what C(iscsid.conf) says.
        type: str
        choices: [manual, automatic, onboot]
      preset:
        description:
          - The timers of the records for what stands above the disks, see O(lunworks.iscsi.iscsid_conf#module:preset).
            O(nodes[].settings) win over it. If omitted, they are left unchanged.
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
          - What this host proves to the target, and with the mutual ones what the target proves back.
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
            description: The name that the target gives. If omitted, the target proves nothing.
            type: str
          mutual_secret:
            description: The secret that the target proves, 12 to 255 bytes, another one than O(nodes[].chap.secret).
            type: str
      logged_in:
        description:
          - Whether there shall be a session through each of the portals and ifaces, or as many as the record's
            C(node.session.nr_sessions) says.
          - If omitted, it is left unchanged.
        type: bool
      state:
        description: Whether there shall be records. V(absent) logs out first.
        type: str
        choices: [present, absent]
        default: present
  by_startup:
    description:
      - Whether there shall be sessions for every record on this host that has this startup, beside O(nodes). What O(nodes)
        names is left to it.
      - This is what C(iscsiadm --loginall) and C(--logoutall) do, but disks that are in use keep their sessions.
      - A startup that is left out stays as it is.
    type: dict
    suboptions:
      automatic:
        description: Records that are logged in at boot.
        type: bool
      manual:
        description: Records that are not logged in at boot, also those that say nothing of it.
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
      - Whether other records and sessions of the targets go, those of portals and ifaces that are not listed.
      - Targets that are not named are never touched.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
notes:
  - Before a login the portal is asked what it offers (SendTargets; nothing is recorded), in check mode too. For that iscsid is
    started by its socket and loads the kernel's module for the transport.
seealso:
  - module: lunworks.iscsi.node
  - module: lunworks.iscsi.discovery
  - module: lunworks.iscsi.iface
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: The database host reaches its targets over both storage networks, and nothing else of them
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
  description: What was not done, where some of it failed.
  returned: failure
  type: list
  elements: str
problems:
  description: What failed and why, one sentence for each portal and iface. The other logins stand.
  returned: failure
  type: list
  elements: str
  sample:
    - "Log in to 'iqn.2026-01.com.example:store1.db' at 10.77.2.11:3260: the portal did not answer in time."
state:
  description: The records and sessions of the targets, also those that were not asked for.
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
          description: When it is logged in; null without a record.
          type: str
          returned: always
        chap_user:
          description: The CHAP name that this host gives; null without CHAP.
          type: str
          returned: always
        settings:
          description: The values of the settings that the task names.
          type: dict
          returned: always
        logged_in:
          description: Whether there is a session.
          type: bool
          returned: always
        sessions:
          description: How many sessions there are.
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

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_wish import (
    BY_STARTUP,
    OPTIONS,
    UNREACHABLE,
    WishedNodes,
)

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
