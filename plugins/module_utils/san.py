# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that all storage systems share: Target, Lun, Initiator, LunMap, Igroup, Session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import Chap, Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils.identity import wwid_of_lio


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
    backstore: str = ""  # what the storage system calls it


@dataclass(frozen=True)
class LunMap:
    """One LUN as an initiator sees it: under which number, and whether it may write."""

    lun: str
    number: int
    read_only: bool = False


@dataclass(frozen=True)
class Initiator:
    """What one initiator may: the igroup that it is in, its LUNs by name, and how it proves itself."""

    igroup: str
    luns: dict[str, LunMap] = field(default_factory=dict)
    chap: Chap | None = None


@dataclass(frozen=True)
class Target:
    """One target with everything in it. LUNs and initiators by name; attributes and parameters as texts."""

    name: str
    enabled: bool = True
    portals: frozenset[Portal] = frozenset()
    attributes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    luns: dict[str, Lun] = field(default_factory=dict)
    initiators: dict[str, Initiator] = field(default_factory=dict)
    tag: int = 1  # the target portal group's

    def igroups(self) -> dict[str, list[str]]:
        """The names of the igroups, each with its initiators."""
        groups: dict[str, list[str]] = {}
        for name, initiator in sorted(self.initiators.items()):
            groups.setdefault(initiator.igroup, []).append(name)
        return groups

    def numbered(self, number: int) -> str | None:
        """The name of the LUN with this number."""
        return next((lun.name for lun in self.luns.values() if lun.number == number), None)


@dataclass(frozen=True, order=True)
class Session:
    """An initiator that is logged in to a target, from an address."""

    target: str
    initiator: str
    address: str = ""

    def __str__(self) -> str:
        return f"'{self.initiator}'" + (f" from {self.address}" if self.address else "")


def whole(running: Target | None, saved: Target | None) -> Target | None:
    """A target as it should run: what runs, and what is saved but was lost on the way (a restore that half failed)."""
    if running is None or saved is None:
        return running or saved
    numbers = {lun.number for lun in running.luns.values()}
    luns = {
        name: lun
        for name, lun in saved.luns.items()
        if name not in running.luns and lun.number not in numbers
    }
    initiators = dict(saved.initiators)
    for name, initiator in running.initiators.items():
        kept = saved.initiators[name].luns if name in saved.initiators else {}
        taken = {entry.number for entry in initiator.luns.values()}
        lost = {
            lun: entry
            for lun, entry in kept.items()
            if lun not in initiator.luns and entry.number not in taken
        }
        initiators[name] = replace(initiator, luns={**initiator.luns, **lost})
    found = replace(
        running,
        portals=running.portals | saved.portals,
        attributes={**saved.attributes, **running.attributes},
        parameters={**saved.parameters, **running.parameters},
        luns={**running.luns, **luns},
        initiators=initiators,
    )
    return replace(found, initiators={name: _known(found, one) for name, one in initiators.items()})


def without_luns(target: Target, gone: set[str]) -> Target:
    """The target without these LUNs, and nobody has a map of them."""
    luns = {name: lun for name, lun in target.luns.items() if name not in gone}
    left = replace(target, luns=luns)
    return replace(left, initiators={name: _known(left, one) for name, one in target.initiators.items()})


def _known(target: Target, initiator: Initiator) -> Initiator:
    return replace(
        initiator, luns={name: entry for name, entry in initiator.luns.items() if name in target.luns}
    )


def shown(target: Target, sizes: dict[str, int]) -> dict[str, Any]:
    """A target for people and templates, without secrets; 'sizes' are those of the backing files and devices."""
    groups = target.igroups()
    return {
        "name": target.name,
        "enabled": target.enabled,
        "portals": [str(portal) for portal in sorted(target.portals)],
        "alias": target.parameters.get("TargetAlias"),
        "attributes": dict(sorted(target.attributes.items())),
        "parameters": dict(sorted(target.parameters.items())),
        "luns": [_lun(lun, sizes) for lun in sorted(target.luns.values(), key=lambda lun: lun.number)],
        "igroups": [
            _igroup(name, [target.initiators[one] for one in groups[name]], groups[name]) for name in groups
        ],
    }


def _lun(lun: Lun, sizes: dict[str, int]) -> dict[str, Any]:
    return {
        "name": lun.name,
        "number": lun.number,
        "path": lun.path,
        "size": sizes.get(lun.path) if lun.size is None else lun.size,
        "serial": lun.serial,
        "wwid": wwid_of_lio(lun.serial),
        "block_size": lun.block_size,
        "write_back": lun.write_back,
        "attributes": dict(sorted(lun.attributes.items())),
    }


def _igroup(name: str, members: list[Initiator], initiators: list[str]) -> dict[str, Any]:
    """An igroup; where its initiators do not all have the same (somebody changed one), what each of them has counts."""
    maps = {entry for member in members for entry in member.luns.values()}
    chap = members[0].chap
    return {
        "name": name,
        "initiators": initiators,
        "luns": [
            {"name": entry.lun, "number": entry.number, "read_only": entry.read_only}
            for entry in sorted(maps, key=lambda entry: (entry.number, entry.lun))
        ],
        "chap": {"user": chap.user, "mutual_user": chap.mutual_user} if chap else None,
    }
