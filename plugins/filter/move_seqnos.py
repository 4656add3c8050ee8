# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequence number that each step of a move was planned on, carried from step to step."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

DOCUMENTATION = r"""
name: move_seqnos
short_description: Add the sequence numbers on which a plan is based to options for volume groups
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - With these numbers, a step of a move changes nothing unless it finds the metadata as the survey or the previous step of
    this run left it.
  - Used by the role P(lunworks.iscsi.move_volume_group#role).
positional: _input, known, written
options:
  _input:
    description: Options for volume groups, each with C(name), or what is expected on LUNs, each with C(group_uuid).
    type: list
    elements: dict
    required: true
  known:
    description: The C(seqnos) that P(lunworks.iscsi.move_plan#filter) returned.
    type: list
    elements: dict
    required: true
  written:
    description: The results of the tasks of this run that changed groups, and of those that were skipped.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: The notes of the move are gone from the metadata
  lunworks.iscsi.volume_groups:
    groups: "{{ step.states | lunworks.iscsi.move_seqnos(plan.seqnos, [started]) }}"
"""

RETURN = r"""
_value:
  description: The same options with C(seqno).
  type: list
  elements: dict
"""


def move_seqnos(
    asked: Sequence[Mapping[str, Any]],
    known: Sequence[Mapping[str, Any]],
    written: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Sequence numbers only grow, so the highest one that this run knows is the latest."""
    found = [*known, *(group for result in written for group in _groups(result))]
    return [{**one, **_seqno(one, found)} for one in asked]


def _groups(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    groups = (result.get("state") or result).get("groups") or []
    yield from groups["groups"] if isinstance(groups, Mapping) else groups


def _seqno(one: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    key, name = ("uuid", one["group_uuid"]) if "group_uuid" in one else ("name", one["name"])
    seqnos = [group["seqno"] for group in found if group[key] == name]
    return {"seqno": max(seqnos)} if seqnos else {}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"move_seqnos": move_seqnos}
