#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: initiator_info
short_description: What this host knows of its iSCSI storage
version_added: 0.1.0
description:
  - The name of this host, its ifaces, its discovery and node records, and its sessions with the disks that they bring.
  - Read from files and sysfs in one pass. Secrets are masked.
author:
  - The lunworks.iscsi authors (@lunworks)
options: {}
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
  description: The discovery records of SendTargets.
  returned: success
  type: list
  elements: dict
  contains:
    portal:
      description: The portal that is asked.
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
    recorded:
      description: Whether there is a record of it.
      type: bool
      returned: always
    negotiated:
      description: The parameters of the session and of its connection as the kernel names them.
      type: dict
      returned: always
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
          description: What the disk says it is (sysfs wwid).
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
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import tell
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_info import look_all

SPEC: dict[str, str] = {}


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), lambda options, host: look_all(host))


if __name__ == "__main__":
    main()
