# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sees the LUNs of a target, as asked for, laid over what is: igroups and maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._chap import NO_CHAP
from .._host import Problem
from .target import Initiator, Lun, LunMap, Target


def lay_igroups(target: Target, asked: dict[str, Any], purge: bool) -> Target:
    """The igroups as asked for."""
    gone = {group["name"] for group in asked["igroups"] if group["state"] == "absent"}
    present = {group["name"]: group for group in asked["igroups"] if group["state"] == "present"}
    if purge and "igroups" in asked["given"]:
        gone |= set(target.igroups()) - set(present)
    kept = {name: one for name, one in target.initiators.items() if one.igroup not in gone}
    if purge:
        exact = {
            name: set(group["initiators"])
            for name, group in present.items()
            if group["initiators"] is not None
        }
        kept = {name: one for name, one in kept.items() if name in exact.get(one.igroup, {name})}
    left = replace(target, initiators=kept)
    for group in present.values():
        left = _lay_igroup(left, group, purge)
    return left


def _lay_igroup(target: Target, asked: dict[str, Any], purge: bool) -> Target:
    members = {name: one for name, one in target.initiators.items() if one.igroup == asked["name"]}
    names = sorted({*members, *(asked["initiators"] or ())})
    if not names:
        raise Problem(
            f"The igroup '{asked['name']}' has no initiator: name who is in it, or set state to absent."
        )
    for name in names:
        other = target.initiators.get(name)
        if other and other.igroup not in (asked["name"], name):
            raise Problem(
                f"The initiator '{name}' cannot be in the igroup '{asked['name']}' of '{target.name}': it is in the "
                f"igroup '{other.igroup}' there, and an initiator can be in only one igroup of a target."
            )
    chap_now = next((one.chap for one in members.values()), None)
    common = _common([one.luns for one in members.values()])
    initiators = dict(target.initiators)
    for name in names:
        now = initiators.get(name, Initiator("", unsaved=True))
        if (
            now.unsaved and name not in members
        ):  # new, or a run was killed: it is put into the igroup last, then saved
            now = replace(now, luns={**now.luns, **common}, chap=chap_now or now.chap)
        luns = _lay_maps(target, name, now, asked, purge)
        proof = None if asked["chap"] == NO_CHAP else asked["chap"] or now.chap
        initiators[name] = replace(now, igroup=asked["name"], luns=luns, chap=proof)
    return replace(target, initiators=initiators)


def _lay_maps(
    target: Target, name: str, now: Initiator, asked: dict[str, Any], purge: bool
) -> dict[int, LunMap]:
    dropped: set[int] = set()
    laid: dict[int, LunMap] = {}
    for entry in asked["luns"]:
        lun = target.lun(entry["name"])
        if entry["state"] == "absent":
            dropped |= {lun.number} if lun else set()
            continue
        for one in _lay_map(target, name, now, entry):
            if one.number in laid:
                _twice(name, target.luns[laid[one.number].lun].name, entry["name"], one.number)
            laid[one.number] = one
    named = {entry.lun for entry in laid.values()}
    if purge and "luns" in asked["given"]:
        return laid
    kept = {
        number: one for number, one in now.luns.items() if one.lun not in dropped and one.lun not in named
    }
    for number in set(kept) & set(laid):
        _twice(name, target.luns[kept[number].lun].name, target.luns[laid[number].lun].name, number)
    return {**kept, **laid}


def _lay_map(target: Target, initiator: str, now: Initiator, asked: dict[str, Any]) -> list[LunMap]:
    """The maps of one LUN: usually one. Where others made several, what is asked for must be so in each."""
    lun = target.lun(asked["name"])
    if lun is None:
        names = {one.name for one in target.luns.values()}
        raise Problem(
            f"The target '{target.name}' has no LUN '{asked['name']}' to map; it has {_listed(names)}."
        )
    old = now.has(lun.number) or [LunMap(lun.number, lun.number, lun.read_only)]
    if len(old) > 1 and asked["number"] is not None:
        raise Problem(
            f"The initiator '{initiator}' sees the LUN '{lun.name}' of '{target.name}' as LUN "
            f"{' and '.join(str(one.number) for one in old)}. Remove it there first (state: absent), then map it again."
        )
    return [
        replace(
            one,
            number=one.number if asked["number"] is None else asked["number"],
            read_only=one.read_only if asked["read_only"] is None else asked["read_only"],
        )
        for one in old
    ]


def protect(target: Target, asked: dict[str, Any]) -> Target:
    """A LUN's own read_only holds for every map of it that does not say otherwise."""
    wanted = {lun["name"]: lun["read_only"] for lun in asked["luns"] if lun["read_only"] is not None}
    said = {
        (group["name"], entry["name"]): entry["read_only"]
        for group in asked["igroups"]
        for entry in group["luns"]
        if entry["read_only"] is not None
    }
    for (group, lun), value in said.items():
        if wanted.get(lun) and not value:
            raise Problem(
                f"The LUN '{lun}' is read_only, but the igroup '{group}' maps it with read_only: false."
            )
    numbers = {lun.number: wanted[lun.name] for lun in target.luns.values() if lun.name in wanted}
    initiators = {}
    for name, one in target.initiators.items():
        luns = {
            number: replace(entry, read_only=numbers[entry.lun])
            if entry.lun in numbers and (one.igroup, target.luns[entry.lun].name) not in said
            else entry
            for number, entry in one.luns.items()
        }
        initiators[name] = replace(one, luns=luns)
    return replace(target, initiators=initiators)


def _twice(initiator: str, one: str, other: str, number: int) -> None:
    raise Problem(f"The initiator '{initiator}' would see both '{one}' and '{other}' as LUN {number}.")


def check_writers(before: Target, after: Target) -> None:
    """Nobody is promised to write to what can only be read."""
    for name, one in after.initiators.items():
        old = before.initiators[name].luns if name in before.initiators else {}
        for number, entry in one.luns.items():
            lun = after.luns.get(entry.lun)
            if lun and lun.read_only and not entry.read_only and old.get(number) != entry:
                raise Problem(
                    f"The LUN '{lun.name}' of '{after.name}' is read-only: '{lun.path}' is a read-only device, or its "
                    f"backstore was created read-only. Map it to '{name}' with read_only: true."
                )


def check_shared(before: Target, after: Target, asked: dict[str, Any]) -> None:
    """A LUN in two igroups must be said: two hosts that write to one disk destroy what is on it."""
    shared = {lun["name"] for lun in asked["luns"] if lun["shared"]}
    shared |= {entry["name"] for group in asked["igroups"] for entry in group["luns"] if entry["shared"]}
    was = _groups_of(before)
    names = {_behind(lun): lun.name for lun in after.luns.values()}
    for behind, groups in _groups_of(after).items():
        lun = names[behind]
        if len(groups) > 1 and groups - was.get(behind, set()) and lun not in shared:
            raise Problem(
                f"The LUN '{lun}' of '{after.name}' would be in several igroups: {_listed(groups)}. Two hosts that write "
                "to one LUN destroy its data; if they know of each other (a cluster), set 'shared: true' there."
            )


def _groups_of(target: Target) -> dict[str, set[str]]:
    """The igroups that have each LUN, by what is behind it: its number may change."""
    groups: dict[str, set[str]] = {}
    for one in target.initiators.values():
        for entry in one.luns.values():
            if entry.lun in target.luns:
                groups.setdefault(_behind(target.luns[entry.lun]), set()).add(one.igroup)
    return groups


def _behind(lun: Lun) -> str:
    return lun.backstore or lun.path


def _common(maps: list[dict[int, LunMap]]) -> dict[int, LunMap]:
    """What all members of an igroup have: what a new member gets."""
    if not maps:
        return {}
    return {
        number: entry for number, entry in maps[0].items() if all(one.get(number) == entry for one in maps)
    }


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
