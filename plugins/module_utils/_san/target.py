# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that all storage systems share: Target, Lun, Initiator, LunMap, Igroup, Session."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Collection, Iterable, Mapping

from .._arguments import Portal
from .._chap import Chap
from .._host import Problem

# In the order of their numbers (SPC-4 table 180, and TPGS in table 139).
ALUA_STATES = ("active_optimized", "active_nonoptimized", "standby", "unavailable")
ALUA_TYPES = ("none", "implicit", "explicit", "both")


@dataclass(frozen=True)
class Alua:
    """The target port group that a LUN is in, and what a host is told of its paths."""

    group: str
    number: int
    state: str = "active_optimized"
    access_type: str = "both"  # who may change the state: the storage (implicit), the hosts (explicit)
    preferred: bool = False


@dataclass(frozen=True)
class Lun:
    """A LUN of a target: a block device, or a file of 'size' bytes (None: it has the size of its device)."""

    name: str
    number: int
    path: str
    serial: str
    size: int | None = None
    block_size: int = 512
    write_back: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    backstore: str = ""  # what the storage system calls it: one of a kind on its host
    read_only: bool = False  # nobody can write to it, whatever its maps say
    asynchronous: bool = False
    alua: Alua | None = None  # None: in no group of its own
    fixed: str = field(default="", compare=False)  # what it has that we cannot make again
    lacking: frozenset[str] = field(
        default=frozenset(), compare=False
    )  # saved attributes: the kernel may not have them
    settings: dict[str, str] = field(
        default_factory=dict, compare=False
    )  # all it has, where it may be made again


@dataclass(frozen=True)
class LunMap:
    """A LUN of the target (its number there) as an initiator sees it: under which number, and whether it may write."""

    lun: int
    number: int
    read_only: bool = False


@dataclass(frozen=True)
class Initiator:
    """What one initiator may: the igroup that it is in, its LUNs by the numbers that it sees, how it proves itself."""

    igroup: str
    luns: dict[int, LunMap] = field(default_factory=dict)
    chap: Chap | None = None
    attributes: dict[str, str] = field(default_factory=dict, compare=False)  # as saved
    unsaved: bool = field(default=False, compare=False)  # it runs only: by hand, or a run of ours was killed

    def has(self, lun: int) -> list[LunMap]:
        """Its maps of a LUN: there may be several."""
        return [entry for entry in self.luns.values() if entry.lun == lun]


@dataclass(frozen=True)
class Target:
    """One portal group of a target with everything in it. LUNs by number: two of them may have one name (others name
    backstores, and one may be served twice). Attributes and parameters as texts."""

    name: str
    enabled: bool = True
    portals: frozenset[Portal] = frozenset()
    attributes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    luns: dict[int, Lun] = field(default_factory=dict)
    initiators: dict[str, Initiator] = field(default_factory=dict)
    tag: int = 1  # the target portal group's
    iser: frozenset[Portal] = frozenset()  # those of its portals that also speak iSER (RFC 7145)
    fixed: frozenset[Portal] = field(
        default=frozenset(), compare=False
    )  # saved ones that we could not make again
    lacking: frozenset[str] = field(
        default=frozenset(), compare=False
    )  # saved settings: the kernel may not have them
    fault: str = field(default="", compare=False)  # why it must not be worked on
    common_chap: bool = field(default=False, compare=False)  # it has credentials for all who have no ACL
    unsaved: bool = field(default=False, compare=False)  # it runs only

    @property
    def unfinished(self) -> bool:
        """Whether a run of ours that was killed was making it: it enables a new target last, and saves it then."""
        return self.unsaved and not self.enabled

    def igroups(self) -> dict[str, list[str]]:
        """The names of the igroups, each with its initiators."""
        groups: dict[str, list[str]] = {}
        for name, initiator in sorted(self.initiators.items()):
            groups.setdefault(initiator.igroup, []).append(name)
        return groups

    def lun(self, name: str, number: int | None = None) -> Lun | None:
        """The LUN with this name; where several have it, the number says which."""
        found = [lun for lun in self.luns.values() if lun.name == name]
        if len(found) > 1:
            one = [lun for lun in found if lun.number == number]
            if not one:
                raise Problem(
                    f"Several LUNs of '{self.name}' are called '{name}': "
                    + ", ".join(f"number {lun.number} is '{lun.backstore}'" for lun in found)
                    + ". Name it by its number, or rename its backstore."
                )
            found = one
        return found[0] if found else None


@dataclass(frozen=True, order=True)
class Session:
    """An initiator that is logged in to a portal group of a target, from an address; 'dynamic': without an ACL."""

    target: str
    initiator: str
    address: str = ""
    tag: int = 1
    dynamic: bool = False

    def __str__(self) -> str:
        return f"'{self.initiator}'" + (f" from {self.address}" if self.address else "")


def whole(running: Target | None, saved: Target | None) -> Target | None:
    """A target as it should run: what runs, and what is saved but was lost on the way (a restore that half failed).

    What is lost and could not be made again as it was is part of it too; the planner leaves it.
    """
    if saved is None and running:
        alone = {name: replace(one, unsaved=True) for name, one in running.initiators.items()}
        return without_luns(replace(running, initiators=alone, unsaved=True), ())
    if running is None or saved is None:
        return without_luns(saved, ()) if saved else None
    luns = {number: lun for number, lun in saved.luns.items() if _lost(lun, running, saved)}
    initiators = dict(saved.initiators)
    for name, initiator in running.initiators.items():
        kept = saved.initiators[name].luns if name in saved.initiators else {}
        there = {entry.lun for entry in initiator.luns.values()}
        lost = {
            number: entry
            for number, entry in kept.items()
            if number not in initiator.luns
            and (entry.lun not in there or sum(one.lun == entry.lun for one in kept.values()) > 1)
        }
        unsaved = name not in saved.initiators
        initiators[name] = replace(initiator, luns={**initiator.luns, **lost}, unsaved=unsaved)
    found = replace(
        running,
        portals=running.portals | saved.portals,
        iser=running.iser | (saved.iser - running.portals),
        luns={**running.luns, **luns},
        initiators=initiators,
        fixed=saved.fixed - running.portals,
        fault=running.fault or saved.fault,
    )
    return replace(found, initiators={name: _known(found, one) for name, one in initiators.items()})


def _lost(lun: Lun, running: Target, saved: Target) -> bool:
    if lun.number in running.luns:
        return False
    elsewhere = any(one.backstore == lun.backstore for one in running.luns.values())
    twice = sum(one.backstore == lun.backstore for one in saved.luns.values()) > 1
    return twice or not elsewhere


def without_luns(target: Target, gone: Collection[int]) -> Target:
    """The target without the LUNs of these numbers, and nobody has a map of them."""
    luns = {number: lun for number, lun in target.luns.items() if number not in gone}
    left = replace(target, luns=luns)
    return replace(left, initiators={name: _known(left, one) for name, one in target.initiators.items()})


def _known(target: Target, initiator: Initiator) -> Initiator:
    luns = {number: entry for number, entry in initiator.luns.items() if entry.lun in target.luns}
    return replace(initiator, luns=luns)


def shown_targets(
    targets: Mapping[str, Target],
    names: Iterable[str] | None,
    sizes: dict[str, int],
    wwid: Callable[[Lun], str],
) -> dict[str, Any]:
    """Those of these names, or None: all of them."""
    listed = sorted(targets if names is None else names)
    return {"targets": [shown(targets[name], sizes, wwid) for name in listed if name in targets]}


def shown(target: Target, sizes: dict[str, int], wwid: Callable[[Lun], str]) -> dict[str, Any]:
    """A target for people and templates, without secrets; 'sizes' are those of the backing files and devices."""
    groups = target.igroups()
    return {
        "name": target.name,
        "enabled": target.enabled,
        "portals": [str(portal) for portal in sorted(target.portals)],
        **({"iser": [str(portal) for portal in sorted(target.iser)]} if target.iser else {}),
        "alias": target.parameters.get("TargetAlias"),
        "attributes": dict(sorted(target.attributes.items())),
        "parameters": dict(sorted(target.parameters.items())),
        "luns": [_lun(target.luns[number], sizes, wwid) for number in sorted(target.luns)],
        "igroups": [_igroup(target, name, groups[name]) for name in groups],
    }


def _lun(lun: Lun, sizes: dict[str, int], wwid: Callable[[Lun], str]) -> dict[str, Any]:
    return {
        "name": lun.name,
        "number": lun.number,
        "path": lun.path,
        "size": sizes.get(lun.path) if lun.size is None else lun.size,
        "serial": lun.serial,
        "wwid": wwid(lun),
        "block_size": lun.block_size,
        "write_back": lun.write_back,
        "read_only": lun.read_only,
        "attributes": dict(sorted(lun.attributes.items())),
        **({"alua": asdict(lun.alua)} if lun.alua else {}),
    }


def _igroup(target: Target, name: str, initiators: list[str]) -> dict[str, Any]:
    """An igroup; where its initiators do not all have the same (somebody changed one), what each of them has counts."""
    members = [target.initiators[one] for one in initiators]
    maps = {entry for member in members for entry in member.luns.values() if entry.lun in target.luns}
    chap = members[0].chap
    return {
        "name": name,
        "initiators": initiators,
        "luns": [
            {"name": target.luns[entry.lun].name, "number": entry.number, "read_only": entry.read_only}
            for entry in sorted(maps, key=lambda entry: (entry.number, entry.lun))
        ],
        "chap": {"user": chap.user, "mutual_user": chap.mutual_user} if chap else None,
    }
