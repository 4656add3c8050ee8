#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mounted_volume_groups
short_description: Hand over LVM volume groups together with their mounts
version_added: 1.0.0
description:
  - Releases volume groups or takes them into use together with their mounts, in one call, when downtime counts.
  - First it removes the mounts with O(mounts[].state=absent), then it brings the groups to their declared state, then it makes
    the other mounts. Each of these steps does what M(lunworks.iscsi.mounts) and M(lunworks.iscsi.volume_groups) do, and
    refuses what they refuse.
  - Before mounting, it can compare the content of volumes with what was recorded when their group was exported.
  - The role P(lunworks.iscsi.move_volume_group#role) moves groups with it.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  verify:
    description:
      - Logical volumes whose content is verified before anything is mounted. Their checksum samples must equal those recorded
        in the tags of their group when it was exported with O(groups[].checksums); otherwise nothing is mounted.
      - Their groups must be listed with O(groups[].state=active) and O(groups[].checksums).
    type: list
    elements: dict
    default: []
    suboptions:
      group:
        description: The name of the volume group.
        type: str
        required: true
      volume:
        description: The name of the logical volume.
        type: str
        required: true
extends_documentation_fragment:
  - lunworks.iscsi.mounts
  - lunworks.iscsi.lvm.groups
  - lunworks.iscsi.lvm
  - lunworks.iscsi.attributes
notes:
  - A check run looks at all three as they are now. Once an earlier step has something to do, it does not report what a later
    one would refuse.
"""

EXAMPLES = r"""
- name: Release the database's volume group
  lunworks.iscsi.mounted_volume_groups:
    mounts: [{path: /srv/db, state: absent}]
    groups: [{name: vg_db, state: exported, checksums: true}]

- name: Take it into use on another host
  lunworks.iscsi.mounted_volume_groups:
    groups: [{name: vg_db, state: active, imported: true, checksums: true}]
    verify: [{group: vg_db, volume: data}]
    mounts: [{path: /srv/db, device: /dev/vg_db/data, filesystem: xfs}]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Import the volume group 'vg_db'"]
state:
  description: The state afterwards.
  returned: success
  type: dict
  contains:
    planned:
      description: The sequence number of each group with O(groups[].seqno), as it was before the first change.
      type: dict
      returned: always
    unmounted:
      description: The mounts with O(mounts[].state=absent), as M(lunworks.iscsi.mounts) returns them.
      type: list
      elements: dict
      returned: always
    groups:
      description: The groups, as M(lunworks.iscsi.volume_groups) returns them in its C(groups).
      type: dict
      returned: always
    mounted:
      description: The other mounts, as M(lunworks.iscsi.mounts) returns them.
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge_in_turn
from ..module_utils._fs.mounts import MOUNTS, WishedMounts
from ..module_utils._lvm.group.resource import (
    ASSUME_PRESENT,
    GROUP,
    PlannedGroups,
    WishedGroups,
)

VOLUME = {"group": {"type": "str", "required": True}, "volume": {"type": "str", "required": True}}
SPEC = {
    "groups": {"type": "list", "elements": "dict", "required": True, "options": GROUP},
    "assume_present": ASSUME_PRESENT,
    "verify": {"type": "list", "elements": "dict", "default": [], "options": VOLUME},
    "mounts": MOUNTS,
}


def resources(options):
    mounts = {
        state: [one for one in options["mounts"] if one["state"] == state] for state in ("absent", "mounted")
    }
    groups = WishedGroups(options["groups"], options["assume_present"], options["verify"])
    return {
        "planned": PlannedGroups(groups),
        "unmounted": WishedMounts(mounts["absent"]),
        "groups": groups,
        "mounted": WishedMounts(mounts["mounted"]),
    }


def main():
    converge_in_turn(AnsibleModule(SPEC, supports_check_mode=True), resources)


if __name__ == "__main__":
    main()
