# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns a volume group now, in sentences for people, verified from both sides."""

from __future__ import annotations

from typing import Iterator

from ...module_utils._lvm.planned import runs_of
from .model import AUTO, MOUNT, NO_MOUNTS, mounts_of, moves_of
from .position import Side, Standing, listed


def status(one: Standing, left: list[str]) -> list[str]:
    """Where a group stands; 'left' are the sentences of the steps that a move would still take."""
    return [
        f"'{one.group}' ({one.uuid}) {_owner(one)}",
        f"  on the disks: {'exported' if one.exported else 'not exported'}{_noted(one)}",
        *(f"  {line}" for side in (one.source, one.destination) for line in _side(side, one)),
        *_lost_mounts(one),
        f"  to do: {len(left)} step{'' if len(left) == 1 else 's'}"
        + (f", the next: {left[0]}" if left else ""),
    ]


def _lost_mounts(one: Standing) -> Iterator[str]:
    """A move notes the mounts, or that there were none, before anything else."""
    mounts = one.source.mounts + one.destination.mounts + mounts_of(one.tags)
    if moves_of(one.tags) and not mounts and NO_MOUNTS not in one.tags:
        yield (
            "where it was mounted is no longer noted, and it is not mounted anywhere. The controller's backups of its metadata "
            f"('{one.group}-{one.uuid}-*.vg', tags '{MOUNT}:volume:path:type:options', and '*.mounts.json') say it: mount it by "
            "them (lunworks.iscsi.mounts)"
        )


def _owner(one: Standing) -> str:
    moved = one.has_left() and one.has_arrived()
    if one.exported:
        return f"is on its way between '{one.source.host}' and '{one.destination.host}'; nobody uses it"
    if one.source.may_write() and one.destination.may_write():
        return "is mapped to both hosts"
    if moved:
        return f"is owned by '{one.destination.host}'"
    if one.source.may_write():
        return f"is owned by '{one.source.host}'"
    return "is mapped to neither host"


def _noted(one: Standing) -> str:
    moves = sorted(moves_of(one.tags))
    until = ", not activated automatically by any host until that is over" if AUTO in one.tags else ""
    runs = "".join(
        f", by a run that '{who}' began at {when} from '{source}' to '{destination}'"
        for who, when, source, destination in runs_of(one.tags)
    )
    return (
        "".join(f", moving from '{source}' to '{destination}'{until}" for source, destination in moves) + runs
    )


def _side(side: Side, one: Standing) -> Iterator[str]:
    mapped = f"{len(side.running)} of {len(one.wwids)} LUNs mapped, {len(side.saved)} saved"
    if side.mapped - side.running:
        mapped += f", {len(side.mapped - side.running)} more read-only"
    if not side.answers:
        yield f"'{side.host}': {mapped}; it does not answer"
        return
    mounted = [mount.path for mount in side.mounts if mount.mounted]
    lines = [mount.path for mount in side.mounts if mount.line]
    yield (
        f"'{side.host}': {mapped}; {len(side.disks)} disks there; active: {listed(side.active)}; mounted: "
        f"{listed(mounted)}; in fstab: {listed(lines)}"
    )
