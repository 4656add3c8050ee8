# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a whole SAN, host by host, templated to the last word; what cannot be read is named."""

from __future__ import annotations

DOCUMENTATION = r"""
name: san_data
short_description: Read the data of all hosts of a SAN, regardless of --limit
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbooks of this collection before any host is touched. It reads the role variables that describe the SAN of
    every host in the inventory groups C(storage) and C(compute), regardless of C(--limit), without connecting to them.
  - From hosts of C(storage) it reads their targets and their storage software, from hosts of C(compute) their initiator name,
    ifaces, nodes, volume groups and file systems. Variables that only a play, a role or C(set_fact) would set are not included.
  - Data that cannot be templated (an undefined variable, a vault that cannot be decrypted) is reported with its host and its
    place. Without it, the LUNs of that host are unknown, so no other host should be changed either.
options:
  _terms:
    description: No terms are used.
"""

EXAMPLES = r"""
- name: The data of all hosts can be read
  ansible.builtin.assert:
    that: errors == []
    fail_msg: "{{ errors | join(' ') }}"
  vars:
    errors: "{{ (query('lunworks.iscsi.san_data') | first).errors }}"
  run_once: true
  delegate_to: localhost

- name: The data of the whole SAN
  ansible.builtin.set_fact:
    san: "{{ (query('lunworks.iscsi.san_data') | first).hosts }}"
  no_log: true  # CHAP secrets are among it
  run_once: true
"""

RETURN = r"""
_value:
  description: One dictionary.
  type: list
  elements: dict
  contains:
    hosts:
      description:
        - The data of each host by its name, including CHAP secrets.
        - Of hosts of C(storage) also C(target_role), the role of this collection that sets up their storage software, and
          C(target_sets_chap), whether that role has tasks that set only the CHAP credentials of an array.
      type: dict
    errors:
      description: One sentence for each place that cannot be read, without its value; empty if all can.
      type: list
      elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.plugins.lookup import LookupBase

from ..filter.to_initiator_name import to_initiator_name
from ..module_utils._providers import NAMES
from ..module_utils._providers import provider as provider_named
from ..plugin_utils._inventory.read import Read, template_of
from ..plugin_utils._inventory.secret import why_unread

STORAGE = ("target_targets", "target_provider")
COMPUTE = (
    "initiator_discovery",
    "initiator_ifaces",
    "initiator_nodes",
    "volume_groups",
    "volume_filesystems",
    "initiator_name",
    "initiator_naming_authority",
)
TEXTS = ("target_provider", "initiator_name", "initiator_naming_authority")
Template = Callable[[Any], Any]


class LookupModule(LookupBase):
    """The lookup of this file."""

    def run(self, terms: Any, variables: Any = None, **_options: Any) -> list[dict[str, Any]]:
        """The data of all hosts."""
        hostvars = variables["hostvars"]

        def read(host: str) -> tuple[Mapping[str, Any], Template]:
            raw = hostvars.raw_get(host)
            return raw, template_of(self._templar, hostvars, raw)

        return [san_data(variables["groups"], read)]


def san_data(
    groups: Mapping[str, Sequence[str]], variables_of: Callable[[str], tuple[Mapping[str, Any], Template]]
) -> dict[str, Any]:
    """The data of all hosts, and what of it cannot be read; 'variables_of' a host are those and what fills in their templates."""
    storage, compute = groups.get("storage") or [], groups.get("compute") or []
    parts: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for host in sorted({*storage, *compute}):
        wanted = (STORAGE if host in storage else ()) + (COMPUTE if host in compute else ())
        own, unread = _read(wanted, *variables_of(host))
        faults += [f"The inventory data of '{host}' cannot be read: {why}." for why in unread]
        part = {name: own.get(name) or [] for name in wanted if name not in TEXTS}
        if host in storage:
            part.update(_software(own.get("target_provider")))
        part["initiator_name"] = _initiator(host, own) if host in compute else ""
        parts[host] = part
    return {"hosts": parts, "errors": faults}


def _software(name: Any) -> dict[str, Any]:
    """The storage software of a host, and what sets it up; a name that is none is for the filter san_faults to report."""
    found = provider_named(str(name) if name in NAMES else "lio")
    own = {"target_provider": name} if name else {}
    return {**own, "target_role": found.role, "target_sets_chap": found.sets_chap}


def _initiator(host: str, own: Mapping[str, Any]) -> str:
    name, authority = own.get("initiator_name"), own.get("initiator_naming_authority")
    return str(name or (to_initiator_name(host, authority) if authority else ""))


def _read(
    wanted: Sequence[str], raw: Mapping[str, Any], template: Template
) -> tuple[dict[str, Any], list[str]]:
    """The wanted variables of a host that can be read to the last word, and why others cannot."""
    read = Read(template)
    for name in wanted:
        if name in raw and not (name == "initiator_naming_authority" and read.values.get("initiator_name")):
            read.variable(name, name, raw[name])
    unread = read.unread + read.closed
    wrong = {path[0] for path, _why in unread}
    told = [f"{_dotted(path)}: {why_unread(why) if 'chap' in path else why}" for path, why in unread]
    return {name: read.values[name] for name in read.values if name not in wrong}, told


def _dotted(path: Sequence[Any]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]
