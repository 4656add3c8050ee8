#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: logical_volumes
short_description: Manage LVM logical volumes and their file systems, many at once
version_added: 1.0.0
description:
  - Creates, grows, activates, deactivates and removes volumes. A file system grows with its volume while it is in use.
  - A file system is created only on an empty volume. Nothing is ever shrunk, and nothing that is in use is removed.
  - Signatures that a removed volume left behind in the extents of a new volume are wiped when the new one is created.
  - A file system that is not mounted when it must grow is mounted temporarily below C(/run), since xfs can only be grown while
    mounted.
  - One look at the system covers all volumes.
author:
  - The lunworks.iscsi authors (@lunworks)
extends_documentation_fragment:
  - lunworks.iscsi.lvm.volumes
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes
"""

EXAMPLES = r"""
- name: Create volumes for the database's data, and with the remaining space for its log
  lunworks.iscsi.logical_volumes:
    volumes:
      - {group: vg_db, name: data, size: 30g, filesystem: xfs}
      - {group: vg_db, name: log, size: 100%FREE, filesystem: ext4, filesystem_options: [-L, log]}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Create the logical volume 'data' of 30g in 'vg_db'", "Make the xfs file system on '/dev/vg_db/data'"]
state:
  description: The volumes that exist afterwards.
  returned: success
  type: dict
  contains:
    volumes:
      description: One entry for each volume, in the order of the option; absent volumes have none.
      type: list
      elements: dict
      returned: always
      contains:
        group:
          description: The volume group that it is in.
          type: str
          returned: always
        name:
          description: The name.
          type: str
          returned: always
        device:
          description: The device path to use.
          type: str
          returned: always
        size:
          description: The size in bytes; null if it is not known yet.
          type: int
          returned: always
        active:
          description: Whether it is active.
          type: bool
          returned: always
        filesystem:
          description: The file system on it; null if there is none, or it was not asked for.
          type: str
          returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._lvm.volume.resource import ASSUME_PRESENT, VOLUME, WishedVolumes

SPEC = {
    "volumes": {"type": "list", "elements": "dict", "required": True, "options": VOLUME},
    "assume_present": ASSUME_PRESENT,
}


class LogicalVolumes(WishedVolumes):
    def __init__(self, options):
        super().__init__(options["volumes"], options["assume_present"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), LogicalVolumes)


if __name__ == "__main__":
    main()
