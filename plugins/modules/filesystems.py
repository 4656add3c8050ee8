#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: filesystems
short_description: Create and grow file systems directly on disks, without LVM
version_added: 1.0.0
description:
  - Creates a file system on a whole disk, and grows it with its disk while it is mounted.
  - A file system is created only on a disk that bears no signature and that nothing uses. Whatever else is on a disk is named,
    and the disk is left alone. An existing file system of the right type, whoever created it, is accepted as it is.
  - Nothing is ever made smaller, and nothing is removed.
  - Unlike a volume group, such a disk does not say which host may use it. Map its LUN to one host only, or use
    M(lunworks.iscsi.volume_groups) and M(lunworks.iscsi.logical_volumes) instead.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  filesystems:
    description: The file systems, each disk listed once.
    type: list
    elements: dict
    required: true
    suboptions:
      device:
        description:
          - The disk, by a name that refers to the same disk after every boot, like C(/dev/mapper/NAME) or
            C(/dev/disk/by-id/dm-uuid-mpath-WWID); M(lunworks.iscsi.disks) returns such names. C(/dev/sdX), C(/dev/dm-N) and
            C(/dev/disk/by-path) are refused, and so is a single path of a multipath map.
        type: path
        required: true
      filesystem:
        description: The type of the file system. An existing one of another type is refused.
        type: str
        choices: [ext4, xfs]
        required: true
      filesystem_options:
        description:
          - Additional arguments for C(mkfs) when the file system is created, a list of single words like V([-m, "0"]),
            interpreted as C(mkfs) itself does. Options that force, that only simulate, or that name another device or another
            size are refused.
          - If omitted, C(mkfs) uses its own defaults. They do not change an existing file system.
        type: list
        elements: str
      label:
        description:
          - The label of a new file system, at most 16 bytes for ext4 and 12 for xfs.
          - An existing file system with another label is refused, since it may be on the wrong disk.
          - If omitted, it is left unchanged; a new file system gets none.
        type: str
  assume_present:
    description:
      - In check mode, disks to treat as present because an earlier task of the same check run reported that it would bring
        them. A real run still needs every one of them.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - Needs root and e2fsprogs or xfsprogs on the host.
  - A file system that does not fill its disk and is not mounted is left unchanged, with a warning, since another host may have
    it mounted. It is grown at the next run after it has been mounted.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.mounts
  - module: lunworks.iscsi.logical_volumes
"""

EXAMPLES = r"""
- name: Attach the disk
  lunworks.iscsi.disks:
    disks:
      - {target: "iqn.2026-01.com.example:store1.backup", lun: backup, paths: 2}
  register: found

- name: Create a file system on it
  lunworks.iscsi.filesystems:
    filesystems:
      - {device: "{{ found.state.disks[0].device }}", filesystem: xfs, label: backup}
    # In a check run on a bare host the disk will come, but has no paths yet.
    assume_present: "{{ found.state.disks | selectattr('paths', 'equalto', []) | map(attribute='device') }}"

- name: Mount it
  lunworks.iscsi.mounts:
    mounts:
      - {path: /srv/backup, device: "{{ found.state.disks[0].device }}", filesystem: xfs}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Make the xfs file system on '/dev/disk/by-id/dm-uuid-mpath-36001405...'"]
state:
  description: The file systems afterwards.
  returned: success
  type: dict
  contains:
    filesystems:
      description: One entry for each disk, in the order of the option.
      type: list
      elements: dict
      returned: always
      contains:
        device:
          description: The disk.
          type: str
          returned: always
        filesystem:
          description: The type.
          type: str
          returned: always
        label:
          description: The label; null without one.
          type: str
          returned: always
        fills_device:
          description: Whether it fills its disk.
          type: bool
          returned: always
        mounted:
          description: Its first mount point; null if it is not mounted.
          type: str
          returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._fs.filesystems import FILESYSTEM, WishedFilesystems

SPEC = {
    "filesystems": {"type": "list", "elements": "dict", "required": True, "options": FILESYSTEM},
    "assume_present": {"type": "list", "elements": "path", "default": []},
}


class Filesystems(WishedFilesystems):
    def __init__(self, options):
        super().__init__(options["filesystems"], options["assume_present"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Filesystems)


if __name__ == "__main__":
    main()
