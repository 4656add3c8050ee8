#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_conf
short_description: Configure multipath with a drop-in file
version_added: 1.0.0
description:
  - Writes one file in C(/etc/multipath/conf.d), which this task owns, from sections given as data. C(/etc/multipath.conf) and
    other drop-ins are left unchanged.
  - Before it is written, the installed multipath validates the text together with all other files, in a private C(/etc) in
    memory. multipath itself skips lines that it does not understand; here every such line is an error, and nothing is changed.
  - The effect on existing maps is determined first, including maps that nobody declares. Each map that is renamed or gets
    other settings is a separate step. A rename is refused if C(fstab), C(crypttab), a mount, swap, a unit, the kernel command
    line, an LVM filter or a device on the map uses the name, since systemd unmounts what C(fstab) mounts by a name that
    disappears.
  - What the other files say together in the same way is not written again, so that a host whose C(/etc/multipath.conf) says it
    all gets no drop-in. O(devices) count as said only if they are the last entries, as they are and in their order.
  - A value that a file read later overrides is refused, since it would have no effect. So is a drop-in that an old multipath
    would not read (C(config_dir) in C(/etc/multipath.conf)).
  - A running multipathd is told to reread it with C(multipathd reconfigure), and the module waits until it has. It is never
    restarted. A daemon whose configuration differs from the files is told too.
  - If the distribution's multipathd starts only with C(/etc/multipath.conf) (RHEL), an empty one is created.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description:
      - The name of the drop-in, without C(.conf).
      - multipath reads drop-ins in alphabetical order; what it reads last wins.
      - A file of this name that somebody else wrote is refused, and so is the name of the drop-in of
        M(lunworks.iscsi.multipath_alias).
    type: str
    default: lunworks
  presets:
    description:
      - Arrays for which to add built-in entries. They come before those of O(devices) and O(blacklist), which take precedence.
      - An array for which another multipath file has an entry is left to that file.
      - V(lio), V(ontap), V(iet), V(tgt) and V(qnap) queue I/O for a limited time when all paths are lost.
      - V(md3000i) excludes the access LUN, Universal Xport. V(netbsd) excludes LUNs of NetBSD's target, since they have no
        persistent identity.
    type: list
    elements: str
    choices: [lio, md3000i, ontap, iet, tgt, qnap, netbsd]
    default: []
  fallbacks:
    description:
      - Keywords and values for all devices that apply only if no other multipath file sets them in its defaults.
      - O(defaults) take precedence.
    type: dict
    default: {}
  defaults:
    description:
      - Keywords and values for all devices, as in multipath.conf(5). Booleans are written as yes and no.
    type: dict
    default: {}
  blacklist:
    description:
      - "What multipath must not use: C(devnode), C(wwid), C(property) and C(protocol) with a value or a list of them, C(device)
        with a list of C(vendor) and C(product)."
    type: dict
    default: {}
  blacklist_exceptions:
    description: Exceptions from O(blacklist), in the same form.
    type: dict
    default: {}
  devices:
    description: Entries for array models, each with C(vendor), C(product) and further keywords.
    type: list
    elements: dict
    default: []
  multipaths:
    description:
      - Entries for single maps, each with C(wwid) and further keywords.
      - The WWID may be in any of the spellings that M(lunworks.iscsi.disk) takes.
      - Set aliases with M(lunworks.iscsi.multipath_alias) instead, which checks who uses a name.
    type: list
    elements: dict
    default: []
  overrides:
    description: Keywords that override every entry for an array.
    type: dict
    default: {}
  claimed:
    description:
      - LUNs that multipath claims as soon as their first path appears, which must be configured before the first login.
        Otherwise LVM uses that path at once, and its volumes stay on it and bypass the map.
      - Their WWIDs are added to multipath's list (C(/etc/multipath/wwids)). This module never removes any from it; see
        M(lunworks.iscsi.disk).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The iSCSI name of the target that the LUN is behind.
        type: str
      lun:
        description: The LUN's name in the data of its target; its WWID is derived from O(claimed[].target) and this name.
        type: str
      provider:
        description:
          - The storage software that serves the target. V(iet) makes another WWID of a serial than V(lio) and V(tgt), which make
            the same one. Other storage has its LUNs named by O(claimed[].wwid).
          - If omitted, it is V(lio).
        type: str
        choices: [iet, lio, tgt]
      wwid:
        description: The WWID of a LUN of any storage, in any of the spellings that M(lunworks.iscsi.disk) takes.
        type: str
  state:
    description: Whether the drop-in must exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
notes:
  - Needs root and C(unshare) (util-linux), and a system where it may create mount namespaces.
seealso:
  - module: lunworks.iscsi.multipath_alias
  - module: lunworks.iscsi.disk
"""

EXAMPLES = r"""
- name: Configure multipath for a LIO storage host
  lunworks.iscsi.multipath_conf:
    presets: [lio]
    defaults:
      find_multipaths: strict
      user_friendly_names: false
    overrides:
      no_path_retry: 12

- name: Exclude the local disks from multipath
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
  description: The state of the drop-in afterwards.
  returned: success
  type: dict
  contains:
    path:
      description: The file.
      type: str
      returned: always
    text:
      description: Its content; null if it is absent.
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


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._multipath.conf.resource import OPTIONS, MultipathConf

SPEC = OPTIONS


def resource(options):
    return MultipathConf(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
