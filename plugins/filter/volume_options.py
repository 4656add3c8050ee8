# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a host's volume groups as the options of the modules that make them, so that each is called once."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: volume_options
short_description: Turn the data of volume groups into the options of modules
version_added: 0.1.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.volume#role). Takes O(lunworks.iscsi.volume#role:main:volume_groups) apart, so that one call
    of M(lunworks.iscsi.disks), M(lunworks.iscsi.volume_groups), M(lunworks.iscsi.logical_volumes) and
    M(lunworks.iscsi.mounts) each serves all groups of a host.
positional: _input
options:
  _input:
    description: The volume groups.
    type: list
    elements: dict
    required: true
  paths:
    description: How many good paths each disk must have, where its entry does not say so itself.
    type: int
    default: 1
  found:
    description: What M(lunworks.iscsi.disks) found, RV(ignore:state.disks); left out, RV(ignore:groups) has no devices.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: The disks of all volume groups
  lunworks.iscsi.disks:
    disks: "{{ (volume_groups | lunworks.iscsi.volume_options(paths=2)).disks }}"
"""

RETURN = r"""
_value:
  description: >-
    The options C(disks), C(groups), C(volumes), C(mounts) (what shall be mounted), C(leaving) (what shall not),
    C(claimed), the LUNs that multipath must know before the first login, and C(promised), the devices that have no path yet.
  type: dict
"""

GROUP_KEYS = ("extent_size", "autoactivation", "tags", "system_id")
VOLUME_KEYS = ("name", "size", "filesystem", "filesystem_options", "active", "state", "force")
Data = Mapping[str, Any]


def volume_options(
    groups: Sequence[Data], paths: int = 1, found: Sequence[Data] | None = None
) -> dict[str, list[Any]]:
    """The options of the four modules."""
    try:
        told = list(_disks(groups, int(paths)))
        devices = [disk["device"] for disk in found] if found is not None else []
        if found is not None and len(devices) != len(told):
            raise AnsibleFilterError(f"{len(told)} disks are wanted, and {len(devices)} were found.")
        mounts = list(_mounts(groups))
        return {
            "disks": told,
            "groups": list(_groups(groups, iter(devices))),
            "volumes": [
                {"group": group["name"], **_of(volume, VOLUME_KEYS)} for group, volume in _volumes(groups)
            ],
            "mounts": [one for one in mounts if "state" not in one],
            "leaving": [one for one in mounts if "state" in one],
            "claimed": [
                {key: disk[key] for key in ("target", "lun", "wwid") if key in disk}
                for disk in told
                if disk.get("multipath", True)
            ],
            "promised": [disk["device"] for disk in found or [] if not disk["paths"]],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"The volume groups are not in the form that the role documents: {error!r}"
        ) from error


def _of(data: Data, keys: Sequence[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if data.get(key) is not None}


def _disks(groups: Sequence[Data], paths: int) -> Iterator[dict[str, Any]]:
    for group in groups:
        for lun in group["luns"]:
            name = {"wwid": lun["wwid"]} if lun.get("wwid") else {"target": lun["target"], "lun": lun["name"]}
            yield {**name, "paths": paths, **_of(lun, ("paths", "multipath", "timeout"))}


def _groups(groups: Sequence[Data], devices: Iterator[str]) -> Iterator[dict[str, Any]]:
    for group in groups:
        own = [next(devices, "") for _lun in group["luns"]]
        yield {"name": group["name"], "devices": own, "state": "active", **_of(group, GROUP_KEYS)}


def _volumes(groups: Sequence[Data]) -> Iterator[tuple[Data, Data]]:
    for group in groups:
        for volume in group.get("volumes") or []:
            yield group, volume


def _mounts(groups: Sequence[Data]) -> Iterator[dict[str, Any]]:
    for group, volume in _volumes(groups):
        if not volume.get("mount"):
            continue
        if volume.get("state") == "absent":
            yield {"path": volume["mount"], "state": "absent"}
        else:
            named = _of({**volume, "options": volume.get("mount_options")}, ("filesystem", "options"))
            yield {"path": volume["mount"], "device": f"/dev/{group['name']}/{volume['name']}", **named}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"volume_options": volume_options}
