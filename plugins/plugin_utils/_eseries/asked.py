# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the data of a storage host asks of an E-Series array, every value checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ...module_utils._arguments import Portal, unique
from ...module_utils._chap import Chap
from ...module_utils._host import Problem
from ...module_utils._san.eseries import ESERIES, place
from ...module_utils._san.options import asked_target
from ...module_utils._san.wwid import wwid
from .._typed import shared_luns, typed


@dataclass(frozen=True)
class Lun:
    """A LUN of the data, which a volume stands for. 'gone': it must have no map."""

    name: str
    pool: str
    volume: str
    size: int | None
    wwid: str
    number: int | None
    shared: bool
    gone: bool


@dataclass(frozen=True)
class Igroup:
    """An igroup, which a host of the array stands for; what is not said is None, and is left alone."""

    name: str
    initiators: tuple[str, ...] | None
    luns: Mapping[str, int | None] | None  # with the number that the igroup asks for
    gone_luns: frozenset[str]
    gone: bool


@dataclass(frozen=True)
class Asked:
    """What one array must have."""

    target: str
    portals: frozenset[Portal]
    luns: tuple[Lun, ...]
    igroups: tuple[Igroup, ...]
    chap: Chap | None

    def lun(self, name: str) -> Lun | None:
        """The LUN of this name."""
        return next((one for one in self.luns if one.name == name), None)

    def igroup(self, name: str) -> Igroup | None:
        """The igroup of this name, which the array compares without case."""
        return next((one for one in self.igroups if one.name.lower() == name.lower()), None)


def asked_of(targets: Sequence[Mapping[str, Any]]) -> Asked | None:
    """What must be on the array; None where the data has no target for it."""
    if len(targets) > 1:
        raise Problem(
            f"An E-Series array has one target; target_targets has {len(targets)}. Put their LUNs and igroups into one."
        )
    for given in map(typed, targets):
        ESERIES.refuse(given)
        return _asked(given)
    return None


def _asked(given: dict[str, Any]) -> Asked:
    known = {lun["name"]: lun["wwid"] for lun in given.get("luns") or [] if lun.get("wwid")}
    asked = asked_target(given)
    shared = shared_luns(asked)
    luns = tuple(_lun(lun, known.get(lun["name"]), lun["name"] in shared) for lun in asked["luns"])
    igroups = tuple(_igroup(group) for group in asked["igroups"])
    unique("volume", [one.volume for one in luns])
    unique("host of the array", [one.name.lower() for one in igroups])
    _refuse_one_initiator_twice(igroups)
    for group in igroups:
        for name in group.luns or {}:
            if name not in {one.name for one in luns if not one.gone}:
                raise Problem(
                    f"The igroup '{group.name}' has the LUN '{name}', which is not among the LUNs of the target."
                )
    proofs = [group["chap"] for group in asked["igroups"] if group["state"] == "present" and group["chap"]]
    return Asked(asked["name"], asked["portals"] or frozenset(), luns, igroups, proofs[0] if proofs else None)


def _lun(asked: dict[str, Any], known: str | None, shared: bool) -> Lun:
    pool, volume = place(asked)
    return Lun(
        name=asked["name"],
        pool=pool,
        volume=volume,
        size=asked["size"],
        wwid=wwid(known) if known else "",
        number=asked["number"],
        shared=shared,
        gone=asked["state"] == "absent",
    )


def _igroup(asked: dict[str, Any]) -> Igroup:
    listed = {entry["name"]: entry["number"] for entry in asked["luns"] if entry["state"] == "present"}
    return Igroup(
        name=asked["name"],
        initiators=tuple(asked["initiators"]) if "initiators" in asked["given"] else None,
        luns=listed if "luns" in asked["given"] else None,
        gone_luns=frozenset(entry["name"] for entry in asked["luns"] if entry["state"] == "absent"),
        gone=asked["state"] == "absent",
    )


def _refuse_one_initiator_twice(igroups: Sequence[Igroup]) -> None:
    for initiator, groups in _owners(igroups):
        if len(groups) > 1:
            raise Problem(
                f"The initiator '{initiator}' is in the igroups '{groups[0]}' and '{groups[1]}'; on the array it is on one host."
            )


def _owners(igroups: Sequence[Igroup]) -> Iterator[tuple[str, list[str]]]:
    present = [one for one in igroups if not one.gone]
    for initiator in sorted({name for one in present for name in one.initiators or ()}):
        yield initiator, [one.name for one in present if initiator in (one.initiators or ())]
