#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mounts
short_description: Mount file systems on network disks now and at every boot
version_added: 1.0.0
description:
  - Brings the lines of C(/etc/fstab) and the mounts of the kernel to the declared state, many mounts in one call.
  - A new line gets options with which a host boots even if its storage is unreachable, and unmounts the file system before its
    network stops.
  - C(/etc/fstab) is interpreted as C(mount) and systemd do. Lines of other mount points are kept byte for byte. In an existing
    line, only what is given is changed; the fields for dump and fsck, comments and white space are kept, and so is another
    persistent name of the same device, such as a UUID or a label.
  - A mount point is the directory to which its path resolves, through any links, and a device is identified by its number. A
    mount point where systemd's automount waits for the first access counts as mounted while its line says so; otherwise the
    automount is stopped, and the file system is mounted.
  - If a line of these mount points was changed and systemd was not told, it is told. Otherwise it mounts by its old unit as soon
    as the device appears, also where the line is gone.
  - Nested mounts are mounted from the outside in and unmounted from the inside out, whatever their order in the list. A new
    mount gets its line once it is mounted, so that C(/etc/fstab) never has a line that does not work.
  - The module refuses a mount point with several lines, of which only the first would count; a file system that is mounted
    elsewhere, or would be at the next boot, unless that mount is made absent in the same call; a device that something else
    holds, such as a path of a multipath map; a type that differs from what is mounted; and a mount that would hide another.
  - A changed option takes effect at the next mount; nothing is remounted.
  - A file system is removed in a safe order, first its line, so that no boot mounts it again, then the mount itself, which
    writes out what is still in memory. While anything uses it, this is refused and the users are named.
author:
  - The lunworks.iscsi authors (@lunworks)
extends_documentation_fragment:
  - lunworks.iscsi.mounts
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.logical_volumes
  - name: systemd.mount(5)
    description: What _netdev, nofail, x-systemd.device-timeout and x-systemd.wanted-by do.
    link: https://www.freedesktop.org/software/systemd/man/latest/systemd.mount.html
"""

EXAMPLES = r"""
- name: Mount the database's file systems, now and at every boot
  lunworks.iscsi.mounts:
    mounts:
      - {path: /srv/db, device: /dev/vg_db/data, filesystem: xfs}
      - {path: /srv/db-log, device: /dev/vg_db/log, filesystem: ext4}

- name: Remove the old mount
  lunworks.iscsi.mounts:
    mounts:
      - {path: /srv/old, state: absent}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Mount '/dev/vg_db/data' on '/srv/db'"]
state:
  description: The state of the mounts afterwards, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
      returned: always
    line:
      description: Its line in C(/etc/fstab), with C(device), C(filesystem) and C(options); null if there is none.
      type: dict
      returned: always
    mounted:
      description: The device that is mounted; null if none is.
      type: str
      returned: always
    automount:
      description: Whether systemd's automount waits there and mounts what the line says at the first access.
      type: bool
      returned: always
    users:
      description: What uses it; determined only for mounts that are to be removed.
      type: list
      elements: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._fs.mounts import MOUNTS, MountsResource

SPEC = {"mounts": MOUNTS}


def resource(options):
    return MountsResource(options["mounts"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
