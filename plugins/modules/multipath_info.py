#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multipath_info
short_description: Return how multipath is configured on this host, and its maps
version_added: 1.0.0
description:
  - Returns what the files of multipath say, in the form of the options of M(lunworks.iscsi.multipath_conf), the aliases of each
    file, and the maps with their names, WWIDs and paths.
  - Reads files and sysfs only. multipathd is neither asked nor started.
author:
  - The lunworks.iscsi authors (@lunworks)
options: {}
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.multipath_conf
  - module: lunworks.iscsi.multipath_alias
  - module: lunworks.iscsi.timers_info
"""

EXAMPLES = r"""
- name: Query the host
  lunworks.iscsi.multipath_info:
  register: multipath

- name: Show the names of the maps
  ansible.builtin.debug:
    msg: "{{ multipath.maps | items2dict(key_name='wwid', value_name='name') }}"
"""

RETURN = r"""
running:
  description: Whether multipathd runs.
  returned: success
  type: bool
files:
  description: The files that multipath reads, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
      returned: always
    own:
      description: Whether this collection wrote it.
      type: bool
      returned: always
    aliases:
      description: The aliases that it gives, by WWID.
      type: dict
      returned: always
settings:
  description:
    - What the files that this collection did not write say together, as C(defaults), C(blacklist), C(blacklist_exceptions),
      C(devices), C(multipaths) and C(overrides), each in the form of the option of M(lunworks.iscsi.multipath_conf) of that
      name. All values are strings.
  returned: success
  type: dict
  sample: {defaults: {user_friendly_names: "yes"}, blacklist: {devnode: ["^sda$"]}, devices: [], multipaths: []}
maps:
  description: The multipath maps.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      returned: always
    wwid:
      description: The WWID of the disk.
      type: str
      returned: always
    device:
      description: The current device name.
      type: str
      returned: always
    vendor:
      description: The vendor that the disk reports.
      type: str
      returned: always
    product:
      description: The product that the disk reports.
      type: str
      returned: always
    paths:
      description: The current device names of its paths.
      type: list
      elements: str
      returned: always
    partitions:
      description: The names of its partitions.
      type: list
      elements: str
      returned: always
listed_wwids:
  description: The WWIDs in C(/etc/multipath/wwids), which multipath claims as soon as their first path appears.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._multipath.info import tell_multipath

SPEC: dict[str, dict[str, str]] = {}


def question(options, host):
    return tell_multipath(host)


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
