# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host does what with which LUN, as the data of a whole SAN has it, and where two do what only one may."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, Tuple

from ..module_utils._arguments import target_key
from ..module_utils._host import Problem
from ..module_utils._providers import NAMES, provider
from ..module_utils._san.wwid import serial_of, wwid
from ._inventory.fault import Path
from ._typed import truths

Luns = Mapping[str, Mapping[str, Mapping[str, Any]]]  # the declared LUNs by target and name
Place = Tuple[str, Path]  # a host, and where in its data


@dataclass(frozen=True)
class Clash:
    """What contradicts itself in the data of a SAN, as a sentence, and where its parts stand."""

    said: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Use:
    """What a host does with a LUN; 'alone': no other host may, whatever it knows. Target and LUN are '' if no data has them."""

    host: str
    purpose: str
    alone: bool
    target: str
    lun: str
    wwid: str = ""
    provider: str = ""  # the storage software that the host's data names
    path: Path = ()  # where the host's data says so

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.host, self.path

    def __str__(self) -> str:
        return f"The LUN '{self.lun}' of '{self.target}'" if self.lun else f"The disk '{self.wwid}'"


def present(vars_: Mapping[str, Any], name: str, having: str = "") -> list[dict[str, Any]]:
    """The entries of a list that must be there, or those of them that have a certain key."""
    return [item for _number, item in numbered(vars_, name, having)]


def numbered(vars_: Mapping[str, Any], name: str, having: str = "") -> list[tuple[int, dict[str, Any]]]:
    """The same, each with its position in the list."""
    return [
        (number, item)
        for number, item in enumerate(vars_.get(name) or [])
        if item.get("state", "present") != "absent" and (not having or item.get(having))
    ]


def targets_of(vars_: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets that a host must have, with booleans that a template may have given as text."""
    return [truths(target) for target in present(vars_, "target_targets")]


def named_targets(names: str) -> set[str]:
    """Targets that a user names, separated by commas."""
    return {target_key(name) for name in names.split(",") if name.strip()}


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join(f"'{name}'" for name in sorted(names))


def provider_name(vars_: Mapping[str, Any]) -> str:
    """The storage software of a host, as its data has it."""
    name = str(vars_.get("target_provider") or "lio")
    if name not in NAMES:
        raise Problem(f"target_provider is '{name}'; it must be one of {', '.join(NAMES)}.")
    return name


def wwid_of(software: str, target: str, name: str, lun: Mapping[str, Any]) -> str:
    """The WWID of a LUN: as the data has it, else what its storage software makes of the serial; '' where only that knows."""
    if lun.get("wwid"):
        return wwid(str(lun["wwid"]))
    try:
        return provider(software).wwid(str(lun.get("serial") or serial_of(target, name)))
    except Problem:  # it makes another one at every start
        return ""


def uses_of(data: Mapping[str, Mapping[str, Any]], known: Mapping[str, tuple[str, str]]) -> Iterator[Use]:
    """What the hosts do with LUNs; one that is named by its WWID alone is found among the known ones of the targets."""
    for host, vars_ in data.items():
        for path, purpose, alone, lun in _disks(vars_):
            if lun.get("target"):
                named, software = (target_key(lun["target"]), lun["name"]), str(lun.get("provider") or "")
                yield Use(host, purpose, alone, *named, provider=software, path=path)
            else:
                disk = wwid(lun["wwid"])
                yield Use(host, purpose, alone, *known.get(disk, ("", "")), disk, path=path)


def _disks(vars_: Mapping[str, Any]) -> Iterator[tuple[Path, str, bool, Mapping[str, Any]]]:
    for number, group in numbered(vars_, "volume_groups"):
        for position, lun in enumerate(group.get("luns") or []):
            path = ("volume_groups", number, "luns", position)
            yield path, f"the volume group '{group['name']}'", False, lun
    for number, one in numbered(vars_, "volume_filesystems"):
        yield ("volume_filesystems", number), f"the file system on '{one.get('mount') or 'it'}'", True, one


def hosts_that_share(uses: Iterable[Use], luns: Luns) -> Iterator[Clash]:
    """A LUN that two hosts write to, or that one host uses for two things."""
    by_disk = defaultdict(list)
    for use in uses:
        by_disk[str(use)].append(use)
    for found in by_disk.values():
        first, hosts = found[0], {use.host for use in found}
        declared = luns.get(first.target, {}).get(first.lun, {})
        if len(hosts) > 1 and any(use.alone for use in found):
            yield _clash(
                found,
                f"{first} is used by {_said(found)}. A file system that two hosts mount is destroyed, in a cluster too; give "
                "the LUN to one of them.",
            )
        elif len(hosts) > 1 and not declared.get("shared"):
            yield _clash(
                found,
                f"{first} is in volume groups of {listed(hosts)}. Two hosts that write to one LUN "
                f"destroy its data; if they know of each other (a cluster), set 'shared: true' there.",
            )
        for host in sorted(hosts):
            own = [use for use in found if use.host == host]
            if len(own) > 1:
                said = f"{first} is named twice: by {_said(own)}. A LUN can only be used for one thing."
                yield _clash(own, said)


def _clash(uses: Iterable[Use], said: str) -> Clash:
    return Clash(said, tuple(use.place for use in uses))


def _said(uses: Iterable[Use]) -> str:
    return " and ".join(f"'{use.host}' for {use.purpose}" for use in uses)
