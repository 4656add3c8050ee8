# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage of a move: whether it is due, on which hosts, how it describes itself, and what is true after it.

The name of a stage is that of its task file in the role move_volume_group.
"""

from __future__ import annotations

from typing import Any

from ...module_utils._lvm.planned import RUN
from .model import Mount, ours
from .position import Standing
from .side import Side, listed


class Stage:
    """A stage. There are no objects of it: the class is the stage."""

    name = ""
    optional = False

    @staticmethod
    def due(one: Standing) -> bool:
        """Whether it is still to be taken."""
        raise NotImplementedError

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        """Where the group stands after it, on one of its hosts or on all."""
        raise NotImplementedError

    @staticmethod
    def say(one: Standing, host: str) -> str:
        """Imperative, no full stop, names in quotes."""
        raise NotImplementedError

    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        """Where it is taken."""
        raise NotImplementedError

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        """What its tasks need beside the group's name."""
        return {}


class OnSource(Stage):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return [one.source.host]


class OnDestination(Stage):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return [one.destination.host]


class OnStorage(Stage):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return sorted({storage for storage, _lun in one.luns})


def is_here(one: Standing) -> bool:
    """The source still has it and may change its metadata."""
    return one.source.answers and not one.has_left() and not one.exported


def earlier_claims(one: Standing) -> frozenset[str]:
    """Of runs before this one, which has the move as soon as it has noted its own."""
    return frozenset(tag for tag in one.tags if one.run and tag.startswith(f"{RUN}:")) - {one.run}


def claimed(one: Standing) -> frozenset[str]:
    """The tags of a group that moves, with the claim of this run instead of that of an earlier one."""
    return one.tags - earlier_claims(one) | ({one.run} - {""}) if ours(one.tags) else one.tags


def claims(one: Standing) -> dict[str, Any]:
    """Whose runs the metadata must still name once a user's tasks have ended: they may take long."""
    return {"runs": sorted(tag for tag in one.tags if tag.startswith(f"{RUN}:"))}


def is_foreign(one: Standing) -> bool:
    return bool(one.system_id) and one.system_id != one.destination.system_id


def luns_on(one: Standing, host: str) -> frozenset[str]:
    return frozenset(lun.wwid for storage, lun in one.luns if host in ("", storage))


def say_luns(one: Standing, host: str) -> str:
    own = sorted((lun.target, lun.name) for storage, lun in one.luns if storage == host)
    return " and ".join(f"the LUN '{name}' of '{target}'" for target, name in own)


def say_volumes(one: Standing) -> str:
    return " and ".join(f"'{one.group}/{volume}'" for volume in sorted(one.volumes)) or "no volume"


def say_mounts(words: str, mounts: tuple[Mount, ...]) -> str:
    return f"{words} {listed(mount.path for mount in mounts)}" if mounts else ""


def lun_maps(
    one: Standing, host: str, side: Side, only: frozenset[str] | None = None, **how: Any
) -> list[dict[str, Any]]:
    """The LUNs of a storage host in the igroup of a side, as the module 'targets' takes them; 'only' these WWIDs."""
    own: dict[str, list[str]] = {}
    for storage, lun in one.luns:
        if storage == host and (only is None or lun.wwid in only):
            own.setdefault(lun.target, []).append(lun.name)
    return [
        in_igroup(target, side, [{"name": name, **how} for name in sorted(names)])
        for target, names in sorted(own.items())
    ]


def without(one: Standing, host: str, side: Side) -> list[dict[str, Any]]:
    """The whole targets of a storage host without the igroup of a side, as the module 'targets' takes them."""
    named = {
        lun.target
        for storage, lun in one.luns
        if storage == host and lun.target in one.whole and lun.wwid in side.mapped | side.kept
    }
    igroups = dict(side.igroups)
    return [
        {"name": target, "igroups": [{"name": igroups[target], "state": "absent", "luns": []}]}
        for target in sorted(named)
    ]


def expected(one: Standing, host: str, exported: bool) -> list[dict[str, Any]]:
    """What LVM must have written on the LUNs of a storage host, as the module 'targets' takes it."""
    return [
        {"target": lun.target, "lun": lun.name, "group_uuid": one.uuid, "exported": exported}
        for storage, lun in one.luns
        if storage == host and lun.wwid in one.labelled
    ]


def in_igroup(target: str, side: Side, luns: list[dict[str, Any]]) -> dict[str, Any]:
    """A target with one igroup, that of a side."""
    name = dict(side.igroups)[target]
    return {"name": target, "igroups": [{"name": name, "initiators": [side.initiator], "luns": luns}]}


def login_nodes(side: Side) -> list[dict[str, Any]]:
    """The portals without a session, as the module 'nodes' takes them."""
    return nodes_at(side.unconnected, startup="automatic", logged_in=True)


def nodes_at(portals: frozenset[tuple[str, str]], **how: Any) -> list[dict[str, Any]]:
    """Records of targets at these portals, as the module 'nodes' takes them."""
    return [
        {"target": target, "portals": sorted(portal for name, portal in portals if name == target), **how}
        for target in sorted({target for target, _portal in portals})
    ]


def say_ways(portals: frozenset[tuple[str, str]]) -> str:
    return listed(f"{target} at {portal}" for target, portal in portals)
