# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What contradicts itself in the data of a whole SAN, found before any host is touched."""

from __future__ import annotations

from collections import defaultdict
from posixpath import normpath
from typing import Any, Iterable, Iterator, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import portal, target_key
from ..module_utils._host import Problem
from ..module_utils._net.sockets import meet
from ..module_utils._providers import provider
from ..module_utils._san.wwid import DERIVED, serial_of
from ..plugin_utils._form import lacking
from ..plugin_utils._inventory.fault import Path, nearest, target_meant
from ..plugin_utils._san_served import (
    Data,
    Served,
    initiator_names,
    initiators,
    mapped,
    nodes_of,
    served_targets,
)
from ..plugin_utils._san_use import (
    Clash,
    Place,
    Use,
    hosts_that_share,
    listed,
    numbered,
    provider_name,
    uses_of,
)
from ..plugin_utils._typed import truths
from .to_initiator_name import declared_name

DOCUMENTATION = r"""
name: san_faults
short_description: Find the contradictions in the data of a SAN
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Reads the role variables of all hosts (O(lunworks.iscsi.target#role:main:target_targets),
    O(lunworks.iscsi.initiator#role:main:initiator_name) or
    O(lunworks.iscsi.initiator#role:main:initiator_naming_authority), O(lunworks.iscsi.initiator#role:main:initiator_ifaces),
    O(lunworks.iscsi.initiator#role:main:initiator_nodes), O(lunworks.iscsi.volume#role:main:volume_groups),
    O(lunworks.iscsi.volume#role:main:volume_filesystems)) together and reports what no single host can know.
  - "It finds an initiator name, a target, a serial or the file of a LUN that two things share; a LUN that two hosts or two
    igroups use although C(shared: true) is not set; a host that waits for a LUN that its storage host does not have, does not
    map to it, or has with another WWID, or to whose target it never logs in; a portal that the target does not listen on
    (V(0.0.0.0) and V([::]) stand for all its addresses); a LUN, a volume group or a mount point that occurs twice on one host;
    a file system directly on a LUN that another host uses too; what the storage software
    (O(lunworks.iscsi.target#role:main:target_provider)) cannot enforce."
  - The WWID of a LUN is its own C(wwid) in the data, or else what the storage software of its host makes of its serial.
  - Targets that no host of the inventory declares (arrays) are not checked, except for names that must be misspelled. To have an
    array checked like a storage host, declare it with C(target_provider=manual).
  - A host logs in to a target if O(lunworks.iscsi.initiator#role:main:initiator_nodes) has it, or may have found it if
    O(lunworks.iscsi.initiator#role:main:initiator_discovery) is not empty.
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


def san_faults(hostvars: Data, hosts: Iterable[str] | None = None) -> list[str]:
    """The faults of a SAN as sentences."""
    return [clash.said for clash in clashes(hostvars, hosts)]


def clashes(hostvars: Data, hosts: Iterable[str] | None = None) -> list[Clash]:
    """The same, each with where its parts stand."""
    names = sorted(hostvars if hosts is None else hosts)
    data = {name: hostvars[name] for name in names}
    for name in names:
        _read_alone(name, data[name])
    try:
        targets = dict(served_targets(data))
        luns = {name: target.luns for name, target in targets.items()}
        known = {one.wwid(lun): (name, lun) for name, one in targets.items() for lun in one.luns}
        uses = list(uses_of(data, known))
        return [
            *_initiator_names_twice(data),
            *_targets_twice(data),
            *_twice("serial", _serials(targets)),
            *_twice("WWID", _given_wwids(targets)),
            *_paths_of_two_luns(targets),
            *_igroups_that_share(targets),
            *_luns_that_no_target_has(targets),
            *_hosts_of_one_igroup(data, targets, uses),
            *hosts_that_share(uses, luns),
            *_luns_that_never_come(data, targets, uses),
            *_targets_that_go(data, targets, uses),
            *_targets_without_a_login(data, targets, uses),
            *_targets_that_nobody_has(data, targets, uses),
            *_portals_that_do_not_answer(data, targets),
            *_twice_on_a_host(data),
            *_not_enforced(data),
        ]
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem


def _read_alone(host: str, variables: Mapping[str, Any]) -> None:
    """The data of one host by itself: what is wrong with its form is said with its name."""
    data = {host: variables}
    try:
        targets = dict(served_targets(data))
        list(initiator_names(data))
        for target in targets.values():
            list(map(target.wwid, target.luns))
            for group in target.igroups.values():
                initiators(group), mapped(group), group["name"]
        list(uses_of(data, {}))
        list(_portals_that_do_not_answer(data, targets))
        list(_twice_on_a_host(data))
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The data of '{host}' does not have the form that the roles document: {lacking(error)}. The playbook "
            "lunworks.iscsi.validate names the place."
        ) from error
    except (Problem, AnsibleFilterError) as problem:
        raise AnsibleFilterError(f"The data of '{host}': {problem}") from problem


def _twice(what: str, uses: Iterable[tuple[str, str, Place]]) -> Iterator[Clash]:
    """A value of which each user must have its own."""
    by_value: dict[str, list[tuple[str, Place]]] = defaultdict(list)
    for value, user, place in uses:
        by_value[value].append((user, place))
    for value, found in by_value.items():
        if len(found) > 1:
            users = listed(user for user, _place in found)
            said = f"The {what} '{value}' is used by {users}; give each its own."
            yield Clash(said, tuple(place for _user, place in found))


def _initiator_names_twice(data: Data) -> Iterator[Clash]:
    """A host may give one name by several ifaces."""
    first = {(name, place[0]): place for name, place in reversed(list(initiator_names(data)))}
    return _twice("initiator name", sorted((name, host, place) for (name, host), place in first.items()))


def _targets_twice(data: Data) -> Iterator[Clash]:
    entries = [(host, *one) for host in data for one in numbered(data[host], "target_targets")]
    return _twice(
        "target",
        (
            (target_key(target["name"]), host, (host, ("target_targets", number)))
            for host, number, target in entries
        ),
    )


def _serials(targets: Mapping[str, Served]) -> Iterator[tuple[str, str, Place]]:
    for name, target in targets.items():
        for lun in target.luns.values():
            if not lun.get("wwid"):
                serial = str(lun.get("serial") or serial_of(name, lun["name"])).lower()
                yield serial, f"{name} {lun['name']}", target.place_of(lun["name"])


def _given_wwids(targets: Mapping[str, Served]) -> Iterator[tuple[str, str, Place]]:
    for name, target in targets.items():
        for lun, one in target.luns.items():
            if one.get("wwid"):
                yield target.wwid(lun), f"{name} {lun}", target.place_of(lun)


def _paths_of_two_luns(targets: Mapping[str, Served]) -> Iterator[Clash]:
    """Files and devices that a host would serve as two disks; on an array a path is a name, and the array sees to it."""
    served: dict[tuple[str, str], dict[str, Place]] = defaultdict(dict)
    for name, target in targets.items():
        for lun in target.luns.values() if provider(target.provider).on_host else ():
            if lun.get("path"):
                users = served[target.host, normpath(str(lun["path"]))]
                users[f"{name} {lun['name']}"] = target.place_of(lun["name"])
    for (host, path), users in served.items():
        if len(users) > 1:
            yield Clash(
                f"'{host}' serves '{path}' as {listed(users)}. Hosts take these for different disks and destroy each other's "
                "data; give each LUN its own.",
                tuple(users.values()),
            )


def _igroups_that_share(targets: Mapping[str, Served]) -> Iterator[Clash]:
    for name, target in targets.items():
        for lun in target.luns.values():
            groups = {number: one for number, one in target.igroups.items() if lun["name"] in mapped(one)}
            if len(groups) > 1 and not lun.get("shared"):
                named = listed(group["name"] for group in groups.values())
                yield Clash(
                    f"The LUN '{lun['name']}' of '{name}' is given to the igroups {named}. Two hosts that write "
                    f"to one LUN destroy its data; if they know of each other (a cluster), set 'shared: true' there.",
                    tuple(target.place("igroups", number) for number in groups),
                )


def _luns_that_no_target_has(targets: Mapping[str, Served]) -> Iterator[Clash]:
    """Where the data has no LUNs at all, storage software may have them; an array that a person or a role sets up may not."""
    for name, target in targets.items():
        judged = target.luns or not provider(target.provider).on_host
        for number, group in target.igroups.items() if judged else ():
            for lun, position in mapped(group).items():
                if lun not in target.luns:
                    yield Clash(
                        f"The igroup '{group['name']}' of '{name}' has the LUN '{lun}', which '{target.host}' does not "
                        f"declare (it has {listed(target.luns) or 'none'}). "
                        + (_meant(lun, target.luns) or "Declare it, or take it out."),
                        (target.place("igroups", number, "luns", position),),
                    )


def _meant(name: str, names: Iterable[str], like: float = 0.6) -> str:
    """The name that is most like a wrong one, as a question; '' where none is."""
    near = nearest(name, names, like)
    return f"Is '{near}' meant?" if near else ""


def _hosts_of_one_igroup(data: Data, targets: Mapping[str, Served], uses: Iterable[Use]) -> Iterator[Clash]:
    """Nothing would keep the second host away from a volume group of the first."""
    owners = {name: host for name, (host, _path) in initiator_names(data)}
    told = [(use.target, use.lun) for use in uses]
    for name, target in targets.items():
        for number, group in target.igroups.items():
            hosts = {owners[one] for one in initiators(group) if one in owners}
            luns = [lun for lun in mapped(group) if not target.luns.get(lun, {}).get("shared")]
            luns = [lun for lun in luns if told.count((name, lun)) < 2]  # more is a fault of its own
            if len(hosts) > 1 and luns:
                yield Clash(
                    f"The igroup '{group['name']}' of '{name}' gives the LUNs {listed(luns)} to {listed(hosts)}. Two hosts "
                    "that write to one LUN destroy its data; give each its own igroup, or if they know of each other (a "
                    "cluster), set 'shared: true' at the LUN.",
                    (target.place("igroups", number),),
                )


def _luns_that_never_come(data: Data, targets: Mapping[str, Served], uses: Iterable[Use]) -> Iterator[Clash]:
    for use in uses:
        target = targets.get(use.target)
        if target is not None:
            wants = f"'{use.host}' wants the LUN '{use.lun}' of '{use.target}' for {use.purpose}, but"
            for why in _why_never(data[use.host], target, use):
                yield Clash(f"{wants} {why}", (use.place,))


def _why_never(vars_: Mapping[str, Any], target: Served, use: Use) -> Iterator[str]:
    """Why a host never gets a LUN of a target that the inventory declares."""
    lun, tells = use.lun, provider(target.provider).tells_wwids
    if lun not in target.luns:
        near = _meant(lun, target.luns)
        has = f"'{target.host}' declares no such LUN (it has {listed(target.luns) or 'none'})."
        yield f"{has} {near}".rstrip()
    elif not use.wwid and not tells and lun in target.own_wwids(use.provider):
        yield _own_wwid(target, use)
    elif not use.wwid and not tells and not target.wwid(lun):
        yield (
            f"its WWID does not follow from its names with '{target.provider}' on '{target.host}', and the inventory "
            "has no wwid for it. Give the LUN there the wwid that the array or a host shows, if it stays the same, and name "
            "it by this wwid on the host."
        )
    elif _own_name(use.host, vars_):
        initiator = _own_name(use.host, vars_)
        if not target.given(lun, initiator) and not target.misnames(initiator):
            yield f"no igroup gives it to the initiator '{initiator}'."


def _own_wwid(target: Served, use: Use) -> str:
    own = target.own_wwids(use.provider)[use.lun]
    how = (
        "gives it its own serial, so that its WWID is"
        if target.luns[use.lun].get("serial")
        else "has it with the WWID"
    )
    either = (
        f", or say 'provider: {target.provider}' there"
        if target.provider in DERIVED and use.lun not in target.own_wwids(target.provider)
        else ""
    )
    return (
        f"'{target.host}' {how} {own} and not the one that follows from its names. Write 'wwid: {own}' there instead of its "
        f"target and name{either}."
    )


def _targets_that_go(data: Data, targets: Mapping[str, Served], uses: Iterable[Use]) -> Iterator[Clash]:
    gone = {
        target_key(target["name"]): (host, ("target_targets", number))
        for host, vars_ in data.items()
        for number, target in enumerate(vars_.get("target_targets") or [])
        if target.get("state") == "absent"
    }
    for use in uses:
        if use.target in gone and use.target not in targets:
            yield Clash(
                f"'{use.host}' wants the LUN '{use.lun}' of '{use.target}' for {use.purpose}, but '{gone[use.target][0]}' "
                "removes that target (state: absent). Take it out of one of them.",
                (use.place, gone[use.target]),
            )


LIKE = 0.8  # a target's name is long, and most of it is the same for all


def _targets_without_a_login(
    data: Data, targets: Mapping[str, Served], uses: Iterable[Use]
) -> Iterator[Clash]:
    """Targets that a host wants LUNs of and does not list; it may find them by a discovery instead."""
    wanted = defaultdict(list)
    for use in uses:
        if use.target and _never_logs_in(data[use.host], use.target):
            wanted[use.host, use.target].append(use)
    for (host, name), own in wanted.items():
        nodes, known = nodes_of(data[host]), name in targets
        near = _meant(
            name, [one for one in nodes if one not in targets] if known else [*nodes, *targets], LIKE
        )
        if known or nodes and (targets or near):  # else somebody else may see to the login
            luns = dict.fromkeys(use.lun for use in own)
            nobody = "no storage host of the inventory has that target, and " if targets and not known else ""
            yield Clash(
                f"'{host}' wants the LUN{'s' if len(luns) > 1 else ''} {listed(luns)} of '{name}' for "
                f"{' and '.join(dict.fromkeys(use.purpose for use in own))}, but {nobody}"
                f"{'none of its initiator_nodes is that target' if nodes else 'it has no initiator_nodes'}, so it never logs in "
                f"there. {near or HOW_TO_LOG_IN}",
                tuple(use.place for use in own),
            )


HOW_TO_LOG_IN = (
    "Add it to them (or to initiator_discovery what finds it; type: firmware where the firmware logs in)."
)


def _never_logs_in(vars_: Mapping[str, Any], target: str) -> bool:
    return not vars_.get("initiator_discovery") and target not in nodes_of(vars_)


def _targets_that_nobody_has(
    data: Data, targets: Mapping[str, Served], uses: Iterable[Use]
) -> Iterator[Clash]:
    """Names of targets that no storage host declares, where they must be misspelled: an array need not be in the inventory. Each
    has a target with such a name that gives LUNs to the host, which names that one nowhere."""
    by_host, given = defaultdict(list), _given_to(targets)
    for use in uses:
        by_host[use.host].append(use)
    for host, vars_ in data.items():
        nodes, wanted = nodes_of(vars_), [use for use in by_host[host] if use.target]
        named = dict.fromkeys([*(use.target for use in wanted), *nodes])
        unused = {one: group for one, group in given[_own_name(host, vars_)].items() if one not in named}
        for name in [one for one in named if one not in targets]:
            near = target_meant(name, unused)
            if near and (
                name in nodes or not nodes or not _never_logs_in(vars_, name)
            ):  # else it is told already
                own = [use.place for use in wanted if use.target == name]
                listed_at = [(host, ("initiator_nodes", nodes[name], "target"))] if name in nodes else []
                yield Clash(
                    f"'{host}' names the target '{name}', which no storage host of the inventory has. Is '{near}' meant? Its "
                    f"igroup '{unused[near]}' gives LUNs to this host, whose data does not name it.",
                    (*own, *listed_at),
                )


def _own_name(host: str, vars_: Mapping[str, Any]) -> str:
    name = declared_name(host, vars_)
    return target_key(name) if name else ""


def _given_to(targets: Mapping[str, Served]) -> dict[str, dict[str, str]]:
    """The targets that give LUNs to each initiator, and the igroup in which they do."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, target in targets.items():
        for group in target.igroups.values():
            for initiator in initiators(group) if mapped(group) else ():
                found[initiator][name] = group["name"]
    return found


def _portals_that_do_not_answer(data: Data, targets: Mapping[str, Served]) -> Iterator[Clash]:
    for host, vars_ in data.items():
        for number, node in numbered(vars_, "initiator_nodes"):
            target = targets.get(target_key(node["target"]))
            if target is None or not target.portals:
                continue
            for position, text in enumerate(node.get("portals") or []):
                where = portal(text, names=True)
                if not any(one.port == where.port and meet(one, where) for one in target.portals):
                    yield Clash(
                        f"'{host}' logs in to '{node['target']}' at '{text}', where '{target.host}' does not serve it "
                        f"(it does at {listed(map(str, target.portals))}).",
                        ((host, ("initiator_nodes", number, "portals", position)),),
                    )


def _twice_on_a_host(data: Data) -> Iterator[Clash]:
    for host, vars_ in data.items():
        for what, names in (("volume group", _group_names(vars_)), ("mount point", _mount_points(vars_))):
            places: dict[str, list[Place]] = defaultdict(list)
            for name, path in names:
                places[name].append((host, path))
            for name, found in sorted(places.items()):
                if len(found) > 1:
                    yield Clash(f"'{host}' has the {what} '{name}' more than once.", tuple(found))


def _group_names(vars_: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for number, group in numbered(vars_, "volume_groups"):
        yield group["name"], ("volume_groups", number)


def _mount_points(vars_: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for number, group in numbered(vars_, "volume_groups"):
        for position, volume in numbered(group, "volumes", "mount"):
            yield normpath(volume["mount"]), ("volume_groups", number, "volumes", position, "mount")
    for number, one in numbered(vars_, "volume_filesystems", "mount"):
        yield normpath(one["mount"]), ("volume_filesystems", number, "mount")


def _not_enforced(data: Data) -> Iterator[Clash]:
    """What is asked of storage software that does not have it."""
    for host, vars_ in data.items():
        software = provider(provider_name(vars_))
        for number, target in numbered(vars_, "target_targets"):
            try:
                software.refuse(truths(target))
            except Problem as problem:
                yield Clash(f"'{host}': {problem}", ((host, ("target_targets", number)),))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_faults": san_faults}
