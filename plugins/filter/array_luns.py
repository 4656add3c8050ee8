# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LUNs of a host by the WWIDs that arrays gave them."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._arguments import target_key
from ..module_utils._host import Problem
from ..module_utils._providers import provider
from ..plugin_utils._san_use import present, provider_name, wwid_of

DOCUMENTATION = r"""
name: array_luns
short_description: Name the LUNs of a host by the WWIDs that arrays gave them
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the playbook C(lunworks.iscsi.site). An array gives a LUN its WWID when it is created, and the role that sets up the
    array returns it in the fact C(array_wwids). In the data of a host, this filter replaces the target and the name of such a LUN
    with its WWID.
  - What is named by a WWID already, and LUNs of other storage hosts, stay as they are.
positional: _input, host, told
options:
  _input:
    description: The variables of each host by its name, as P(lunworks.iscsi.san_faults#filter) takes them.
    type: dict
    required: true
  host:
    description: The name of the host.
    type: str
    required: true
  told:
    description: The WWID of each LUN by its name, by target, by storage host.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: The volume groups of this host, by WWID
  ansible.builtin.debug:
    msg: "{{ (san | lunworks.iscsi.array_luns(inventory_hostname, {'svm1': hostvars.svm1.array_wwids})).volume_groups }}"
"""

RETURN = r"""
_value:
  description: >-
    C(volume_groups) and C(volume_filesystems) of the host, C(named), whether a LUN in them was named, and C(missing), one
    sentence for each LUN whose WWID no array told.
  type: dict
"""

Data = Mapping[str, Any]


class _Named:
    """The LUNs of arrays, and what of them was asked for."""

    def __init__(self, hosts: Mapping[str, Data], told: Data) -> None:
        self.arrays: dict[str, tuple[str, dict[str, str]]] = {}
        self.missing: list[str] = []
        self.count = 0
        for host, vars_ in hosts.items():
            software = provider_name(vars_)
            for target in present(vars_, "target_targets") if provider(software).tells_wwids else []:
                name = target_key(target["name"])
                known = {
                    lun["name"]: wwid_of(software, name, lun["name"], lun) for lun in present(target, "luns")
                }
                self.arrays[name] = host, {**known, **(told.get(host) or {}).get(name, {})}

    def lun(self, given: Data) -> dict[str, Any]:
        """A LUN with its WWID in place of its target and name, if it is an array's."""
        host, known = (
            self.arrays.get(target_key(given["target"]), ("", {})) if given.get("target") else ("", {})
        )
        if not host or given.get("wwid"):
            return dict(given)
        wwid = known.get(given["name"], "")
        if not wwid:
            self.missing.append(
                f"The WWID of the LUN '{given['name']}' of '{given['target']}' is not known: '{host}' has not told it in this "
                f"run. Include '{host}' in the run (--limit), or write the wwid of the LUN into the data of '{host}'."
            )
            return dict(given)
        self.count += 1
        rest = {key: value for key, value in given.items() if key not in ("target", "name")}
        return {**rest, "wwid": wwid}


def array_luns(hosts: Mapping[str, Data], host: str, told: Data) -> dict[str, Any]:
    """The data of a host with the LUNs of arrays by their WWIDs."""
    try:
        own, named = hosts[host], _Named(hosts, told)
        groups = [
            {**group, "luns": [named.lun(lun) for lun in group.get("luns") or []]}
            for group in own.get("volume_groups") or []
        ]
        filesystems = [
            named.lun(one) if one.get("state") != "absent" else dict(one)
            for one in own.get("volume_filesystems") or []
        ]
    except Problem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The inventory data of the SAN does not have the form that the roles document: {error!r}"
        ) from error
    return {
        "volume_groups": groups,
        "volume_filesystems": filesystems,
        "named": named.count > 0,
        "missing": named.missing,
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"array_luns": array_luns}
