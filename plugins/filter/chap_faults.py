# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP in the data of a SAN: whether both sides say the same."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Tuple

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import iscsi_name, target_key
from ..module_utils._chap import NO_CHAP, Chap, chap
from ..module_utils._host import Problem
from ..plugin_utils._san_use import named_targets, present

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
      - With V(false), CHAP on only one side is not a fault, since the other side may be configured already.
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
    try:
        chosen = named_targets(targets)
        groups = list(_groups(parts, chosen))
        nodes = list(_nodes(parts, chosen))
        known = {target for _who, target, _chap, _group in groups} | {node[1] for node in nodes}
        found = [
            f"There is no CHAP in the inventory for '{name}': neither an igroup of it nor a node has the option 'chap'."
            for name in sorted(chosen - known)
        ]
        if required and not found and not groups and not nodes:
            found = ["There is no CHAP in the inventory: no igroup and no node has the option 'chap'."]
        found += [said for _who, _target, said, _more in [*groups, *nodes] if isinstance(said, str)]
        return (
            found
            + list(_disagreements(parts, groups, nodes))
            + (list(_one_sided(parts, groups, nodes)) if required else [])
        )
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The inventory data of the SAN does not have the form that the roles document: {error!r}"
        ) from error


Entry = Tuple[
    str, str, Any, Any
]  # who says it, the target, its CHAP or what is wrong with it, the igroup or node


def _groups(parts: Mapping[str, Mapping[str, Any]], chosen: set[str]) -> Iterator[Entry]:
    for host, part in parts.items():
        for target in present(part, "target_targets", "igroups"):
            name = target_key(target["name"])
            for group in present(target, "igroups", "chap") if not chosen or name in chosen else []:
                who = f"igroup '{group['name']}' of '{name}' ('{host}')"
                yield who, name, _read(f"The {who}", group["chap"]), group


def _nodes(parts: Mapping[str, Mapping[str, Any]], chosen: set[str]) -> Iterator[Entry]:
    for host, part in parts.items():
        for node in present(part, "initiator_nodes", "chap"):
            name = target_key(node["target"])
            if not chosen or name in chosen:
                yield host, name, _read(f"The node '{name}' of '{host}'", node["chap"]), node


def _read(whose: str, given: Any) -> Chap | str:
    try:
        return chap(dict(given)) or NO_CHAP
    except Problem as problem:
        return f"{whose}: {problem}"
    except (KeyError, TypeError, ValueError):
        return f"{whose}: chap has a user and a secret, and with them a mutual_user and a mutual_secret or neither."


def _disagreements(
    parts: Mapping[str, Mapping[str, Any]], groups: list[Entry], nodes: list[Entry]
) -> Iterator[str]:
    """A host that would prove itself otherwise than its igroup asks."""
    for host, target, proof, _node in nodes:
        for who, said in _asked(groups, target, parts[host].get("initiator_name")):
            if not isinstance(said, str) and not isinstance(proof, str) and said != proof:
                yield f"'{host}' and the {who} do not have the same CHAP {_what(said, proof)} for '{target}'."


def _one_sided(
    parts: Mapping[str, Mapping[str, Any]], groups: list[Entry], nodes: list[Entry]
) -> Iterator[str]:
    """CHAP that only one side says. Targets that nobody declares (arrays) are not judged."""
    declared = {target_key(t["name"]) for part in parts.values() for t in part.get("target_targets") or []}
    for host, target, _proof, _node in nodes:
        own = parts[host].get("initiator_name")
        if target in declared and own and not _asked(groups, target, own):
            yield f"'{host}' has CHAP for '{target}', but no igroup with '{own}' requires it there."
    told = {(host, target) for host, target, _proof, _node in nodes}
    for host, part in parts.items():
        for node in present(part, "initiator_nodes", "target"):
            target = target_key(node["target"])
            own = part.get("initiator_name")
            for who, where, _said, group in groups:
                if where == target and (host, target) not in told and own and _has(group, own):
                    yield f"The {who} requires CHAP, but the node '{target}' of '{host}' has none."


def _asked(groups: list[Entry], target: str, own: Any) -> list[tuple[str, Any]]:
    """The igroups of a target that have an initiator: which, and what CHAP they ask for."""
    return [(who, said) for who, where, said, group in groups if where == target and _has(group, own)]


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
