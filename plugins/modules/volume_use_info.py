#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_use_info
short_description: Return active logical volumes, their mounts, and what this kernel supports
version_added: 1.0.0
description:
  - Returns every logical volume that has a table in the kernel's device mapper, even if its disks are gone and LVM no longer
    knows it.
  - Returns for every mount point of this host, from C(/etc/fstab) and from what is mounted, which logical volume it is.
  - Returns which file systems and types of logical volumes this kernel supports, before one is moved to this host.
  - Reads files only; neither LVM nor the device mapper is queried or locked.
author:
  - The lunworks.iscsi authors (@lunworks)
options: {}
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.volume_group_info
  - module: lunworks.iscsi.mounts
"""

EXAMPLES = r"""
- name: Query the host
  lunworks.iscsi.volume_use_info:
  register: use

- name: Check that no volume of vg_db is active on this host
  ansible.builtin.assert:
    that: "'vg_db' not in use.active"
"""

RETURN = r"""
active:
  description: The active logical volumes by volume group, including their hidden parts.
  returned: success
  type: dict
  sample: {vg_db: [data, log]}
mounts:
  description: The mount points.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
      returned: always
    group:
      description: The volume group of the logical volume; empty if it is not on one.
      type: str
      returned: always
    volume:
      description: The logical volume; empty if it is not on one.
      type: str
      returned: always
    device:
      description: The device as its line in C(/etc/fstab) names it, or as it was mounted.
      type: str
      returned: always
    filesystem:
      description: The type of the file system.
      type: str
      returned: always
    options:
      description: The options of its line; without a line, those that M(lunworks.iscsi.mounts) gives to a new line.
      type: str
      returned: always
    in_fstab:
      description: Whether it has a line in C(/etc/fstab).
      type: bool
      returned: always
    mounted:
      description: Whether it is mounted.
      type: bool
      returned: always
    root:
      description: The directory of the file system that is mounted there; anything but C(/) is a bind mount.
      type: str
      returned: always
    wwid:
      description: The WWID of the disk that the file system is on directly, without LVM; empty if it is not, or it has none.
      type: str
      returned: always
    partition:
      description: Whether it is on a partition of that disk.
      type: bool
      returned: always
kernel_modules:
  description:
    - The file systems and device-mapper targets (like C(dm_thin_pool)) that the running kernel has or can load.
    - Null if it has no list of its modules (modules.dep(5)).
  returned: success
  type: list
  elements: str
tools:
  description: Which of C(thin_check) and C(cache_check) are installed, which LVM uses to check pools when it activates them.
  returned: success
  type: list
  elements: str
lvm_backup_free:
  description: The free space of the file system on which LVM stores backups of its metadata (C(/etc/lvm)), in bytes; null
    without that directory.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._lvm.kernel_support import look_drivers, look_tools
from ..module_utils._lvm.volume.use import look_tables, look_uses

LVM_FILES = "/etc/lvm"
SPEC: dict[str, dict[str, str]] = {}


def question(options, host):
    tables = look_tables(host)
    active: dict[str, list[str]] = {}
    for group, volume in sorted(tables.values()):
        active.setdefault(group, []).append(volume)
    return {
        "active": active,
        "mounts": look_uses(host, tables),
        "kernel_modules": look_drivers(host),
        "tools": look_tools(host),
        "lvm_backup_free": host.room(LVM_FILES),
    }


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
