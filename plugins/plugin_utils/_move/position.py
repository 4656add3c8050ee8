# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where one volume group stands between two hosts: derived from a survey, remembered by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator

from ...module_utils._block.pv_label import Label
from .model import (
    STILL,
    STILL_SINCE,
    Computer,
    Lun,
    Mount,
    Refusal,
    Survey,
    Target,
    mounts_of,
    run_tag,
)

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
    unconnected: frozenset[tuple[str, str]] = frozenset()  # portals without a session
    idle: frozenset[str] = frozenset()  # targets that it keeps records of, and needs for nothing else
    system_id: str = ""
    igroups: tuple[
        tuple[str, str], ...
    ] = ()  # its igroup in each target; where it has none yet, that of the data

    def may_write(self) -> bool:
        """Whether it may write to any LUN of the group, now or after a boot of the storage host."""
        return bool(self.running | self.saved)


@dataclass(frozen=True)
class Standing:
    """A volume group on its way."""

    group: str
    uuid: str
    luns: tuple[tuple[str, Lun], ...]  # storage host and LUN
    volumes: frozenset[str]  # those whose content can be read
    exported: bool
    tags: frozenset[str]
    source: Side
    destination: Side
    system_id: str = ""
    still: bool = False  # no host activates it by itself
    stoppable: bool = False  # LVM of both hosts knows that flag
    run: str = ""  # the tag by which this run claims the move
    labelled: frozenset[str] = frozenset()  # LUNs on which LVM keeps metadata, by WWID

    @property
    def wwids(self) -> frozenset[str]:
        """The WWIDs of all its LUNs."""
        return frozenset(lun.wwid for _storage, lun in self.luns)

    def targets(self) -> list[str]:
        """The targets that serve it."""
        return sorted({lun.target for _storage, lun in self.luns})

    def has_left(self) -> bool:
        """Nothing that runs on the source can write to it any more."""
        return not self.source.may_write()

    def has_arrived(self) -> bool:
        """The destination may write to all of it, and stays so."""
        return self.destination.running == self.wwids == self.destination.saved


@dataclass(frozen=True)
class Found:
    """A LUN with what LVM wrote on it."""

    storage: str
    lun: Lun
    label: Label


def found_luns(survey: Survey) -> Iterator[Found]:
    """Every LUN that carries a PV label."""
    for name, storage in sorted(survey.storages.items()):
        for lun in storage.luns if storage else ():
            label = storage.labels.get(lun.path) if storage else None
            if label:
                yield Found(name, lun, label)


def newest(survey: Survey, group: str) -> Label:
    """The newest metadata of a group on any LUN; refused when there is none, or two groups of that name."""
    labels = [found.label for found in found_luns(survey) if found.label.group == group]
    uuids = sorted({label.uuid for label in labels})
    if len(uuids) > 1:
        raise Refusal(
            f"There are {len(uuids)} volume groups with the name '{group}' on the storage hosts ({', '.join(uuids)}). "
            "Rename one of them first (vgrename UUID NEWNAME)."
        )
    if not labels:
        raise Refusal(_nowhere(survey, group))
    return max(labels, key=lambda label: label.seqno)


def _nowhere(survey: Survey, group: str) -> str:
    for host, computer in survey.hosts.items():
        for one in computer.groups if computer else ():
            if one.name == group:
                return (
                    f"The volume group '{group}' of '{host}' is on no LUN of the storage hosts "
                    f"{listed(survey.storages)}: a local disk cannot move, and an array that is not managed here must "
                    "have its LUN access changed by its own tools."
                )
    return f"There is no volume group '{group}' on any LUN of the storage hosts {listed(survey.storages)}.{unread(survey)}"


def unread(survey: Survey) -> str:
    """The LUNs of which nobody knows what is on them, as sentences; a few of many."""
    found = [lun for one in survey.storages.values() for lun in (one.luns if one else ()) if lun.unreadable]
    return "".join(
        f" '{lun.name}' of '{lun.target}' could not be read: {lun.unreadable.rstrip('.')}."
        for lun in found[:3]
    )


def luns_of(survey: Survey, label: Label) -> tuple[tuple[str, Lun], ...]:
    """The LUNs of a group, one for each PV that its metadata names."""
    found = []
    for uuid, device in sorted(label.pvs):
        here = [one for one in found_luns(survey) if one.label.pv == uuid]
        if not here:
            raise Refusal(
                f"The PV {uuid} of '{label.group}' (it was '{device}') is on no LUN of the storage hosts "
                f"{listed(survey.storages)}. A volume group moves whole: move that PV to a LUN first (pvmove).{unread(survey)}"
            )
        if len(here) > 1:
            names = [f"{one.lun.target} {one.lun.name}" for one in here]
            raise Refusal(
                f"The PV {uuid} of '{label.group}' is on {len(here)} LUNs: {listed(names)}. One is a copy; unmap it, or "
                "give it its own names first (vgimportclone)."
            )
        found.append((here[0].storage, here[0].lun))
    return tuple(found)


def standing(survey: Survey, group: str, moving: frozenset[str]) -> Standing:
    """Where a group stands. 'moving' are the WWIDs of all groups of this run."""
    label = newest(survey, group)
    luns = luns_of(survey, label)
    destination = survey.computer(survey.destination)
    theirs = destination.initiator if destination else ""
    source = survey.computer(survey.source)
    known = source.initiator if source else _silent_initiator(survey, luns, theirs)
    return Standing(
        group=group,
        uuid=label.uuid,
        luns=luns,
        volumes=frozenset(label.volumes),
        exported=label.exported,
        tags=frozenset(label.tags),
        source=_side(survey, survey.source, known, label, luns, moving),
        destination=_side(survey, survey.destination, theirs, label, luns, moving),
        system_id=label.system_id,
        still=STILL in label.status,
        run=run_tag(*survey.run, survey.source, survey.destination) if survey.run[1] else "",
        labelled=frozenset(found.lun.wwid for found in found_luns(survey) if found.label.uuid == label.uuid),
        stoppable=all(one and one.version >= STILL_SINCE for one in (source, destination)),
    )


def moving_wwids(survey: Survey, groups: list[str]) -> frozenset[str]:
    """The WWIDs of all LUNs of these groups."""
    return frozenset(lun.wwid for group in groups for _storage, lun in luns_of(survey, newest(survey, group)))


def _silent_initiator(survey: Survey, luns: tuple[tuple[str, Lun], ...], other: str) -> str:
    """A host that does not answer is known by the LUNs that it still has."""
    known = {computer.initiator for computer in survey.hosts.values() if computer} | {other}
    found = sorted({name for _storage, lun in luns for name in lun.initiators()} - known)
    if len(found) > 1:
        raise Refusal(
            f"'{survey.source}' does not answer, and which initiator it is cannot be determined: the LUNs are mapped to "
            f"{listed(found)}. Unmap those that are not '{survey.source}' first."
        )
    return found[0] if found else ""


def _side(
    survey: Survey,
    name: str,
    initiator: str,
    label: Label,
    luns: tuple[tuple[str, Lun], ...],
    moving: frozenset[str],
) -> Side:
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
        unconnected=frozenset(
            (target, portal)
            for target in targets
            for portal in portals_for(survey, target)
            if portal not in seen.sessions.get(target, frozenset())
        ),
        idle=frozenset(one for one in targets if _is_idle(survey, seen, one, moving)),
        system_id=seen.system_id,
        igroups=igroups,
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
    if target in seen.declared or not (seen.records.get(target) or seen.sessions.get(target)):
        return False
    return not any(
        seen.initiator in lun.initiators() and lun.wwid not in moving
        for storage in survey.storages.values()
        for lun in (storage.luns if storage else ())
        if lun.target == target
    )


def waiting_mounts(standing_: Standing) -> tuple[Mount, ...]:
    """The mounts that the group carries and the destination does not have yet."""
    done = {
        (mount.volume, mount.path) for mount in standing_.destination.mounts if mount.mounted and mount.line
    }
    return tuple(mount for mount in mounts_of(standing_.tags) if (mount.volume, mount.path) not in done)


def listed(names: Iterable[str]) -> str:
    """Names for people."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
