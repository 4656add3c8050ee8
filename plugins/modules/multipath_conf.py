#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_conf
short_description: Configure multipath by a drop-in of its own
version_added: 1.0.0
description:
  - Writes one file in C(/etc/multipath/conf.d), which this task owns, from sections given as data. C(/etc/multipath.conf) and
    other drop-ins stay as they are.
  - The text is tried by the multipath that is installed, beside all other files in a private C(/etc) in memory, before it is
    written. multipath skips what it does not understand and goes on; here every such line is an error, and nothing is changed.
  - What becomes of the maps that are there is worked out before, also of those that nobody declares. A map that is renamed or
    gets other settings is a step of its own. A rename is refused where C(fstab), C(crypttab), a mount, swap, a unit, the kernel
    command line, a filter of LVM or a device on the map uses the name, since systemd unmounts what C(fstab) mounts by a name
    that vanishes.
  - A value that a file which is read later gives otherwise is refused, since it would have no effect. So is a drop-in where an
    old multipath reads none from there (C(config_dir) in C(/etc/multipath.conf)).
  - A running multipathd reads it by C(multipathd reconfigure), and is waited for. It is never restarted. A daemon whose
    configuration is not that of the files is told too.
  - Where the distribution's multipathd starts only with C(/etc/multipath.conf) (RHEL), an empty one is made.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The name of the drop-in, without C(.conf).
      - multipath reads drop-ins in alphabetical order; what it reads last wins.
      - A file of this name that somebody else has written is refused, and so is the name of the drop-in of
        M(lunworks.iscsi.multipath_alias).
    type: str
    default: lunworks
  presets:
    description:
      - Arrays that multipath shall know. Their entries come before those of O(devices) and O(blacklist), which win.
      - An array for which another file of multipath has an entry is left to that file.
      - V(lio), V(ontap), V(iet), V(tgt) and V(qnap) hold I/O for a bounded time when all paths are gone.
      - V(md3000i) keeps the access LUN, Universal Xport, out. V(netbsd) keeps LUNs of NetBSD's target out, since they have no
        identity that stays.
    type: list
    elements: str
    choices: [lio, md3000i, ontap, iet, tgt, qnap, netbsd]
    default: []
  fallbacks:
    description:
      - Keywords and values for all devices that hold only where no other file of multipath sets them in its defaults.
      - O(defaults) win over them.
    type: dict
    default: {}
  defaults:
    description:
      - Keywords and values for all devices, as in multipath.conf(5). Booleans become yes and no.
    type: dict
    default: {}
  blacklist:
    description:
      - "What multipath must not use: C(devnode), C(wwid), C(property) and C(protocol) with a value or a list of them, C(device)
        with a list of C(vendor) and C(product)."
    type: dict
    default: {}
  blacklist_exceptions:
    description: What it uses all the same, in the same form as O(blacklist).
    type: dict
    default: {}
  devices:
    description: Entries for kinds of arrays, each with C(vendor), C(product) and further keywords.
    type: list
    elements: dict
    default: []
  multipaths:
    description:
      - Entries for single maps, each with C(wwid) and further keywords.
      - The WWID may be in any of the spellings that M(lunworks.iscsi.disk) takes.
      - Aliases are better given by M(lunworks.iscsi.multipath_alias), which knows who uses a name.
    type: list
    elements: dict
    default: []
  overrides:
    description: Keywords that win over every entry for an array.
    type: dict
    default: {}
  claimed:
    description:
      - LUNs that multipath claims as soon as their first path appears, which must be said before the first login. Otherwise LVM
        takes that path at once, and its volumes stay on it beside the map.
      - Their WWIDs are put on multipath's list (C(/etc/multipath/wwids)). Nothing is taken off it here; see
        M(lunworks.iscsi.disk).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The iSCSI name of the target that the LUN is behind.
        type: str
      lun:
        description: The LUN's name in the data of its target; its WWID is derived from both.
        type: str
      wwid:
        description: The WWID of a LUN of any storage, in any of the spellings that M(lunworks.iscsi.disk) takes.
        type: str
  state:
    description: Whether there is such a drop-in.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - Needs root and C(unshare) (util-linux), and a system where it may make mount namespaces.
seealso:
  - module: lunworks.iscsi.multipath_alias
  - module: lunworks.iscsi.disk
"""

EXAMPLES = r"""
- name: Multipath for a LIO storage host
  lunworks.iscsi.multipath_conf:
    presets: [lio]
    defaults:
      find_multipaths: strict
      user_friendly_names: false
    overrides:
      no_path_retry: 12

- name: The local disks are not multipath's
  lunworks.iscsi.multipath_conf:
    name: local-disks
    blacklist:
      device:
        - {vendor: "^ATA", product: ".*"}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Write '/etc/multipath/conf.d/lunworks.conf'", "Have multipathd read its configuration again"]
state:
  description: The drop-in as it is afterwards.
  returned: success
  type: dict
  contains:
    path:
      description: The file.
      type: str
      returned: always
    text:
      description: What is in it; null when it is absent.
      type: str
      returned: always
    running:
      description: Whether multipathd runs.
      type: bool
      returned: always
    loaded:
      description: Whether a running multipathd has the configuration of the files.
      type: bool
      returned: always
  sample: {path: /etc/multipath/conf.d/lunworks.conf, text: "defaults {...", running: true, loaded: true}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils import multipath_conf
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_preset import PRESETS
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_wanted import (
    claimed_wwids,
    wanted_sections,
    wanted_wwids,
)

SECTIONS = {
    "defaults": {"type": "dict", "default": {}},
    "blacklist": {"type": "dict", "default": {}},
    "blacklist_exceptions": {"type": "dict", "default": {}},
    "devices": {"type": "list", "elements": "dict", "default": []},
    "multipaths": {"type": "list", "elements": "dict", "default": []},
    "overrides": {"type": "dict", "default": {}},
}
LUN = {"target": {"type": "str"}, "lun": {"type": "str"}, "wwid": {"type": "str"}}
ONE_LUN = {
    "mutually_exclusive": [("lun", "wwid")],
    "required_one_of": [("lun", "wwid")],
    "required_by": {"lun": "target"},
}
SPEC = {
    "name": {"type": "str", "default": multipath_conf.DEFAULT},
    "presets": {"type": "list", "elements": "str", "choices": list(PRESETS), "default": []},
    "fallbacks": {"type": "dict", "default": {}},
    **SECTIONS,
    "claimed": {"type": "list", "elements": "dict", "default": [], "options": LUN, **ONE_LUN},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class MultipathConf(Resource):
    def __init__(self, options):
        self.path = multipath_conf.own_path(options["name"])
        self.options = options
        self.named, self.claimed = wanted_wwids(options), claimed_wwids(options)

    def text(self, files):
        if self.options["state"] == "absent":
            return None
        return multipath_conf.format_conf(multipath_conf.WRITER, wanted_sections(self.options, files))

    def look(self, host):
        seen, self.wanted = multipath_conf.look_conf(host, self.path, self.text, self.named, self.claimed)
        return seen

    def want(self, seen):
        main = seen.main or self.wanted is not None
        return replace(
            seen,
            text=self.wanted,
            loaded=True,
            main=main,
            complaints=(),
            overruled=(),
            effects=(),
            foreign=False,
            unlisted=(),
        )

    def plan(self, seen, want):
        return multipath_conf.plan_conf(seen, want)

    def refuse(self, seen, steps):
        multipath_conf.refuse_conf(seen, steps)

    def show(self, state):
        return {"path": state.path, "text": state.text, "running": state.running, "loaded": state.loaded}


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), MultipathConf)


if __name__ == "__main__":
    main()
