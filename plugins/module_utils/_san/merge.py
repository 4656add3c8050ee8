# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for, laid over the target that is: unsaid means untouched. Who sees its LUNs is in maps.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable, Mapping

from .._host import Problem
from .backing import Backing
from .maps import check_shared, check_writers, lay_igroups, protect
from .options import NUMBERS
from .target import Alua, Lun, Target, without_luns

NO_ALUA = "default_tg_pt_gp"  # the group that a LUN of LIO is in unless it is put into another one


def lay(
    target: Target | None,
    asked: dict[str, Any],
    backing: Mapping[str, Backing],
    purge: bool,
    numbers: Iterable[int] = NUMBERS,
) -> Target | None:
    """The target as asked for, laid over the one that is. 'backing' says what each path is, 'numbers' which ones LUNs get."""
    if asked["state"] == "absent":
        return None
    found = target or Target(asked["name"])
    if asked["enabled"] is not None:
        found = replace(found, enabled=asked["enabled"])
    elif found.unfinished:
        found = replace(found, enabled=True)
    if asked["portals"] is not None:
        found = replace(found, portals=asked["portals"] if purge else found.portals | asked["portals"])
    on = {where for where, iser in asked["iser"].items() if iser}
    found = replace(found, iser=(found.iser - set(asked["iser"]) | on) & found.portals)
    if not found.portals and (target is None or asked["portals"] is not None):
        raise Problem(
            f"The target '{found.name}' has no portal: give its portals, like portals: [192.0.2.10]."
        )
    found = replace(
        found,
        attributes={**found.attributes, **asked["attributes"]},
        parameters={**found.parameters, **asked["parameters"]},
        lacking=found.lacking - set(asked["attributes"]) - set(asked["parameters"]),
    )
    found = _lay_luns(found, asked, backing, purge, numbers)
    laid = lay_igroups(found, asked, purge)
    laid = protect(laid, asked)
    before = target or Target(asked["name"])
    check_writers(before, laid)
    check_shared(before, laid, asked)
    return laid


def _lay_luns(
    target: Target, asked: dict[str, Any], backing: Mapping[str, Backing], purge: bool, numbers: Iterable[int]
) -> Target:
    named = [(lun, _named(target, lun)) for lun in asked["luns"]]
    gone = {found.number for lun, found in named if found and lun["state"] == "absent"}
    present = [(lun, found) for lun, found in named if lun["state"] == "present"]
    if purge and "luns" in asked["given"]:
        gone |= set(target.luns) - {found.number for _lun, found in present if found}
    left = without_luns(target, gone)
    moved = {found.number for lun, found in present if found and lun["number"] is not None}
    taken = {lun["number"] for lun, _found in present} | (set(left.luns) - moved)
    luns = {
        number: lun
        for number, lun in left.luns.items()
        if number not in {found.number for _lun, found in present if found}
    }
    moves = {}
    for lun, found in present:
        number = lun["number"]
        if number is None:
            number = found.number if found else next((free for free in numbers if free not in taken), None)
        if number is None:
            raise Problem(f"The target '{target.name}' has no LUN number left for '{lun['name']}'.")
        if number in luns:
            raise Problem(
                f"The LUNs '{luns[number].name}' and '{lun['name']}' of '{target.name}' have the same number {number}."
            )
        taken.add(number)
        luns[number] = _lay_lun(found, lun, number, backing)
        if found:
            moves[found.number] = number
    return _moved(replace(left, luns=luns), moves)


def _named(target: Target, asked: dict[str, Any]) -> Lun | None:
    """The LUN that is meant. One that shall go is only the one with the number, where that is said."""
    if asked["state"] == "absent" and asked["number"] is not None:
        found = target.luns.get(asked["number"])
        return found if found and found.name == asked["name"] else None
    return target.lun(asked["name"], asked["number"])


def _moved(target: Target, moves: dict[int, int]) -> Target:
    """Maps go on meaning the same LUN under its new number in the target."""
    initiators = {
        name: replace(
            one,
            luns={
                number: replace(entry, lun=moves.get(entry.lun, entry.lun))
                for number, entry in one.luns.items()
            },
        )
        for name, one in target.initiators.items()
    }
    return replace(target, initiators=initiators)


def _lay_lun(lun: Lun | None, asked: dict[str, Any], number: int, backing: Mapping[str, Backing]) -> Lun:
    if lun is None and asked["path"] is None:
        raise Problem(
            f"The LUN '{asked['name']}' does not exist yet: give its path, a block device or a file."
        )
    found = lun or Lun(asked["name"], number, asked["path"], asked["derived"])
    given = {
        key: asked[key] for key in ("path", "serial", "block_size", "write_back") if asked[key] is not None
    }
    if lun and lun.path in backing and backing[lun.path].same(backing.get(asked["path"])):
        given.pop("path")  # the same disk by another name
    found = replace(found, number=number, attributes={**found.attributes, **asked["attributes"]}, **given)
    found = replace(
        found, lacking=found.lacking - set(asked["attributes"]), alua=_lay_alua(found, asked["alua"])
    )
    there = backing.get(found.path, Backing())
    if lun is None or found.path != lun.path:
        found = replace(found, backstore="", read_only=there.read_only)
    return replace(found, size=_lay_size(found, lun, asked["size"], there.size))


def _lay_alua(lun: Lun, asked: dict[str, Any] | None) -> Alua | None:
    """The group as asked for, laid over the one of that name that the LUN is in."""
    if asked is None:
        return lun.alua
    if asked["group"] == NO_ALUA:
        return None
    given = {key: value for key, value in asked.items() if value is not None}
    if lun.alua and lun.alua.group == asked["group"]:
        return replace(lun.alua, **given)
    if "number" not in given:
        raise Problem(
            f"LUN '{lun.name}': it is not in the ALUA group '{asked['group']}' yet; give the number of that group."
        )
    return Alua(**given)


def _lay_size(found: Lun, lun: Lun | None, wanted: int | None, there: int | None) -> int | None:
    """How big a LUN is to be: None on a block device, which it follows."""
    if lun and lun.size is None and wanted is None and lun.path == found.path:
        return None
    if found.path.startswith("/dev/"):
        if there is None:
            raise Problem(f"LUN '{found.name}': the block device '{found.path}' does not exist.")
        if wanted is not None and wanted > there:
            raise Problem(
                f"LUN '{found.name}' must have {wanted} bytes, but '{found.path}' has {there}. Extend the device "
                "first (a logical volume with lunworks.iscsi.logical_volume); the LUN follows it."
            )
        return None
    same = lun.size if lun and lun.path == found.path else None
    size_now = same or there
    new = wanted or size_now
    if not new:
        raise Problem(
            f"LUN '{found.name}': the file '{found.path}' does not exist. Give its size to create it."
        )
    if new < (size_now or 0):
        raise Problem(
            f"LUN '{found.name}' has {size_now} bytes and cannot shrink to {new}: the data at its end would be lost. "
            "Create a new LUN and move the data."
        )
    if new % found.block_size:
        raise Problem(
            f"LUN '{found.name}': its size of {new} bytes is not a multiple of {found.block_size}, its block size. Use "
            f"{-(-new // found.block_size) * found.block_size} or {new // found.block_size * found.block_size}."
        )
    return new
