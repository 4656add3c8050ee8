# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of a move: whether it is due, where it is taken, how it says itself, and what is after it.

The name of a step is that of its task file in the role move_volume_group.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move import Lun, Mount, sum_tag
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import Side, Standing, listed


class Step:
    """A step; never made, its class is the step."""

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


class OnSource(Step):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return [one.source.host]


class OnDestination(Step):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return [one.destination.host]


class OnStorage(Step):
    @classmethod
    def hosts(cls, one: Standing) -> list[str]:
        return sorted({storage for storage, _lun in one.luns})


def is_here(one: Standing) -> bool:
    """The source still has it and may change its metadata."""
    return one.source.answers and not one.has_left() and not one.exported


def is_foreign(one: Standing) -> bool:
    return bool(one.system_id) and one.system_id != one.destination.system_id


def has_sum(one: Standing, volume: str) -> bool:
    prefix = sum_tag(volume, "")
    return any(tag.startswith(prefix) for tag in one.tags)


def luns_on(one: Standing, host: str) -> frozenset[str]:
    return frozenset(lun.wwid for storage, lun in one.luns if host in ("", storage))


def say_luns(one: Standing, host: str) -> str:
    own = sorted((lun.target, lun.name) for storage, lun in one.luns if storage == host)
    return " and ".join(f"the LUN '{name}' of '{target}'" for target, name in own)


def say_volumes(one: Standing) -> str:
    return " and ".join(f"'{one.group}/{volume}'" for volume in sorted(one.volumes)) or "no volume"


def say_mounts(words: str, mounts: tuple[Mount, ...]) -> str:
    return f"{words} {listed(mount.path for mount in mounts)}" if mounts else ""


def lun_maps(one: Standing, host: str, side: Side, state: str = "present") -> list[dict[str, Any]]:
    """The LUNs of a storage host by target, for the initiator of a side."""
    own: dict[str, list[Lun]] = {}
    for storage, lun in one.luns:
        if storage == host:
            own.setdefault(lun.target, []).append(lun)
    return [
        {
            "target": target,
            "initiator": side.initiator,
            "host": side.host,
            "luns": [{"name": lun.name, "state": state} for lun in sorted(luns, key=lambda lun: lun.name)],
        }
        for target, luns in sorted(own.items())
    ]
