#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_link
short_description: Cut, slow down or restore a network link of a lab host
version_added: 1.0.0
description:
  - Changes the network link of a lab host, to test what happens when a path fails. The host does not see that its link is cut,
    as when a switch fails somewhere on the way.
  - Delay and loss are set in the host's kernel (tc-netem(8)), so the host must be up and reachable; they last until its next
    boot. A cut link stays cut across reboots.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  host:
    description: The host at one end of the link.
    type: str
    required: true
  network:
    description: The network at the other end.
    type: str
    required: true
  up:
    description: Whether the link passes traffic. If omitted, it is left unchanged.
    type: bool
  delay:
    description: The delay of packets from the host in milliseconds, 0 to 60000. If omitted, it is left unchanged.
    type: int
  loss:
    description: The percentage of packets from the host that are lost. If omitted, it is left unchanged.
    type: float
extends_documentation_fragment:
  - lunworks.iscsi.lab
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.lab_host
"""

EXAMPLES = r"""
- name: Let one path of the database host fail
  lunworks.iscsi.lab_link:
    host: db-a
    network: san1
    up: false

- name: Make the other one slow and lossy
  lunworks.iscsi.lab_link:
    host: db-a
    network: san2
    delay: 50
    loss: 0.5
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Cut 'db-a' off from the network 'san1'"]
state:
  description: The state of the link afterwards.
  returned: success
  type: dict
  contains:
    up:
      description: Whether the link passes traffic.
      type: bool
      returned: always
    delay:
      description: The delay of packets from the host in milliseconds; null if neither O(delay) nor O(loss) was given.
      type: int
      returned: always
    loss:
      description: Percent of the packets from the host that are lost; null if neither O(delay) nor O(loss) was given.
      type: float
      returned: always
  sample: {up: false, delay: null, loss: null}
"""

from dataclasses import dataclass, replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import Resource, converge, plain
from ..module_utils._uml import host as uml_host
from ..module_utils._uml import link as uml_link
from ..module_utils._uml.controller import OPTIONS, Controller, lab_of, refuse_unfit

SPEC = {
    **OPTIONS,
    "host": {"type": "str", "required": True},
    "network": {"type": "str", "required": True},
    "up": {"type": "bool"},
    "delay": {"type": "int"},
    "loss": {"type": "float"},
}


@dataclass(frozen=True)
class Seen:
    """What gets through a cable, and which cable it is."""

    link: object
    cable: object


class LabLink(Resource):
    def __init__(self, options):
        self.lab = lab_of(options["lab"], options["directory"])
        self.host, self.network = options["host"], options["network"]
        self.up, self.delay, self.loss = options["up"], options["delay"], options["loss"]

    def look(self, host):
        refuse_unfit()
        cable = uml_host.cable_between(host, self.lab, self.host, self.network)
        ask = self.delay is not None or self.loss is not None
        return Seen(uml_link.look_link(host, self.lab, cable, ask), cable)

    def want(self, seen):
        link = seen.link
        up = link.up if self.up is None else self.up
        delay = link.delay if self.delay is None else self.delay
        loss = link.loss if self.loss is None else self.loss
        return replace(seen, link=uml_link.link(up, delay, loss))

    def plan(self, seen, want):
        return uml_link.plan_link(self.lab, seen.cable, seen.link, want.link)

    def refuse(self, seen, want, steps):
        uml_link.refuse_link(seen.cable, steps)

    def show(self, state):
        return plain(state.link)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), LabLink, Controller())


if __name__ == "__main__":
    main()
