#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_sample_info
short_description: Return checksums of samples of logical volumes
version_added: 1.0.0
description:
  - Reads 64 pieces of 64 KiB, spread evenly over each logical volume, or all of a volume of up to 4 MiB, bypassing the page
    cache (C(O_DIRECT), open(2)), and returns one checksum for each volume.
  - Two hosts that return the same checksum see the same disk in the same state, as far as a sample can show. A block that
    cannot be read is an error.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  volumes:
    description: The logical volumes, which must be active.
    type: list
    elements: dict
    required: true
    suboptions:
      group:
        description: The volume group.
        type: str
        required: true
      volume:
        description: The logical volume.
        type: str
        required: true
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
notes:
  - Data that a mounted file system has not written yet is not on the disk. Compare volumes that are not mounted.
seealso:
  - module: lunworks.iscsi.volume_use_info
"""

EXAMPLES = r"""
- name: Query the host
  lunworks.iscsi.volume_sample_info:
    volumes:
      - {group: vg_db, volume: data}
  register: sample
"""

RETURN = r"""
checksums:
  description: The checksums, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
    group:
      description: The volume group.
      type: str
      returned: always
    volume:
      description: The logical volume.
      type: str
      returned: always
    digest:
      description: The first 32 hex digits of the SHA-256 of the size and the samples.
      type: str
      returned: always
  sample:
    - {group: vg_db, volume: data, digest: 5d41402abc4b2a76b9719d911017c592}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._lvm.names import group_name, volume_name
from ..module_utils._lvm.volume.use import samples

SPEC = {
    "volumes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "group": {"type": "str", "required": True},
            "volume": {"type": "str", "required": True},
        },
    }
}


def question(options, host):
    volumes = [
        (group_name(one["group"]), volume_name(one["group"], one["volume"])) for one in options["volumes"]
    ]
    told = samples(host, volumes)
    return {"checksums": [{"group": one[0], "volume": one[1], "digest": told[one]} for one in volumes]}


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
