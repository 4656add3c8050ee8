# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP in the data of a SAN: whether both sides say the same."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import iscsi_name, target_key
from ..module_utils._chap import NO_CHAP, Chap, chap
from ..module_utils._host import Problem
from ..plugin_utils._san_use import Clash, Place, named_targets, numbered

DOCUMENTATION = r"""
name: chap_faults
short_description: Check the CHAP credentials in the data of a SAN
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbooks C(lunworks.iscsi.site) and C(lunworks.iscsi.rotate_chap), before any host is touched.
  - "It finds secrets that are too short or too long, the same secret in both directions, a host and its igroup whose
    credentials differ, a host without CHAP whose igroup requires it, CHAP that no igroup requires, and targets without CHAP."
  - Targets that no host of the inventory declares (arrays) are not checked. The sentences contain no secrets.
positional: _input, targets, required
options:
  _input:
    description:
      - For each host, by its name, O(lunworks.iscsi.target#role:main:target_targets),
        O(lunworks.iscsi.initiator#role:main:initiator_name) and O(lunworks.iscsi.initiator#role:main:initiator_nodes).
    type: dict
    required: true
  targets:
    description: The names of the targets to look at, separated by commas; empty for all of them.
    type: str
    default: ''
  required:
    description:
      - Whether CHAP is required, on both sides.
      - With V(false), CHAP on neither side is not a fault, nor is it on the host alone where the target is on an array that is
        configured by hand (V(manual)), or where no igroup has the host.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Both sides say the same
  ansible.builtin.assert:
    that: san | lunworks.iscsi.chap_faults == []
    fail_msg: "{{ san | lunworks.iscsi.chap_faults | join(' ') }}"
"""

RETURN = r"""
_value:
  description: One sentence for each fault; empty if there is none.
  type: list
  elements: str
"""


def chap_faults(
    parts: Mapping[str, Mapping[str, Any]], targets: str = "", required: bool = True
) -> list[str]:
    """What is wrong with the CHAP credentials of all hosts, as sentences without secrets."""
    return [clash.said for clash in chap_clashes(parts, targets, required)]


def chap_clashes(
    parts: Mapping[str, Mapping[str, Any]], targets: str = "", required: bool = True
) -> list[Clash]:
    """The same, each with where its parts stand."""
    try:
        chosen = named_targets(targets)
        groups = list(_groups(parts, chosen))
        nodes = list(_nodes(parts, chosen))
        known = {one.target for one in (*groups, *nodes)}
        found = [
            f"There is no CHAP in the inventory for '{name}': neither an igroup of it nor a node has the option 'chap'."
            for name in sorted(chosen - known)
        ]
        if required and not found and not groups and not nodes:
            found = ["There is no CHAP in the inventory: no igroup and no node has the option 'chap'."]
        return [
            *map(Clash, found),
            *(Clash(one.chap, (one.place,)) for one in (*groups, *nodes) if isinstance(one.chap, str)),
            *_disagreements(parts, groups, nodes),
            *_one_sided(parts, groups, nodes, required),
        ]
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The inventory data of the SAN does not have the form that the roles document: {error!r}"
        ) from error


class Entry(NamedTuple):
    """An igroup or a node with CHAP: who says it, the target, its CHAP or what is wrong with it, what has it, and where."""

    who: str
    target: str
    chap: Any
    entry: Mapping[str, Any]
    place: Place


def _groups(parts: Mapping[str, Mapping[str, Any]], chosen: set[str]) -> Iterator[Entry]:
    for host, part in parts.items():
        for position, target in numbered(part, "target_targets", "igroups"):
            name = target_key(target["name"])
            for number, group in numbered(target, "igroups", "chap") if not chosen or name in chosen else []:
                who = f"igroup '{group['name']}' of '{name}' ('{host}')"
                place = (host, ("target_targets", position, "igroups", number, "chap"))
                yield Entry(who, name, _read(f"The {who}", group["chap"]), group, place)


def _nodes(parts: Mapping[str, Mapping[str, Any]], chosen: set[str]) -> Iterator[Entry]:
    for host, part in parts.items():
        for number, node in numbered(part, "initiator_nodes", "chap"):
            name = target_key(node["target"])
            if not chosen or name in chosen:
                place = (host, ("initiator_nodes", number, "chap"))
                yield Entry(host, name, _read(f"The node '{name}' of '{host}'", node["chap"]), node, place)


def _read(whose: str, given: Any) -> Chap | str:
    try:
        return chap(dict(given)) or NO_CHAP
    except Problem as problem:
        return f"{whose}: {problem}"
    except (KeyError, TypeError, ValueError):
        return f"{whose}: chap has a user and a secret, and with them a mutual_user and a mutual_secret or neither."


def _disagreements(
    parts: Mapping[str, Mapping[str, Any]], groups: list[Entry], nodes: list[Entry]
) -> Iterator[Clash]:
    """A host that would prove itself otherwise than its igroup asks."""
    for node in nodes:
        host, proof = node.who, node.chap
        for asked in _asked(groups, node.target, parts[host].get("initiator_name")):
            if not isinstance(asked.chap, str) and not isinstance(proof, str) and asked.chap != proof:
                what = _what(asked.chap, proof)
                yield Clash(
                    f"'{host}' and the {asked.who} do not have the same CHAP {what} for '{node.target}'.",
                    (node.place, asked.place),
                )


def _one_sided(
    parts: Mapping[str, Mapping[str, Any]], groups: list[Entry], nodes: list[Entry], required: bool
) -> Iterator[Clash]:
    """CHAP that only one side says. Targets that nobody declares (arrays) are not judged."""
    declared = {target_key(t["name"]) for part in parts.values() for t in part.get("target_targets") or []}
    for host, target, proof, _node, place in nodes:
        own = parts[host].get("initiator_name")
        if target not in declared or not own or _asked(groups, target, own):
            continue
        if required:
            said = f"'{host}' has CHAP for '{target}', but no igroup with '{own}' requires it there."
            yield Clash(said, (place,))
        elif proof != NO_CHAP:
            yield from (
                Clash(
                    f"'{host}' has CHAP credentials for '{target}', but its {who} requires none, and would let in who has none. "
                    "Give both the same chap, or take it out of both (an igroup that was served with CHAP keeps it until its "
                    "chap has an empty user and secret).",
                    (place, there),
                )
                for who, there in _without(parts, target, own)
            )
    yield from _unproven(parts, groups, nodes, required)


def _without(parts: Mapping[str, Mapping[str, Any]], target: str, own: str) -> Iterator[tuple[str, Place]]:
    """The igroups of a target that have an initiator and no CHAP; what people set by hand is not known."""
    for host, part in parts.items():
        if part.get("target_provider") == "manual":
            continue
        for position, declared in numbered(part, "target_targets", "igroups"):
            if target_key(declared["name"]) == target:
                for number, group in numbered(declared, "igroups"):
                    if not group.get("chap") and _has(group, own):
                        place = (host, ("target_targets", position, "igroups", number))
                        yield f"igroup '{group['name']}' ('{host}')", place


def _unproven(
    parts: Mapping[str, Mapping[str, Any]], groups: list[Entry], nodes: list[Entry], required: bool
) -> Iterator[Clash]:
    """Hosts that have no credentials for an igroup that asks for them."""
    told = {(node.who, node.target) for node in nodes}
    for host, part in parts.items():
        own = part.get("initiator_name")
        for number, node in numbered(part, "initiator_nodes", "target"):
            target = target_key(node["target"])
            for asked in _asked(groups, target, own) if (host, target) not in told else []:
                if required or asked.chap != NO_CHAP:
                    yield Clash(
                        f"The {asked.who} requires CHAP, but the node '{target}' of '{host}' has none.",
                        ((host, ("initiator_nodes", number)), asked.place),
                    )


def _asked(groups: list[Entry], target: str, own: Any) -> list[Entry]:
    """The igroups of a target that have an initiator and CHAP."""
    return [group for group in groups if group.target == target and _has(group.entry, own)]


def _has(group: Mapping[str, Any], initiator: Any) -> bool:
    return bool(initiator) and target_key(initiator) in {
        iscsi_name(name) for name in group.get("initiators") or []
    }


def _what(one: Chap, other: Chap) -> str:
    names = ("user", "secret", "mutual_user", "mutual_secret")
    return " and ".join(name for name in names if getattr(one, name) != getattr(other, name))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"chap_faults": chap_faults}
