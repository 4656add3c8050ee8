# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where one volume group stands between two hosts: derived from a survey, remembered by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from ...module_utils._block.pv_label import Label
from ...module_utils._providers import provider
from ...module_utils._san.provider import Ability
from .model import (
    STILL,
    STILL_SINCE,
    Lun,
    Mount,
    Refusal,
    Survey,
    mounts_of,
    run_tag,
)
from .side import Side, listed, side_of


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
    whole: frozenset[str] = frozenset()  # its targets that an initiator sees all LUNs of, or none
    beside: frozenset[tuple[str, str, str]] = (
        frozenset()
    )  # storage host, target and LUN in these that do not move

    @property
    def wwids(self) -> frozenset[str]:
        """The WWIDs of all its LUNs."""
        return frozenset(lun.wwid for _storage, lun in self.luns)

    def targets(self) -> list[str]:
        """The targets that serve it."""
        return sorted({lun.target for _storage, lun in self.luns})

    def of_whole(self) -> frozenset[str]:
        """The LUNs that change hands with their whole target, by WWID."""
        return frozenset(lun.wwid for _storage, lun in self.luns if lun.target in self.whole)

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
        raise Refusal(nowhere(survey, group))
    return max(labels, key=lambda label: label.seqno)


def nowhere(survey: Survey, group: str) -> str:
    """Why a group is on no LUN, and which are."""
    for host, computer in survey.hosts.items():
        for one in computer.groups if computer else ():
            if one.name == group:
                return (
                    f"The volume group '{group}' of '{host}' is on no LUN of the storage hosts "
                    f"{listed(survey.storages)}: a local disk cannot move, and an array that is not managed here must "
                    "have its LUN access changed by its own tools."
                )
    there = {found.label.group for found in found_luns(survey) if found.label.group}
    return (
        f"There is no volume group '{group}' on any LUN of the storage hosts {listed(survey.storages)}. There are: "
        f"{listed(there)}.{unread(survey)}"
    )


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
    whole = _whole(survey, luns)
    return Standing(
        group=group,
        uuid=label.uuid,
        luns=luns,
        volumes=frozenset(label.volumes),
        exported=label.exported,
        tags=frozenset(label.tags),
        source=side_of(survey, survey.source, known, label, luns, moving, whole),
        destination=side_of(survey, survey.destination, theirs, label, luns, moving, whole),
        system_id=label.system_id,
        still=STILL in label.status,
        run=run_tag(*survey.run, survey.source, survey.destination) if survey.run[1] else "",
        labelled=frozenset(found.lun.wwid for found in found_luns(survey) if found.label.uuid == label.uuid),
        stoppable=all(one and one.version >= STILL_SINCE for one in (source, destination)),
        whole=whole,
        beside=frozenset(
            (name, lun.target, lun.name)
            for name, storage in survey.storages.items()
            for lun in (storage.luns if storage else ())
            if lun.target in whole and lun.wwid not in moving
        ),
    )


def _whole(survey: Survey, luns: tuple[tuple[str, Lun], ...]) -> frozenset[str]:
    """The targets of storage software that cannot give a single LUN of them to an initiator."""
    software = {name: provider(one.provider) for name, one in survey.storages.items() if one}
    return frozenset(
        lun.target for storage, lun in luns if Ability.LUN_BY_INITIATOR in software[storage].lacks
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


def waiting_mounts(standing_: Standing) -> tuple[Mount, ...]:
    """The mounts that the group carries and the destination does not have yet."""
    done = {
        (mount.volume, mount.path) for mount in standing_.destination.mounts if mount.mounted and mount.line
    }
    return tuple(mount for mount in mounts_of(standing_.tags) if (mount.volume, mount.path) not in done)
