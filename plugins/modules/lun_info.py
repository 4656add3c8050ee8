#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lun_info
short_description: Return which initiators have each LUN of this storage host, and which volume group is on it
version_added: 1.0.0
description:
  - Returns for each LUN the initiators to which it is mapped, running and saved, and the LVM label on it. This way the storage
    side can tell who owns a volume group even when no host sees it.
  - Reads a few kilobytes of each LUN, bypassing the page cache (C(O_DIRECT), open(2)). LVM is not needed on this host, and
    nothing is activated or locked.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  metadata:
    description: Whether to return the text of the metadata too, which may be long. It is the format of vgcfgrestore(8).
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.attributes.info
notes:
  - Only a PV on the whole LUN is found, not one on a partition of it.
  - The content of a LUN may have been written by any host that has it. As in LVM, data with a wrong checksum is ignored.
seealso:
  - module: lunworks.iscsi.target_info
  - name: pvck(8)
    description: The on-disk layout of a PV.
    link: https://man7.org/linux/man-pages/man8/pvck.8.html
"""

EXAMPLES = r"""
- name: Query the host
  lunworks.iscsi.lun_info:
  register: storage

- name: Show which initiators have the LUNs of vg_db
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.initiators | join(', ') }}"
  loop: "{{ storage.luns | selectattr('label') | selectattr('label.group', 'eq', 'vg_db') }}"
  loop_control: {label: "{{ item.name }}"}
"""

RETURN = r"""
provider:
  description: The storage software that was asked.
  returned: success
  type: str
  sample: lio
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
      description: The portals on which it listens.
      type: list
      elements: str
      returned: always
    igroups:
      description: The igroups, each with C(name), C(initiators) and C(chap), which says whether it requires CHAP.
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
      description: The WWID that hosts see; empty where it cannot be known (IET without C(ScsiId)) or does not stay (NetBSD).
      type: str
      returned: always
    initiators:
      description:
        - The initiators that it is mapped to now, in any portal group of the target and under any number.
        - With tgt also those that are logged in, since it lets the sessions of an initiator go on that it lets in no more.
      type: list
      elements: str
      returned: always
    saved_initiators:
      description: The initiators that it is mapped to after a boot of this host.
      type: list
      elements: str
      returned: always
    read_only_initiators:
      description: The initiators that may only read it now.
      type: list
      elements: str
      returned: always
    saved_read_only_initiators:
      description: The initiators that may only read it after a boot of this host.
      type: list
      elements: str
      returned: always
    label:
      description: The LVM label on it; null if it is not a PV, or cannot be read (RV(luns[].unreadable_reason)).
      type: dict
      returned: always
      contains:
        pv:
          description: The UUID of the PV.
          type: str
          returned: always
        group:
          description: The name of its volume group; empty if it has none, or this PV stores no metadata.
          type: str
          returned: always
        uuid:
          description: The UUID of the volume group.
          type: str
          returned: always
        seqno:
          description: The sequence number of the metadata.
          type: int
          returned: always
        exported:
          description: Whether it is exported.
          type: bool
          returned: always
        system_id:
          description: The system ID of its owner; empty if it has none.
          type: str
          returned: always
        status:
          description: The flags of the volume group and of its volumes; C(SHARED) for one of lvmlockd, C(MISSING_PV) for one
            that LVM used while a PV was missing.
          type: list
          elements: str
          returned: always
        tags:
          description: The tags of the volume group.
          type: list
          elements: str
          returned: always
        pvs:
          description: Its PVs, each with its UUID and the device that it had when the metadata was written.
          type: list
          elements: list
          returned: always
        volumes:
          description: The logical volumes that an activation of the group provides and whose content can be read.
          type: list
          elements: str
          returned: always
        segment_types:
          description: The segment types of all its logical volumes, including hidden ones, by their names in lvs(8).
          type: list
          elements: str
          returned: always
        metadata:
          description: The text of the metadata; empty unless O(metadata).
          type: str
          returned: always
    unreadable_reason:
      description:
        - Why its content is unknown, such as a damaged LVM label; null if it is known. A LUN on anything but a file or a block
          device is not read (reading rewinds a tape), nor is a suspended device (it blocks its reader).
        - A LUN that does not answer within 30 seconds, since it has lost all its paths, is left.
      type: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._providers import OPTION, provider_of

SPEC = {"metadata": {"type": "bool", "default": False}, **OPTION}


def question(options, host):
    return {"provider": options["provider"], **provider_of(options).luns(host, options["metadata"])}


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
