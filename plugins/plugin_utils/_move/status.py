# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns a volume group now, in sentences for people, verified from both sides."""

from __future__ import annotations

from typing import Iterator, Sequence

from ...module_utils._lvm.planned import runs_of
from .model import AUTO, MOUNT, NO_MOUNTS, mounts_of, moves_of
from .plan import Planned
from .position import Standing
from .side import Side, listed


def status(one: Standing) -> list[str]:
    """Where a group stands."""
    return [
        f"'{one.group}' ({one.uuid}) {_owner(one)}",
        f"  on the disks: {'exported' if one.exported else 'not exported'}{noted(one)}",
        *(f"  {line}" for side in (one.source, one.destination) for line in side_of(side, one)),
        *_lost_mounts(one),
        *(f"  {line}" for line in _unknown_mounts(one)),
        *(f"  {line}" for line in not_by_itself(one)),
    ]


def left(steps: Sequence[Planned]) -> str:
    """What a move would still do."""
    said = [say for step in steps for say in step.say()]
    return f"  to do: {len(said)} step{'' if len(said) == 1 else 's'}" + (
        f", the next: {said[0]}" if said else ""
    )


def _unknown_mounts(one: Standing) -> Iterator[str]:
    """A source that is dead before it could note them cannot be asked."""
    known = one.destination.mounts or mounts_of(one.tags) or NO_MOUNTS in one.tags
    if not one.source.answers and not known and not one.has_arrived():
        yield (
            f"'{one.source.host}' cannot be asked where it was mounted, so a move mounts nothing. Afterwards lunworks.iscsi.site "
            f"does, by the volume_groups of '{one.destination.host}'"
        )


def _lost_mounts(one: Standing) -> Iterator[str]:
    """A move notes the mounts, or that there were none, before anything else."""
    mounts = one.source.mounts + one.destination.mounts + mounts_of(one.tags)
    if moves_of(one.tags) and not mounts and NO_MOUNTS not in one.tags:
        yield (
            "where it was mounted is no longer noted, and it is not mounted anywhere. The controller's backups of its metadata "
            f"('{one.group}-{one.uuid}-*.vg', tags '{MOUNT}:volume:path:type:options', and '*.mounts.json') say it: mount it by "
            "them (lunworks.iscsi.mounts)"
        )


def not_by_itself(one: Standing) -> Iterator[str]:
    """What no boot of the host that uses the group mounts."""
    side = one.destination if one.has_left() else one.source
    for mount in side.mounts:
        if mount.mounted and not mount.line:
            yield f"'{mount.path}' is mounted and is not in the fstab of '{side.host}': no boot there mounts it"
        elif "noauto" in mount.options.split(","):
            yield f"'{mount.path}' has 'noauto' in the fstab of '{side.host}': no boot there mounts it"
    bare = one.volumes & side.active - {mount.volume for mount in side.mounts}
    if bare:
        yield f"{listed(bare)} of it: active on '{side.host}', and neither mounted nor in its fstab; a move mounts nothing of it"


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


def noted(one: Standing) -> str:
    moves = sorted(moves_of(one.tags))
    until = ", not activated automatically by any host until that is over" if AUTO in one.tags else ""
    runs = "".join(
        f", by a run that '{who}' began at {when} from '{source}' to '{destination}'"
        for who, when, source, destination in runs_of(one.tags)
    )
    return (
        "".join(f", moving from '{source}' to '{destination}'{until}" for source, destination in moves) + runs
    )


def side_of(side: Side, one: Standing) -> Iterator[str]:
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
