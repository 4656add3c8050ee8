#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_image
short_description: Build the root disk image that lab hosts boot from
version_added: 1.0.0
description:
  - Builds an image of a Debian suite with the software of an iSCSI SAN (LIO, tgt, open-iscsi, multipath-tools, LVM) for hosts
    that run as User Mode Linux.
  - Packages come from the Debian mirror that this machine itself uses, or from C(deb.debian.org), and their signatures are
    checked. It takes half a minute to two minutes, once. The image's name contains a hash of everything that it was built
    from; a newer collection or another kernel makes another image.
  - M(lunworks.iscsi.lab_host) builds the image that it needs by itself; this module builds it ahead of time, or removes it.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  suite:
    description: The Debian suite.
    type: str
    choices: [bookworm, trixie, forky]
    required: true
  kernel:
    description: The kernel whose modules the image contains; see O(lunworks.iscsi.lab_host#module:kernel).
    type: str
    default: current
  cache:
    description:
      - The directory of the images and of the SSH key for the hosts.
      - If omitted, it is C(lunworks-iscsi/images) below E(XDG_CACHE_HOME) or C(~/.cache).
    type: path
  state:
    description: V(absent) removes the image that V(present) would build. An image that a lab host uses is not removed.
    type: str
    choices: [present, absent]
    default: present
  directory:
    description: The directory of the labs whose hosts may use the image.
    type: path
    default: /var/tmp/lunworks-lab
extends_documentation_fragment:
  - lunworks.iscsi.attributes
requirements:
  - Debian or Ubuntu on amd64, and root
  - The packages mmdebstrap, debian-archive-keyring, patchelf, openssh-client and e2fsprogs
seealso:
  - module: lunworks.iscsi.lab_host
"""

EXAMPLES = r"""
- name: Build the images of both suites before the tests begin
  lunworks.iscsi.lab_image:
    suite: "{{ item }}"
  loop: [bookworm, trixie]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Fetch the kernel of Debian's testing suite", "Make the image of bookworm"]
state:
  description: The image; null if there is none.
  returned: success
  type: dict
  contains:
    suite:
      description: The Debian suite.
      type: str
      returned: always
    kernel:
      description: The kernel's version. In check mode null if it is not downloaded yet.
      type: str
      returned: always
    path:
      description: The file. In check mode null if it cannot be known yet.
      type: str
      returned: always
  sample: {suite: bookworm, kernel: 7.2.7, path: /root/.cache/lunworks-iscsi/images/bookworm-0f6fd1a2c3b4.img}
"""

from dataclasses import dataclass, field, replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge, plain
from ..module_utils._uml import host as uml_host
from ..module_utils._uml import image as uml_image
from ..module_utils._uml import kernel as uml_kernel
from ..module_utils._uml.controller import OPTIONS, Controller, refuse_unfit

SPEC = {
    "suite": {"type": "str", "choices": list(uml_image.SUITES), "required": True},
    "kernel": {"type": "str", "default": uml_kernel.CURRENT},
    "cache": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "directory": OPTIONS["directory"],
}


@dataclass(frozen=True)
class Seen:
    """The image that is there, the one that would be made today, who stands on it, and what is to be said of the kernel."""

    image: object
    wanted: object = field(compare=False)
    users: tuple[str, ...] = field(compare=False)
    note: str = field(compare=False)


class LabImage(Resource):
    def __init__(self, options):
        self.suite, self.kernel = options["suite"], options["kernel"]
        self.cache = options["cache"] or uml_image.cache_directory()
        self.present = options["state"] == "present"
        self.root = options["directory"]

    def look(self, host):
        refuse_unfit()
        choice = uml_kernel.choose(host, self.kernel, self.cache)
        wanted = uml_image.wanted_image(host, self.suite, self.cache, choice.kernel)
        users = tuple(uml_host.users_of_image(host, self.root, wanted.path))
        return Seen(
            uml_image.look_image(host, self.suite, self.cache, choice.kernel), wanted, users, choice.note
        )

    def want(self, seen):
        return replace(seen, image=seen.wanted if self.present else None)

    def plan(self, seen, want):
        return uml_image.plan_image(seen.image, want.image, self.cache, self.kernel)

    def refuse(self, seen, want, steps):
        uml_image.refuse_image(seen.image, steps, seen.users)

    def notes(self, seen, steps):
        return [seen.note] if seen.note else []

    def show(self, state):
        return plain(state.image)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), LabImage, Controller())


if __name__ == "__main__":
    main()
