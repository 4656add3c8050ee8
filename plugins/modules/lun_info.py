#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lun_info
short_description: Tell who has each LUN of this storage host, and which volume group is on it
version_added: 0.1.0
description:
  - Tells of each LUN to which initiators it is mapped, running and saved, and what LVM wrote on it. So the storage side can
    say who owns a volume group, also when no host sees it.
  - Of each LUN a few kilobytes are read, past the page cache (C(O_DIRECT), open(2)). LVM is not needed on this host, and
    nothing is activated or locked.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  metadata:
    description: Whether to tell the text of the metadata too, which may be long. It is what vgcfgrestore(8) takes.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
notes:
  - A PV on a partition of a LUN is not found, only one on the whole LUN.
  - What is on a LUN may have been written by any host that has it. As LVM does, nothing is taken from it whose checksum is wrong.
seealso:
  - module: lunworks.iscsi.target_info
  - name: pvck(8)
    description: How LVM lays a PV out.
    link: https://man7.org/linux/man-pages/man8/pvck.8.html
"""

EXAMPLES = r"""
- name: Ask
  lunworks.iscsi.lun_info:
  register: storage

- name: Who has the LUNs of vg_db
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.running | join(', ') }}"
  loop: "{{ storage.luns | selectattr('label') | selectattr('label.group', 'eq', 'vg_db') }}"
  loop_control: {label: "{{ item.name }}"}
"""

RETURN = r"""
targets:
  description: The targets that run or are saved, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The iSCSI name.
      type: str
      returned: always
    enabled:
      description: Whether initiators can log in now.
      type: bool
      returned: always
    portals:
      description: Where it listens.
      type: list
      elements: str
      returned: always
    igroups:
      description: The igroups, each with C(name), C(initiators) and C(chap), which says whether it asks for CHAP.
      type: list
      elements: dict
      returned: always
luns:
  description: The LUNs that run or are saved.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: The target that serves it.
      type: str
      returned: always
    name:
      description: Its name.
      type: str
      returned: always
    path:
      description: The file or block device behind it.
      type: str
      returned: always
    wwid:
      description: The WWID that hosts find.
      type: str
      returned: always
    running:
      description: The initiators that it is mapped to now, in any portal group of the target and under any number.
      type: list
      elements: str
      returned: always
    saved:
      description: The initiators that it is mapped to after a boot of this host.
      type: list
      elements: str
      returned: always
    read_only:
      description: Those that may only read it now.
      type: list
      elements: str
      returned: always
    saved_read_only:
      description: Those that may only read it after a boot of this host.
      type: list
      elements: str
      returned: always
    label:
      description: What LVM wrote on it; null when it is no PV, or that cannot be read (RV(luns[].unreadable)).
      type: dict
      returned: always
      contains:
        pv:
          description: The UUID of the PV.
          type: str
          returned: always
        group:
          description: The name of its volume group; empty without one, or when this PV keeps no metadata.
          type: str
          returned: always
        uuid:
          description: The UUID of the volume group.
          type: str
          returned: always
        seqno:
          description: How often the metadata was written.
          type: int
          returned: always
        exported:
          description: Whether it is exported.
          type: bool
          returned: always
        system_id:
          description: The system ID of its owner; empty without one.
          type: str
          returned: always
        status:
          description: The flags of the volume group and of its volumes; C(SHARED) for one of lvmlockd, C(MISSING_PV) for one
            that LVM has used without one of its PVs.
          type: list
          elements: str
          returned: always
        tags:
          description: The tags of the volume group.
          type: list
          elements: str
          returned: always
        pvs:
          description: Its PVs, each as UUID and the device that it had when the metadata was written.
          type: list
          elements: list
          returned: always
        volumes:
          description: The logical volumes that an activation of the group brings and whose content can be read.
          type: list
          elements: str
          returned: always
        kinds:
          description: The kinds of the segments of all its logical volumes, hidden ones too, as lvs(8) names them.
          type: list
          elements: str
          returned: always
        metadata:
          description: The text of the metadata; empty unless O(metadata).
          type: str
          returned: always
    unreadable:
      description:
        - Why it is not known what is on it, like a damaged label of LVM; null when it is. A LUN on anything but a file or a
          block device is not read (a tape is rewound by that), nor a suspended device (it holds its reader). One that does not
          answer within 30 seconds, since it has lost all its paths, is left.
      type: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import tell
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_content import tell_luns

SPEC = {"metadata": {"type": "bool", "default": False}}


def question(options, host):
    return tell_luns(host, options["metadata"])


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
