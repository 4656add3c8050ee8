# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume group from one host's side: what it may do with the LUNs, has of them, and does with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from ...module_utils._block.pv_label import Label
from .model import Computer, Lun, Mount, Survey, Target

ANY_ADDRESS = ("0.0.0.0", "[::]")


@dataclass(frozen=True)
class Side:
    """A volume group from one host's side. LUNs and disks by WWID."""

    host: str
    initiator: str
    answers: bool
    running: frozenset[str] = frozenset()  # LUNs of the group that it may write to now
    saved: frozenset[str] = frozenset()  # those that it might write to after a boot of the storage host
    mapped: frozenset[str] = frozenset()  # LUNs that it has now, if only to read
    kept: frozenset[str] = frozenset()  # those that it would have after a boot of the storage host
    disks: frozenset[str] = frozenset()  # those that it has devices of
    sees: bool = False  # its LVM finds the whole group
    active: frozenset[str] = frozenset()
    mounts: tuple[Mount, ...] = ()
    outsider: frozenset[str] = frozenset()  # targets that have no igroup for it
    connected: frozenset[tuple[str, str]] = frozenset()  # portals with a session
    unconnected: frozenset[tuple[str, str]] = frozenset()  # portals without one
    unrecorded: frozenset[tuple[str, str]] = frozenset()  # portals that it would use and has no record of
    idle: frozenset[str] = frozenset()  # targets that it keeps records of, and needs for nothing else
    system_id: str = ""
    igroups: tuple[
        tuple[str, str], ...
    ] = ()  # its igroup in each target; where it has none yet, that of the data

    def may_write(self) -> bool:
        """Whether it may write to any LUN of the group, now or after a boot of the storage host."""
        return bool(self.running | self.saved)


def side_of(
    survey: Survey,
    name: str,
    initiator: str,
    label: Label,
    luns: tuple[tuple[str, Lun], ...],
    moving: frozenset[str],
    whole: frozenset[str] = frozenset(),
) -> Side:
    """One side. A host that loses whole targets keeps no records of them, whatever its data declares: it could not log in."""
    own = [lun for _storage, lun in luns]
    mapped = frozenset(lun.wwid for lun in own if initiator and initiator in lun.running)
    kept = frozenset(lun.wwid for lun in own if initiator and initiator in lun.saved)
    running = mapped - {lun.wwid for lun in own if initiator in lun.read_only}
    saved = kept - {lun.wwid for lun in own if initiator in lun.saved_read_only}
    targets = sorted({lun.target for lun in own})
    known = {target: _served(survey, target).igroup_of(initiator) for target in targets}
    named = survey.igroups if name == survey.destination else {}
    igroups = tuple((target, igroup or named.get(target, name)) for target, igroup in known.items())
    seen = survey.computer(name)
    if seen is None:
        return Side(name, initiator, False, running, saved, mapped, kept, igroups=igroups)
    group = next((one for one in seen.groups if one.uuid == label.uuid), None)
    return Side(
        host=name,
        initiator=initiator,
        answers=True,
        running=running,
        saved=saved,
        mapped=mapped,
        kept=kept,
        disks=frozenset(lun.wwid for lun in own if lun.wwid in seen.disks),
        sees=bool(group and not group.missing and set(group.pvs) == {uuid for uuid, _device in label.pvs}),
        active=_active(seen, label),
        mounts=tuple(mount for owner, mount in seen.mounts if owner == label.group),
        outsider=frozenset(target for target in targets if not known[target]),
        connected=frozenset(
            (target, portal) for target in targets for portal in seen.sessions.get(target, ())
        ),
        unconnected=_without(survey, targets, seen.sessions),
        unrecorded=_without(survey, targets, seen.records),
        idle=frozenset(
            one
            for one in targets
            if (one in whole or one not in seen.declared) and _is_idle(survey, seen, one, moving)
        ),
        system_id=seen.system_id,
        igroups=igroups,
    )


def _without(
    survey: Survey, targets: Iterable[str], has: dict[str, frozenset[str]]
) -> frozenset[tuple[str, str]]:
    """The portals of these targets that are not among what a host has."""
    return frozenset(
        (target, portal)
        for target in targets
        for portal in portals_for(survey, target) - has.get(target, frozenset())
    )


def _active(seen: Computer, label: Label) -> frozenset[str]:
    """What the kernel has tables of; where another group of that name is the host's own, its tables are not ours."""
    others = [one for one in seen.groups if one.name == label.group and one.uuid != label.uuid]
    return frozenset() if others else seen.active.get(label.group, frozenset())


def _served(survey: Survey, target: str) -> Target:
    return next(one.targets[target] for one in survey.storages.values() if one and target in one.targets)


def portals_for(survey: Survey, target: str) -> frozenset[str]:
    """The portals at which the destination uses a target: those it has records of, else the source's, else all."""
    for name in (survey.destination, survey.source):
        computer = survey.computer(name)
        if computer and computer.records.get(target):
            return computer.records[target]
    portals = frozenset(_served(survey, target).portals)
    return frozenset(portal for portal in portals if not portal.startswith(ANY_ADDRESS))


def _is_idle(survey: Survey, seen: Computer, target: str, moving: frozenset[str]) -> bool:
    """Whether nothing but the moving groups lets a host keep its records of a target."""
    if not (seen.records.get(target) or seen.sessions.get(target)):
        return False
    return not any(
        seen.initiator in lun.initiators() and lun.wwid not in moving
        for storage in survey.storages.values()
        for lun in (storage.luns if storage else ())
        if lun.target == target
    )


def listed(names: Iterable[str]) -> str:
    """Names for people."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
