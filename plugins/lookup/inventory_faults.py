# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with the data of an inventory, before any connection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_faults
short_description: Find everything that is wrong with the data of an inventory
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.validate), with which C(lunworks.iscsi.site) and others begin. It reads the variables of
    all hosts of the inventory, regardless of C(--limit), without connecting to them.
  - Holds the variables of the roles of this collection against its JSON Schema (C(meta/inventory.schema.json)), then has the
    modules' own parsers read them, and if all of that is right compares the hosts with each other as
    P(lunworks.iscsi.san_faults#filter) and P(lunworks.iscsi.chap_faults#filter) do.
  - Says which volume groups have no room for their volumes where the data has the size of each LUN, and which keywords of
    multipath.conf(5) are misspelled.
  - Names keys that a YAML file has twice, and files in C(host_vars) and C(group_vars) for hosts and groups that the inventory
    does not have.
  - Names variables that nobody reads but that are meant for a role of this collection, and groups whose name is nearly C(storage)
    or C(compute).
  - A template that needs facts of a host is taken as it is where no data of the SAN depends on it. A value behind C(!vault) that
    cannot be opened here is too.
options:
  _terms:
    description: No terms are used.
requirements:
  - jsonschema 3.2 or newer on the controller
seealso:
  - ref: ansible_collections.lunworks.iscsi.docsite.guide_inventory
    description: Checking and editing an inventory.
"""

EXAMPLES = r"""
- name: The inventory is as the roles document
  ansible.builtin.assert:
    that: faults == []
    fail_msg: "{{ faults }}"
  vars:
    faults: "{{ query('lunworks.iscsi.inventory_faults') }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
_raw:
  description:
    - One sentence for each mistake, without secrets, with the host, the place, what must be, and the file and line where
      ansible-core knows them; empty if there is none.
  type: list
  elements: str
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Callable, Collection, Iterator, Mapping, Sequence

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils._inventory.check import Check, told_of
from ..plugin_utils._inventory.fault import Fault, sentences
from ..plugin_utils._inventory.files import ENDINGS, of_nobody, repeated
from ..plugin_utils._inventory.names import is_read
from ..plugin_utils._inventory.read import chain_of, origin_of, template_of
from ..plugin_utils._inventory.shape import HAS_JSONSCHEMA

MISSING = (
    "The inventory cannot be checked: Ansible's Python on this machine does not have the library jsonschema. Install it there "
    "(pip install jsonschema, or the package python3-jsonschema)."
)
SCHEMA = Path(__file__).resolve().parents[2] / "meta/inventory.schema.json"


def _written(hostvars: Any, host: Any, values: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """These variables of a host without what tasks registered or set before, and what the command line has for other plays."""
    manager = getattr(hostvars, "_variable_manager", None)
    facts = getattr(manager, "_nonpersistent_fact_cache", {}).get(str(host), {})
    others = {*facts, *(getattr(manager, "extra_vars", None) or {})}
    return {key: value for key, value in values.items() if key in known or key not in others}


def _of_files(
    values: Mapping[str, Mapping[str, Any]],
    groups: Collection[str],
    sources: Sequence[Any],
    known: Collection[str],
) -> Iterator[Fault]:
    """What is wrong with the files that the variables are from, and with those beside them."""
    origins = [origin_of(key) or origin_of(value) for own in values.values() for key, value in own.items()]
    inventories = {str(own.get("inventory_file") or "") for own in values.values()}

    @cache
    def is_ours(key: str) -> bool:
        used = ([own[name] for name in known if name in own] for own in values.values())
        return key in known or any(is_read(key, variables) for variables in used)

    for file in sorted(inventories | {one[0] for one in origins if one}):
        if file.endswith(ENDINGS):
            for place, said, line in repeated(file, is_ours, file in inventories):
                yield Fault("", place, said, told_of((file, line)))
    places = [str(one) for one in sources if os.path.exists(str(one))]
    for file, said in of_nobody(places, values, groups, known):
        yield Fault("", "", said, told_of((file, 0)))


def _unreadable(error: AnsibleError) -> str:
    """What a file of variables has that is no YAML, and where."""
    origins = (origin_of(getattr(one, "obj", None)) for one in chain_of(error))
    told = next(filter(None, map(told_of, origins)), "")
    why = " ".join(str(getattr(error, "_message", error)).split())
    return f"The variables of the inventory cannot be read: {why}" + (f" ({told})" if told else "")


class LookupModule(LookupBase):
    """The lookup of this file."""

    def run(self, terms: Any, variables: Any = None, **_options: Any) -> list[str]:
        """The faults of the whole inventory."""
        if not HAS_JSONSCHEMA:
            return [MISSING]
        hostvars = variables["hostvars"]
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        known = schema["properties"]
        try:
            values = {str(name): hostvars.raw_get(name) for name in variables["groups"]["all"]}
        except AnsibleError as error:
            return [_unreadable(error)]
        raw = {name: _written(hostvars, name, own, known) for name, own in values.items()}
        groups = {str(name): [str(host) for host in hosts] for name, hosts in variables["groups"].items()}

        def template(host: str) -> Callable[[Any], Any]:
            return template_of(self._templar, hostvars, values[host])

        sources = variables.get("ansible_inventory_sources") or []
        found = [*_of_files(values, groups, sources, known), *Check(schema, groups).faults(raw, template)]
        return sentences(found)
