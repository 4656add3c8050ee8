#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: discovery
short_description: Discover targets and record new ones without changing existing records
version_added: 1.0.0
description:
  - Asks portals (SendTargets), iSNS servers, or the firmware of this host (iBFT) which targets they offer, and records the new
    ones. Existing records keep every setting, their CHAP secrets and their startup. C(iscsiadm -m discovery) resets all of
    that, and deletes records.
  - Only portals that pass the filters get a record, so that portals which this host cannot use never get logged in to at boot.
  - The discovery record, which holds the settings and CHAP secrets of the discovery itself, is managed too. If it is missing
    or has other credentials, it is written first, then the portal is asked; if the portal rejects the new credentials, the old
    record is restored.
  - A check run asks too, since asking writes nothing on either side, so it reports exactly what a real run would record. Only
    if the credentials must change first, or iscsid does not run yet, can a check run not know what the portal will answer. (An
    iSNS server that insists on registration sees this host register for the duration of the query.)
  - Hosts whose targets are known do not need discovery; M(lunworks.iscsi.nodes) records targets without asking, with the given
    portal group tag.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  type:
    description:
      - Whom to ask. V(sendtargets) asks a portal for the targets behind it, V(isns) asks an iSNS server for all targets that
        it lets this host see.
      - V(firmware) reads what this host boots from (C(/sys/firmware/ibft) and C(/sys/firmware/iscsi_boot*)). Its records get
        the startup V(onboot) and the credentials of the firmware; no other option applies to them. On a host without such
        firmware, nothing is found.
      - V(slp) is refused; open-iscsi never finished it.
    type: str
    choices: [sendtargets, isns, firmware, slp]
    default: sendtargets
  portals:
    description:
      - The portals or iSNS servers to ask, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT), or with a host name.
      - The default port is 3260, or 3205 for an iSNS server.
      - Required, except with O(type=firmware).
    type: list
    elements: str
    default: []
  use_discoveryd:
    description:
      - Whether iscsid polls by itself and logs in to everything that it finds. The filters do not apply to it, and its
        sessions have no node records. iscsid is restarted when this changes.
      - Use with care. iscsid logs out of targets that are no longer offered, and of everything that it found by polling
        whenever it is stopped or restarted, even while the disks are in use. This module refuses to restart it then, but other
        tools do not.
      - An iSNS server must be able to name this host, which requires working name resolution.
      - If omitted, it is left unchanged; a new discovery record gets what C(iscsid.conf) says.
    type: bool
  poll_interval:
    description:
      - How often iscsid polls, in seconds. With V(isns), V(-1) waits for the server's notifications, and V(0) asks once.
      - If omitted, it is left unchanged; a new discovery record gets what C(iscsid.conf) says, else V(30), with V(isns) V(-1).
    type: int
  settings:
    description:
      - Other settings of the discovery records, such as V(discovery.sendtargets.timeo.login_timeout) (seconds).
      - The CHAP hash algorithms, in order of preference, are V(node.session.auth.chap_algs) here too.
      - A setting that is not named is left unchanged.
    type: dict
    default: {}
  ifaces:
    description: The ifaces that new records are bound to, one record for each. Discovery goes through the first of them.
    type: list
    elements: str
    default: [default]
  subnets:
    description: Only portals in one of these subnets get a record, V(ADDRESS/LENGTH). Empty means any subnet.
    type: list
    elements: str
    default: []
  excluded_subnets:
    description: Portals in these subnets get no record, even if O(subnets) includes them.
    type: list
    elements: str
    default: []
  families:
    description: The address families whose portals get a record.
    type: list
    elements: str
    choices: [ipv4, ipv6]
    default: [ipv4, ipv6]
  link_local:
    description: Whether link-local portals (V(fe80::/10), V(169.254.0.0/16)) get a record.
    type: bool
    default: false
  reachable:
    description: Whether to record only portals that accept a TCP connection now, within 3 seconds.
    type: bool
    default: false
  prune:
    description:
      - Whether to delete records that came from these portals when they are no longer offered, or do not pass O(subnets),
        O(excluded_subnets), O(families) and O(link_local). A portal that does not answer keeps its record.
      - Refused while a session uses such a record, and when a portal offers nothing at all, as a portal that is still starting
        does.
      - With O(state=absent), whether to delete all records that came from these portals. Refused while a session uses them.
    type: bool
    default: false
  state:
    description:
      - Whether the discovery records must exist. V(absent) deletes them and, unlike C(iscsiadm -o delete), leaves the node
        records alone unless O(prune) is set.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
  - lunworks.iscsi.chap.discovery
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: Show what the array offers in the storage networks
  lunworks.iscsi.discovery:
    portals: [10.77.1.11]
    subnets: [10.77.1.0/24, 10.77.2.0/24]
    chap: {user: scout, secret: "{{ vault_discovery_chap }}"}
  register: found

- name: Log in to the targets through all portals that got a record
  lunworks.iscsi.nodes:
    nodes:
      - {target: "{{ item.target }}", portals: ["{{ item.portal }}"], startup: automatic, logged_in: true}
  loop: "{{ found.state.targets | selectattr('recorded') }}"

- name: Record what the iSNS server offers, and delete records that it no longer offers
  lunworks.iscsi.discovery:
    type: isns
    portals: [10.77.0.5]
    prune: true

- name: Record the firmware's targets on a host that boots from iSCSI
  lunworks.iscsi.discovery:
    type: firmware
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each. It contains no secrets.
  returned: always
  type: list
  elements: str
  sample: ["Record what 10.77.1.11:3260 offers: 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260"]
state:
  description: The portals that were asked, and what they offer.
  returned: success
  type: dict
  contains:
    portals:
      description: The portals and iSNS servers that were asked; with O(type=firmware) the firmware.
      type: list
      elements: dict
      returned: always
      contains:
        type:
          description: The type, as in O(type).
          type: str
          returned: always
        portal:
          description: The portal; null for the firmware.
          type: str
          returned: always
        recorded:
          description: Whether it has a discovery record.
          type: bool
          returned: always
        settings:
          description: The discovery record, secrets masked; null without one.
          type: dict
          returned: always
        known:
          description: Whether its targets are known; false if it was not asked.
          type: bool
          returned: always
    targets:
      description: The targets that all of them offer together.
      type: list
      elements: dict
      returned: always
      contains:
        target:
          description: The name of the target.
          type: str
          returned: always
        portal:
          description: A portal that leads to it.
          type: str
          returned: always
        tpg:
          description: The portal group tag of that portal.
          type: int
          returned: always
        recorded:
          description: Whether it has a node record.
          type: bool
          returned: always
        logged_in:
          description: Whether there is a session, with a record or, where discoveryd logged in, without one.
          type: bool
          returned: always
        skip_reason:
          description: Why it gets no record; null if it passes the filters.
          type: str
          returned: always
  sample:
    portals:
      - type: sendtargets
        portal: 10.77.1.11:3260
        recorded: true
        settings: {discovery.sendtargets.auth.authmethod: None}
        known: true
    targets:
      - target: iqn.2026-01.com.example:store1.db
        portal: 10.77.1.11:3260
        tpg: 1
        recorded: true
        logged_in: false
        skip_reason: null
      - target: iqn.2026-01.com.example:store1.db
        portal: "[fe80::226:b9ff:fe14:5a6b]:3260"
        tpg: 1
        recorded: false
        logged_in: false
        skip_reason: is link-local
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import converge
from ..module_utils._open_iscsi.discovery.request import OPTIONS
from ..module_utils._open_iscsi.discovery.resource import DiscoveryResource

SPEC = OPTIONS


def resource(options):
    return DiscoveryResource(options)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), resource)


if __name__ == "__main__":
    main()
