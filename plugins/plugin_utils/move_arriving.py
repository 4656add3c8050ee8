# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a move on its destination: proved before it is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move import ours, sums_of
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import (
    Standing,
    listed,
    waiting_mounts,
)
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_step import (
    OnDestination,
    is_foreign,
    say_mounts,
    say_volumes,
)


class Connect(OnDestination):
    name = "connect"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.destination.unconnected)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, destination=replace(one.destination, unconnected=frozenset()))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        ways = [f"{target} at {portal}" for target, portal in one.destination.unconnected]
        return f"log in to {listed(ways)}"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {
            "nodes": [
                {
                    "target": target,
                    "portals": sorted(
                        portal for name, portal in one.destination.unconnected if name == target
                    ),
                }
                for target in sorted({target for target, _portal in one.destination.unconnected})
            ]
        }


class Attach(OnDestination):
    name = "attach"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.destination.disks != one.wwids or not one.destination.sees

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, destination=replace(one.destination, disks=one.wwids, sees=True))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"wait for the disks {listed(one.wwids)}, proved by WWID on every path"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"disks": sorted(one.wwids), "targets": one.targets()}


class Import(OnDestination):
    name = "import"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.exported or is_foreign(one)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, exported=False, system_id=one.destination.system_id)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        if one.exported:
            return f"import '{one.group}'"
        return f"take '{one.group}' over from its owner '{one.system_id}', which is fenced"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"exported": one.exported, "owner": one.system_id}


class Activate(OnDestination):
    name = "activate"

    @staticmethod
    def due(one: Standing) -> bool:
        return not one.volumes <= one.destination.active

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, destination=replace(one.destination, active=one.volumes))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"activate '{one.group}'"


class Verify(OnDestination):
    """Nothing is mounted before the samples are the same."""

    name = "verify"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(sums_of(one.tags))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, tags=one.tags - sums_of(one.tags))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"compare the checksum samples of {say_volumes(one)} with those that '{one.source.host}' noted"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"volumes": sorted(one.volumes)}


class MountAll(OnDestination):
    name = "mount"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(waiting_mounts(one))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(
            one, destination=replace(one.destination, mounts=one.destination.mounts + waiting_mounts(one))
        )

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"mount the file systems of '{one.group}', now and at every boot" + say_mounts(
            ":", waiting_mounts(one)
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {
            "mounts": [
                {
                    "path": mount.path,
                    "device": f"/dev/{one.group}/{mount.volume}",
                    "filesystem": mount.filesystem,
                    "options": mount.options,
                }
                for mount in waiting_mounts(one)
            ]
        }


class HookAfter(OnDestination):
    """What a user does once the group is there: usually starting the service. Again after a crash: until 'finish'."""

    name = "after"
    optional = True

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(ours(one.tags))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return one

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"run your tasks now that '{one.group}' is here"


class Finish(OnDestination):
    name = "finish"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(ours(one.tags))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, tags=one.tags - ours(one.tags))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"drop the notes of the move from the metadata of '{one.group}'"
