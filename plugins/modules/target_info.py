#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_info
short_description: Return the iSCSI targets that this host serves, and to whom
version_added: 1.0.0
description:
  - Returns everything about the targets of a storage host, without secrets, who is logged in, and where the saved
    configuration differs from the running one.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description: The name of the only target to return. If omitted, all targets are returned.
    type: str
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.attributes.info
seealso:
  - module: lunworks.iscsi.targets
"""

EXAMPLES = r"""
- name: Query the host
  lunworks.iscsi.target_info:
  register: san

- name: Check that the running and the saved configuration are the same
  ansible.builtin.assert:
    that: san.drift == []
"""

RETURN = r"""
targets:
  description: The targets, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The iSCSI name.
      type: str
      returned: always
    enabled:
      description: Whether initiators can log in.
      type: bool
      returned: always
    portals:
      description: The portals on which it listens, like V(10.77.1.11:3260).
      type: list
      elements: str
      returned: always
    alias:
      description: Its human-readable text.
      type: str
      returned: always
    iser:
      description: Those of its portals that speak iSER beside TCP.
      type: list
      elements: str
      returned: where there are any
    attributes:
      description: All attributes of the target portal group, as strings.
      type: dict
      returned: always
    parameters:
      description: All negotiated parameters, as strings.
      type: dict
      returned: always
    luns:
      description:
        - The LUNs by number, each with C(name), C(number), C(path), C(size) in bytes, C(serial), C(wwid) (as hosts see it),
          C(block_size), C(write_back), C(read_only) (no initiator can write to it) and all C(attributes). The C(wwid) is
          empty where it cannot be known or does not stay.
        - C(alua) (C(group), C(number), C(state), C(access_type), C(preferred)) is there for a LUN in an ALUA group.
      type: list
      elements: dict
      returned: always
    igroups:
      description:
        - The igroups, each with C(name), C(initiators), C(luns) (C(name), C(number), C(read_only)) and C(chap) (the user
          names; null without CHAP).
      type: list
      elements: dict
      returned: always
    sessions:
      description:
        - Who is logged in to any of its portal groups, each with C(initiator), C(address) (where it comes from; empty in demo
          mode) and C(tag) (of the portal group).
      type: list
      elements: dict
      returned: always
    open_to:
      description: With IET, who may log in beside the initiators of the igroups, as it stands in C(initiators.allow).
      type: list
      elements: str
      returned: with O(provider=iet)
    members:
      description: With NetBSD's target, the labels of the extents and devices of which its LUN is made.
      type: list
      elements: str
      returned: with O(provider=netbsd)
    saved:
      description: With IET, whether C(ietd.conf) has it. A target that was only made with C(ietadm) is not changed here.
      type: bool
      returned: with O(provider=iet)
    defined_in:
      description: With tgt, the file of somebody else that defines it and in which alone it is changed; null if there is none.
      type: str
      returned: with O(provider=tgt)
    mask:
      description: With NetBSD's target, the netmask outside which it is hidden from discovery.
      type: str
      returned: with O(provider=netbsd)
    tag:
      description: The tag of the portal group that is described here, the lowest one.
      type: int
      returned: always
    other_portal_groups:
      description: The further portal groups, each with the same keys except C(sessions) and C(other_portal_groups).
      type: list
      elements: dict
      returned: always
drift:
  description: Where the running configuration and the one after a boot differ, one sentence each; empty if they are the same.
  returned: success
  type: list
  elements: str
  sample: ["The LUN 'db1' of 'iqn.2026-01.com.example:store1.db' is saved but not running."]
discovery_chap:
  description: >-
    What is asked of initiators at discovery, as C(user), C(mutual_user) and C(enforced), without secrets; null if nothing is. The
    names of users are no secrets.
  returned: with O(provider=lio) and O(provider=tgt)
  type: dict
  sample: {user: scout, mutual_user: "", enforced: true}
unmanaged:
  description:
    - What the storage software serves that this collection does not make, and therefore leaves alone, one sentence each. With
      V(lio) further portal groups, backstores of other kinds, ALUA groups, portals with offload, and what other fabrics
      serve; with V(tgt) what files of others define, targets of other drivers, CHAP accounts that others bound for
      discovery, and iSNS; with V(iet) accounts for discovery, further accounts of a target, networks, nullio, and iSNS; with
      V(netbsd) devices that are made of others, netmasks, and how many CHAP accounts there are.
    - Empty with O(name).
  returned: success
  type: list
  elements: str
  sample: ["The backstore 'pscsi/tape' is of the kind 'pscsi', which is not made here. It can be mapped."]
exposed_files:
  description:
    - The files with the saved configuration that other users of this host can read although it can have CHAP secrets. With V(tgt)
      those with an C(incominguser) or C(outgoinguser), which C(targets.conf) may include from anywhere, and the files of this
      collection with CHAP credentials. With V(iet) C(ietd.conf) and with V(netbsd) C(auths), where they have accounts.
  returned: success
  type: list
  elements: str
saved:
  description: The path of the saved configuration; with V(tgt) its directory.
  returned: success
  type: str
  sample: /etc/rtslib-fb-target/saveconfig.json
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import iscsi_name
from ..module_utils._converge import tell
from ..module_utils._providers import OPTION, provider_of

SPEC = {"name": {"type": "str"}, **OPTION}


def question(options, host):
    name = iscsi_name(options["name"]).lower() if options["name"] else None
    return provider_of(options).targets(host, name)


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
