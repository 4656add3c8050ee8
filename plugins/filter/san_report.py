# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands where: the storage of hosts as a page for people."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterator, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: san_report
short_description: Report the storage of hosts as text, from LUN to mount
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Formats the results of M(lunworks.iscsi.initiator_info) as a text, with a block for each host with its LUNs, their WWIDs,
    maps, paths and users.
  - If they include the result of M(lunworks.iscsi.timers_info) as C(timers), the text also has the time for which the I/O of
    each LUN can stall, and first of all whatever uses a single path and bypasses its map, and the timers that contradict each
    other.
positional: _input
options:
  _input:
    description: The results, by the names of the hosts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What stands where
  ansible.builtin.debug:
    msg: "{{ {inventory_hostname: answer} | lunworks.iscsi.san_report }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def san_report(answers: Mapping[str, Mapping[str, Any]]) -> str:
    """A block of lines for each host."""
    try:
        return "\n\n".join("\n".join(_host(name, answers[name])) for name in sorted(answers))
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The input must be the answers of initiator_info by host: {error!r}"
        ) from error


def _host(name: str, answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"{name} ({answer['name']})"
    for fault in answer.get("timers", {}).get("faults", []):
        yield f"  fault  {fault}"
    luns = defaultdict(list)
    for session in answer["sessions"]:
        for disk in session["disks"]:
            luns[session["target"], disk["lun"], disk["wwid"]].append((session, disk))
    for (target, number, wwid), paths in sorted(luns.items()):
        yield f"  LUN {number} of {target}, {paths[0][1]['size'] >> 20} MiB"
        yield f"    WWID   {wwid}"
        yield f"    map    {paths[0][1]['map'] or 'none'}"
        for session, disk in paths:
            state = f"{session['state']}, {disk['state']}"
            yield f"    path   {disk['device']} at {session['portal']} by iface {session['iface']}: {state}"
        for user in sorted({user for _session, disk in paths for user in disk["users"]}):
            yield f"    use    {user}"
        yield from _stalls(answer, {disk["device"] for _session, disk in paths})
    for session in answer["sessions"]:
        if not session["disks"]:
            yield f"  no LUN of {session['target']} at {session['portal']}: {session['state']}"
    if not answer["sessions"]:
        yield "  no session"


def _stalls(answer: Mapping[str, Any], devices: set[str]) -> Iterator[str]:
    """How long the I/O of a LUN with these paths can stand still."""
    for disk in answer.get("timers", {}).get("disks", []):
        if devices & {f"/dev/{path['device']}" for path in disk["paths"]}:
            worst = "forever" if disk["worst_stall"] is None else f"{disk['worst_stall']} s"
            yield f"    stall  {worst}: {disk['arithmetic']}"


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_report": san_report}
