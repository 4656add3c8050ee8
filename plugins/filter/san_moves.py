# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups that the data wants on another host than the one that has their LUNs."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import iscsi_name, target_key
from ..module_utils._host import Problem
from ..module_utils._san.wwid import serial_of, wwid, wwid_of_lio
from ..plugin_utils._move.model import moves_of
from ..plugin_utils._move.side import listed
from ..plugin_utils._typed import truths

DOCUMENTATION = r"""
name: san_moves
short_description: Find the volume groups that the data of a SAN assigns to another host
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Compares the role variables of all hosts (as P(lunworks.iscsi.san_faults#filter) takes them) with what the storage hosts
    report about their LUNs. A volume group that is on LUNs of one host and in the data of another must move.
  - A volume group that is on no LUN yet, or on a C(shared) LUN, is not considered.
  - A LUN that is given by target and name, but whose WWID is not the one derived from them (another tool set its serial), is
    reported as a fault with its real WWID.
positional: _input, luns, allowed
options:
  _input:
    description: The variables of each host by its name.
    type: dict
    required: true
  luns:
    description: The result of M(lunworks.iscsi.lun_info) on each storage host, by the host's name.
    type: dict
    required: true
  allowed:
    description: Which volume groups may move; V(true) for all, or their names as a list or separated by commas.
    type: raw
    default: false
"""

EXAMPLES = r"""
- name: Which volume groups are to move
  ansible.builtin.debug:
    msg: "{{ (data | lunworks.iscsi.san_moves(luns)).moves }}"
"""

RETURN = r"""
_value:
  description: >-
    C(moves), one for each pair of hosts, with C(source), C(destination), C(groups), C(igroups) (the igroup of the destination
    by target, as its data names it), C(hosts) (these two and those that serve the LUNs), C(allowed), and C(say), sentences
    that report what the data and the LUN maps say and how to make them agree; and C(faults), sentences about problems that no
    move can fix.
  type: dict
"""

Data = Mapping[str, Any]
LIO = re.compile(r"36001405[0-9a-f]{25}")  # a WWID that LIO makes of a serial


def san_moves(parts: Mapping[str, Data], luns: Mapping[str, Data], allowed: Any = False) -> dict[str, Any]:
    """The moves that the data asks for, and what contradicts it otherwise."""
    try:
        may, luns = _allowed(allowed), {host: _folded(told) for host, told in luns.items()}
        found: dict[tuple[str, str], dict[str, Any]] = {}
        faults = []
        for destination, group in _groups(parts):
            served = list(_served(parts, luns, group))
            source, fault = _source(parts, destination, group, served)
            if fault:
                faults.append(fault)
            elif source:
                move = found.setdefault((source, destination), _move(source, destination))
                _join(move, parts, group, served, may is True or group["name"] in may)
        faults += [*_strangers(parts, luns), *_other_wwids(parts, luns)]
        return {"moves": list(found.values()), "faults": faults}
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The inventory data of the SAN does not have the form that the roles document: {error!r}"
        ) from error
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem


def _folded(told: Data) -> Data:
    """The answer of lun_info with the names of targets as they are compared: storage software may keep their spelling."""
    return {**told, "luns": [{**lun, "target": lun["target"].lower()} for lun in told["luns"]]}


def _other_wwids(parts: Mapping[str, Data], luns: Mapping[str, Data]) -> Iterator[str]:
    """LUNs that somebody else made: hosts would wait for the WWID that follows from the names, which never comes."""
    real = {
        (lun["target"], lun["name"]): (host, lun["wwid"])
        for host, told in luns.items()
        for lun in told["luns"]
    }
    for destination, group in _groups(parts):
        for one in [one for one in group["luns"] if one.get("target")]:
            target = target_key(one["target"])
            host, found = real.get((target, one["name"]), ("", ""))
            if LIO.fullmatch(found) and found != wwid_of_lio(serial_of(target, one["name"])):
                yield (
                    f"'{destination}' wants the LUN '{one['name']}' of '{target}' for the volume group '{group['name']}', "
                    f"but '{host}' serves it with a serial that others gave it, so that its WWID is {found} and not the one "
                    f"that follows from its names. Name it by its wwid there: {{wwid: {found}}}."
                )


def _allowed(said: Any) -> Any:
    """True, or the names of the groups."""
    if isinstance(said, str):
        said = {"true": True, "yes": True, "false": [], "no": [], "": []}.get(said.lower(), said.split(","))
    return said if said is True else [name.strip() for name in said or []]


def _groups(parts: Mapping[str, Data]) -> Iterator[tuple[str, Data]]:
    for host, part in parts.items():
        yield from ((host, group) for group in part.get("volume_groups") or [])


def _declared(parts: Mapping[str, Data], target: str, lun: str) -> Iterator[tuple[str, Data, list[Data]]]:
    """The storage host, the entry of a LUN, and the igroups that it is given to, as the data has them."""
    for host, part in parts.items():
        for one in map(truths, part.get("target_targets") or []):
            if target_key(one["name"]) == target:
                entry: Data = next((each for each in one.get("luns") or [] if each["name"] == lun), {})
                yield (
                    host,
                    entry,
                    [group for group in one.get("igroups") or [] if lun in _names(group.get("luns"))],
                )


def _names(luns: Any) -> list[str]:
    present = [one for one in luns or [] if isinstance(one, str) or one.get("state", "present") != "absent"]
    return [one if isinstance(one, str) else one["name"] for one in present]


def _members(igroups: list[Data]) -> frozenset[str]:
    return frozenset(iscsi_name(name) for group in igroups for name in group.get("initiators") or [])


def _served(
    parts: Mapping[str, Data], luns: Mapping[str, Data], group: Data
) -> Iterator[tuple[str, Data, list[Data]]]:
    """The LUNs of a group that carry it already: storage host, LUN, and the igroups that shall have it."""
    wanted = {
        (target_key(one["target"]), one["name"]) if one.get("target") else wwid(one["wwid"])
        for one in group["luns"]
    }
    for host, told in luns.items():
        for lun in told["luns"]:
            ours = (lun["target"], lun["name"]) in wanted or lun["wwid"] in wanted
            if ours and lun["label"] and lun["label"]["group"] == group["name"]:
                for _host, entry, igroups in _declared(parts, lun["target"], lun["name"]):
                    if not entry.get("shared"):
                        yield host, lun, igroups


def _source(
    parts: Mapping[str, Data], destination: str, group: Data, served: list[tuple[str, Data, list[Data]]]
) -> tuple[str, str]:
    """The host that has a group, '' when there is nothing to move; or why that cannot be told."""
    name = group["name"]
    moves = {pair for _host, lun, _igroups in served for pair in moves_of(frozenset(lun["label"]["tags"]))}
    for source, other in sorted(moves):
        if destination not in (source, other):
            return "", (
                f"'{name}' is in the middle of a move from '{source}' to '{other}', and the inventory wants it on "
                f"'{destination}'. Finish that move first, or take it back."
            )
        return (other if destination == source else source), ""
    holders = {one for _host, lun, igroups in served for one in _holders(lun) - _members(igroups)}
    if not holders:
        return "", ""
    owners = {one: host for host, part in parts.items() for one in _own(part)}
    hosts = {owners.get(one, "") for one in holders}
    if len(hosts) > 1 or "" in hosts:
        return "", (
            f"The inventory wants '{name}' on '{destination}', but its LUNs are mapped to {listed(holders)}"
            + (", more than one host" if len(hosts) > 1 else ", the initiator of no host in this run")
            + f". Unmap them where the group is not used, or include all hosts concerned in the run (--limit). If that is an "
            f"older name of '{destination}', rename it first (lunworks.iscsi.rename_initiator)."
        )
    return hosts.pop(), ""


def _own(part: Data) -> frozenset[str]:
    """The initiator names of a host: its own, and those of its ifaces."""
    names = [
        part.get("initiator_name"),
        *(one.get("initiator_name") for one in part.get("initiator_ifaces") or []),
    ]
    return frozenset(target_key(name) for name in names if name)


def _holders(lun: Data) -> frozenset[str]:
    return frozenset(lun["initiators"]) | frozenset(lun["saved_initiators"])


def _move(source: str, destination: str) -> dict[str, Any]:
    return {
        "source": source,
        "destination": destination,
        "groups": [],
        "igroups": {},
        "hosts": [source, destination],
        "allowed": True,
        "say": [],
    }


def _join(
    move: dict[str, Any],
    parts: Mapping[str, Data],
    group: Data,
    served: list[tuple[str, Data, list[Data]]],
    may: bool,
) -> None:
    """One more group that goes the same way."""
    own = _own(parts[move["destination"]])
    for host, lun, igroups in served:
        if host not in move["hosts"]:
            move["hosts"].append(host)
        for igroup in igroups:
            if own & _members([igroup]):
                move["igroups"][lun["target"]] = igroup["name"]
    move["groups"].append(group["name"])
    move["allowed"] = move["allowed"] and may
    names = [f"{lun['target']} {lun['name']}" for _host, lun, _igroups in served]
    move["say"].append(
        f"'{group['name']}' is on '{move['source']}', and the inventory wants it on '{move['destination']}'. To move it, use -e "
        f"allow_move={group['name']} (or allow_move=true). If it is to stay, write it into volume_groups of "
        f"'{move['source']}', "
        f"and {listed(names)} into an igroup of that host (target_targets of {listed(move['hosts'][2:])})."
    )


def _strangers(parts: Mapping[str, Data], luns: Mapping[str, Data]) -> Iterator[str]:
    """LUNs with a volume group that nobody's data names, which the data would give to another initiator than has it."""
    named = {group["name"] for _host, group in _groups(parts)}
    for told in luns.values():
        for lun in told["luns"]:
            if not lun["label"] or not lun["label"]["group"] or lun["label"]["group"] in named:
                continue
            for _host, entry, igroups in _declared(parts, lun["target"], lun["name"]):
                wanted, holders = _members(igroups), frozenset(lun["initiators"])
                if wanted - holders and holders - wanted and not entry.get("shared"):
                    yield (
                        f"The LUN '{lun['name']}' of '{lun['target']}' carries '{lun['label']['group']}' and is mapped to "
                        f"{listed(holders)}; the inventory gives it to {listed(wanted)}, and no host of this run has that group "
                        "in volume_groups. Two hosts that write to it destroy its data. Run for all hosts (without "
                        "--limit), or name the group in the inventory of its host."
                    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_moves": san_moves}
