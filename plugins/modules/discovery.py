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
  - Asks portals by SendTargets which targets they offer this host, and records what is new. Records that are there keep
    every setting, their CHAP secrets and their startup. C(iscsiadm -m discovery) resets them all, and deletes records.
  - Where a discovery record is missing or asks for other credentials, it is written first, and then the portal is asked.
  - A check run asks the portal too, which writes nothing on either side, so it says exactly what a run would record;
    only where the discovery record must change first, or where iscsid does not run yet, a check cannot know what the
    portal will answer.
  - Hosts that know which targets they need do not need this; M(lunworks.iscsi.nodes) records them without asking.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  portals:
    description:
      - The portals to ask, V(ADDRESS), V(ADDRESS:PORT) or V([IPV6]:PORT), or with a host name.
    type: list
    elements: str
    required: true
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
  settings:
    description:
      - Settings of the discovery records, like V(discovery.sendtargets.timeo.login_timeout) (seconds).
      - A setting that is not named stays as it is.
    type: dict
    default: {}
  ifaces:
    description: The ifaces that new records are bound to, one record for each.
    type: list
    elements: str
    default: [default]
  prune:
    description:
      - Whether records that came from these portals and are no longer offered are deleted. While a session uses one, it
        is refused.
    type: bool
    default: false
extends_documentation_fragment:
  - lunworks.iscsi.attributes
  - lunworks.iscsi.chap
seealso:
  - module: lunworks.iscsi.nodes
"""

EXAMPLES = r"""
- name: What does the array offer?
  lunworks.iscsi.discovery:
    portals: [10.77.1.11]
  register: found

- name: Log in to all of it, through the portals that it named
  lunworks.iscsi.nodes:
    nodes:
      - {target: "{{ item.target }}", portals: ["{{ item.portal }}"], startup: automatic, logged_in: true}
  loop: "{{ found.state.targets }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, in order, one sentence each. No secret is in it.
  returned: always
  type: list
  elements: str
  sample: ["Record what 10.77.1.11:3260 offers: 'iqn.2026-01.com.example:store1.db' at 10.77.1.11:3260"]
state:
  description: What the portals offer.
  returned: success
  type: dict
  contains:
    portals:
      description: The portals that were asked.
      type: list
      elements: dict
      returned: always
      contains:
        portal:
          description: The portal.
          type: str
          returned: always
        recorded:
          description: Whether there is a discovery record of it.
          type: bool
          returned: always
        known:
          description: Whether it is known what it offers; false in check mode where it was not asked.
          type: bool
          returned: always
    targets:
      description: What is offered, by all portals together.
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
  sample:
    portals: [{portal: "10.77.1.11:3260", recorded: true, known: true}]
    targets: [{target: "iqn.2026-01.com.example:store1.db", portal: "10.77.1.11:3260", tpg: 1}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils import open_iscsi_discovery as open_iscsi
from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import (
    CHAP_OPTION,
    chap,
    portal,
    unique,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge

SPEC = {
    "portals": {"type": "list", "elements": "str", "required": True},
    "chap": CHAP_OPTION,
    "settings": {"type": "dict", "default": {}},
    "ifaces": {"type": "list", "elements": "str", "default": ["default"]},
    "prune": {"type": "bool", "default": False},
}


class Discovery(Resource):
    def __init__(self, options):
        self.portals = [portal(text, names=True) for text in options["portals"]]
        unique("portal", [str(one) for one in self.portals])
        self.ifaces = tuple(options["ifaces"])
        self.prune = options["prune"]
        self.settings = open_iscsi.wanted_settings(options["settings"], chap(options["chap"]))

    def look(self, host):
        return open_iscsi.look_discovery(host, self.portals, self.settings, self.ifaces[0])

    def want(self, seen):
        return open_iscsi.want_discovery(seen, self.settings, self.ifaces, self.prune)

    def plan(self, seen, want):
        return open_iscsi.plan_discovery(seen, want, self.ifaces)

    def refuse(self, seen, steps):
        open_iscsi.refuse_discovery(seen, steps)

    def show(self, state):
        offers = {offer for found in state.portals.values() for offer in found.offers}
        return {
            "portals": [
                {
                    "portal": str(name),
                    "recorded": found.settings is not None,
                    "known": found.known,
                }
                for name, found in state.portals.items()
            ],
            "targets": [
                {"target": offer.target, "portal": str(offer.portal), "tpg": offer.tpg}
                for offer in sorted(offers)
            ],
        }


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), Discovery)


if __name__ == "__main__":
    main()
