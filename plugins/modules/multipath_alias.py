#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_alias
short_description: Set the aliases of multipath maps
version_added: 1.0.0
description:
  - An alias belongs to a WWID, so the same data gives the same LUN the same name on every host. The aliases are in a separate
    drop-in, C(/etc/multipath/conf.d/lunworks-aliases.conf).
  - An existing map is renamed at once, even while an active volume group is on it; C(/dev/disk/by-id/dm-uuid-mpath-WWID)
    stays. The rename is refused if C(fstab), C(crypttab), a mount, swap, a unit, the kernel command line or an LVM filter uses
    its current name, since systemd unmounts what C(fstab) mounts by a name that disappears.
  - An alias that is the name of another device, or that another multipath file sets differently, is refused, and so is a new
    alias that C(/etc/multipath/bindings) assigns to another WWID. An alias that another file sets in the same way is left to
    that file.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  aliases:
    description: The aliases, each for one LUN.
    type: list
    elements: dict
    required: true
    suboptions:
      target:
        description: The iSCSI name of the target that the LUN is behind.
        type: str
      lun:
        description: The LUN's name in the data of its target; its WWID is derived from O(aliases[].target) and this name.
        type: str
      provider:
        description:
          - The storage software that serves the target. V(iet) makes another WWID of a serial than V(lio) and V(tgt), which make
            the same one. Other storage has its LUNs named by O(aliases[].wwid).
          - If omitted, it is V(lio).
        type: str
        choices: [iet, lio, tgt]
      wwid:
        description: The WWID of a LUN of any storage, in any of the spellings that M(lunworks.iscsi.disk) takes.
        type: str
      alias:
        description:
          - The name, 1 to 127 letters, digits, C(.), C(_) and C(-). C(control) is reserved by device-mapper. Names like mpatha
            are reserved by multipath, and only one that the map has already, or that another file gives to this LUN, may be
            its alias.
          - It may be omitted with O(aliases[].state=absent).
        type: str
      state:
        description: Whether the LUN must have this alias.
        type: str
        choices: [present, absent]
        default: present
  purge:
    description: Whether to remove aliases from the drop-in that are not listed.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.multipath_conf
  - module: lunworks.iscsi.disk
"""

EXAMPLES = r"""
- name: Give the LUNs of the database the same names on every host
  lunworks.iscsi.multipath_alias:
    aliases:
      - {target: "iqn.2026-01.com.example:store1.db", lun: db0, alias: db0}
      - {wwid: 3600a098038303053453f463045727a79, alias: archive}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Write '/etc/multipath/conf.d/lunworks-aliases.conf'", "Have multipathd read its configuration again"]
state:
  description: The state of the aliases afterwards.
  returned: success
  type: dict
  contains:
    path:
      description: The drop-in.
      type: str
      returned: always
    aliases:
      description: The aliases in it.
      type: list
      elements: dict
      returned: always
      contains:
        wwid:
          description: The WWID of the LUN.
          type: str
          returned: always
        alias:
          description: Its name.
          type: str
          returned: always
        map:
          description: The current name of its map; null while there is no map.
          type: str
          returned: always
  sample:
    path: /etc/multipath/conf.d/lunworks-aliases.conf
    aliases: [{wwid: 3600a098038303053453f463045727a79, alias: archive, map: archive}]
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._multipath.alias import OPTIONS, MultipathAlias

SPEC = OPTIONS


def resource(options):
    return MultipathAlias(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
