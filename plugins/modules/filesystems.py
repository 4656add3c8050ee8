#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: filesystems
short_description: File systems directly on disks, without LVM
version_added: 1.0.0
description:
  - Makes a file system on a whole disk, and lets it grow with its disk while it is mounted.
  - It is made only on a disk that bears no signature of anything and that nobody uses. Whatever is on a disk is named, and the
    disk is left alone. A file system of the right type that is there already, whoever made it, is taken as it is.
  - Nothing is ever made smaller, and nothing is removed.
  - Nothing on such a disk says which host may use it, as a volume group can. Give its LUN to one host only, or use
    M(lunworks.iscsi.volume_groups) and M(lunworks.iscsi.logical_volumes) instead.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  filesystems:
    description: The file systems, each disk named once.
    type: list
    elements: dict
    required: true
    suboptions:
      device:
        description:
          - The disk, under a name that means the same disk after every boot, like C(/dev/mapper/NAME) or
            C(/dev/disk/by-id/dm-uuid-mpath-WWID); M(lunworks.iscsi.disks) returns such names. C(/dev/sdX), C(/dev/dm-N) and
            C(/dev/disk/by-path) are refused, and so is a path of a multipath map.
        type: path
        required: true
      filesystem:
        description: The type of the file system. Another one that is there already is refused.
        type: str
        choices: [ext4, xfs]
        required: true
      filesystem_options:
        description:
          - Further arguments of C(mkfs) when the file system is made, a list of single words like V([-m, "0"]), read as C(mkfs)
            itself reads them. Force, dry runs, other devices and sizes other than the device's are refused.
          - If omitted, C(mkfs) has its own defaults. They change nothing on a file system that is there.
        type: list
        elements: str
      label:
        description:
          - The label that a new file system gets, at most 16 bytes for ext4 and 12 for xfs.
          - A file system that is there and has another one is refused, since it may be the wrong disk.
          - If omitted, it is left unchanged; a new one has none.
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
  - A file system that does not fill its disk and is not mounted stays as it is, with a warning, for another host may have it
    mounted. It grows at the next run after it is mounted.
seealso:
  - module: lunworks.iscsi.disks
  - module: lunworks.iscsi.mounts
  - module: lunworks.iscsi.logical_volumes
"""

EXAMPLES = r"""
- name: The disk is here
  lunworks.iscsi.disks:
    disks:
      - {target: "iqn.2026-01.com.example:store1.backup", lun: backup, paths: 2}
  register: found

- name: A file system is on it
  lunworks.iscsi.filesystems:
    filesystems:
      - {device: "{{ found.state.disks[0].device }}", filesystem: xfs, label: backup}
    # In a check run on a bare host the disk will come, but has no paths yet.
    assume_present: "{{ found.state.disks | selectattr('paths', 'equalto', []) | map(attribute='device') }}"

- name: It is mounted
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
      description: One entry for each disk, in the order in which they were asked for.
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
          description: The first mount point of it; null when it is not mounted.
          type: str
          returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.filesystem_wish import (
    FILESYSTEM,
    WishedFilesystems,
)

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
