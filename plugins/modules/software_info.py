#!/usr/bin/python
# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: software_info
short_description: Return which packages are missing and which units run, in one quick call
version_added: 1.0.0
description:
  - Asks C(dpkg-query) or C(rpm) about packages and C(systemctl) about units. A package manager and
    M(ansible.builtin.systemd_service) are then needed only if something is missing, and each of them takes several times as
    long.
  - The roles of this collection call it first, so that a run that changes nothing is quick.
  - Changes nothing.
author:
  - The lunworks.iscsi authors (@lunworks)
options:
  packages:
    description: The names of packages.
    type: list
    elements: str
    default: []
  programs:
    description: The names of programs, for a distribution whose packages have other names.
    type: list
    elements: str
    default: []
  units:
    description: The names of systemd units, with their suffix.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - lunworks.iscsi.attributes.info
"""

EXAMPLES = r"""
- name: Find what is still to be installed
  lunworks.iscsi.software_info:
    packages: [open-iscsi, multipath-tools]
    units: [multipathd.service]
  register: software

- name: Install it
  ansible.builtin.package:
    name: "{{ software.missing }}"
  when: software.missing | length > 0
"""

RETURN = r"""
missing:
  description:
    - The O(packages) that are not installed, in their order. If neither dpkg nor rpm has a database, all of them; and always
      those that are not a plain package name (with a version, a URL, a feature that another package provides).
  returned: success
  type: list
  elements: str
missing_programs:
  description: The O(programs) that are in none of the directories in which programs usually are, in their order.
  returned: success
  type: list
  elements: str
units:
  description: >-
    The O(units) by name, each with C(found) (whether systemd knows it), C(enabled) and C(active). Empty on a host without
    systemd.
  returned: success
  type: dict
  sample: {multipathd.service: {found: true, enabled: true, active: true}}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._converge import tell
from ..module_utils._software import missing, missing_programs, units

SPEC = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "programs": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "list", "elements": "str", "default": []},
}


def question(options, host):
    return {
        "missing": missing(host, options["packages"]),
        "missing_programs": missing_programs(host, options["programs"]),
        "units": units(host, options["units"]),
    }


def main():
    tell(AnsibleModule(SPEC, supports_check_mode=True), question)


if __name__ == "__main__":
    main()
