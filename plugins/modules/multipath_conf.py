#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_conf
short_description: Configure multipath by a drop-in of its own
version_added: 0.1.0
description:
  - Writes one file in C(/etc/multipath/conf.d), which this task owns, from sections given as data. C(/etc/multipath.conf) and
    other drop-ins stay as they are.
  - The text is tried by the multipath that is installed, in a private C(/etc) in memory, before it is written. multipath skips
    what it does not understand and goes on; here every such line is an error, and nothing is changed.
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
    type: str
    default: lunworks
  presets:
    description:
      - Arrays that multipath shall know. Their entries come before those of O(devices) and O(blacklist), which win.
      - V(lio), V(ontap), V(iet), V(tgt) and V(qnap) hold I/O for a bounded time when all paths are gone.
      - V(md3000i) keeps the access LUN, Universal Xport, out. V(netbsd) keeps LUNs of NetBSD's target out, since they have no
        identity that stays.
    type: list
    elements: str
    choices: [lio, md3000i, ontap, iet, tgt, qnap, netbsd]
    default: []
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
      - Aliases are better given by M(lunworks.iscsi.multipath_alias), which knows who uses a name.
    type: list
    elements: dict
    default: []
  overrides:
    description: Keywords that win over every entry for an array.
    type: dict
    default: {}
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
  description: What was done, or in check mode would be done, in order, one sentence each.
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
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_preset import PRESETS, with_presets

SECTIONS = {
    "defaults": {"type": "dict", "default": {}},
    "blacklist": {"type": "dict", "default": {}},
    "blacklist_exceptions": {"type": "dict", "default": {}},
    "devices": {"type": "list", "elements": "dict", "default": []},
    "multipaths": {"type": "list", "elements": "dict", "default": []},
    "overrides": {"type": "dict", "default": {}},
}
SPEC = {
    "name": {"type": "str", "default": "lunworks"},
    "presets": {"type": "list", "elements": "str", "choices": list(PRESETS), "default": []},
    **SECTIONS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class MultipathConf(Resource):
    def __init__(self, options):
        self.path = multipath_conf.path_of(options["name"])
        sections = with_presets(options["presets"], {name: options[name] for name in SECTIONS})
        present = options["state"] == "present"
        self.text = multipath_conf.format_conf("lunworks.iscsi.multipath_conf", sections) if present else None

    def look(self, host):
        return multipath_conf.look_conf(host, self.path, self.text)

    def want(self, seen):
        return replace(
            seen, text=self.text, loaded=True, main=seen.main or self.text is not None, complaints=()
        )

    def plan(self, seen, want):
        return multipath_conf.plan_conf(seen, want)

    def refuse(self, seen, steps):
        multipath_conf.refuse_conf(seen)

    def show(self, state):
        return {"path": state.path, "text": state.text, "running": state.running, "loaded": state.loaded}


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), MultipathConf)


if __name__ == "__main__":
    main()
