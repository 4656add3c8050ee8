#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_group_info
short_description: Return the LVM volume groups that this host sees, their contents and users
version_added: 1.0.0
description:
  - Returns every volume group that this host sees, including exported, foreign, partial and duplicate ones, with its disks by
    WWID, its logical volumes, the file systems on them, and what uses them.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  names:
    description:
      - The names of the only groups to return.
      - If omitted, all groups are returned.
    type: list
    elements: str
  metadata:
    description:
      - Whether to return the metadata of each group too, as LVM wrote it on the disks, for a backup outside the host.
      - Restore it (vgcfgrestore(8)) only if the metadata is verifiably lost. Restoring undoes whatever was changed since, even
        an export, and can destroy thin volumes.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes.info
"""

EXAMPLES = r"""
- name: Find the volume groups of this host
  lunworks.iscsi.volume_group_info:
  register: lvm

- name: Check that no volume group is incomplete on this host
  ansible.builtin.assert:
    that: lvm.groups | selectattr('state', 'in', ['partial', 'duplicate']) | list == []

- name: Get the current metadata
  lunworks.iscsi.volume_group_info:
    names: [vg_db]
    metadata: true
  register: lvm

- name: Store a copy of it on the controller
  ansible.builtin.copy:
    content: "{{ lvm.groups[0].metadata }}"
    dest: "backups/{{ lvm.groups[0].name }}-{{ lvm.groups[0].seqno }}.vg"
    mode: "0600"
  delegate_to: localhost
"""

RETURN = r"""
system_id:
  description: The system ID of this host (lvmsystemid(7)); null if it has none or no group has one.
  type: str
  returned: always
version:
  description: The version of this host's LVM (C(lvm version)).
  type: str
  returned: always
  sample: "2.03.16"
segment_types:
  description: The segment types that this host's LVM supports (C(lvm segtypes)).
  type: list
  elements: str
  returned: always
groups:
  description: The groups. A name can occur more than once, with different UUIDs; LVM refuses to work on such groups.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The name.
      type: str
      returned: always
    uuid:
      description: The UUID; null for a group that a check run would create.
      type: str
      returned: always
    state:
      description:
        - V(active), V(inactive), V(exported); V(foreign), belongs to a host with another system ID; V(partial), physical
          volumes are missing; V(duplicate), there are copies of its physical volumes.
      type: str
      returned: always
    exported:
      description: Whether it is exported.
      type: bool
      returned: always
    system_id:
      description: The system ID of the host to which it belongs; null if it has none.
      type: str
      returned: always
    autoactivation:
      description: Whether hosts activate it by themselves; null if LVM is older than 2.03.12 or the default applies.
      type: bool
      returned: always
    tags:
      description: Its tags.
      type: list
      elements: str
      returned: always
    seqno:
      description: The sequence number of its metadata, which increases with every change.
      type: int
      returned: always
    extent_size:
      description: The size of an extent in bytes; null if it is not known yet.
      type: int
      returned: always
    size:
      description: Its size in bytes.
      type: int
      returned: always
    free:
      description: The free space, in bytes.
      type: int
      returned: always
    missing:
      description: The UUIDs of the physical volumes that are missing on this host.
      type: list
      elements: str
      returned: always
    copies:
      description: Devices that are copies of its physical volumes.
      type: list
      elements: str
      returned: always
    bypasses_multipath:
      description: Whether active volumes use single paths of disks that have a multipath map, because they were activated
        before it was created. M(lunworks.iscsi.volume_group) moves them to the map.
      type: bool
      returned: always
    hidden:
      description: Whether LVM does not see it, because this host's devices file (lvmdevices(8)) does not list its disks.
      type: bool
      returned: always
    physical_volumes:
      description:
        - Its physical volumes, each with C(device) (as it was given, otherwise as LVM names it; null if it is missing),
          C(uuid), C(wwid) (null if the disk reports none), C(size) and C(free) in bytes.
      type: list
      elements: dict
      returned: always
    logical_volumes:
      description:
        - Its logical volumes, each with C(name), C(size) in bytes, C(active), C(layout) as in lvs(8), C(health) (what LVM
          reports as wrong with an active pool, snapshot, mirror or cache; null if nothing is), C(filesystem) (null if it is
          empty, or inactive and therefore unknown), C(mounts) (the mount points, in every mount namespace) and C(users) (one
          sentence each).
      type: list
      elements: dict
      returned: always
    metadata:
      description: The text that describes the group, which vgcfgrestore(8) reads; null if none of its disks is on this host.
      type: str
      returned: with O(metadata)
unused_physical_volumes:
  description: Physical volumes that are in no group, each with C(device), C(uuid) and C(wwid).
  type: list
  elements: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._lvm.info import tell_groups
from ..module_utils._lvm.names import group_name

SPEC = {
    "names": {"type": "list", "elements": "str"},
    "metadata": {"type": "bool", "default": False},
}


def question(options, host):
    names = None if options["names"] is None else [group_name(name) for name in options["names"]]
    return tell_groups(host, names, options["metadata"])


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
