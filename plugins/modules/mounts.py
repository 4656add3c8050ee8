#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mounts
short_description: Mount file systems of network disks, now and at every boot
version_added: 0.1.0
description:
  - Brings lines of C(/etc/fstab) and what the kernel has mounted to what is wanted, many mounts in one call.
  - A new line gets options with which a host boots although its storage is away, and lets go of the file system before
    its network stops.
  - Lines of other mount points stay as they are. Of a line that is there, only what is given is changed.
  - A changed option takes effect at the next mount; nothing is remounted.
  - A file system leaves in the safe order, first its line, so that no boot mounts it again, then the mount itself, which
    writes what is still in memory. It is refused while anybody uses it, and the users are named.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  mounts:
    description: The mounts, in the order in which they are mounted.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: The mount point, an absolute path. It is made when it is missing.
        type: path
        required: true
      device:
        description:
          - The device by a name that is the same after every boot, like C(/dev/vg_db/data), C(/dev/mapper/...) or
            C(/dev/disk/by-...). C(/dev/sdX) and C(/dev/dm-N) are refused.
          - Needed unless O(mounts[].state=absent).
        type: path
      filesystem:
        description: The type of the file system. Left out, it stays as it is; C(auto) in a new line.
        type: str
      options:
        description:
          - The mount options, as in fstab(5). Left out, they stay as they are.
          - "A new line then gets C(_netdev,nofail,x-systemd.device-timeout=90): mounted after the network and the
            initiator, no stop in the boot when the storage is away, at most 90 seconds of waiting for the device. By
            C(x-systemd.wanted-by) of remote-fs.target and of the device it is mounted at boot, and also when the device
            comes later: a target that was away for hours needs nobody's help."
        type: str
      state:
        description:
          - V(mounted), in C(/etc/fstab) and mounted.
          - V(absent), not in C(/etc/fstab) and not mounted; the directory stays.
        type: str
        choices: [mounted, absent]
        default: mounted
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.logical_volumes
  - name: systemd.mount(5)
    description: What _netdev, nofail, x-systemd.device-timeout and x-systemd.wanted-by do.
    link: https://www.freedesktop.org/software/systemd/man/latest/systemd.mount.html
"""

EXAMPLES = r"""
- name: The database's file systems are mounted, now and after every boot
  lunworks.iscsi.mounts:
    mounts:
      - {path: /srv/db, device: /dev/vg_db/data, filesystem: xfs}
      - {path: /srv/db-log, device: /dev/vg_db/log, filesystem: ext4}

- name: The old one has gone
  lunworks.iscsi.mounts:
    mounts:
      - {path: /srv/old, state: absent}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Mount '/dev/vg_db/data' on '/srv/db'"]
state:
  description: The mounts as they are afterwards, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
      returned: always
    line:
      description: Its line in C(/etc/fstab), with C(device), C(filesystem) and C(options); null when there is none.
      type: dict
      returned: always
    mounted:
      description: The device that is mounted; null when none is.
      type: str
      returned: always
    users:
      description: Who is busy in it; asked only for mounts that shall go.
      type: list
      elements: str
      returned: always
"""

import os
import re
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import unique
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.mount import (
    Line,
    look_mounts,
    new_options,
    plan_mounts,
    refuse_mounts,
)

MOUNT = {
    "path": {"type": "path", "required": True},
    "device": {"type": "path"},
    "filesystem": {"type": "str"},
    "options": {"type": "str"},
    "state": {"type": "str", "choices": ["mounted", "absent"], "default": "mounted"},
}
SPEC = {
    "mounts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": MOUNT,
        "required_if": [("state", "mounted", ["device"])],
    }
}


class Mounts(Resource):
    def __init__(self, options):
        self.mounts = {os.path.normpath(mount["path"]): mount for mount in options["mounts"]}
        unique("mount point", [os.path.normpath(mount["path"]) for mount in options["mounts"]])
        for path, mount in self.mounts.items():
            check(path, mount)

    def look(self, host):
        leaving = [path for path, mount in self.mounts.items() if mount["state"] == "absent"]
        return look_mounts(host, {path: mount["device"] for path, mount in self.mounts.items()}, leaving)

    def want(self, seen):
        return tuple(wanted(mount, self.mounts[mount.path]) for mount in seen)

    def plan(self, seen, want):
        self.wanted = want
        return plan_mounts(seen, want)

    def refuse(self, seen, steps):
        refuse_mounts(seen, self.wanted)


def check(path, mount):
    if not path.startswith("/") or path == "/":
        raise Problem(f"'{mount['path']}' is not a mount point. Wanted is an absolute path other than '/'.")
    device = mount["device"]
    if mount["state"] == "mounted" and not device.startswith("/dev/"):
        raise Problem(f"'{device}' for '{path}' is not a device. Wanted is a path under /dev.")
    if device and re.fullmatch(r"/dev/(sd[a-z]+\d*|dm-\d+|vd[a-z]+\d*|xvd[a-z]+\d*|nvme\S+)", device):
        raise Problem(
            f"'{device}' for '{path}' may be another disk after the next boot. Name the logical volume "
            f"(/dev/GROUP/VOLUME), the map (/dev/mapper/...), or a link under /dev/disk."
        )
    for name in ("filesystem", "options"):
        if mount[name] is not None and not re.fullmatch(r"[^\s#]+", mount[name]):
            raise Problem(
                f"The {name} '{mount[name]}' for '{path}' must be one word, without white space or '#'."
            )


def wanted(seen, option):
    if option["state"] == "absent":
        return replace(seen, line=None, mounted=None)
    line = Line(
        device=option["device"],
        filesystem=option["filesystem"] or (seen.line.filesystem if seen.line else "auto"),
        options=option["options"] or (seen.line.options if seen.line else new_options(option["device"])),
    )
    return replace(seen, line=line, mounted=option["device"])


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Mounts)


if __name__ == "__main__":
    main()
