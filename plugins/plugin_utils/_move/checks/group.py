# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents the move of a group, found before anything is touched."""

from __future__ import annotations

from typing import Callable

from ....module_utils._providers import provider
from ....module_utils._san.provider import ONLY_SOME, Ability
from ..model import Refusal, Survey, Target, moves_of
from ..position import Standing, newest
from ..side import listed, portals_for
from ..stage import is_foreign, is_here
from .destination import refuse_abilities
from .use import refuse_use, seen_by


def refuse_group(survey: Survey, one: Standing) -> None:
    """What prevents moving a group, the gravest reason first."""
    for ask in CHECKS:
        ask(survey, one)


def _storage_software(survey: Survey, one: Standing) -> None:
    """LUNs, or whole targets, must change hands under it, and nothing else in a whole target."""
    for name in sorted({storage for storage, _lun in one.luns}):
        storage = survey.storages[name]
        software = provider(storage.provider if storage else "lio")
        if "expected" not in software.takes:
            raise Refusal(
                f"'{name}' serves '{one.group}' with {software.name}, and this collection {ONLY_SOME['expected']} with "
                f"{software.name}. Serve it with LIO or tgt, or move its access by hand."
            )
        for target in sorted({at for storage_, at, _lun in one.beside if storage_ == name}):
            others = listed(lun for _storage, at, lun in one.beside if at == target)
            raise Refusal(
                f"'{name}' serves '{one.group}' with {software.name}, where a target changes hands whole "
                f"({software.lacks[Ability.LUN_BY_INITIATOR]}), and '{target}' has {others} too, which would go with it. If "
                "these are LUNs of other volume groups, move those in the same run (-e vg=NAME,NAME), or serve each volume "
                "group by a target of its own."
            )


def _other_move(survey: Survey, one: Standing) -> None:
    pair = {survey.source, survey.destination}
    for source, destination in sorted(moves_of(one.tags)):
        if {source, destination} != pair:
            raise Refusal(
                f"'{one.group}' is in the middle of a move from '{source}' to '{destination}'. Finish that one first, or "
                f"take it back (from '{destination}' to '{source}')."
            )


def _silent_source(survey: Survey, one: Standing) -> None:
    if one.source.answers or one.has_left() or one.exported or survey.dead:
        return
    raise Refusal(
        f"'{survey.source}' does not answer and may still write to '{one.group}'. If it is certainly dead, set "
        "move_volume_group_source_is_dead: its access to the LUNs is then taken away before anything else."
    )


def _third_party(survey: Survey, one: Standing) -> None:
    for _storage, lun in one.luns:
        others = lun.initiators() - {one.source.initiator, one.destination.initiator}
        if others:
            raise Refusal(
                f"The LUN '{lun.name}' of '{lun.target}' (a PV of '{one.group}') is also mapped to {listed(others)}, "
                f"which is neither '{survey.source}' nor '{survey.destination}'. Unmap it there, or name the right hosts."
            )


def _both(survey: Survey, one: Standing) -> None:
    for what, source, destination in (
        ("mapped to", one.source.running, one.destination.running),
        ("saved as mapped to", one.source.saved, one.destination.saved),
    ):
        both = source & destination
        if both:
            names = [lun.name for _storage, lun in one.luns if lun.wwid in both]
            raise Refusal(
                f"{listed(names)} of '{one.group}' are {what} both '{survey.source}' and '{survey.destination}': nothing "
                "would stop two writers. Unmap them from the one that does not use the volume group."
            )
    if one.destination.active and not one.destination.may_write():
        raise Refusal(
            f"'{survey.destination}' has active volumes of '{one.group}' though it may write to none of its LUNs: leftovers "
            f"of earlier use. Clean up '{survey.destination}' first: restart it, or move from it to where the group is."
        )
    if one.destination.active and one.source.active and one.source.may_write():
        raise Refusal(
            f"'{one.group}' is active on both '{survey.source}' and '{survey.destination}'. Deactivate it on one."
        )


def _split(survey: Survey, one: Standing) -> None:
    """A part of the LUNs here and nothing anywhere else: no state that a move makes."""
    for side in (one.source, one.destination):
        gone = one.wwids - side.running - side.saved
        other = one.destination if side is one.source else one.source
        if side.may_write() and gone and not other.may_write() and not one.exported:
            names = [lun.name for _storage, lun in one.luns if lun.wwid in gone]
            raise Refusal(
                f"'{one.group}' is partial on '{side.host}': {listed(names)} are not mapped to it. Map them first."
            )


def _not_at_source(survey: Survey, one: Standing) -> None:
    """It is at rest on neither side: nobody has it, and no move took it away."""
    nobody = not one.source.may_write() and not one.destination.may_write()
    if nobody and not one.exported and not moves_of(one.tags) and not survey.dead:
        raise Refusal(
            f"'{one.group}' is mapped to neither '{survey.source}' nor '{survey.destination}', and was never exported. "
            f"Who had it last? If that was '{survey.destination}', map it there; a dead host is moved from with "
            "move_volume_group_source_is_dead."
        )


def _read_only(survey: Survey, one: Standing) -> None:
    """A move lets the source only read what is exported, or what the destination has."""
    if one.exported or one.destination.may_write():
        return
    for _storage, lun in one.luns:
        if lun.wwid in one.source.mapped - one.source.running | one.source.kept - one.source.saved:
            raise Refusal(
                f"The LUN '{lun.name}' of '{lun.target}' is mapped read-only to '{survey.source}'. '{one.group}' cannot be "
                "exported like that. Map it writable first."
            )


def _foreign(survey: Survey, one: Standing) -> None:
    owners = {side.system_id for side in (one.source, one.destination)}
    if one.system_id and one.system_id not in owners and one.source.answers:
        raise Refusal(
            f"'{one.group}' belongs to the system ID '{one.system_id}', which is neither '{survey.source}' nor "
            f"'{survey.destination}' (lvmsystemid(7)). Let its owner hand it over first (vgchange --systemid)."
        )


def _homeless(survey: Survey, one: Standing) -> None:
    """LVM gives a group of another system ID only to a host that has one itself."""
    if is_foreign(one) and not one.exported and not is_here(one) and not one.destination.system_id:
        raise Refusal(
            f"'{one.group}' belongs to the system ID '{one.system_id}' of '{survey.source}', which can no longer hand it "
            f"over, and '{survey.destination}' has none to take it over with (lvmsystemid(7)). Give it one first "
            "(global/system_id_source in lvm.conf(5))."
        )


def _busy_metadata(survey: Survey, one: Standing) -> None:
    status = newest(survey, one.group).status
    for flag, reason in (
        ("PVMOVE", "a pvmove is in progress; wait for it to finish, or abort it (pvmove --abort)"),
        ("LOCKED", "a pvmove is in progress; wait for it to finish, or abort it (pvmove --abort)"),
        ("MERGING", "a snapshot is being merged; wait for it to finish"),
        ("PARTIAL_VG", "it has lost a PV; bring that back first"),
        (
            "MISSING_PV",
            "LVM has used it without one of its PVs; put that back first (vgextend --restoremissing)",
        ),
        ("CLUSTERED", "it is shared by a cluster, which moves it with its own tools"),
        ("SHARED", "it is shared by lvmlockd, which moves it with its own tools"),
    ):
        if flag in status:
            raise Refusal(f"'{one.group}' cannot move: {reason}.")


def _names(survey: Survey, one: Standing) -> None:
    for name in (survey.destination, survey.source):
        computer = survey.computer(name)
        for group in computer.groups if computer else ():
            if group.name == one.group and group.uuid != one.uuid:
                raise Refusal(
                    f"'{name}' has another volume group with the name '{one.group}' ({group.uuid}). Rename one of them "
                    "first (vgrename UUID NEWNAME)."
                )


def _identity(survey: Survey, one: Standing) -> None:
    """Each PV must be on the very LUN that carries its label."""
    label = newest(survey, one.group)
    wanted = dict(
        zip((uuid for uuid, _device in sorted(label.pvs)), (lun.wwid for _storage, lun in one.luns))
    )
    for name in (survey.source, survey.destination):
        computer = survey.computer(name)
        group = seen_by(computer, one) if computer else None
        for uuid, wwid in (group.pvs if group else {}).items():
            if wwid and uuid in wanted and wwid != wanted[uuid]:
                raise Refusal(
                    f"The PV {uuid} of '{one.group}' is on the disk {wwid} of '{name}', but the storage hosts serve it "
                    f"with the WWID {wanted[uuid]}. One of the two is a copy; find out which before anything moves."
                )


def _targets(survey: Survey, one: Standing) -> list[Target]:
    return [
        storage.targets[target]
        for storage in survey.storages.values()
        for target in one.targets()
        if storage and target in storage.targets
    ]


def _igroups(survey: Survey, one: Standing) -> None:
    """A LUN is mapped to igroups: nobody else may be in them."""
    for target in _targets(survey, one):
        for side in (one.source, one.destination):
            igroup = target.igroup_of(side.initiator)
            others = [name for name in target.igroups.get(igroup, ()) if name != side.initiator]
            if igroup and others:
                raise Refusal(
                    f"The igroup '{igroup}' of '{target.name}' has {listed(others)} in addition to '{side.host}': they would "
                    f"all get or lose the LUNs of '{one.group}'. Give '{side.host}' its own igroup."
                )
        stranger, name = target.name in one.destination.outsider, dict(one.destination.igroups)[target.name]
        if stranger and name in target.igroups:
            raise Refusal(
                f"'{target.name}' has an igroup '{name}' without '{one.destination.initiator}', the "
                f"initiator of '{survey.destination}'. Put it in there, or remove that igroup."
            )


def _way_in(survey: Survey, one: Standing) -> None:
    for target in _targets(survey, one):
        if not target.enabled:
            raise Refusal(f"The target '{target.name}' is disabled: '{survey.destination}' cannot log in.")
        if not portals_for(survey, target.name):
            raise Refusal(
                f"'{target.name}' listens on all addresses, and '{survey.destination}' has no record of it: which portals "
                "should it use? Declare them (initiator_nodes) and run lunworks.iscsi.site first."
            )
        if target.name in one.destination.outsider & one.whole and target.chap:
            _knows_chap(survey, target.name)
        elif target.name in one.destination.outsider and target.chap:
            raise Refusal(
                f"The igroups of '{target.name}' require CHAP, and '{survey.destination}' has none there. Declare its "
                "igroup with its own credentials, without a LUN yet, and run lunworks.iscsi.site first."
            )


def _knows_chap(survey: Survey, target: str) -> None:
    """The credentials of a whole target stay when it changes hands; whoever gets it must have them in its records."""
    destination = survey.computer(survey.destination)
    if destination and not destination.records.get(target):
        raise Refusal(
            f"'{target}' requires CHAP, and '{survey.destination}' has no record of it with the credentials. Declare it there "
            "(initiator_nodes) with chap and 'logged_in: false', and run lunworks.iscsi.site first."
        )


CHECKS: tuple[Callable[[Survey, Standing], None], ...] = (
    _storage_software,
    _other_move,
    _third_party,
    _both,
    _silent_source,
    _read_only,
    _split,
    _not_at_source,
    _foreign,
    _homeless,
    _busy_metadata,
    _names,
    _identity,
    refuse_use,
    _igroups,
    _way_in,
    refuse_abilities,
)
