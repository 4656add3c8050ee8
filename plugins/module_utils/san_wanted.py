# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for, laid over the target that is: unsaid means untouched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import NO_CHAP
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import (
    Initiator,
    Lun,
    LunMap,
    Target,
    without_luns,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.san_asked import NUMBERS


def lay(
    target: Target | None, asked: dict[str, Any], backing: dict[str, int | None], purge: bool
) -> Target | None:
    """The target as asked for, laid over the one that is. 'backing' says how big each file or device is, None: absent."""
    if asked["state"] == "absent":
        return None
    found = target or Target(asked["name"])
    if asked["enabled"] is not None:
        found = replace(found, enabled=asked["enabled"])
    if asked["portals"] is not None:
        found = replace(found, portals=asked["portals"] if purge else found.portals | asked["portals"])
    if not found.portals:
        raise Problem(
            f"The target '{found.name}' has no portal: say where it listens, like portals: [192.0.2.10]."
        )
    found = replace(
        found,
        attributes={**found.attributes, **asked["attributes"]},
        parameters={**found.parameters, **asked["parameters"]},
    )
    found = _lay_luns(found, asked, backing, purge)
    laid = _lay_igroups(found, asked, purge)
    laid = _read_only(laid, asked)
    _check_numbers(laid)
    _check_shared(target or Target(asked["name"]), laid, asked)
    return laid


def _lay_luns(target: Target, asked: dict[str, Any], backing: dict[str, int | None], purge: bool) -> Target:
    gone = {lun["name"] for lun in asked["luns"] if lun["state"] == "absent"}
    present = [lun for lun in asked["luns"] if lun["state"] == "present"]
    if purge and "luns" in asked["given"]:
        gone |= set(target.luns) - {lun["name"] for lun in present}
    left = without_luns(target, gone)
    luns = dict(left.luns)
    taken = {lun["number"] for lun in present} | {
        lun.number
        for lun in luns.values()
        if lun.name not in {one["name"] for one in present if one["number"] is not None}
    }
    for lun in present:
        number = lun["number"]
        if number is None:
            number = (
                luns[lun["name"]].number
                if lun["name"] in luns
                else next((free for free in NUMBERS if free not in taken), None)
            )
        if number is None:
            raise Problem(f"The target '{target.name}' has no LUN number left for '{lun['name']}'.")
        taken.add(number)
        luns[lun["name"]] = _lay_lun(luns.get(lun["name"]), lun, number, backing)
    return replace(left, luns=luns)


def _lay_lun(lun: Lun | None, asked: dict[str, Any], number: int, backing: dict[str, int | None]) -> Lun:
    if lun is None and asked["path"] is None:
        raise Problem(
            f"The LUN '{asked['name']}' does not exist yet: say its path, a block device or a file."
        )
    found = lun or Lun(asked["name"], number, asked["path"], asked["derived"])
    given = {
        key: asked[key] for key in ("path", "serial", "block_size", "write_back") if asked[key] is not None
    }
    found = replace(found, number=number, attributes={**found.attributes, **asked["attributes"]}, **given)
    return replace(found, size=_lay_size(found, lun, asked["size"], backing.get(found.path)))


def _lay_size(found: Lun, lun: Lun | None, wanted: int | None, there: int | None) -> int | None:
    """How big a LUN is to be: None on a block device, which it follows."""
    if found.path.startswith("/dev/"):
        if there is None:
            raise Problem(f"LUN '{found.name}': the block device '{found.path}' does not exist.")
        if wanted is not None and wanted > there:
            raise Problem(
                f"LUN '{found.name}' shall have {wanted} bytes, but '{found.path}' has {there}. Extend the device "
                "first (a logical volume with lunworks.iscsi.logical_volume); the LUN follows it."
            )
        return None
    same = lun.size if lun and lun.path == found.path else None
    size_now = same or there
    new = wanted or size_now
    if not new:
        raise Problem(
            f"LUN '{found.name}': the file '{found.path}' does not exist. Give its size to have it made."
        )
    if new < (size_now or 0):
        raise Problem(
            f"LUN '{found.name}' has {size_now} bytes and shall have {new}: a LUN is never made smaller, since what "
            "stands at its end would be lost. Make a new LUN and move the data."
        )
    if new % found.block_size:
        raise Problem(f"LUN '{found.name}': its size of {new} bytes is no multiple of {found.block_size}.")
    return new


def _lay_igroups(target: Target, asked: dict[str, Any], purge: bool) -> Target:
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
                f"igroup '{other.igroup}' there, and an initiator is in one igroup of a target."
            )
    chap_now = next((one.chap for one in members.values()), None)
    common = _common([one.luns for one in members.values()])
    initiators = dict(target.initiators)
    for name in names:
        now = initiators.get(name) or Initiator(asked["name"], common, chap_now)
        luns = {lun: _lay_map(target, now, entry) for lun, entry in _present(asked["luns"]).items()}
        dropped = {entry["name"] for entry in asked["luns"] if entry["state"] == "absent"}
        if not (purge and "luns" in asked["given"]):
            luns = {**{lun: entry for lun, entry in now.luns.items() if lun not in dropped}, **luns}
        proof = None if asked["chap"] == NO_CHAP else asked["chap"] or now.chap
        initiators[name] = Initiator(asked["name"], luns, proof)
    return replace(target, initiators=initiators)


def _present(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries if entry["state"] == "present"}


def _lay_map(target: Target, now: Initiator, asked: dict[str, Any]) -> LunMap:
    name = asked["name"]
    if name not in target.luns:
        raise Problem(
            f"The target '{target.name}' has no LUN '{name}' to map; it has {_listed(target.luns)}."
        )
    old = now.luns.get(name) or LunMap(name, target.luns[name].number)
    return replace(
        old,
        number=old.number if asked["number"] is None else asked["number"],
        read_only=old.read_only if asked["read_only"] is None else asked["read_only"],
    )


def _read_only(target: Target, asked: dict[str, Any]) -> Target:
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
    initiators = {}
    for name, one in target.initiators.items():
        luns = {
            lun: replace(entry, read_only=wanted[lun])
            if lun in wanted and (one.igroup, lun) not in said
            else entry
            for lun, entry in one.luns.items()
        }
        initiators[name] = replace(one, luns=luns)
    return replace(target, initiators=initiators)


def _check_numbers(target: Target) -> None:
    numbers: dict[int, str] = {}
    for lun in target.luns.values():
        if lun.number in numbers:
            raise Problem(
                f"The LUNs '{numbers[lun.number]}' and '{lun.name}' of '{target.name}' have the same number {lun.number}."
            )
        numbers[lun.number] = lun.name
    for name, initiator in target.initiators.items():
        seen: dict[int, str] = {}
        for entry in initiator.luns.values():
            if entry.number in seen:
                raise Problem(
                    f"The initiator '{name}' would see both '{seen[entry.number]}' and '{entry.lun}' as LUN {entry.number}."
                )
            seen[entry.number] = entry.lun


def _check_shared(before: Target, after: Target, asked: dict[str, Any]) -> None:
    """A LUN in two igroups must be said: two hosts that write to one disk destroy what is on it."""
    shared = {lun["name"] for lun in asked["luns"] if lun["shared"]}
    shared |= {entry["name"] for group in asked["igroups"] for entry in group["luns"] if entry["shared"]}
    was = _groups_of(before)
    for lun, groups in _groups_of(after).items():
        if len(groups) > 1 and groups - was.get(lun, set()) and lun not in shared:
            raise Problem(
                f"The LUN '{lun}' of '{after.name}' would be in several igroups: {_listed(groups)}. Two hosts that write "
                "to one LUN destroy its data; if they know of each other (a cluster), say 'shared: true' there."
            )


def _groups_of(target: Target) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for one in target.initiators.values():
        for lun in one.luns:
            groups.setdefault(lun, set()).add(one.igroup)
    return groups


def _common(maps: list[dict[str, LunMap]]) -> dict[str, LunMap]:
    """What all members of an igroup have: what a new member gets."""
    if not maps:
        return {}
    return {lun: entry for lun, entry in maps[0].items() if all(one.get(lun) == entry for one in maps)}


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
