# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules for volume groups, checked and turned into requests."""

from __future__ import annotations

import re
from typing import Any, Iterable, Sequence

from ..._arguments import unique
from ..._converge import Resource
from ..._fs.blank_disk import device_path
from ..._host import Host, Problem
from ..._host_lock import VOLUMES
from ..._step import Step
from ..model import VolumeGroup, show_group
from ..names import extent_size, group_name, tag, volume_name
from ..report import look_seqnos
from .plan import Groups, Request, look_groups, plan_groups, sum_tags, want_groups
from .refuse import refuse_groups, refuse_other_seqno

GROUP: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "devices": {"type": "list", "elements": "path"},
    "extent_size": {"type": "str"},
    "autoactivation": {"type": "bool"},
    "tags": {"type": "list", "elements": "str"},
    "system_id": {"type": "str"},
    "take_over_from": {"type": "str"},
    "imported": {"type": "bool", "default": False},
    "checksums": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["active", "inactive", "exported", "imported", "absent"]},
    "force": {"type": "bool", "default": False},
    "seqno": {"type": "int"},
}
ASSUME_PRESENT: dict[str, Any] = {"type": "list", "elements": "path", "default": []}


class GroupsResource(Resource):
    """VGs converged to what was requested.

    'verify': volumes that, once all is done, must still have the content that their group's tags have noted.
    """

    locks = (VOLUMES,)

    def __init__(
        self,
        asked: list[dict[str, Any]],
        assume_present: Sequence[str],
        verify: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.requests = [group_request(one, frozenset(assume_present)) for one in asked]
        unique("volume group", [one.name for one in self.requests])
        unique("device", [path for one in self.requests for path in one.devices or ()])
        self.verify = [(group_name(one["group"]), volume_name(one["group"], one["volume"])) for one in verify]
        sampled = {
            request.name for request in self.requests if request.checksums and request.state == "active"
        }
        for group, volume in self.verify:
            if group not in sampled:
                raise Problem(
                    f"'{group}/{volume}' cannot be verified: request '{group}' active and with checksums."
                )

    def look(self, host: Host) -> Groups:
        return look_groups(host, self.requests)

    def look_again(self, host: Host, before: Groups) -> Groups:
        return look_groups(host, self.requests, before)

    def want(self, seen: Groups) -> Groups:
        return want_groups(self.requests, seen)

    def plan(self, seen: Groups, want: Groups) -> list[Step]:
        return plan_groups(seen, want)

    def refuse(self, seen: Groups, want: Groups, steps: list[Step]) -> None:
        refuse_other_seqno(self.requests if steps else [], seen.groups)
        refuse_groups(self.requests, seen, want)
        if not steps:
            refuse_changed(seen, self.verify)

    def show(self, state: Groups) -> Any:
        """An entry for each VG that is there, in the order in which they were asked for."""
        groups = [(state.groups[one.name], state.checksums.get(one.name)) for one in self.requests]
        return {
            "groups": [
                {**show_group(group), **({"checksums": checksums} if checksums is not None else {})}
                for group, checksums in groups
                if group
            ]
        }


class PlannedGroups(Resource):
    """A look at groups that must be as the caller planned on, before anything of them is touched."""

    locks = (VOLUMES,)

    def __init__(self, groups: GroupsResource) -> None:
        self.requests = [request for request in groups.requests if request.seqno is not None]

    def look(self, host: Host) -> dict[str, VolumeGroup]:
        return {one.name: one for one in look_seqnos(host)} if self.requests else {}

    def want(self, seen: dict[str, VolumeGroup]) -> dict[str, VolumeGroup]:
        return seen

    def plan(self, seen: dict[str, VolumeGroup], want: dict[str, VolumeGroup]) -> list[Step]:
        return []

    def refuse(self, seen: dict[str, VolumeGroup], want: dict[str, VolumeGroup], steps: list[Step]) -> None:
        refuse_other_seqno(self.requests, seen)

    def show(self, state: dict[str, VolumeGroup]) -> Any:
        return {request.name: state[request.name].seqno for request in self.requests if request.name in state}


def refuse_changed(seen: Groups, volumes: Iterable[tuple[str, str]]) -> None:
    """What was written to while nobody had it must not be mounted as if nothing had happened."""
    changed = [f"'{group}/{volume}'" for group, volume in volumes if not same(seen, group, volume)]
    if changed:
        raise Problem(
            f"The checksum samples of {', '.join(changed)} differ from those noted when the group was exported: "
            "somebody has written to the disks since, or they are other disks. Nothing was mounted. Find out what happened."
        )


def same(seen: Groups, name: str, volume: str) -> bool:
    """Whether a volume's sample is the one that the tags of its group have noted."""
    group, digest = seen.groups.get(name), seen.checksums.get(name, {}).get(volume)
    return bool(group and digest and sum_tags({volume: digest}) <= group.tags)


def group_request(asked: dict[str, Any], assume_present: frozenset[str]) -> Request:
    """One VG as it was asked for."""
    name = group_name(asked["name"])
    devices = None if asked["devices"] is None else tuple(map(device_path, asked["devices"]))
    if devices == ():
        raise Problem(
            f"The volume group '{name}' has an empty list of devices. Name its disks, or leave it out."
        )
    if asked["force"] and asked["state"] != "absent":
        raise Problem("force is for state 'absent' alone: it gives up the logical volumes of the group.")
    tags = None if asked["tags"] is None else frozenset(map(tag, filter(None, asked["tags"])))
    if asked["state"] == "exported" and asked["system_id"]:
        raise Problem("An exported volume group has no system ID: the host that imports it sets its own.")
    imports = asked["state"] == "imported" or asked["state"] == "active" and asked["imported"]
    if asked["imported"] and not imports:
        raise Problem("imported is for state 'active': the group is imported first, if it is exported.")
    if asked["take_over_from"] and (not imports or asked["system_id"] is not None):
        raise Problem(
            "take_over_from is for a group that is imported (state 'imported', or 'active' with imported), and gives it to "
            "this host's own system ID."
        )
    if asked["checksums"] and asked["state"] not in ("active", "exported"):
        raise Problem("checksums is for state 'active' or 'exported': what is not active cannot be read.")
    return Request(
        name=name,
        devices=devices,
        assume_present=assume_present,
        extent_size=None if asked["extent_size"] is None else extent_size(asked["extent_size"]),
        autoactivation=asked["autoactivation"],
        tags=tags,
        system_id=None if asked["system_id"] is None else system_id(asked["system_id"]),
        take_over_from=system_id(asked["take_over_from"]) if asked["take_over_from"] else "",
        imported=imports,
        checksums=asked["checksums"],
        state=asked["state"],
        force=asked["force"],
        seqno=asked["seqno"],
    )


def system_id(text: str) -> str:
    """A system ID (lvmsystemid(7)): at most 128 of the characters of a name; empty for none."""
    if (
        re.fullmatch(r"(?!-)[a-zA-Z0-9+_.-]{0,128}", text)
        and text != "localhost"
        and not text.startswith("localhost.")
    ):
        return text
    raise Problem(
        f"'{text}' is not a system ID. It must consist of up to 128 of the characters a-z A-Z 0-9 + _ . and -, no '-' "
        "first, not 'localhost'."
    )
