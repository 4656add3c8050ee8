# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What contradicts itself in the data of a whole SAN, found before any host is touched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any, Iterable, Iterator, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import Portal, iscsi_name, portal, target_key
from ..module_utils._host import Problem
from ..module_utils._net.sockets import meet
from ..module_utils._providers import provider
from ..module_utils._san.wwid import serial_of, wwid_of_lio
from ..plugin_utils._san_use import (
    Use,
    hosts_that_share,
    listed,
    present,
    provider_name,
    uses_of,
    wwid_of,
)

DOCUMENTATION = r"""
name: san_faults
short_description: Find the contradictions in the data of a SAN
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Reads the role variables of all hosts (O(lunworks.iscsi.target#role:main:target_targets),
    O(lunworks.iscsi.initiator#role:main:initiator_name), O(lunworks.iscsi.initiator#role:main:initiator_ifaces),
    O(lunworks.iscsi.initiator#role:main:initiator_nodes), O(lunworks.iscsi.volume#role:main:volume_groups),
    O(lunworks.iscsi.volume#role:main:volume_filesystems)) together and reports what no single host can know.
  - "It finds an initiator name, a target or a serial that two things share; a LUN that two hosts or two igroups use although
    C(shared: true) is not set; a host that waits for a LUN that its storage host does not have, does not map to it, or has
    with another WWID; a portal that the target does not listen on (V(0.0.0.0) and V([::]) stand for all its addresses); a LUN,
    a volume group or a mount point that occurs twice on one host; a file system directly on a LUN that another host uses too;
    what the storage software (O(lunworks.iscsi.target#role:main:target_provider)) cannot enforce."
  - The WWID of a LUN is its own C(wwid) in the data, or else what the storage software of its host makes of its serial.
  - Targets that no host of the inventory declares (arrays) are not checked. To have an array checked like a storage host,
    declare it with C(target_provider=manual).
positional: _input, hosts
options:
  _input:
    description: The variables of each host by its name, like C(hostvars) if no host's data refers to another's.
    type: dict
    required: true
  hosts:
    description: The names of the hosts to check. If omitted, all of them.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: The SAN is free of contradictions
  ansible.builtin.assert:
    that: hostvars | lunworks.iscsi.san_faults == []
    fail_msg: "{{ hostvars | lunworks.iscsi.san_faults | join(' ') }}"
"""

RETURN = r"""
_value:
  description: One sentence for each fault; empty if there is none.
  type: list
  elements: str
"""


@dataclass
class Served:
    """A target as its storage host declares it."""

    host: str
    provider: str
    name: str
    portals: set[Portal] = field(default_factory=set)
    luns: dict[str, dict[str, Any]] = field(default_factory=dict)
    igroups: list[dict[str, Any]] = field(default_factory=list)

    def given(self, lun: str, initiator: str) -> bool:
        """Whether an igroup with this initiator has this LUN."""
        return any(initiator in _initiators(group) and lun in _mapped(group) for group in self.igroups)

    def wwid(self, lun: str) -> str:
        """The WWID of one of its LUNs; '' if only the array knows it."""
        return wwid_of(self.provider, self.name, lun, self.luns[lun])


def san_faults(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str] | None = None) -> list[str]:
    """The faults of a SAN as sentences."""
    names = sorted(hostvars if hosts is None else hosts)
    data = {name: hostvars[name] for name in names}
    try:
        targets = dict(_targets(data))
        luns = {name: target.luns for name, target in targets.items()}
        known = {one.wwid(lun): (name, lun) for name, one in targets.items() for lun in one.luns}
        uses = list(uses_of(data, known))
        return [
            *_twice("initiator name", sorted(set(_initiators_of(data)))),
            *_twice(
                "target",
                (
                    (target_key(t["name"]), name)
                    for name in names
                    for t in present(data[name], "target_targets")
                ),
            ),
            *_twice("serial", _serials(targets)),
            *_twice("WWID", _given_wwids(targets)),
            *_igroups_that_share(targets),
            *_hosts_of_one_igroup(data, targets, uses),
            *hosts_that_share(uses, luns),
            *_luns_that_never_come(data, targets, uses),
            *_portals_that_do_not_answer(data, targets),
            *_twice_on_a_host(data),
            *_not_enforced(data),
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The inventory data of the SAN does not have the form that the roles document: {error!r}"
        ) from error
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem


def _initiators_of(data: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each name that a host gives to targets, its own and those of its ifaces, and the host."""
    for host, vars_ in data.items():
        names = [iface.get("initiator_name") for iface in present(vars_, "initiator_ifaces")]
        for name in [vars_.get("initiator_name"), *names]:
            if name:
                yield target_key(name), host


def _initiators(group: Mapping[str, Any]) -> set[str]:
    return {iscsi_name(name) for name in group.get("initiators") or []}


def _mapped(group: Mapping[str, Any]) -> list[str]:
    """The LUNs that an igroup has; an entry may be taken from it."""
    entries = [{"name": lun} if isinstance(lun, str) else lun for lun in group.get("luns") or []]
    return [lun["name"] for lun in entries if lun.get("state", "present") != "absent"]


def _targets(data: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Served]]:
    for host, vars_ in data.items():
        for target in present(vars_, "target_targets"):
            yield (
                target_key(target["name"]),
                Served(
                    host=host,
                    provider=provider_name(vars_),
                    name=target_key(target["name"]),
                    portals={portal(text) for text in target.get("portals") or []},
                    luns={lun["name"]: lun for lun in present(target, "luns")},
                    igroups=present(target, "igroups"),
                ),
            )


def _twice(what: str, uses: Iterable[tuple[str, str]]) -> list[str]:
    by_value = defaultdict(list)
    for value, user in uses:
        by_value[value].append(user)
    return [
        f"The {what} '{value}' is used by {listed(users)}; give each its own."
        for value, users in by_value.items()
        if len(users) > 1
    ]


def _serials(targets: Mapping[str, Served]) -> Iterator[tuple[str, str]]:
    for name, target in targets.items():
        for lun in target.luns.values():
            if not lun.get("wwid"):
                yield str(lun.get("serial") or serial_of(name, lun["name"])).lower(), f"{name} {lun['name']}"


def _given_wwids(targets: Mapping[str, Served]) -> Iterator[tuple[str, str]]:
    for name, target in targets.items():
        yield from (
            (target.wwid(lun), f"{name} {lun}") for lun, one in target.luns.items() if one.get("wwid")
        )


def _igroups_that_share(targets: Mapping[str, Served]) -> Iterator[str]:
    for name, target in targets.items():
        for lun in target.luns.values():
            groups = [group["name"] for group in target.igroups if lun["name"] in _mapped(group)]
            if len(groups) > 1 and not lun.get("shared"):
                yield (
                    f"The LUN '{lun['name']}' of '{name}' is given to the igroups {listed(groups)}. Two hosts that write "
                    f"to one LUN destroy its data; if they know of each other (a cluster), set 'shared: true' there."
                )


def _hosts_of_one_igroup(
    data: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Served], uses: Iterable[Use]
) -> Iterator[str]:
    """Nothing would keep the second host away from a volume group of the first."""
    owners = dict(_initiators_of(data))
    told = [(use.target, use.lun) for use in uses]
    for name, target in targets.items():
        for group in target.igroups:
            hosts = {owners[one] for one in _initiators(group) if one in owners}
            luns = [lun for lun in _mapped(group) if not target.luns.get(lun, {}).get("shared")]
            luns = [lun for lun in luns if told.count((name, lun)) < 2]  # more is a fault of its own
            if len(hosts) > 1 and luns:
                yield (
                    f"The igroup '{group['name']}' of '{name}' gives the LUNs {listed(luns)} to {listed(hosts)}. Two hosts "
                    "that write to one LUN destroy its data; give each its own igroup, or if they know of each other (a "
                    "cluster), set 'shared: true' at the LUN."
                )


def _luns_that_never_come(
    data: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Served], uses: Iterable[Use]
) -> Iterator[str]:
    own = {name: _own_wwids(target) for name, target in targets.items()}
    for use in uses:
        host, lun, target = use.host, use.lun, targets.get(use.target)
        if target is None:
            continue
        wants = f"'{host}' wants the LUN '{lun}' of '{use.target}' for {use.purpose}, but"
        if _never_logs_in(data[host], use.target):
            yield f"{wants} none of its initiator_nodes is that target, so it never logs in there. Add it to them."
        if lun not in target.luns:
            yield f"{wants} '{target.host}' declares no such LUN (it has {listed(target.luns) or 'none'})."
        elif not use.wwid and lun in own[use.target]:
            how = (
                "gives it its own serial, so that its WWID is"
                if target.luns[lun].get("serial")
                else "has it with the WWID"
            )
            yield (
                f"{wants} '{target.host}' {how} {own[use.target][lun]} and not the one that follows from its names. Name it "
                "by this wwid there."
            )
        elif not use.wwid and not target.wwid(lun):
            yield (
                f"{wants} its WWID does not follow from its names with '{target.provider}' on '{target.host}', and the inventory "
                "has no wwid for it. Give the LUN there the wwid that the array or a host shows, if it stays the same, and name "
                "it by this wwid on the host."
            )
        elif data[host].get("initiator_name") and not target.given(
            lun, target_key(data[host]["initiator_name"])
        ):
            yield f"{wants} no igroup gives it to the initiator '{target_key(data[host]['initiator_name'])}'."


def _never_logs_in(vars_: Mapping[str, Any], target: str) -> bool:
    """Whether a host that lists its targets lists another: it may have found this one by a discovery instead."""
    nodes = present(vars_, "initiator_nodes")
    return (
        bool(nodes)
        and not vars_.get("initiator_discovery")
        and target not in {target_key(node["target"]) for node in nodes}
    )


def _own_wwids(target: Served) -> dict[str, str]:
    """The WWIDs that do not follow from names, as a host derives them; of two LUNs with one WWID another fault tells."""
    wwids = {lun: target.wwid(lun) for lun in target.luns}
    return {
        lun: wwid
        for lun, wwid in wwids.items()
        if wwid and wwid != wwid_of_lio(serial_of(target.name, lun)) and list(wwids.values()).count(wwid) == 1
    }


def _portals_that_do_not_answer(
    data: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Served]
) -> Iterator[str]:
    for host, vars_ in data.items():
        for node in present(vars_, "initiator_nodes"):
            target = targets.get(target_key(node["target"]))
            if target is None or not target.portals:
                continue
            for text in node.get("portals") or []:
                where = portal(text, names=True)
                if not any(one.port == where.port and meet(one, where) for one in target.portals):
                    yield (
                        f"'{host}' logs in to '{node['target']}' at '{text}', where '{target.host}' does not serve it "
                        f"(it does at {listed(map(str, target.portals))})."
                    )


def _twice_on_a_host(data: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for host, vars_ in data.items():
        groups = present(vars_, "volume_groups")
        mounted = [one for g in groups for one in present(g, "volumes")] + present(
            vars_, "volume_filesystems"
        )
        for what, names in (
            ("volume group", [g["name"] for g in groups]),
            ("mount point", [normpath(one["mount"]) for one in mounted if one.get("mount")]),
        ):
            for name in sorted({name for name in names if names.count(name) > 1}):
                yield f"'{host}' has the {what} '{name}' more than once."


def _not_enforced(data: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is asked of storage software that does not have it."""
    for host, vars_ in data.items():
        software = provider(provider_name(vars_))
        for target in present(vars_, "target_targets"):
            try:
                software.refuse(target)
            except Problem as problem:
                yield f"'{host}': {problem}"


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_faults": san_faults}
