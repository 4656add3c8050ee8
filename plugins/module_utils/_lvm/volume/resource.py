# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules for logical volumes, checked and turned into requests."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

from ..._arguments import unique
from ..._converge import Resource
from ..._fs.filesystem import KINDS
from ..._fs.mkfs_options import mkfs_options
from ..._host import Host, Problem
from ..._host_lock import VOLUMES
from ..._step import Step
from ..names import group_name, volume_name, volume_size
from .plan import Request, Volumes, look_volumes, plan_volumes, show_volume, want_volumes
from .refuse import refuse_volumes

VOLUME: dict[str, Any] = {
    "group": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "size": {"type": "str"},
    "filesystem": {"type": "str", "choices": list(KINDS)},
    "filesystem_options": {"type": "list", "elements": "str"},
    "active": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
}
ASSUME_PRESENT: dict[str, Any] = {"type": "list", "elements": "str", "default": []}


class VolumesResource(Resource):
    """LVs converged to what was requested."""

    locks = (VOLUMES,)

    def __init__(self, asked: list[dict[str, Any]], assume_present: Sequence[str]) -> None:
        self.requests = [volume_request(one, assume_present) for one in asked]
        unique("logical volume", [one.path for one in self.requests])

    def look(self, host: Host) -> Volumes:
        return look_volumes(host, self.requests)

    def want(self, seen: Volumes) -> Volumes:
        return want_volumes(self.requests, seen)

    def plan(self, seen: Volumes, want: Volumes) -> list[Step]:
        return plan_volumes(self.requests, seen, want)

    def refuse(self, seen: Volumes, want: Volumes, steps: list[Step]) -> None:
        refuse_volumes(self.requests, seen, want)

    def show(self, state: Volumes) -> Any:
        """An entry for each LV that is there, in the order in which they were asked for."""
        pairs = [(one, state.volumes[one.path]) for one in self.requests]
        return {"volumes": [show_volume(one, volume, state) for one, volume in pairs if volume]}


def volume_request(asked: dict[str, Any], assume_present: Iterable[str]) -> Request:
    """One LV as it was asked for."""
    group = group_name(asked["group"])
    options = tuple(asked["filesystem_options"] or ())
    if options and not asked["filesystem"]:
        raise Problem(f"'{asked['name']}' has filesystem_options but no filesystem.")
    if options:
        mkfs_options(asked["name"], asked["filesystem"], options)
    if asked["force"] and asked["state"] != "absent":
        raise Problem("force is for state 'absent' alone: it gives up what the logical volume holds.")
    return Request(
        group=group,
        name=volume_name(group, asked["name"]),
        size=None if asked["size"] is None else volume_size(asked["size"]),
        filesystem=asked["filesystem"],
        filesystem_options=options,
        active=asked["active"],
        present=asked["state"] == "present",
        force=asked["force"],
        assume_present=group in set(assume_present),
    )
