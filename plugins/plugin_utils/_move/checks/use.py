# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a volume group, what is wrong with it on its hosts, and where its mounts would collide."""

from __future__ import annotations

from ..model import LONGEST_TAG, Computer, Group, Refusal, Survey, mount_tag
from ..position import Standing, waiting_mounts
from ..side import listed


def refuse_use(survey: Survey, one: Standing) -> None:
    """Raise the gravest reason why its use prevents the move."""
    for ask in (_partial, _copies, _health, _users, _binds, _mount_points):
        ask(survey, one)


def seen_by(computer: Computer, one: Standing) -> Group | None:
    return next((group for group in computer.groups if group.uuid == one.uuid), None)


def _partial(survey: Survey, one: Standing) -> None:
    computer = survey.computer(survey.source)
    group = seen_by(computer, one) if computer else None
    if group and group.missing and not one.exported and one.source.running == one.wwids:
        raise Refusal(
            f"'{one.group}' is partial on '{survey.source}': {group.missing} of its PVs are not seen, though their LUNs are "
            "mapped. Bring the sessions and disks back first (lunworks.iscsi.site)."
        )


def _copies(survey: Survey, one: Standing) -> None:
    for name in (survey.source, survey.destination):
        computer = survey.computer(name)
        group = seen_by(computer, one) if computer else None
        if group and group.copies:
            raise Refusal(
                f"'{name}' sees copies of PVs of '{one.group}' ({listed(group.copies)}): LVM there could take the wrong one. "
                "Remove the copies (a snapshot of the array?), or give them their own UUIDs (vgimportclone)."
            )


def _health(survey: Survey, one: Standing) -> None:
    computer = survey.computer(survey.source)
    group = seen_by(computer, one) if computer and not one.has_left() else None
    for volume in group.volumes if group else ():
        if volume.health:
            raise Refusal(
                f"'{one.group}/{volume.name}' is not healthy on '{survey.source}': {volume.health} (lvs(8)). Repair it there, "
                "or remove it, before it moves: it would be in the same state there."
            )


def _users(survey: Survey, one: Standing) -> None:
    computer = survey.computer(survey.source)
    group = seen_by(computer, one) if computer and not one.has_left() else None
    for volume in group.volumes if group else ():
        if volume.users:
            raise Refusal(
                f"'{one.group}/{volume.name}' is in use on '{survey.source}': {'; '.join(volume.users)}. Stop that first."
            )


def _binds(survey: Survey, one: Standing) -> None:
    for mount in one.source.mounts:
        if mount.filesystem == "swap":
            raise Refusal(
                f"'{one.group}/{mount.volume}' is swap space in the fstab of '{survey.source}'. Take it out first: swap "
                "stays with its host."
            )
        if mount.root != "/":
            raise Refusal(
                f"'{mount.path}' on '{survey.source}' is a part ('{mount.root}') of '{one.group}/{mount.volume}', mounted a "
                "second time. Unmount it first; a move carries whole file systems."
            )


def _mount_points(survey: Survey, one: Standing) -> None:
    computer = survey.computer(survey.destination)
    taken = {
        mount.path: owner for owner, mount in (computer.mounts if computer else ()) if owner != one.group
    }
    for mount in (*one.source.mounts, *waiting_mounts(one)):
        if mount.path in taken:
            raise Refusal(
                f"'{mount.path}', where '{one.group}/{mount.volume}' is mounted, is taken on '{survey.destination}' by "
                "another file system. Free it, or change the mount point on the source first."
            )
        if len(mount_tag(mount)) > LONGEST_TAG:
            raise Refusal(
                f"The mount point '{mount.path}' with its options is too long to be noted in the metadata."
            )
