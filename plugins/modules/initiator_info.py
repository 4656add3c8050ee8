#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: initiator_info
short_description: Return the iSCSI name, records, sessions and disks of this host
version_added: 1.0.0
description:
  - Returns the iSCSI name of this host, its ifaces, its discovery and node records, and its sessions with the disks that they
    provide.
  - If C(iscsid.conf), a record and its session disagree, all three values are shown side by side.
  - Everything is read from files and sysfs in one pass. Secrets are compared, but masked in the result.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  statistics:
    description:
      - Whether to return the counters of the sessions since their login. The kernel provides them by netlink only, so this
        runs C(iscsiadm -m session -s), once for all sessions.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.nodes
  - ref: The guide on the report <ansible_collections.lunworks.iscsi.docsite.guide_report>
    description: What is made of it.
"""

EXAMPLES = r"""
- name: Find the disks and sessions of this host
  lunworks.iscsi.initiator_info:
  register: initiator

- name: Show them
  ansible.builtin.debug:
    msg: "{{ initiator.sessions | map(attribute='disks') | flatten | map(attribute='device') }}"

- name: Show the settings that wait for the next login
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
iscsid_conf:
  description: The settings of C(iscsid.conf), which new records start with, by name.
  returned: success
  type: dict
  sample: {node.startup: manual}
exposed_files:
  description: The files of open-iscsi with a CHAP secret that every user of this host can read.
  returned: success
  type: list
  elements: str
ifaces:
  description: The ifaces by name, with their fields by the names that open-iscsi uses.
  returned: success
  type: dict
  sample: {default: {iface.iscsi_ifacename: default, iface.transport_name: tcp}}
rp_filter:
  description:
    - The NICs of sessions and ifaces whose own reverse path filter (IPv4) somebody has set, by a line that names them or only
      until the next boot. Lines for all NICs, and the defaults of distributions, are not among these.
  returned: success
  type: list
  elements: dict
  sample: [{nic: eth1, running: 2, at_boot: 2, file: /etc/sysctl.d/60-san.conf}]
  contains:
    nic:
      description: The name of the NIC.
      type: str
      returned: always
    running:
      description: The filter in force now (0 off, 1 strict, 2 loose).
      type: int
      returned: always
    at_boot:
      description: The filter after the next boot.
      type: int
      returned: always
    file:
      description: The last file with a line for this NIC; null if there is none.
      type: str
      returned: always
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
      description: The portal group tag; -1 if the record has none.
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
      description: The state of the session, normally V(LOGGED_IN).
      type: str
      returned: always
    connection_state:
      description: The state of its connection, normally V(up); empty if the kernel does not report it.
      type: str
      returned: always
    initiator:
      description: The initiator name that it logged in with. A session keeps its name when the host is renamed.
      type: str
      returned: always
    recorded:
      description: Whether it has a record. Sessions of discoveryd and of firmware have none.
      type: bool
      returned: always
    negotiated:
      description: The negotiated parameters of the session and its connection, by the names that the kernel uses.
      type: dict
      returned: always
    statistics:
      description:
        - The counters of the session, by the names that C(iscsiadm) uses. Those that end in C(octets) count bytes, the others
          PDUs or events.
        - Empty without O(statistics).
      type: dict
      returned: always
      sample: {txdata_octets: 4096, rxdata_octets: 1052672, digest_err: 0, timeout_err: 0}
    disks:
      description: The LUNs that it provides.
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
          description: The current device name, which may change at the next boot. Empty if it is not a disk.
          type: str
          returned: always
        size:
          description: The size in bytes.
          type: int
          returned: always
        wwid:
          description: The WWID of the disk when the kernel last read it (sysfs wwid).
          type: str
          returned: always
        serial:
          description: Its unit serial at that time (sysfs vpd_pg80). Empty if it has none.
          type: str
          returned: always
        state:
          description: The state of the device, normally V(running).
          type: str
          returned: always
        read_only:
          description: Whether the kernel lets nobody write to it.
          type: bool
          returned: always
        map:
          description: The multipath map of which it is a path; null without one.
          type: str
          returned: always
        map_read_only:
          description: Whether the kernel lets nobody write to that map; null without one.
          type: bool
          returned: always
        users:
          description: Who uses it, one sentence each.
          type: list
          elements: str
          returned: always
differences:
  description:
    - Where C(iscsid.conf), the record and the session disagree, an entry for each setting.
    - A value that the target has negotiated down (RFC 7143 section 13) is not a difference.
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
      description: The session whose value differs from its record. Null if only C(iscsid.conf) and the record differ.
      type: int
      returned: always
    setting:
      description: The setting, by its name in the record. C(iface.initiatorname) is the name of the initiator.
      type: str
      returned: always
    iscsid_conf:
      description: What C(iscsid.conf) says, for new records. Null if it does not set it.
      type: str
      returned: always
    record:
      description: What the record says, for the next login.
      type: str
      returned: always
    session:
      description: What the session uses. Null without a session, or if the kernel does not show it.
      type: str
      returned: always
    next_login:
      description:
        - Whether another login would change what the session has.
        - False for the replacement timeout of a session that carries a path of a multipath map, since multipathd sets it to
          its C(fast_io_fail_tmo) (M(lunworks.iscsi.timers_info)).
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

from ..module_utils._converge import tell
from ..module_utils._open_iscsi.info import look_all

SPEC = {"statistics": {"type": "bool", "default": False}}


def question(options, host):
    return look_all(host, options["statistics"])


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
