#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_host
short_description: Create, boot and power off a host of a lab
version_added: 1.0.0
description:
  - A lab host is a real Linux kernel (User Mode Linux) with a whole Debian system on it, systemd, open-iscsi, LIO, multipath
    and LVM included, in 100 to 200 MiB of memory. It boots in about 10 seconds. A kernel that exits while it boots is noticed
    at once, and its last output is in the message.
  - Its root disk is a copy-on-write file on an image that many hosts share; further disks are sparse files, C(/dev/ubdb)
    and so on in the host.
  - The lab's directory gets an C(ssh_config) and a directory C(inventory), through which ssh, Ansible and testinfra
    reach the host by its name.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  name:
    description: The host's name, at most 20 lower-case letters, digits and C(-).
    type: str
    required: true
  number:
    description: The number of the host, 1 to 200, from which its addresses are derived; number 1 has C(.11). Required to
      create a host.
    type: int
  suite:
    description: The Debian suite that the host runs. If omitted, a new host runs V(bookworm).
    type: str
    choices: [bookworm, trixie, forky]
  kernel:
    description:
      - The User Mode Linux kernel that the host runs. If omitted, a new host runs V(current).
      - V(current) is that of Debian's testing suite. It is downloaded once, with its signatures checked, and kept in O(cache)
        with the libc that it needs; no package of this machine changes. It boots on every x86-64 CPU.
      - V(distribution) is that of this machine's package user-mode-linux. If it is older than 6.13, it cannot boot on a CPU
        with AMX (Intel Sapphire Rapids and later); this is reported before a host is created. If it cannot boot and the
        current kernel was downloaded earlier, hosts run that one, with a warning.
      - Any other value is the path of a kernel; its modules, if it has any, are in C(modules/VERSION) in the same directory.
    type: str
  memory:
    description: The memory of the host in MiB, at least 128. If omitted, a new host gets 384.
    type: int
  disks:
    description: Sizes of disks in addition to the root disk, like V(4g), in binary units. If omitted, a new host has none.
    type: list
    elements: str
  networks:
    description: The networks that the host is on, in the order of its network cards. Required to create a host.
    type: list
    elements: str
  groups:
    description: Inventory groups of the host. If omitted, a new host is in none.
    type: list
    elements: str
  state:
    description:
      - V(started), the host has booted.
      - V(stopped), its power is off; its disks are kept.
      - V(absent), the host is removed with its disks.
    type: str
    choices: [started, stopped, absent]
    default: started
  power_cut:
    description: When O(state=stopped), cut the power instead of shutting the host down.
    type: bool
    default: false
  wait:
    description:
      - When O(state=started), wait until the host has booted.
      - Start many hosts without waiting, then wait for each in a second task, and they boot in parallel.
    type: bool
    default: true
  timeout:
    description: The time that a boot or a shutdown may take, in seconds, 1 to 3600.
    type: int
    default: 240
  cache:
    description:
      - The directory of the images and of the SSH key for the hosts.
      - If omitted, it is C(lunworks-iscsi/images) below E(XDG_CACHE_HOME) or C(~/.cache).
    type: path
extends_documentation_fragment:
  - lunworks.iscsi.lab
  - lunworks.iscsi.attributes
seealso:
  - module: lunworks.iscsi.lab_network
  - module: lunworks.iscsi.lab_link
"""

EXAMPLES = r"""
- name: Create a storage host
  lunworks.iscsi.lab_host:
    name: store1
    number: 1
    disks: [4g]
    networks: [management, san1, san2]
    groups: [storage]

- name: Cut its power
  lunworks.iscsi.lab_host:
    name: store1
    state: stopped
    power_cut: true

- name: Boot it again, with its disks unchanged
  lunworks.iscsi.lab_host:
    name: store1
"""

RETURN = r"""
steps:
  description: What was done, or in check mode what would be done, in order, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Power on 'store1'", "Wait until 'store1' has booted"]
state:
  description: The state of the host afterwards; null if there is none.
  returned: success
  type: dict
  contains:
    host:
      description: The properties of the host, by the options of this module, sizes in bytes.
      type: dict
      returned: always
    image:
      description: The image on which its root disk is based; empty before it is created.
      type: str
      returned: always
    kernel:
      description: The executable of its kernel.
      type: str
      returned: always
    powered_on:
      description: Whether its power is on.
      type: bool
      returned: always
    ready:
      description: Whether it has booted; false if the module did not wait for it.
      type: bool
      returned: always
  sample:
    host:
      name: store1
      number: 1
      suite: bookworm
      kernel: current
      memory: 384
      disks: [4294967296]
      networks: [san1]
      groups: []
    image: /root/.cache/lunworks-iscsi/images/bookworm-0f6fd1a2c3b4.img
    kernel: /root/.cache/lunworks-iscsi/images/kernels/7.2.7-7.2um1/linux.uml
    powered_on: true
    ready: true
"""

from dataclasses import dataclass, field, replace

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import size
from ..module_utils._converge import Resource, converge, plain
from ..module_utils._host import Problem
from ..module_utils._uml import host as uml_host
from ..module_utils._uml import image as uml_image
from ..module_utils._uml import power as uml_power
from ..module_utils._uml.controller import OPTIONS, Controller, lab_of, refuse_unfit

SPEC = {
    **OPTIONS,
    "name": {"type": "str", "required": True},
    "number": {"type": "int"},
    "suite": {"type": "str", "choices": list(uml_image.SUITES)},
    "kernel": {"type": "str"},
    "memory": {"type": "int"},
    "disks": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "power_cut": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": uml_host.PATIENCE},
    "cache": {"type": "path"},
}


@dataclass(frozen=True)
class Seen:
    """The host, if it is there, and what is to be said of the kernel of a new one."""

    power: object
    note: str = field(default="", compare=False)


class LabHost(Resource):
    def __init__(self, options):
        self.name, self.state, self.wait = options["name"], options["state"], options["wait"]
        if not 1 <= options["timeout"] <= 3600:
            raise Problem(f"The timeout {options['timeout']} is not a time in seconds from 1 to 3600.")
        cache = options["cache"] or uml_image.cache_directory()
        lab = lab_of(options["lab"], options["directory"])
        self.power = uml_power.Power(lab, cache, options["timeout"], options["power_cut"])
        made_of = ("number", "suite", "kernel", "memory", "disks", "networks", "groups")
        self.said = {key: options[key] for key in made_of if options[key] is not None}
        if "disks" in self.said:
            self.said["disks"] = [size(disk) for disk in self.said["disks"]]

    def look(self, host):
        refuse_unfit(removing=self.state == "absent")
        seen = uml_power.look_host(host, self.power.lab, self.name, self.state == "started" and self.wait)
        new = seen is None and self.state != "absent"
        return Seen(seen, uml_power.note_kernel(host, self.said, self.power.cache) if new else "")

    def want(self, seen):
        return replace(
            seen, power=uml_power.want_power(self.name, self.said, seen.power, self.state, self.wait)
        )

    def plan(self, seen, want):
        return uml_power.plan_power(self.power, seen.power, want.power)

    def refuse(self, seen, want, steps):
        uml_power.refuse_other(self.power.lab, self.name, seen.power, self.said)

    def notes(self, seen, steps):
        return [seen.note] if seen.note else []

    def show(self, state):
        return plain(state.power)


def main():
    converge(AnsibleModule(SPEC, supports_check_mode=True), LabHost, Controller())


if __name__ == "__main__":
    main()
