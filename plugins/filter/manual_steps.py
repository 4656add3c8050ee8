# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person must do on an array that nothing here can set up."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import target_key, target_name
from ..module_utils._chap import NO_CHAP, chap
from ..module_utils._host import Problem
from ..module_utils._san.options import asked_discovery, asked_portals
from ..plugin_utils._by_hand import due_of, dues_of, lun_size, lun_wwid, maps_of, sized
from ..plugin_utils._san_use import listed, present
from ..plugin_utils._typed import truths

DOCUMENTATION = r"""
name: manual_steps
short_description: List what a person must do on an array
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Converts the targets of a storage host with O(lunworks.iscsi.target#role:main:target_provider=manual) to the list of what a
    person must do on the array, one sentence each, which target at which portals, which LUN of which size, which initiator
    with CHAP or without, and which LUN to which initiator under which number.
  - The list is the whole data, not a difference, since the array cannot be asked. P(lunworks.iscsi.manual_faults#filter) finds
    what is not done yet, as far as the hosts can see it.
  - Users and secrets of CHAP are not in the list; they stand together in the data.
positional: _input, discovery
options:
  _input:
    description: >-
      The targets, as in O(lunworks.iscsi.target#role:main:target_targets). Each LUN can have the C(wwid) that the array shows.
    type: list
    elements: dict
    required: true
  discovery:
    description: >-
      What is asked for at discovery, as in O(lunworks.iscsi.target#role:main:target_discovery_chap). If omitted, nothing is said
      about it.
    type: dict
"""

EXAMPLES = r"""
- name: What is to do on the array
  ansible.builtin.debug:
    msg: "{{ target_targets | lunworks.iscsi.manual_steps }}"
"""

RETURN = r"""
_value:
  description: One sentence for each step.
  type: list
  elements: str
  sample:
    - Serve the target 'iqn.1984-05.com.dell:powervault.6001' at '192.168.130.101:3260' and '192.168.131.101:3260'.
    - Create the LUN 'db0' of 40 GiB (42949672960 bytes), then write the WWID that the array shows into the data.
    - Make the igroup 'db-a' with the initiator 'iqn.2026-01.com.example:db-a', which proves itself by CHAP, as its chap in the
      data says.
    - On 'iqn.1984-05.com.dell:powervault.6001', map the LUN 'db0' of 40 GiB (42949672960 bytes) to the initiator
      'iqn.2026-01.com.example:db-a' as LUN 0.
"""

Data = Mapping[str, Any]


def manual_steps(targets: Sequence[Data], discovery: Data | None = None) -> list[str]:
    """The steps as sentences."""
    try:
        return [*_at_discovery(discovery), *(step for target in targets for step in _steps(truths(target)))]
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"The targets are not in the form that the role target documents: {error!r}"
        ) from error


def _at_discovery(given: Data | None) -> Iterator[str]:
    asked = asked_discovery(None if given is None else dict(given))
    if asked is None:
        return
    if asked["chap"] == NO_CHAP:
        yield "Ask for no CHAP at discovery."
    else:
        yield "Ask for CHAP at discovery, as target_discovery_chap in the data says."


def _steps(target: Data) -> Iterator[str]:
    name = target_name(target["name"])
    if target.get("state", "present") == "absent":
        yield f"Remove every map of the LUNs of the target '{name}', and the target if the array lets you."
        return
    portals = listed(
        f"{where} (iSER too)" if iser else str(where) for where, iser in asked_portals(target.get("portals"))
    )
    yield f"Serve the target '{name}'{f' at {portals}' if portals else ''}."
    if target.get("alias") is not None:
        yield f"Give the target '{name}' the alias '{target['alias']}'."
    if target.get("enabled") is not None:
        yield (
            f"Let initiators log in to '{name}'."
            if target["enabled"]
            else f"Let nobody log in to '{name}': disable it."
        )
    for kind in ("attributes", "parameters"):
        for key, value in sorted((target.get(kind) or {}).items()):
            yield f"Set '{key}' of the target '{name}' to '{value}'."
    yield from _going(target, name)
    for lun in present(target, "luns"):
        yield _create(lun)
    for group in present(target, "igroups"):
        yield from _members(group)
    for due in dues_of(target):
        yield f"On '{due.target}', {due}."
    yield from _maps_of_members(target, name)


def _maps_of_members(target: Data, name: str) -> Iterator[str]:
    """The maps of igroups whose initiators the data leaves to the array."""
    luns = {lun["name"]: lun for lun in present(target, "luns")}
    for group in present(target, "igroups"):
        for entry in maps_of(group) if not group.get("initiators") else ():
            due = due_of(name, luns[entry["name"]], entry, "")
            whom = f"each initiator of the igroup '{group['name']}'"
            yield f"On '{name}', {due.told(whom)}."


def _create(lun: Data) -> str:
    what = f"the LUN '{lun['name']}'{sized(lun_size(lun))}"
    what += f" with blocks of {lun['block_size']} bytes" if lun.get("block_size") else ""
    known = lun_wwid(lun)
    if known:
        return f"Keep {what}, which has the WWID {known}."
    return f"Create {what}, then write the WWID that the array shows into the data."


def _members(group: Data) -> Iterator[str]:
    proof = chap(dict(group["chap"])) if group.get("chap") else None
    how = ""
    if proof == NO_CHAP:
        how = ", and ask for no CHAP"
    elif proof:
        # Not the user: it may be the secret, where the two were taken for each other.
        how = ", which proves itself by CHAP" + (" and the array too" if proof.mutual_user else "")
        how += ", as its chap in the data says"
    names = [target_key(name) for name in group.get("initiators") or []]
    if names:
        many = "initiators" if len(names) > 1 else "initiator"
        yield f"Make the igroup '{group['name']}' with the {many} {listed(names)}{how}."
    else:
        yield f"Keep the igroup '{group['name']}' with the initiators that it has{how}."


def _going(target: Data, name: str) -> Iterator[str]:
    """What is to go: access before LUNs, and no order to destroy data."""
    for group in target.get("igroups") or []:
        if group.get("state") == "absent":
            yield f"Remove the igroup '{group['name']}' of '{name}' with its maps."
        else:
            for entry in maps_of(group, gone=True):
                yield f"Remove the map of the LUN '{entry['name']}' of '{name}' to the igroup '{group['name']}'."
    for lun in target.get("luns") or []:
        if lun.get("state") == "absent":
            yield f"Remove every map of the LUN '{lun['name']}' of '{name}'. Delete it only if its data may be lost."


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"manual_steps": manual_steps}
