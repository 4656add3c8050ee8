# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a move on its destination, which verifies before it uses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model import AUTO, mounts_of, ours, sums_of
from ..position import Standing, waiting_mounts
from ..side import listed
from ..stage import (
    OnDestination,
    claimed,
    claims,
    is_foreign,
    is_here,
    login_nodes,
    nodes_at,
    say_mounts,
    say_volumes,
    say_ways,
)


class Record(OnDestination):
    """Where it will log in, while that is known: a target that changes hands whole lets it in only when the service has
    stopped, and the source, which knows the portals, may be gone by then.
    """

    name = "record"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.whole and one.destination.unrecorded) and not one.has_arrived()

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, destination=replace(one.destination, unrecorded=frozenset()))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"make records of {say_ways(one.destination.unrecorded)}, which lets it in later"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"nodes": nodes_at(one.destination.unrecorded, startup="manual")}


class Connect(OnDestination):
    """The sessions: before the service stops, or where a target changes hands whole, as soon as it has."""

    name = "connect"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.destination.unconnected) and (not one.whole or one.has_arrived())

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        side = one.destination
        return replace(
            one,
            destination=replace(
                side,
                connected=side.connected | side.unconnected,
                unconnected=frozenset(),
                unrecorded=frozenset(),
            ),
        )

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"log in to {say_ways(one.destination.unconnected)}"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"nodes": login_nodes(one.destination)}


class Attach(OnDestination):
    """The disks, to be read only, while the source uses them."""

    name = "attach"

    @staticmethod
    def due(one: Standing) -> bool:
        return is_here(one) and one.still and not one.whole and Attach.lacks(one)

    @staticmethod
    def lacks(one: Standing) -> bool:
        """Whether the destination does not have the whole group."""
        return one.destination.disks != one.wwids or not one.destination.sees

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, destination=replace(one.destination, disks=one.wwids, sees=True))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"wait for the disks {listed(one.wwids)}, read-only, verified by WWID on every path"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"disks": [{"wwid": wwid} for wwid in sorted(one.wwids)]}


class Await(Attach):
    """The disks, where the destination could not have them before; they may be written at once."""

    name = "await"

    @staticmethod
    def due(one: Standing) -> bool:
        return Attach.lacks(one)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"wait for the disks {listed(one.wwids)}, verified by WWID on every path"


class Start(OnDestination):
    """All on the destination that ends the time without service, in one call: each further one costs some of it.

    Imported, claimed by a run that continues another one's move, activated, and not mounted before the samples are the same
    as on the source. A line in fstab says that they were.
    """

    name = "start"

    @staticmethod
    def due(one: Standing) -> bool:
        unclaimed = claimed(one) != one.tags
        return unclaimed or Start.waits(one) or Start.unproved(one) or bool(waiting_mounts(one))

    @staticmethod
    def waits(one: Standing) -> bool:
        """Whether the destination does not have all of it active as its own."""
        return one.exported or is_foreign(one) or not one.volumes <= one.destination.active

    @staticmethod
    def unproved(one: Standing) -> bool:
        """Whether the samples of the source are still to be compared."""
        return bool(sums_of(one.tags)) and not one.destination.mounts

    @staticmethod
    def proved(one: Standing) -> frozenset[str]:
        """The tags afterwards; where nothing is mounted, the samples leave them as soon as they are proved."""
        return claimed(one) if mounts_of(one.tags) else claimed(one) - sums_of(one.tags)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        side = one.destination
        destination = replace(
            side, active=side.active | one.volumes, mounts=side.mounts + waiting_mounts(one)
        )
        owner = side.system_id if one.exported or is_foreign(one) else one.system_id
        return replace(one, exported=False, system_id=owner, tags=Start.proved(one), destination=destination)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        said = []
        if one.exported:
            said.append(f"import '{one.group}'")
        elif is_foreign(one):
            said.append(f"take '{one.group}' over from its owner '{one.system_id}', which is fenced")
        if claimed(one) != one.tags:
            said.append(f"note in the metadata of '{one.group}' that this run now owns the move")
        if Start.waits(one):
            said.append(f"activate '{one.group}'")
        if Start.unproved(one):
            said.append(
                f"compare the checksum samples of {say_volumes(one)} with those that '{one.source.host}' noted"
            )
        if waiting_mounts(one):
            said.append("mount, now and at every boot" + say_mounts(":", waiting_mounts(one)))
        return ", then ".join(said)

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        unproved = Start.unproved(one)
        state: dict[str, Any] = {
            "name": one.group,
            "state": "active",
            "imported": True,
            "checksums": unproved,
        }
        if is_foreign(one) and not one.exported:
            state["take_over_from"] = one.system_id
        if claimed(one) != one.tags:
            state["tags"] = sorted(claimed(one))
        proved = Start.proved(one)
        return {
            "states": [state],
            "volumes": [{"group": one.group, "volume": volume} for volume in sorted(one.volumes)]
            if unproved
            else [],
            "mounts": [
                {
                    "path": mount.path,
                    "device": f"/dev/{one.group}/{mount.volume}",
                    "filesystem": mount.filesystem,
                    "options": mount.options,
                }
                for mount in waiting_mounts(one)
            ],
            "proved": [{"name": one.group, "tags": sorted(proved)}] if proved != claimed(one) else [],
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

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return claims(one)


class Finish(OnDestination):
    """The notes are removed, and a path that was removed at 'start' because it did not answer comes back."""

    name = "finish"

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(ours(one.tags))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, tags=one.tags - ours(one.tags), still=one.still and AUTO not in one.tags)

    @staticmethod
    def say(one: Standing, host: str) -> str:
        again = ", and let hosts activate it by themselves again" if AUTO in one.tags else ""
        notes = f"drop the notes of the move from the metadata of '{one.group}'{again}"
        return f"{notes}, then scan for paths of its disks that were missing"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        again = {"autoactivation": True} if AUTO in one.tags else {}
        return {
            "states": [{"name": one.group, "tags": sorted(one.tags - ours(one.tags)), **again}],
            "scanned": sorted({lun.target for _storage, lun in one.luns}),
        }
