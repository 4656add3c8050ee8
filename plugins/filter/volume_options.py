# Copyright: (c) 2026, The lunworks.iscsi authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a host's volume groups as the options of the modules that make them, so that each is called once."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..plugin_utils._form import lacking

DOCUMENTATION = r"""
name: volume_options
short_description: Convert the data of volume groups and file systems to module options
version_added: 1.0.0
author: The lunworks.iscsi authors (@lunworks)
description:
  - Used by the role P(lunworks.iscsi.volume#role). Splits O(lunworks.iscsi.volume#role:main:volume_groups) and
    O(lunworks.iscsi.volume#role:main:volume_filesystems), so that one call each of M(lunworks.iscsi.disks),
    M(lunworks.iscsi.volume_groups), M(lunworks.iscsi.logical_volumes), M(lunworks.iscsi.filesystems) and
    M(lunworks.iscsi.mounts) covers all of a host.
positional: _input, paths, found, filesystems
options:
  _input:
    description: The volume groups.
    type: list
    elements: dict
    required: true
  filesystems:
    description: The file systems directly on disks.
    type: list
    elements: dict
    default: []
  paths:
    description: The number of good paths that each disk must have, unless its entry sets it.
    type: int
    default: 1
  found:
    description: >-
      What M(lunworks.iscsi.disks) returned, RV(ignore:state.disks). If omitted, RV(ignore:groups), RV(ignore:filesystems) and
      their mounts have no devices.
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
    The options C(disks), C(groups), C(volumes), C(filesystems), C(mounts) (to be mounted), C(absent_mounts) (to be removed),
    C(claimed), the LUNs that multipath must know before the first login, and C(assume_present), the devices that have no path
    yet.
  type: dict
"""

GROUP_KEYS = ("extent_size", "autoactivation", "tags", "system_id")
VOLUME_KEYS = ("name", "size", "filesystem", "filesystem_options", "active", "state", "force")
FILESYSTEM_KEYS = ("filesystem", "filesystem_options", "label")
Data = Mapping[str, Any]


def volume_options(
    groups: Sequence[Data],
    paths: int = 1,
    found: Sequence[Data] | None = None,
    filesystems: Sequence[Data] = (),
) -> dict[str, list[Any]]:
    """The options of the modules."""
    try:
        direct = [one for one in filesystems if one.get("state") != "absent"]
        _refuse_twins(groups, direct)
        luns = [lun for group in groups for lun in group["luns"]] + list(direct)
        if found is not None and len(found) != len(luns):
            raise AnsibleFilterError(f"{len(luns)} disks must be there, and {len(found)} were found.")
        devices = iter([disk["device"] for disk in found or []])
        wanted = list(_groups(groups, devices))
        placed = [(one, next(devices, "")) for one in direct]
        mounts = [*_mounts(groups), *_direct_mounts(filesystems, placed)]
        disks = [_disk(lun, int(paths)) for lun in luns]
        return {
            "disks": disks,
            "groups": wanted,
            "volumes": [
                {"group": group["name"], **_of(volume, VOLUME_KEYS)} for group, volume in _volumes(groups)
            ],
            "filesystems": [{"device": device, **_of(one, FILESYSTEM_KEYS)} for one, device in placed],
            "mounts": [one for one in mounts if "state" not in one],
            "absent_mounts": [one for one in mounts if "state" in one],
            "claimed": [
                {key: disk[key] for key in ("target", "lun", "provider", "wwid") if key in disk}
                for disk in disks
                if disk.get("multipath", True)
            ],
            "assume_present": [disk["device"] for disk in found or [] if not disk["paths"]],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"volume_groups and volume_filesystems do not have the form that the role volume documents: {lacking(error)}."
        ) from error


def _refuse_twins(groups: Sequence[Data], filesystems: Sequence[Data]) -> None:
    """A LUN is one thing only."""
    uses: dict[str, list[str]] = {}
    for group in groups:
        for lun in group["luns"]:
            uses.setdefault(_named(lun), []).append(f"the volume group '{group['name']}'")
    for one in filesystems:
        uses.setdefault(_named(one), []).append(f"the file system on '{one.get('mount') or 'it'}'")
    for lun, names in uses.items():
        if len(names) > 1:
            whose = f"twice for {names[0]}" if len(set(names)) == 1 else f"for {' and for '.join(names)}"
            raise AnsibleFilterError(f"{lun} is requested {whose}. A LUN can only be used for one thing.")


def _named(lun: Data) -> str:
    return f"The LUN '{lun['wwid']}'" if lun.get("wwid") else f"The LUN '{lun['name']}' of '{lun['target']}'"


def _of(data: Data, keys: Sequence[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if data.get(key) is not None}


def _disk(lun: Data, paths: int) -> dict[str, Any]:
    name = {"wwid": lun["wwid"]} if lun.get("wwid") else {"target": lun["target"], "lun": lun["name"]}
    return {**name, "paths": paths, **_of(lun, ("provider", "paths", "multipath", "timeout"))}


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


def _direct_mounts(
    filesystems: Sequence[Data], placed: Sequence[tuple[Data, str]]
) -> Iterator[dict[str, Any]]:
    for one in filesystems:
        if one.get("state") == "absent" and one.get("mount"):
            yield {"path": one["mount"], "state": "absent"}
    for one, device in placed:
        if one.get("mount"):
            named = _of({**one, "options": one.get("mount_options")}, ("filesystem", "options"))
            yield {"path": one["mount"], "device": device, **named}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"volume_options": volume_options}
