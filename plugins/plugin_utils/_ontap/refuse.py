# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not done to an SVM: what could lose data, and what is not what the data takes it for."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, Mapping, Sequence

from .asked import Asked, Igroup, Lun
from .seen import Map, Svm, is_iscsi

Having = Dict[str, Dict[str, FrozenSet[str]]]
SMALLEST_SLACK = 8 << 20  # bytes: one cylinder of 255 heads and 63 sectors
LARGEST_SLACK = 256 << 20  # bytes: six times what that reference has


def rounded(size: int) -> int:
    """The largest size that ONTAP may have made of this one: it rounds up to the geometry of a LUN.

    The reference of its REST API has 322163441664 bytes for 300 GiB, 0.013 % more (DOC storage/luns).
    """
    return size + max(SMALLEST_SLACK, min(size >> 12, LARGEST_SLACK))


def faults_of(svm: Svm, asked: Asked, going: Sequence[Map], purge: bool) -> Iterator[str]:
    """One sentence for each."""
    yield from _of_target(svm, asked)
    for lun in asked.luns.values():
        yield from _of_lun(svm, asked, lun)
        yield from _of_igroups(svm, asked, lun)
    stays = [one for one in svm.maps if one not in going]
    having = _having(svm, asked, stays, purge)
    for group in asked.igroups:
        yield from _of_igroup(svm, asked, group)
        if not group.gone:
            strangers = _strangers(svm, group, purge)
            yield from _of_members(svm, asked, group, strangers, stays, having)
            yield from _of_maps(svm, asked, group, strangers, stays, having)


def _of_target(svm: Svm, asked: Asked) -> Iterator[str]:
    if svm.service and svm.service.name.lower() != asked.name:
        yield (
            f"The target of the SVM '{svm.name}' is '{svm.service.name}', and the data has '{asked.name}'. ONTAP chooses the "
            "name; write it into the data of the SVM, and into initiator_nodes of its hosts."
        )
    strange = sorted(asked.addresses - svm.addresses)
    if strange:
        yield (
            f"The SVM '{svm.name}' has no LIF with the address {_listed(strange)}, a portal in the data (it has "
            f"{_listed(sorted(svm.addresses)) or 'none'})."
        )


def _of_lun(svm: Svm, asked: Asked, lun: Lun) -> Iterator[str]:
    found = svm.luns.get(lun.path)
    if lun.gone:
        yield from _of_gone(svm, asked, lun)
        return
    volume = lun.path.split("/")[2]
    if found is None and lun.wwid:
        yield (
            f"The data has the LUN '{lun.path}' with the WWID {lun.wwid}, and '{svm.name}' has no such LUN. A new one would be "
            "empty; bring it back, or remove the wwid from the data."
        )
    elif found is None and lun.size is None:
        yield f"The LUN '{lun.path}' is not there, and the data has no size for it."
    elif found is None and volume not in svm.volumes:
        yield (
            f"The SVM '{svm.name}' has no volume '{volume}' for the LUN '{lun.path}' (it has "
            f"{_listed(sorted(svm.volumes)) or 'none'}). Volumes are not created here."
        )
    elif found and lun.wwid not in ("", found.wwid):
        yield (
            f"The LUN '{lun.path}' has the WWID {found.wwid}, and the data has {lun.wwid}: it is another LUN."
        )
    elif found and lun.size is not None and found.size > rounded(lun.size):
        yield (
            f"The LUN '{lun.path}' has {found.size} bytes, and the data has {lun.size}. A LUN is not made smaller, since what is "
            "at its end would be lost."
        )


def _of_igroups(svm: Svm, asked: Asked, lun: Lun) -> Iterator[str]:
    """A LUN that the data itself gives to two, and that one of them does not have yet."""
    groups = sorted(group.name for group in _given(asked, lun.name))
    new = set(groups) - {one.igroup for one in svm.maps_of(lun.path)}
    if len(groups) > 1 and new and not lun.shared:
        yield (
            f"The data gives the LUN '{lun.path}' to the igroups {_listed(groups)}. Two hosts that write to one LUN destroy its "
            "data; if they know of each other (a cluster), set 'shared: true' at the LUN."
        )


def _given(asked: Asked, lun: str) -> list[Igroup]:
    """The igroups that must have a LUN."""
    return [
        group
        for group in asked.igroups
        if any(one.lun == lun and not one.gone for one in group.maps) and not group.gone
    ]


def _having(svm: Svm, asked: Asked, stays: Sequence[Map], purge: bool) -> Having:
    """The igroups that will have each LUN, by its path, with the initiators that they will have."""
    found: Having = {}
    members = {name: svm.initiators_of(name) for name in svm.igroups}
    for group in asked.igroups:
        members[group.name] = frozenset([*_strangers(svm, group, purge), *_named(svm, group)])
    pairs = [(one.path, one.igroup) for one in stays]
    pairs += [(lun.path, group.name) for lun in asked.luns.values() for group in _given(asked, lun.name)]
    for path, igroup in pairs:
        found.setdefault(path, {})[igroup] = members.get(igroup, frozenset())
    return found


def _named(svm: Svm, group: Igroup) -> frozenset[str]:
    """Who the data wants in an igroup: where it does not say that, who is there."""
    return svm.initiators_of(group.name) if group.initiators is None else frozenset(group.initiators)


def _of_gone(svm: Svm, asked: Asked, lun: Lun) -> Iterator[str]:
    named = {group.name for group in asked.igroups}
    others = sorted({one.igroup for one in svm.maps_of(lun.path)} - named)
    if others:
        yield (
            f"The LUN '{lun.path}' shall go, and is mapped to {_listed(others)}, which the data does not name. Name the igroup "
            "with the LUN as absent, or unmap it there yourself."
        )
    found = svm.luns.get(lun.path)
    if found and lun.wwid not in ("", found.wwid):
        yield f"The LUN '{lun.path}' has the WWID {found.wwid}, and the data has {lun.wwid}: it is another LUN."


def _of_igroup(svm: Svm, asked: Asked, group: Igroup) -> Iterator[str]:
    found = svm.igroups.get(group.name)
    if found is None:
        return
    if found.protocol == "fcp":
        yield f"The igroup '{group.name}' of '{svm.name}' is for Fibre Channel. Choose another name."
    if group.gone:
        paths = {lun.path for lun in asked.luns.values()}
        others = sorted(set(svm.maps_to(group.name)) - paths)
        if others:
            yield (
                f"The igroup '{group.name}' shall go, and has {_listed(others)}, which the data does not name. Declare these "
                "LUNs, or unmap them yourself."
            )


def _strangers(svm: Svm, group: Igroup, purge: bool) -> list[str]:
    """Who stays in an igroup without being named."""
    others = svm.initiators_of(group.name) - _named(svm, group)
    return sorted(name for name in others if not (purge and is_iscsi(name)))


def _of_members(
    svm: Svm, asked: Asked, group: Igroup, strangers: Sequence[str], stays: Sequence[Map], having: Having
) -> Iterator[str]:
    """Who joins an igroup gets what is mapped to it already."""
    there = svm.initiators_of(group.name)
    new = [name for name in group.initiators or () if name not in there]
    declared = {lun.path: lun for lun in asked.luns.values()}
    for one in stays if new else ():
        lun = declared.get(one.path)
        inside = set(strangers) if lun else set(there)
        others = inside | {name for who in having[one.path].values() for name in who} - _named(svm, group)
        if one.igroup != group.name or (lun and lun.shared) or not others:
            continue
        yield (
            f"In the igroup '{group.name}', {_listed(new)} would get the LUN '{one.path}', which {_listed(sorted(others))} has "
            "and the data does not give to both. Make an igroup of its own, or set 'shared: true' at the LUN if they know of "
            "each other (a cluster). If it is the old name of the same host, set target_purge to remove it."
        )


def _of_maps(
    svm: Svm, asked: Asked, group: Igroup, strangers: Sequence[str], stays: Sequence[Map], having: Having
) -> Iterator[str]:
    own = {one.path: one for one in stays if one.igroup == group.name}
    for wanted in group.maps:
        lun = asked.luns[wanted.lun]
        if wanted.gone or lun.path in own:
            continue
        taken = [one.path for one in own.values() if one.number == wanted.number]
        if taken:
            yield (
                f"LUN {wanted.number} of the igroup '{group.name}' is {_listed(taken)}, and the data gives the number to "
                f"'{lun.path}'. Choose another number."
            )
        if not lun.shared:
            told = {one.name for one in _given(asked, lun.name)}  # by _of_igroups
            others = {name: who for name, who in having[lun.path].items() if name not in told}
            yield from _of_sharing(lun, group, strangers, others, _named(svm, group))


def _of_sharing(
    lun: Lun,
    group: Igroup,
    strangers: Sequence[str],
    others: Mapping[str, frozenset[str]],
    members: frozenset[str],
) -> Iterator[str]:
    """A LUN that somebody has already, or would get by the way, is written to by two hosts."""
    having = sorted({name for who in others.values() for name in who} - members)
    if having:
        yield (
            f"The LUN '{lun.path}' is mapped to {_listed(sorted(others))} with {_listed(having)}. Two hosts that write to one "
            "LUN destroy its data; if they know of each other (a cluster), set 'shared: true' at the LUN."
        )
    if strangers:
        yield (
            f"The igroup '{group.name}' has {_listed(strangers)} too, which the data does not name, and would give it the LUN "
            f"'{lun.path}'. Name the initiator, or set target_purge to remove it."
        )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
