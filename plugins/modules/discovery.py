#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: discovery
short_description: Record what a storage host offers, without harm to what is recorded
version_added: 0.1.0
description:
  - Asks portals (SendTargets), iSNS servers, or the firmware of this host (iBFT) which targets they offer, and records what
    is new. Records that are there keep every setting, their CHAP secrets and their startup. C(iscsiadm -m discovery) resets
    them all, and deletes records.
  - Only portals that pass the filters get a record, so that those which this host cannot use never become automatic.
  - The discovery record, which says how to ask, is state of its own, with its settings and CHAP secrets. Where it is missing
    or asks for other credentials, it is written first, and then the portal is asked; where the new credentials are
    rejected, it is put back.
  - A check run asks too, which writes nothing on either side, so it says exactly what a run would record; only where the
    credentials must change first, or where iscsid does not run yet, a check cannot know what the portal will answer. (An
    iSNS server that insists on it sees this host register for the moment of the question.)
  - Hosts that know which targets they need do not need this; M(lunworks.iscsi.nodes) records them without asking, with the
    portal group tag that it is told.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  type:
    description:
      - Who is asked. V(sendtargets) asks a portal for the targets behind it, V(isns) an iSNS server for all that it lets this
        host see.
      - V(firmware) reads what this host boots from (C(/sys/firmware/ibft) and C(/sys/firmware/iscsi_boot*)). Its records get
        the startup V(onboot) and the credentials that the firmware has; they take no other option. Where there is no such
        firmware, nothing is found.
      - V(slp) is refused; open-iscsi never finished it.
    type: str
    choices: [sendtargets, isns, firmware, slp]
    default: sendtargets
  portals:
    description:
      - The portals or iSNS servers to ask, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT), or with a host name.
      - The port is 3260, that of an iSNS server 3205, if it is not given.
      - Required, except with O(type=firmware).
    type: list
    elements: str
    default: []
  chap:
    description:
      - What this host proves to the portal to be allowed to ask, and with the mutual ones what the portal proves back.
      - An empty O(chap.user) with an empty O(chap.secret) means no CHAP.
      - Left out, it stays as it is; a new discovery record gets what C(iscsid.conf) says.
    type: dict
    suboptions:
      user:
        description: The name, at most 255 bytes.
        type: str
        required: true
      secret:
        description: The secret, 12 to 255 bytes.
        type: str
        required: true
      mutual_user:
        description: The name that the portal gives.
        type: str
      mutual_secret:
        description: The secret that the portal proves, 12 to 255 bytes, another one than O(chap.secret).
        type: str
  use_discoveryd:
    description:
      - Whether iscsid asks by itself, again and again, and logs in to all that it finds; the filters are not for it, and its
        sessions have no node records. iscsid is restarted when this changes.
      - Know what you do. iscsid logs out what is no longer offered, and everything that it found by polling whenever it is
        stopped or restarted, even while the disks are in use. This module refuses to restart it then; nobody else does.
      - An iSNS server must be able to name this host, which needs a resolver that answers.
      - Left out, it stays as it is; a new discovery record gets what C(iscsid.conf) says.
    type: bool
  poll_interval:
    description:
      - How often iscsid asks, in seconds. With V(isns), V(-1) waits for the server's notifications, and V(0) asks once.
      - Left out, it stays as it is; a new discovery record gets what C(iscsid.conf) says, else V(30), with V(isns) V(-1).
    type: int
  settings:
    description:
      - Other settings of the discovery records, like V(discovery.sendtargets.timeo.login_timeout) (seconds).
      - The hashes of CHAP in order of preference are V(node.session.auth.chap_algs) here too.
      - A setting that is not named stays as it is.
    type: dict
    default: {}
  ifaces:
    description: The ifaces that new records are bound to, one record for each. The first of them is asked through.
    type: list
    elements: str
    default: [default]
  subnets:
    description: Only portals in one of these subnets get a record, V(ADDRESS/LENGTH). Empty means in any.
    type: list
    elements: str
    default: []
  excluded_subnets:
    description: Portals in these subnets get no record, whatever O(subnets) says.
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
    description: Whether only portals get a record that accept a TCP connection now, within 3 seconds.
    type: bool
    default: false
  prune:
    description:
      - Whether records that came from these portals are deleted when they are no longer offered, or do not pass
        O(subnets), O(excluded_subnets), O(families) and O(link_local). A portal that does not answer keeps its record.
      - Refused while a session uses such a record, and when a portal offers nothing at all, as one does that is starting.
      - With O(state=absent), whether all records go that came from these portals; unless a session uses them.
    type: bool
    default: false
  state:
    description:
      - Whether there shall be discovery records. V(absent) deletes them, and leaves the node records alone unless O(prune)
        is set, which C(iscsiadm -o delete) would not do.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
seealso:
  - module: lunworks.iscsi.nodes
  - module: lunworks.iscsi.initiator_info
"""

EXAMPLES = r"""
- name: What does the array offer in the storage networks?
  lunworks.iscsi.discovery:
    portals: [10.77.1.11]
    subnets: [10.77.1.0/24, 10.77.2.0/24]
    chap: {user: scout, secret: "{{ vault_discovery_chap }}"}
  register: found

- name: Log in to all of it, through the portals that got a record
  lunworks.iscsi.nodes:
    nodes:
      - {target: "{{ item.target }}", portals: ["{{ item.portal }}"], startup: automatic, logged_in: true}
  loop: "{{ found.state.targets | selectattr('recorded') }}"

- name: The iSNS server is asked, and records of what left it go
  lunworks.iscsi.discovery:
    type: isns
    portals: [10.77.0.5]
    prune: true

- name: This host boots from iSCSI; its firmware's targets are recorded
  lunworks.iscsi.discovery:
    type: firmware
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, in order, one sentence each. No secret is in it.
  returned: always
  type: list
  elements: str
  sample: ["Record what 10.77.1.11:3260 offers: 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260"]
state:
  description: Who was asked, and what they offer.
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
          description: Whether there is a discovery record of it.
          type: bool
          returned: always
        settings:
          description: The discovery record, secrets masked; null without one.
          type: dict
          returned: always
        known:
          description: Whether it is known what it offers; false where it was not asked.
          type: bool
          returned: always
    targets:
      description: What is offered, by all of them together.
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
          description: Whether there is a node record of it.
          type: bool
          returned: always
        logged_in:
          description: Whether there is a session, with a record or, where discoveryd logged in, without one.
          type: bool
          returned: always
        left_out:
          description: Why it gets no record; null when it passes the filters.
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
        left_out: null
      - target: iqn.2026-01.com.example:store1.db
        portal: "[fe80::226:b9ff:fe14:5a6b]:3260"
        tpg: 1
        recorded: false
        logged_in: false
        left_out: is link-local
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils import open_iscsi_discovery as open_iscsi
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import converge, plain
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_discovery_record import WORDS
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_discovery_wish import OPTIONS, wish_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_lock import Locking

SPEC = OPTIONS


class Discovery(Locking):
    def __init__(self, options):
        self.wish = wish_of(options)

    def look(self, host):
        return open_iscsi.look_discovery(host, self.wish)

    def want(self, seen):
        return open_iscsi.want_discovery(seen, self.wish)

    def plan(self, seen, want):
        return open_iscsi.plan_discovery(seen, want, self.wish)

    def refuse(self, seen, steps):
        open_iscsi.refuse_discovery(seen, steps, self.wish)

    def notes(self, seen, steps):
        return open_iscsi.note_discovery(seen, steps)

    def show(self, state):
        offers = {offer for found in state.sources.values() for offer in found.offers or ()}
        recorded = {(name.target, name.portal) for name in state.records}
        live = {(name.target, name.portal) for name in state.sessions}
        targets = [
            {
                "target": offer.target,
                "portal": str(offer.portal),
                "tpg": offer.tpg,
                "recorded": offer.key in recorded,
                "logged_in": offer.key in live,
                "left_out": open_iscsi.objection(state, offer, self.wish) or None,
            }
            for offer in sorted(offers)
        ]
        return {"portals": [asked(*one) for one in state.sources.items()], "targets": targets}


def asked(source, found):
    return {
        "type": WORDS[source.kind],
        "portal": str(source.portal) if source.portal else None,
        "recorded": source.portal is not None and found.settings is not None,
        "settings": plain(found.settings) or None,
        "known": found.known,
    }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Discovery)


if __name__ == "__main__":
    main()
