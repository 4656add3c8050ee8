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
      description: The data of each host by its name, including CHAP secrets.
      type: dict
    errors:
      description: One sentence for each place that cannot be read, without its value; empty if all can.
      type: list
      elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from jinja2.exceptions import TemplateError

from ..filter.to_initiator_name import to_initiator_name

STORAGE = ("target_targets",)
COMPUTE = (
    "initiator_discovery",
    "initiator_ifaces",
    "initiator_nodes",
    "volume_groups",
    "volume_filesystems",
)
Template = Callable[[str], Any]  # a variable of one host by its name, templated; None when it has none


class LookupModule(LookupBase):
    """The lookup of this file."""

    def run(self, terms: Any, variables: Any = None, **_options: Any) -> list[dict[str, Any]]:
        """The data of all hosts."""
        hostvars = variables["hostvars"]

        def template_of(host: str) -> Template:
            # Not hostvars[host]: what it templates knows no hostvars, and data that names another host's name could not be read.
            own = {**hostvars.raw_get(host), "hostvars": hostvars}
            templar = self._templar.copy_with_new_env(available_variables=own)
            return lambda name: templar.template(own[name]) if name in own else None

        return [san_data(variables["groups"], template_of)]


def san_data(groups: Mapping[str, Sequence[str]], template_of: Callable[[str], Template]) -> dict[str, Any]:
    """The data of all hosts, and what of it cannot be read."""
    storage, compute = groups.get("storage") or [], groups.get("compute") or []
    parts: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for host in sorted({*storage, *compute}):
        template = template_of(host)
        wanted = (STORAGE if host in storage else ()) + (COMPUTE if host in compute else ())
        part: dict[str, Any] = {name: _read(template, host, name, faults) or [] for name in wanted}
        provider = _read(template, host, "target_provider", faults) if host in storage else None
        if provider:
            part["target_provider"] = provider
        part["initiator_name"] = _initiator(template, host, faults) if host in compute else ""
        parts[host] = part
    return {"hosts": parts, "errors": faults}


def _initiator(template: Template, host: str, faults: list[str]) -> str:
    name = _read(template, host, "initiator_name", faults)
    authority = "" if name else _read(template, host, "initiator_naming_authority", faults)
    return str(name or (to_initiator_name(host, authority) if authority else ""))


def _read(template: Template, host: str, name: str, faults: list[str]) -> Any:
    """A variable of a host with everything in it templated; None when it has none."""
    known = len(faults)

    def fault(path: str, why: str) -> None:
        faults.append(f"The inventory data of '{host}' cannot be read: {path}: {why}.")

    value = _tried(lambda: template(name), name, fault)
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
