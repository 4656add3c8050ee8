# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's data wants, as its monitoring compares it with what is there."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import portal, target_key, target_name
from ..module_utils._host import Problem
from ..module_utils._open_iscsi.conf.presets import own_settings
from ..module_utils._san.wwid import serial_of, wwid

DOCUMENTATION = r"""
name: monitoring_wanted
short_description: Convert the data of a host to what its monitoring expects
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.monitoring#role). Returns the sessions, LUNs, logical volumes and MTUs that the data of
    a host declares, for the program that compares them with what is there.
  - Nodes that are absent or not logged in, file systems, volumes and MTUs that are absent, and volumes that are not active are
    left out. There is no secret in the result.
positional: _input, groups, filesystems, paths, mtu
options:
  _input:
    description: The nodes, as in O(lunworks.iscsi.initiator#role:main:initiator_nodes).
    type: list
    elements: dict
    required: true
  groups:
    description: The volume groups, as in O(lunworks.iscsi.volume#role:main:volume_groups).
    type: list
    elements: dict
    default: []
  filesystems:
    description: The file systems directly on disks, as in O(lunworks.iscsi.volume#role:main:volume_filesystems).
    type: list
    elements: dict
    default: []
  paths:
    description: The number of paths that each LUN must have, unless its entry sets it.
    type: int
    default: 1
  mtu:
    description: The NICs and their MTU, as in O(lunworks.iscsi.initiator#role:main:initiator_mtu).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: What monitoring expects of this host
  ansible.builtin.debug:
    msg: "{{ initiator_nodes | lunworks.iscsi.monitoring_wanted(volume_groups, paths=2) }}"
"""

RETURN = r"""
_value:
  description: The C(sessions), C(luns), C(groups), C(nics), and C(settings), the names of those that a node sets for its records.
  type: dict
  sample:
    sessions: [{target: "iqn.2026-01.com.example:store1.db", portal: "10.77.1.11:3260", iface: default}]
    luns: [{name: db0, serial: 00e0247a-1964-592d-a511-314e22f0e162, paths: 2}]
    groups: [{name: vg_db, volumes: [data, log]}]
    nics: [{nic: eth1, mtu: 9000}]
    settings: [{target: "iqn.2026-01.com.example:store1.db", names: [node.session.timeo.replacement_timeout]}]
"""

Data = Mapping[str, Any]


def monitoring_wanted(
    nodes: Sequence[Data],
    groups: Sequence[Data] = (),
    filesystems: Sequence[Data] = (),
    paths: int = 1,
    mtu: Sequence[Data] = (),
) -> dict[str, list[Any]]:
    """Sessions, LUNs and volumes."""
    try:
        luns = [lun for group in groups for lun in group["luns"]]
        luns += [one for one in filesystems if one.get("state") != "absent"]
        sessions = {tuple(one.values()): one for node in nodes for one in _sessions(node)}
        return {
            "sessions": list(sessions.values()),
            "luns": [_lun(lun, int(paths)) for lun in luns],
            "groups": [{"name": group["name"], "volumes": _volumes(group)} for group in groups],
            "settings": list(_settings(nodes)),
            "nics": [
                {"nic": str(one["nic"]), "mtu": int(one["mtu"])}
                for one in mtu
                if one.get("state") != "absent"
            ],
        }
    except (Problem, KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"The nodes, volume groups and file systems do not have the form that the roles document: {error!r}"
        ) from error


def _sessions(node: Data) -> Iterator[dict[str, str]]:
    if node.get("state") == "absent" or node.get("logged_in") not in (None, True):
        return
    for where in node["portals"]:
        for iface in node.get("ifaces") or ["default"]:
            yield {
                "target": target_name(node["target"]),
                "portal": str(portal(where, names=True)),
                "iface": str(iface),
            }


def _settings(nodes: Sequence[Data]) -> Iterator[dict[str, Any]]:
    """What the records of a target have for themselves."""
    for node in nodes:
        names = own_settings(node)
        if names and node.get("state") != "absent":
            yield {"target": target_name(node["target"]), "names": sorted(map(str, names))}


def _lun(lun: Data, paths: int) -> dict[str, Any]:
    if lun.get("wwid"):
        known = {"name": str(lun.get("name") or lun["wwid"]), "wwid": wwid(str(lun["wwid"]))}
    else:
        name = str(lun["name"])
        known = {"name": name, "serial": serial_of(target_key(lun["target"]), name)}
    return {**known, "paths": int(lun.get("paths") or paths)}


def _volumes(group: Data) -> list[str]:
    return [
        str(volume["name"])
        for volume in group.get("volumes") or []
        if volume.get("state") != "absent" and volume.get("active") in (None, True)
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"monitoring_wanted": monitoring_wanted}
