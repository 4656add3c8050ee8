# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a move on its source: nothing that it had open is left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model import AUTO, NO_MOUNTS, mount_tag, mounts_of, move_tag, moves_of, sum_tag, sums_of
from ..position import Standing
from ..side import listed
from ..stage import (
    OnSource,
    claims,
    earlier_claims,
    is_here,
    login_nodes,
    nodes_at,
    say_mounts,
    say_volumes,
    say_ways,
)


class Reattach(OnSource):
    """A source that came back without all of its disks."""

    name = "reattach"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and not one.has_left() and not one.exported and not one.source.sees

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, sees=True, disks=one.wwids))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"find the disks of '{one.group}' again, by WWID, on every path"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"disks": [{"wwid": wwid} for wwid in sorted(one.wwids)], "nodes": login_nodes(one.source)}


class Mark(OnSource):
    """The intent, and all that the destination must know, into the group's own metadata; a backup of it before.

    Until the move is over no host activates the group by itself: each of the two may see it while the other one uses it.
    """

    name = "mark"

    @staticmethod
    def due(one: Standing) -> bool:
        return is_here(one) and Mark.taken(one) != one

    @staticmethod
    def stops(one: Standing) -> bool:
        """Whether hosts activate it by themselves, and can be told not to."""
        return one.stoppable and not one.still

    @staticmethod
    def missing(one: Standing) -> set[str]:
        """The tags that are to be added."""
        wanted = {mount_tag(mount) for mount in one.source.mounts} | ({one.run} - {""})
        if not one.source.mounts and not mounts_of(one.tags):
            wanted.add(NO_MOUNTS)
        pair = {(one.source.host, one.destination.host), (one.destination.host, one.source.host)}
        if not pair & moves_of(one.tags):
            wanted.add(move_tag(one.source.host, one.destination.host))
        return wanted | ({AUTO} if Mark.stops(one) else set())

    @staticmethod
    def outdated(one: Standing) -> set[str]:
        """Mounts that an earlier attempt noted and that are otherwise now; the claim of an earlier run."""
        wanted = {mount_tag(mount) for mount in one.source.mounts}
        paths = {mount.path for mount in one.source.mounts}
        none = {NO_MOUNTS} & one.tags if paths or mounts_of(one.tags) else set()
        return (
            {mount_tag(mount) for mount in mounts_of(one.tags) if mount.path in paths} - wanted
            | earlier_claims(one)
            | none
        )

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        tags = one.tags - Mark.outdated(one) | Mark.missing(one)
        return replace(one, tags=tags, still=one.still or Mark.stops(one))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return (
            f"back up the metadata of '{one.group}' to the controller, then note in it that it moves from "
            f"'{one.source.host}' to '{one.destination.host}'"
            + say_mounts(" and is mounted on", one.source.mounts)
            + (", and let no host activate it by itself until then" if Mark.stops(one) else "")
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        still = {"autoactivation": False} if Mark.stops(one) else {}
        return {"states": [{"name": one.group, "tags": sorted(Mark.taken(one).tags), **still}]}


class HookBefore(OnSource):
    """What a user does before the service stops: usually stopping it."""

    name = "before"
    optional = True

    @staticmethod
    def due(one: Standing) -> bool:
        return is_here(one) and bool(one.source.active | set(one.source.mounts))

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return one

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"run your tasks before '{one.group}' goes"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return claims(one)


class Unmount(OnSource):
    """A source that was fenced while it used the group: no line in fstab, then no mount."""

    name = "unmount"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and bool(one.source.mounts) and not is_here(one)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, mounts=()))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"take the file systems of '{one.group}' out of fstab and unmount them" + say_mounts(
            ":", one.source.mounts
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"mounts": [{"path": mount.path, "state": "absent"} for mount in one.source.mounts]}


class Deactivate(OnSource):
    """Tables in the kernel of a source that was fenced while it used the group: nothing can be written through them."""

    name = "deactivate"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and bool(one.source.active) and not is_here(one)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, active=frozenset()))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"remove what is left of '{one.group}' in the kernel's device-mapper tables"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"uuids": [one.uuid]}


class Export(OnSource):
    """All on the source that begins the time without service, in one call: no line in fstab, then no mount; checksums of
    blocks spread over each volume, noted in the metadata; then nothing is active, and it is exported.
    """

    name = "export"

    @staticmethod
    def due(one: Standing) -> bool:
        return is_here(one)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        sums = {sum_tag(volume, "unknown-yet") for volume in one.volumes}
        tags = one.tags - sums_of(one.tags) | sums
        source = replace(one.source, active=frozenset(), mounts=())
        return replace(one, tags=tags, source=source, exported=True, system_id="")

    @staticmethod
    def say(one: Standing, host: str) -> str:
        unmount = f"{Unmount.say(one, host)}, then " if one.source.mounts else ""
        return (
            f"{unmount}note a checksum sample of {say_volumes(one)} in the metadata of '{one.group}', deactivate it, proved in "
            "the kernel's device-mapper tables, and export it"
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        tags = sorted(one.tags - sums_of(one.tags))
        awake = {} if one.volumes <= one.source.active else {"state": "active"}
        return {
            "waking": [{"name": one.group, **awake}],
            "states": [{"name": one.group, "state": "exported", "checksums": True, "tags": tags}],
            **Unmount.arguments(one, host),
        }


class Forget(OnSource):
    """Flush the maps and delete exactly the disks of the group, known by WWID."""

    name = "forget"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and bool(one.source.disks)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, disks=frozenset(), sees=False))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"remove the disks {listed(one.source.disks)}: flush each map, delete its paths"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"disks": [{"wwid": wwid, "state": "absent"} for wwid in sorted(one.source.disks)]}


class LetGo(Forget):
    """Where a target changes hands whole its sessions end: before that, since a map without paths would hold what reads it."""

    @staticmethod
    def due(one: Standing) -> bool:
        return bool(one.whole) and not is_here(one) and Forget.due(one)


class LogOut(OnSource):
    """The sessions to targets that change hands whole; the records stay until the move is over."""

    name = "logout"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and bool(LogOut.sessions(one)) and not is_here(one)

    @staticmethod
    def sessions(one: Standing) -> frozenset[tuple[str, str]]:
        return frozenset(way for way in one.source.connected if way[0] in one.whole)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        side, ended = one.source, LogOut.sessions(one)
        return replace(
            one,
            source=replace(side, connected=side.connected - ended, unconnected=side.unconnected | ended),
        )

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return f"log out of {say_ways(LogOut.sessions(one))}"

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"nodes": nodes_at(LogOut.sessions(one), logged_in=False)}


class Leave(OnSource):
    """Sessions and records that nothing uses any more."""

    name = "leave"

    @staticmethod
    def due(one: Standing) -> bool:
        return one.source.answers and bool(one.source.idle)

    @staticmethod
    def taken(one: Standing, host: str = "") -> Standing:
        return replace(one, source=replace(one.source, idle=frozenset()))

    @staticmethod
    def say(one: Standing, host: str) -> str:
        return (
            f"log out of {listed(one.source.idle)}, which has no other LUN for '{host}', and drop the records"
        )

    @staticmethod
    def arguments(one: Standing, host: str) -> dict[str, Any]:
        return {"nodes": [{"target": target, "state": "absent"} for target in sorted(one.source.idle)]}
