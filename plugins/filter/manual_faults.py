# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person has not done yet on an array, as far as the hosts can see it."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import portal, target_key
from ..module_utils._host import Problem
from ..module_utils._san.manual import NAME
from ..module_utils._san.wwid import wwid
from ..plugin_utils._by_hand import Due, dues_of, initiators_of, sized
from ..plugin_utils._san_use import listed, present, provider_name, targets_of

DOCUMENTATION = r"""
name: manual_faults
short_description: Find the LUNs that a person has not mapped on an array yet
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Compares the data of storage hosts with O(lunworks.iscsi.target#role:main:target_provider=manual) with what the compute
    hosts report, and returns a sentence for each LUN that a host should have and does not have.
  - A LUN is in order if the disk with its C(wwid) is there on every portal through which the host is to be logged in, has the
    size in the data if that is set, and the LUN number if that is set.
  - Hosts without an answer are not judged, nor are initiators that no host of the data has.
positional: _input, answers
options:
  _input:
    description: The variables of each host by its name, as P(lunworks.iscsi.san_faults#filter) takes them.
    type: dict
    required: true
  answers:
    description: The results of M(lunworks.iscsi.initiator_info) by the names of the hosts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Every LUN of the arrays is where the data wants it
  ansible.builtin.assert:
    that: faults == []
    fail_msg: "{{ faults | join(' ') }}"
  vars:
    faults: "{{ san | lunworks.iscsi.manual_faults({inventory_hostname: answer}) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each fault; empty if there is none.
  type: list
  elements: str
"""

Data = Mapping[str, Any]


def manual_faults(hosts: Mapping[str, Data], answers: Mapping[str, Data]) -> list[str]:
    """The faults as sentences."""
    try:
        owners = initiators_of(hosts)
        return [
            fault
            for array, vars_ in sorted(hosts.items())
            if provider_name(vars_) == NAME
            for target in targets_of(vars_)
            for due in dues_of(target)
            for host in [owners.get(due.initiator, "")]
            if host in answers
            for fault in _faults(array, host, due, hosts[host], answers[host])
        ]
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"The data of the SAN, or an answer of initiator_info, is not in the form that is documented: {error!r}"
        ) from error


def _faults(array: str, host: str, due: Due, vars_: Data, answer: Data) -> Iterator[str]:
    sessions = [one for one in answer["sessions"] if one["target"].lower() == due.target.lower()]
    disks = [(one["portal"], disk) for one in sessions for disk in one["disks"]]
    if not due.wwid:
        yield _unnamed(array, host, due, disks)
        return
    mine = [(where, disk) for where, disk in disks if _wwid(disk) == due.wwid]
    lun = f"the LUN '{due.lun}' of '{array}'"
    if not mine:
        seen = (
            f"its sessions to '{due.target}' have {_others(disks)}"
            if sessions
            else "it is not logged in there"
        )
        yield (
            f"'{host}' has no disk with the WWID {due.wwid}, {lun}: {seen}. On '{array}', {due}; the host finds it when "
            "lunworks.iscsi.site runs again."
        )
        return
    sizes = {disk["size"] for _where, disk in mine}
    if due.size is not None and sizes != {due.size}:
        yield f"'{host}' sees {lun} with {listed(map(str, sizes))} bytes, and the data has {due.size}."
    numbers = {disk["lun"] for _where, disk in mine}
    if due.number is not None and numbers != {due.number}:
        yield f"'{host}' sees {lun} as LUN {listed(map(str, numbers))}, and the data has {due.number}."
    missing = _portals(vars_, due) - {where for where, _disk in mine}
    if missing:
        yield (
            f"'{host}' sees {lun} at {listed(where for where, _disk in mine)}, and not at {listed(missing)}: it is not mapped "
            "there, or the session is not there or has not been scanned."
        )


def _unnamed(array: str, host: str, due: Due, disks: Sequence[tuple[str, Data]]) -> str:
    fitting = [one for one in disks if due.size in (None, one[1]["size"])]
    seen = f" '{host}' has {_others(fitting)} of that size there." if fitting else ""
    return (
        f"The LUN '{due.lun}' of '{array}' has no wwid in the data, so '{host}' cannot prove that it has it. If it is not made "
        f"yet, {due}; then write the WWID that the array shows into the data.{seen}"
    )


def _others(disks: Sequence[tuple[str, Data]]) -> str:
    known = {f"LUN {disk['lun']} with the WWID {_wwid(disk)}{sized(disk['size'])}" for _where, disk in disks}
    return ", ".join(sorted(known)) or "no disk"


def _portals(vars_: Data, due: Due) -> set[str]:
    """Where the host is to be logged in to a target."""
    return {
        str(portal(text, names=True))
        for node in present(vars_, "initiator_nodes")
        if target_key(node["target"]) == due.target.lower() and node.get("logged_in") in (None, True)
        for text in node.get("portals") or []
    }


def _wwid(disk: Data) -> str:
    try:
        return wwid(disk["wwid"])
    except Problem:  # a disk that names itself otherwise
        return str(disk["wwid"])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"manual_faults": manual_faults}
