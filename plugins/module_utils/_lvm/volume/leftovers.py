# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device-mapper tables of logical volumes whose disks are gone: LVM finds no group any more, the kernel still has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Sequence

from ..._arguments import unique
from ..._block.holders import look_holders
from ..._block.sysfs import BLOCK
from ..._converge import Resource
from ..._host import Host, Problem
from ..._host_lock import VOLUMES
from ..._step import Step
from .use import split_name

SECONDS = 30
OPTIONS: dict[str, Any] = {"uuids": {"type": "list", "elements": "str", "required": True}}


@dataclass(frozen=True)
class Leftover:
    """A table: its device-mapper name, its volume group, and who uses it beside other tables of the group."""

    name: str
    group: str
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemoveTable(Step):
    name: str

    def __str__(self) -> str:
        return f"Remove the table '{self.name}' from the kernel's device mapper"

    def take(self, host: Host) -> None:
        host.run("dmsetup", "remove", "--retry", self.name, timeout=SECONDS)  # never by force


def look_leftovers(host: Host, uuids: Sequence[str]) -> tuple[Leftover, ...]:
    """The tables of the groups with these UUIDs, those on top of others first."""
    keys = {f"LVM-{uuid.replace('-', '')}" for uuid in uuids}
    ours = {
        name: (host.read(f"{BLOCK}/{name}/dm/name") or "").strip()
        for name in host.list(BLOCK)
        if (host.read(f"{BLOCK}/{name}/dm/uuid") or "")[:36] in keys
    }
    if not ours:
        return ()
    holders = look_holders(host, opened=True)
    order = sorted(ours, key=lambda name: (len(holders.over(name)), name))
    return tuple(
        Leftover(
            name=ours[name],
            group=split_name(ours[name])[0],
            users=tuple(
                str(user)
                for user in holders.of(name)
                if user.kind not in ("volume", "device") and user.through in ours
            ),
        )
        for name in order
    )


def plan_leftovers(seen: tuple[Leftover, ...], want: tuple[Leftover, ...]) -> list[Step]:
    """Every table that is not wanted goes."""
    return [RemoveTable(one.name) for one in seen if one not in want]


def refuse_leftovers(seen: tuple[Leftover, ...]) -> None:
    """Nothing is taken away from its users."""
    for one in seen:
        if one.users:
            raise Problem(
                f"Cannot remove what is left of the volume group '{one.group}': {'; '.join(one.users)}. Stop that first."
            )


class VolumeLeftovers(Resource):
    """No tables of the groups with these UUIDs."""

    locks = (VOLUMES,)

    def __init__(self, options: dict[str, Any]) -> None:
        self.uuids = options["uuids"]
        unique("UUID", self.uuids)
        for uuid in self.uuids:
            if not re.fullmatch(r"\w{6}(-\w{4}){5}-\w{6}", uuid):
                raise Problem(f"'{uuid}' is not the UUID of a volume group, as vgs -o vg_uuid shows it.")

    def look(self, host: Host) -> tuple[Leftover, ...]:
        return look_leftovers(host, self.uuids)

    def want(self, seen: tuple[Leftover, ...]) -> tuple[Leftover, ...]:
        return ()

    def plan(self, seen: tuple[Leftover, ...], want: tuple[Leftover, ...]) -> list[Step]:
        return plan_leftovers(seen, want)

    def refuse(self, seen: tuple[Leftover, ...], want: tuple[Leftover, ...], steps: list[Step]) -> None:
        refuse_leftovers(seen)
