# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The twin of module_utils/_fs/mounts.py: the option of every module that mounts."""

    DOCUMENTATION = r"""
options:
  mounts:
    description: The mounts, in any order.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - The mount point, an absolute path without C(..). The directory is created if it is missing.
          - System directories, such as C(/) or C(/etc), are refused.
        type: path
        required: true
      device:
        description:
          - The device, by a name that is the same after every boot, like C(/dev/vg_db/data), C(/dev/mapper/...) or
            C(/dev/disk/by-...). Names that the kernel assigns in the order of discovery, such as C(/dev/sdX), C(/dev/dm-N) or
            C(/dev/md127), are refused.
          - Needed unless O(mounts[].state=absent).
        type: path
      filesystem:
        description:
          - The type of the file system. If omitted, it is left unchanged; C(auto) in a new line.
          - One that uses no device, such as C(tmpfs), is refused, even if a line in C(/etc/fstab) has it.
        type: str
      options:
        description:
          - The mount options, as in fstab(5). If omitted, they are left unchanged.
          - "A new line then gets C(_netdev,nofail,x-systemd.device-timeout=90): it is mounted after the network and the
            initiator are up, a boot does not fail if the storage is unreachable, and it waits at most 90 seconds for the
            device. With C(x-systemd.wanted-by) of remote-fs.target and of the device, it is mounted at boot, and also when the
            device appears later: after a target was unreachable for hours, no one needs to intervene."
        type: str
      state:
        description:
          - V(mounted), in C(/etc/fstab) and mounted.
          - V(absent), not in C(/etc/fstab) and not mounted; the directory is kept.
        type: str
        choices: [mounted, absent]
        default: mounted
"""
