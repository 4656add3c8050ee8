# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a move on its destination: proved before it is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move import mounts_of, ours, sums_of
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import (
    Standing,
    listed,
    waiting_mounts,
)
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_step import (
    OnDestination,
    is_foreign,
    login_nodes,
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
        return {"nodes": login_nodes(one.destination)}


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
        return {"disks": [{"wwid": wwid} for wwid in sorted(one.wwids)]}


class Import(OnDestination):
    """Imported and activated in one go: each look at LVM costs time without service."""

    name = "import"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.exported or is_foreign(one)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        destination = replace(one.destination, active=one.volumes)
        return replace(one, exported=False, system_id=one.destination.system_id, destination=destination)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        if one.exported:
            return f"import '{one.group}' and activate it"
        return f"take '{one.group}' over from its owner '{one.system_id}', which is fenced, and activate it"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        owner = {} if one.exported else {"take_over_from": one.system_id}
        return {
            "states": [{"name": one.group, "state": "active", "imported": True, "sampled": True, **owner}]
        }


class Activate(OnDestination):
    """Nothing is mounted before the samples are the same as on the source. A line in fstab says that they were."""

    name = "activate"

    @staticmethod
    def due(one: Standing) -> bool:
        return not one.volumes <= one.destination.active or Activate.unproved(one)

    @staticmethod
    def unproved(one: Standing) -> bool:
        """Whether the samples of the source are still to be compared."""
        return bool(sums_of(one.tags)) and not one.destination.mounts

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        tags = one.tags if mounts_of(one.tags) else one.tags - sums_of(one.tags)
        return replace(one, tags=tags, destination=replace(one.destination, active=one.volumes))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        said = [] if one.volumes <= one.destination.active else [f"activate '{one.group}'"]
        if Activate.unproved(one):
            said.append(
                f"compare the checksum samples of {say_volumes(one)} with those that '{one.source.host}' noted"
            )
        return ", and ".join(said)

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        state = {"name": one.group, "state": "active", "sampled": Activate.unproved(one)}
        if not Activate.unproved(one):
            return {"states": [state]}
        proved = [{"group": one.group, "volume": volume} for volume in sorted(one.volumes)]
        unmounted = [{"name": one.group, "tags": sorted(Activate.taken(one).tags)}]
        return {"states": [state], "volumes": proved, "proved": [] if mounts_of(one.tags) else unmounted}


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

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"tags": sorted(one.tags - ours(one.tags))}
