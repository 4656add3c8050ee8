#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_link
short_description: Pull, slow down or heal a network cable of a lab host
version_added: 0.1.0
description:
  - What a test does to a path. The host itself is not told, as with a switch that fails somewhere on the way.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  host:
    description: The host at one end of the cable.
    type: str
    required: true
  network:
    description: The network at the other end.
    type: str
    required: true
  up:
    description: Whether anything gets through. Left out, it stays as it is.
    type: bool
  delay:
    description: Milliseconds that packets on their way to the host are late. Left out, it stays as it is.
    type: int
  loss:
    description: Percent of the packets on their way to the host that are lost. Left out, it stays as it is.
    type: float
extends_documentation_fragment:
  - lunworks.iscsi.lab
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.lab_host
"""

EXAMPLES = r"""
- name: One path of the database host fails
  lunworks.iscsi.lab_link:
    host: db-a
    network: san1
    up: false

- name: The other one is slow and lossy
  lunworks.iscsi.lab_link:
    host: db-a
    network: san2
    delay: 50
    loss: 0.5
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Cut 'db-a' off from the network 'san1'"]
state:
  description: The cable as it is afterwards.
  returned: success
  type: dict
  contains:
    up:
      description: Whether anything gets through.
      type: bool
      returned: always
    delay:
      description: Milliseconds that packets to the host are late.
      type: int
      returned: always
    loss:
      description: Percent of the packets to the host that are lost.
      type: float
      returned: always
  sample: {up: false, delay: 0, loss: 0.0}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.lunworks.iscsi.plugins.module_utils import uml_host, uml_link
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource, converge
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import (
    OPTIONS,
    Controller,
    lab_of,
    refuse_unfit,
)

SPEC = {
    **OPTIONS,
    "host": {"type": "str", "required": True},
    "network": {"type": "str", "required": True},
    "up": {"type": "bool"},
    "delay": {"type": "int"},
    "loss": {"type": "float"},
}


class LabLink(Resource):
    def __init__(self, options):
        self.lab = lab_of(options["lab"], options["directory"])
        self.host, self.network = options["host"], options["network"]
        self.options = options
        self.number = 0

    def look(self, host):
        refuse_unfit()
        self.number = uml_host.host_on(host, self.lab, self.host, self.network).number
        return uml_link.look_links(host, self.lab, self.number)[self.network]

    def want(self, seen):
        said = [self.options[key] for key in ("up", "delay", "loss")]
        return uml_link.link(
            *(was if now is None else now for was, now in zip((seen.up, seen.delay, seen.loss), said))
        )

    def plan(self, seen, want):
        return uml_link.plan_link(self.lab, self.host, self.number, self.network, seen, want)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), LabLink, Controller())


if __name__ == "__main__":
    main()
