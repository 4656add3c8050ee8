# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a whole SAN, host by host, templated to the last word; what cannot be read stops everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import TemplateError

from ansible_collections.lunworks.iscsi.plugins.filter.initiator_name_by import initiator_name_by

DOCUMENTATION = r"""
name: san_parts
short_description: Read the data of all hosts of a SAN, whatever the run is limited to
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbooks of this collection before any host is touched. It reads the role variables that describe the SAN of
    every host in the inventory groups C(storage) and C(compute), C(--limit) or not, and needs no connection for it.
  - Data that cannot be templated (a variable that is undefined, a vault that does not open) is an error. Without it nobody
    can say which LUNs that host has. P(lunworks.iscsi.san_unread#filter) says where it is.
  - The value has CHAP secrets in it. Use it in tasks with C(no_log) only.
positional: _input, groups
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  groups:
    description:
      - C(groups). Hosts of C(storage) say their targets, hosts of C(compute) their name, ifaces, nodes and volume groups.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: The data of the whole SAN
  ansible.builtin.set_fact:
    san: "{{ hostvars | lunworks.iscsi.san_parts(groups) }}"
  no_log: true
  run_once: true
"""

RETURN = r"""
_value:
  description: By the name of each host its part of the data.
  type: dict
"""

STORAGE = ("target_targets",)
COMPUTE = ("initiator_ifaces", "initiator_nodes", "volume_groups")


def san_parts(
    hostvars: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """By host: its part of the SAN's data."""
    parts, faults = _parts(hostvars, groups)
    if faults:
        raise AnsibleFilterError(" ".join(faults))
    return parts


def san_unread(hostvars: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Which hosts' data cannot be read, and where, as sentences without secrets."""
    return _parts(hostvars, groups)[1]


def _parts(
    hostvars: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    storage, compute = groups.get("storage") or [], groups.get("compute") or []
    parts: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for host in sorted({*storage, *compute}):
        wanted = (STORAGE if host in storage else ()) + (COMPUTE if host in compute else ())
        part: dict[str, Any] = {name: _read(hostvars[host], host, name, faults) or [] for name in wanted}
        part["initiator_name"] = _initiator(hostvars[host], host, faults) if host in compute else ""
        parts[host] = part
    return parts, faults


def _initiator(vars_: Mapping[str, Any], host: str, faults: list[str]) -> str:
    name = _read(vars_, host, "initiator_name", faults)
    authority = "" if name else _read(vars_, host, "initiator_naming_authority", faults)
    return str(name or (initiator_name_by(host, authority) if authority else ""))


def _read(vars_: Mapping[str, Any], host: str, name: str, faults: list[str]) -> Any:
    """A variable of a host with everything in it templated; None when it has none."""
    known = len(faults)

    def fault(path: str, why: str) -> None:
        faults.append(f"The data of '{host}' cannot be read: {path}: {why}.")

    value = _tried(lambda: vars_.get(name), name, fault)
    plain = _plain(value, name, fault)
    return plain if len(faults) == known else None


def _plain(value: Any, path: str, fault: Callable[[str, str], None]) -> Any:
    if isinstance(value, Mapping):
        keys = _tried(lambda: list(value), path, fault) or []
        return {str(key): _inside(value, key, f"{path}.{key}", fault) for key in keys}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and not _encrypted(value):
        count = _tried(lambda: len(value), path, fault) or 0
        return [_inside(value, index, f"{path}[{index}]", fault) for index in range(count)]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = _tried(
        lambda: str(value), path, fault
    )  # an undefined value and a vault that does not open raise here
    if (
        text is not None and "{{" in text
    ):  # ansible-core before 2.19 hands out a template that it could not resolve
        fault(path, "its template cannot be resolved (is a variable in it undefined?)")
    return text


def _inside(value: Any, key: Any, path: str, fault: Callable[[str, str], None]) -> Any:
    return _plain(_tried(lambda: value[key], path, fault), path, fault)


def _encrypted(value: Any) -> bool:
    """A vaulted text of ansible-core before 2.19 is a sequence of characters, but no str."""
    return hasattr(value, "vault")


def _tried(act: Callable[[], Any], path: str, fault: Callable[[str, str], None]) -> Any:
    try:
        return act()
    except (AnsibleError, TemplateError) as error:
        fault(path, " ".join(str(error).split()).rstrip("."))
    return None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"san_parts": san_parts, "san_unread": san_unread}
