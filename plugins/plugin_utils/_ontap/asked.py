# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the data asks of an SVM, every value checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from ...module_utils._arguments import target_key, unique
from ...module_utils._chap import Chap
from ...module_utils._host import Problem
from ...module_utils._san.ontap import ONTAP, PATH
from ...module_utils._san.options import asked_target
from ...module_utils._san.wwid import wwid
from .._by_hand import dues_of
from .._typed import shared_luns, typed

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Lun:
    """A LUN that must be there, or must not be mapped any more. What the data leaves out is None."""

    name: str
    path: str
    size: int | None
    reserved: bool
    wwid: str
    shared: bool
    gone: bool


@dataclass(frozen=True)
class Map:
    """A map of a LUN to an igroup."""

    lun: str
    number: int | None
    gone: bool


@dataclass(frozen=True)
class Igroup:
    """An igroup. The initiators are None where the data does not name them."""

    name: str
    initiators: tuple[str, ...] | None
    maps: tuple[Map, ...]
    lists_luns: bool
    gone: bool


@dataclass(frozen=True)
class Asked:
    """The target of an SVM."""

    name: str
    alias: str | None
    enabled: bool | None
    addresses: frozenset[str]
    luns: dict[str, Lun]
    igroups: tuple[Igroup, ...]
    chap: dict[str, Chap] = field(default_factory=dict)  # by initiator


def asked_of(targets: Sequence[Data], volume: str) -> Asked | None:
    """The one target of an SVM; None: none is asked for. 'volume': where the LUNs without a path are."""
    found = [_typed(target) for target in targets]
    if len(targets) > 1:
        raise Problem(
            f"An SVM has one target, and {len(targets)} are asked for. Declare each SVM as a host of its own."
        )
    return _asked(found[0], volume) if found else None


def _typed(given: Data) -> dict[str, Any]:
    """What an SVM cannot have is named first, by the spelling of the data."""
    found = typed(given)
    ONTAP.refuse(found)
    return found


def _asked(given: Data, volume: str) -> Asked:
    found = asked_target({**given, "attributes": None, "parameters": None, "alias": None})
    dues_of(given)  # refuses igroups with LUNs that the target lacks, and one number for two LUNs
    raw = {lun["name"]: lun for lun in given.get("luns") or []}
    shared = shared_luns(found)
    luns = {lun["name"]: _lun(lun, raw[lun["name"]], volume, lun["name"] in shared) for lun in found["luns"]}
    unique("path of a LUN", [lun.path for lun in luns.values()])
    numbers = {lun["name"]: lun["number"] for lun in found["luns"]}
    return Asked(
        name=target_key(given["name"]),
        alias=given.get("alias"),
        enabled=given.get("enabled"),
        addresses=frozenset(portal.address for portal in found["portals"] or ()),
        luns=luns,
        igroups=tuple(_igroup(group, luns, numbers) for group in found["igroups"]),
        chap=_chap(found["igroups"]),
    )


def _lun(asked: Data, raw: Data, volume: str, shared: bool) -> Lun:
    path = asked["path"] or (f"/vol/{volume}/{asked['name']}" if volume else "")
    if not PATH.fullmatch(path):
        raise Problem(
            f"LUN '{asked['name']}': it is not said where it is. Give it a path, /vol/VOLUME/LUN, or set ontap_volume to the "
            "volume of all LUNs without one."
        )
    return Lun(
        name=asked["name"],
        path=path,
        size=asked["size"],
        reserved=asked["allocation"] == "full",
        wwid=wwid(str(raw["wwid"])) if raw.get("wwid") else "",
        shared=shared,
        gone=asked["state"] == "absent",
    )


def _igroup(asked: Data, luns: Mapping[str, Lun], numbers: Mapping[str, int | None]) -> Igroup:
    maps = []
    for entry in asked["luns"]:
        gone = entry["state"] == "absent" or asked["state"] == "absent"
        if entry["name"] not in luns:
            raise Problem(
                f"igroup '{asked['name']}': the target has no LUN '{entry['name']}'. Declare the LUN, which says its path."
            )
        number = numbers[entry["name"]] if entry["number"] is None else entry["number"]
        maps.append(Map(entry["name"], number, gone or luns[entry["name"]].gone))
    given = _members(asked)
    return Igroup(
        name=asked["name"],
        initiators=None if given is None else tuple(given),
        maps=tuple(maps),
        lists_luns="luns" in asked["given"],
        gone=asked["state"] == "absent",
    )


def _members(asked: Data) -> list[str] | None:
    """The initiators of an igroup; one that is named after an initiator holds only that."""
    alone = [asked["name"]] if ":" in asked["name"] else None
    return alone if asked["initiators"] is None else asked["initiators"]


def _chap(groups: Iterable[Data]) -> dict[str, Chap]:
    """The credentials of each initiator: ONTAP has them by initiator, whatever igroup that is in."""
    found: dict[str, Chap] = {}
    for group in groups:
        if group["state"] == "absent" or group["chap"] is None:
            continue
        if not _members(group):
            raise Problem(
                f"igroup '{group['name']}': it has chap and names no initiators, and ONTAP has CHAP credentials by initiator. "
                "Name its initiators, or leave chap out."
            )
        for initiator in _members(group) or ():
            if found.setdefault(initiator, group["chap"]) != group["chap"]:
                raise Problem(
                    f"The igroups of '{initiator}' have different CHAP credentials, and ONTAP has one for an initiator. Give "
                    "them the same."
                )
    return found
