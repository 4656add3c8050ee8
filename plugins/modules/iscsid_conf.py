#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iscsid_conf
short_description: Configure the iSCSI initiator (iscsid.conf)
version_added: 1.0.0
description:
  - Sets keys of C(/etc/iscsi/iscsid.conf), which holds the settings of iscsid and the defaults of every new record. Comments,
    order and other keys are kept as the distribution wrote them.
  - The file is interpreted as open-iscsi does. For keys of iscsid itself (C(iscsid.safe_logout)) the first line counts, for
    all others the last; and of those a line counts only if it has a space before its C(=) and a line feed at its end.
  - Names and values are checked before the file is touched. open-iscsi itself accepts a word where a number is required, and
    uses 0.
  - The file gets the mode 0600, since it may hold CHAP secrets.
  - iscsid reads the file only when it starts. A running daemon that is older than the file is restarted, but only the daemon,
    which sessions survive; C(iscsi.service) is never restarted, since that would log out every session.
  - A polling daemon (discoveryd) logs out of everything that it found when it stops. While there are sessions, it is not
    restarted.
  - Existing records keep their settings; use M(lunworks.iscsi.nodes) to change them.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  preset:
    description:
      - A set of timers that suits the use of the disks. O(settings) take precedence. If omitted, they are left unchanged.
      - V(multipath) returns the I/O of a dead path to multipath after 5 + 5 + 5 seconds (interval and timeout of the pings,
        C(replacement_timeout)); 5 is what multipath itself sets with its C(fast_io_fail_tmo).
      - V(direct), for disks with one path, holds I/O for 5 + 5 + 120 seconds, waiting for the path to return.
      - V(root_on_iscsi) sends no pings and holds I/O for a day. For the root file system on a disk with one path.
      - V(ontap) and V(md3000i) are for dm-multipath on these arrays; V(md3000i) allows its pings more time, 10 + 15.
      - The values apply to new records; for existing records see O(lunworks.iscsi.nodes#module:nodes[].preset).
    type: str
    choices: [multipath, direct, root_on_iscsi, md3000i, ontap]
  settings:
    description:
      - Keys and values, as in the file. Booleans are written as V(Yes) and V(No).
      - V(null) removes a key, so that the built-in default of open-iscsi applies.
      - A key that is not named is left unchanged.
    type: dict
    default: {}
  secrets:
    description:
      - Keys whose values are secrets, such as V(node.session.auth.password) and V(discovery.sendtargets.auth.password_in).
        They are never shown.
      - V(null) removes a key. A key that is not named is left unchanged.
    type: dict
    default: {}
extends_documentation_fragment:
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.initiator_name
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.timers_info
  - name: open-iscsi README
    description: Section 6 (configuration) and 8 (timeouts for multipath and for root on iSCSI).
    link: https://github.com/open-iscsi/open-iscsi/blob/master/README
"""

EXAMPLES = r"""
- name: Pass errors to multipath within 15 seconds, and keep sessions while their disks are mounted
  lunworks.iscsi.iscsid_conf:
    preset: multipath
    settings:
      iscsid.safe_logout: true

- name: Set the credentials for new records
  lunworks.iscsi.iscsid_conf:
    settings:
      node.session.auth.authmethod: CHAP
      node.session.auth.username: db
    secrets:
      node.session.auth.password: "{{ vault_db_chap }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample: ["Write '/etc/iscsi/iscsid.conf' with node.session.timeo.replacement_timeout = 5"]
state:
  description: The state of the file afterwards.
  returned: success
  type: dict
  contains:
    settings:
      description: The settings in force, secrets masked.
      type: dict
      returned: always
    mode:
      description: The mode of the file, in octal.
      type: str
      returned: always
    loaded:
      description: Whether the running daemon has read the file since it last changed.
      type: bool
      returned: always
  sample: {settings: {node.startup: manual}, mode: "0600", loaded: true}
"""

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge, plain
from ..module_utils._host import Problem
from ..module_utils._open_iscsi.conf import iscsid_conf as open_iscsi_conf
from ..module_utils._open_iscsi.conf.iscsid import refuse_cut
from ..module_utils._open_iscsi.conf.presets import PRESETS, with_preset
from ..module_utils._open_iscsi.conf.settings import ALL, is_secret, named, setting
from ..module_utils._step import Secret

SPEC = {
    "preset": {"type": "str", "choices": list(PRESETS)},
    "settings": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
}


class IscsidConf(Resource):
    def __init__(self, options):
        settings, secrets = named(options["settings"]), named(options["secrets"])
        for name in settings:
            if is_secret(name):
                raise Problem(f"'{name}' is a secret and belongs in 'secrets', which no log shows.")
        for name in secrets:
            if not is_secret(name):
                raise Problem(f"'{name}' is not a secret and belongs in 'settings'.")
        self.settings = {**with_preset(options["preset"], settings), **secrets}
        self.settings = {name: checked(name, value) for name, value in self.settings.items()}

    def look(self, host):
        return open_iscsi_conf.look_conf(host)

    def want(self, seen):
        settings = {**seen.settings, **self.settings}
        settings = {name: value for name, value in settings.items() if value is not None}
        return replace(seen, settings=settings, mode="0600", loaded=True)

    def plan(self, seen, want):
        return open_iscsi_conf.plan_conf(seen, want)

    def refuse(self, seen, want, steps):
        refuse_cut(steps, seen.cut)

    def show(self, state):
        return plain({name: getattr(state, name) for name in ("settings", "mode", "loaded")})


def checked(name, value):
    if value is None:
        return None
    text = setting(name, value, ALL)
    return Secret(text) if is_secret(name) else text


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), IscsidConf)


if __name__ == "__main__":
    main()
