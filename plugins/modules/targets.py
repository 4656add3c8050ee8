#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: targets
short_description: Manage iSCSI targets with their LUNs and igroups, many at once
version_added: 1.0.0
description:
  - Brings the targets of a storage host with their portals, LUNs and igroups to the declared state, all in one call, and saves
    them so that they are restored after a boot. Works with LIO, the iSCSI target of the Linux kernel, and with tgt.
  - Anything that is not declared is left unchanged, even inside a declared target, unless O(purge) is set.
  - Nothing is removed from an initiator that is logged in unless O(force) is set.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  purge:
    description:
      - Whether to remove targets that are not listed, and in the listed ones every portal, LUN, igroup, initiator and LUN map
        that its list does not contain. A list that is omitted is left unchanged.
    type: bool
    default: false
  expected:
    description:
      - The LVM label that LUNs must have before anything is changed, for a caller that moves a volume group from one host to
        another. It is read from the disk behind the LUN, as M(lunworks.iscsi.lun_info) does. If it differs, the call is
        refused with both values, in check mode too. If there is nothing to do, nothing is refused.
      - If the same call takes such a LUN (or write access to it) from one initiator and lets another one write to it, the
        label is read again in between, when the first can no longer write and the second cannot write yet. If it differs then,
        the access of the first is restored, and the call fails.
    type: list
    elements: dict
    suboptions:
      target:
        description: The iSCSI name of the target.
        type: str
        required: true
      lun:
        description: The name of the LUN. A LUN whose PV stores no metadata of its group cannot be listed here.
        type: str
        required: true
      group_uuid:
        description: The UUID of the volume group.
        type: str
        required: true
      exported:
        description: Whether the volume group must be exported. If omitted, this is not checked.
        type: bool
      seqno:
        description: The sequence number that the metadata must have. If omitted, this is not checked.
        type: int
  discovery_chap:
    description:
      - The CHAP credentials that an initiator must prove itself with when it asks this host for its targets (sendtargets). There
        is one pair for the whole host, and it says nothing about logins. LIO and tgt have it; with other software it is refused.
      - If omitted, they are left unchanged. An empty O(discovery_chap.user) with an empty O(discovery_chap.secret) ends it.
    type: dict
    suboptions:
      user:
        description: The user name of the initiator.
        type: str
        required: true
      secret:
        description: The secret of the initiator.
        type: str
        required: true
      mutual_user:
        description: The user name with which the target proves itself to the initiator.
        type: str
      mutual_secret:
        description: The secret of the target.
        type: str
      enforced:
        description:
          - Whether initiators without CHAP are refused. With V(false) only those that offer CHAP themselves are checked, which
            LIO alone can do.
          - If omitted, it is left unchanged; new credentials are enforced.
        type: bool
extends_documentation_fragment:
  - lunworks.iscsi.provider
  - lunworks.iscsi.san.targets
  - lunworks.iscsi.san
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
"""

EXAMPLES = r"""
- name: Serve two LUNs to one host over two networks
  lunworks.iscsi.targets:
    targets:
      - name: iqn.2026-01.com.example:store1.db
        portals: [10.77.1.11, 10.77.2.11]
        luns:
          - {name: db0, path: /srv/luns/db0.img, size: 40g}
          - {name: db1, path: /dev/vg_store/db1}
        igroups:
          - name: db
            initiators: [iqn.2026-01.com.example:db-a]
            luns: [db0, db1]
            chap: {user: db, secret: "{{ vault_db_secret }}"}
  diff: true

- name: Grow db0 online, months later
  lunworks.iscsi.targets:
    targets:
      - name: iqn.2026-01.com.example:store1.db
        luns:
          - {name: db0, size: 60g}

- name: Only who knows a secret may ask for the targets
  lunworks.iscsi.targets:
    targets: []
    discovery_chap: {user: scout, secret: "{{ vault_scout_secret }}"}

- name: Move the exported group on db0 from one host to another, unless somebody has changed it since
  lunworks.iscsi.targets:
    targets:
      - name: iqn.2026-01.com.example:store1.db
        igroups:
          - {name: db, luns: [{name: db0, read_only: true}]}
          - {name: standby, luns: [{name: db0, read_only: false}]}
    expected:
      - target: iqn.2026-01.com.example:store1.db
        lun: db0
        group_uuid: "{{ label.uuid }}"
        exported: true
        seqno: "{{ label.seqno }}"
    force: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Make the target 'iqn.2026-01.com.example:store1.db'"]
state:
  description: What the host serves afterwards.
  returned: success
  type: dict
  contains:
    targets:
      description:
        - The targets that were listed; with O(purge) all targets of the host.
        - Each with C(name), C(enabled), C(portals), C(alias), C(attributes) and C(parameters) (those that were given, are
          relied on or are saved), C(luns) (each with C(name), C(number), C(path), C(size) in bytes, C(serial), C(wwid),
          C(block_size), C(write_back), C(read_only), C(attributes), and C(alua) if it is in a group) and
          C(igroups) (each with C(name), C(initiators), C(luns)
          as C(name), C(number), C(read_only), and C(chap) with the user names, null without CHAP).
      type: list
      elements: dict
      returned: always
    discovery_chap:
      description:
        - What is asked for at discovery, as C(user), C(mutual_user) and C(enforced), without secrets; null if nothing is.
          With V(tgt) the users are not shown either; M(lunworks.iscsi.target_info) tells them.
        - Only with O(discovery_chap).
      type: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._providers import OPTION, provider_of
from ..module_utils._san.options import DISCOVERY_CHAP, EXPECTED, LISTED_TARGET

SPEC = {
    "targets": {"type": "list", "elements": "dict", "required": True, "options": LISTED_TARGET},
    "purge": {"type": "bool", "default": False},
    "expected": {"type": "list", "elements": "dict", "options": EXPECTED},
    "force": {"type": "bool", "default": False},
    "discovery_chap": DISCOVERY_CHAP,
    **OPTION,
}


def resource(options):
    return provider_of(options).resource(
        options["targets"],
        purge=options["purge"],
        purge_targets=options["purge"],
        expected=options["expected"],
        force=options["force"],
        discovery_chap=options["discovery_chap"],
    )


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
