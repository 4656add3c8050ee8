#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: initiator_info
short_description: What this host knows of its iSCSI storage
version_added: 1.0.0
description:
  - The name of this host, its ifaces, its discovery and node records, and its sessions with the disks that they bring.
  - Where C(iscsid.conf), a record and its session disagree, all three are shown side by side.
  - Read from files and sysfs in one pass. Secrets are compared, and masked.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  statistics:
    description:
      - Whether to tell what the sessions have counted since their login. The kernel says it by netlink only, so this runs
        C(iscsiadm -m session -s), once for all of them.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.nodes
"""

EXAMPLES = r"""
- name: Which disks does this host have, through which sessions?
  lunworks.iscsi.initiator_info:
  register: initiator

- name: Show them
  ansible.builtin.debug:
    msg: "{{ initiator.sessions | map(attribute='disks') | flatten | map(attribute='device') }}"

- name: What waits for the next login?
  ansible.builtin.debug:
    msg: "{{ initiator.differences | selectattr('next_login') | map(attribute='text') }}"
"""

RETURN = r"""
name:
  description: The iSCSI name of this host; null when it has none.
  returned: success
  type: str
  sample: iqn.2026-01.com.example:db-a
alias:
  description: The alias of this host; null when it has none.
  returned: success
  type: str
ifaces:
  description: The ifaces by name, with their fields as open-iscsi names them.
  returned: success
  type: dict
  sample: {default: {iface.iscsi_ifacename: default, iface.transport_name: tcp}}
discovery:
  description: The discovery records.
  returned: success
  type: list
  elements: dict
  contains:
    portal:
      description: The portal, or the iSNS server, that is asked.
      type: str
      returned: always
    type:
      description: V(sendtargets) or V(isns).
      type: str
      returned: always
    settings:
      description: The settings of the record.
      type: dict
      returned: always
records:
  description: The node records.
  returned: success
  type: list
  elements: dict
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
      description: The portal group tag; -1 when the record names none.
      type: int
      returned: always
    startup:
      description: When it is logged in.
      type: str
      returned: always
    settings:
      description: All settings of the record.
      type: dict
      returned: always
    logged_in:
      description: Whether there is a session.
      type: bool
      returned: always
sessions:
  description: The sessions, also those without a record.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: The kernel's number of the session.
      type: int
      returned: always
    target:
      description: The target.
      type: str
      returned: always
    portal:
      description: The portal that was asked for.
      type: str
      returned: always
    iface:
      description: The iface.
      type: str
      returned: always
    tpg:
      description: The portal group tag.
      type: int
      returned: always
    state:
      description: The state of the session, V(LOGGED_IN) when all is well.
      type: str
      returned: always
    connection_state:
      description: The state of its connection, V(up) when all is well; empty where the kernel does not say it.
      type: str
      returned: always
    initiator:
      description: The initiator name that it logged in with. A session keeps its name when the host gets another one.
      type: str
      returned: always
    recorded:
      description: Whether there is a record of it. Sessions of discoveryd and of firmware have none.
      type: bool
      returned: always
    negotiated:
      description: The parameters of the session and of its connection as the kernel names them.
      type: dict
      returned: always
    statistics:
      description:
        - The counters of the session by the names that C(iscsiadm) gives them, bytes in those that end in C(octets),
          else PDUs or events.
        - Empty without O(statistics).
      type: dict
      returned: always
      sample: {txdata_octets: 4096, rxdata_octets: 1052672, digest_err: 0, timeout_err: 0}
    disks:
      description: The LUNs that it brings.
      type: list
      elements: dict
      returned: always
      contains:
        address:
          description: Host, channel, target and LUN.
          type: str
          returned: always
        lun:
          description: The LUN.
          type: int
          returned: always
        device:
          description: The device now; it may be another one after the next boot. Empty when it is no disk.
          type: str
          returned: always
        size:
          description: The size in bytes.
          type: int
          returned: always
        wwid:
          description: What the disk was when the kernel last asked it (sysfs wwid).
          type: str
          returned: always
        serial:
          description: Its unit serial, of the same time (sysfs vpd_pg80). Empty when it has none.
          type: str
          returned: always
        state:
          description: The state of the device, V(running) when all is well.
          type: str
          returned: always
        map:
          description: The multipath map that it is a path of; null without one.
          type: str
          returned: always
        users:
          description: Who uses it, one sentence each.
          type: list
          elements: str
          returned: always
differences:
  description:
    - Where C(iscsid.conf), the record and the session disagree, an entry for each setting.
    - What the target has negotiated down (RFC 7143 section 13) is no difference.
  returned: success
  type: list
  elements: dict
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
    session_number:
      description: The session that has another value than its record. Null where C(iscsid.conf) and the record differ only.
      type: int
      returned: always
    setting:
      description: The setting as the record names it. C(iface.initiatorname) is the name of the initiator.
      type: str
      returned: always
    iscsid_conf:
      description: What C(iscsid.conf) says, for new records. Null where it says nothing.
      type: str
      returned: always
    record:
      description: What the record says, for the next login.
      type: str
      returned: always
    session:
      description: What the session has. Null without a session, or where the kernel does not show it.
      type: str
      returned: always
    next_login:
      description:
        - Whether another login would change what the session has.
        - Not so for the replacement timeout of a session that carries a path of a multipath map. multipathd sets that one, to its
          own C(fast_io_fail_tmo) (M(lunworks.iscsi.timers_info)).
      type: bool
      returned: always
    text:
      description: The difference as a sentence.
      type: str
      returned: always
  sample:
    - {target: "iqn.2026-01.com.example:store1.db", portal: "10.77.1.11:3260", iface: default, session_number: 3,
      setting: node.session.timeo.replacement_timeout, iscsid_conf: "120", record: "5", session: "120", next_login: true,
      text: "'node.session.timeo.replacement_timeout' of the record of 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260
      takes effect at the next login; session 3 has another value."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import tell
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_info import look_all

SPEC = {"statistics": {"type": "bool", "default": False}}


def main():
    tell(
        AnsibleModule(SPEC, supports_check_mode=True),
        lambda options, host: look_all(host, options["statistics"]),
    )


if __name__ == "__main__":
    main()
