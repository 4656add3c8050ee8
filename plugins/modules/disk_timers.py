#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_timers
short_description: Set the SCSI command timer and the retries of iSCSI disks
version_added: 1.0.0
description:
  - Sets how long a SCSI command to an iSCSI disk may take and how often it is tried again, for the disks that are there and, by a
    udev rule, for those that appear later. Other disks are left alone.
  - These decide how long I/O stalls on a LUN that answers no commands while its target answers pings. A command fails after
    O(command_timeout) x (O(max_retries) + 1) seconds, with the kernel's defaults 30 x (5 + 1) = 180.
  - When a command's time is over, it is aborted. If the abort is not answered either, the session is dropped (C(detected conn
    error (1021)) in the kernel's log) and C(replacement_timeout) begins. A target that does not answer pings is noticed earlier;
    see M(lunworks.iscsi.timers_info).
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  command_timeout:
    description:
      - The SCSI command timer in seconds, 1 to 3600. It must be longer than a command may take on storage that is busy or fails
        over to its other controller.
      - If omitted, it is left unchanged.
    type: int
  max_retries:
    description:
      - How often a command is tried again, 0 to 5, or V(-1) for no end.
      - A kernel without this setting tries five times; the module then warns.
      - If omitted, it is left unchanged.
    type: int
  state:
    description: Whether the rule must exist. With V(absent) existing disks keep their timers until they appear again.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - The rule is in C(/etc/udev/rules.d/99-iscsi-disk-timers.rules).
seealso:
  - module: lunworks.iscsi.timers_info
  - module: lunworks.iscsi.iscsid_conf
"""

EXAMPLES = r"""
- name: A command that a LUN does not answer fails after 20 x (2 + 1) = 60 seconds
  lunworks.iscsi.disk_timers:
    command_timeout: 20
    max_retries: 2

- name: What NetApp and others ask for while a controller fails over
  lunworks.iscsi.disk_timers:
    command_timeout: 60
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Set the SCSI command timer of '/dev/sda' to 60 (it is 30)"]
state:
  description: The rule and the disks afterwards.
  returned: success
  type: dict
  contains:
    rules:
      description: The file with the rule; null if there is none.
      type: str
      returned: always
    command_timeout:
      description: What the rule sets; null if nothing.
      type: int
      returned: always
    max_retries:
      description: What the rule sets; null if nothing.
      type: int
      returned: always
    disks:
      description: >-
        The iSCSI disks, each with C(device), C(command_timeout), C(max_retries) (null if the kernel does not have it) and
        C(lun_stall), the seconds until a command fails that the LUN does not answer; null means never.
      type: list
      elements: dict
      returned: always
  sample:
    rules: /etc/udev/rules.d/99-iscsi-disk-timers.rules
    command_timeout: 60
    max_retries: null
    disks: [{device: /dev/sda, command_timeout: 60, max_retries: 5, lun_stall: 360}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._open_iscsi.disk_timers import OPTIONS, DiskTimerRules

SPEC = OPTIONS


def resource(options):
    return DiskTimerRules(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
