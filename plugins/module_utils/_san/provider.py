# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam for storage software: what a provider is, and what of a request it can enforce.

What a provider cannot enforce is refused here with its reason, in a check run too, and never approximated: a target that is
open to more initiators than was asked for looks like one that works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping

from .._arguments import truth
from .._converge import Resource
from .._host import Host, Problem


class Ability(Enum):
    """What data can ask of storage software; the value says it in a message."""

    SEVERAL_LUNS = "several LUNs in one target"
    LUN_BY_INITIATOR = "LUNs of a target that only some of its initiators see"
    NUMBER_BY_INITIATOR = "a LUN number that only some initiators see"
    READ_ONLY_BY_INITIATOR = "a LUN that is read-only for some initiators"
    CHAP_BY_INITIATOR = "CHAP credentials that differ between the initiators of a target"
    ALLOW_BY_NAME = "access by the initiator's name"
    ALLOW_BY_ADDRESS = "access by the initiator's address"
    STABLE_IDENTITY = "a serial that makes the same WWID after every start"
    LIVE_CHANGE = "a change without a restart that cuts all sessions"
    ONLINE_GROWTH = "growing a LUN while it is served"
    ALUA = "an ALUA target port group"
    ISER = "iSER on a portal"


ONLY_SOME = {  # options of targets that not every provider takes, and why
    "discovery_chap": "sets up no CHAP at discovery",
    "expected": "hands no LUN from one initiator to another",
}


@dataclass(frozen=True)
class Provider:
    """One kind of storage software: how its targets are looked at and converged, and what it lacks."""

    name: str
    # The Resource of the targets that were asked for: look, want, plan, refuse. Takes what 'resource' below takes.
    converged: Callable[..., Resource]
    targets: Callable[[Host, str | None], dict[str, Any]]  # what target_info returns, of all targets or one
    luns: Callable[[Host, bool], dict[str, Any]]  # what lun_info returns, with LVM's metadata or without
    wwid: Callable[[str], str]  # of the LUN with this serial, as a host will see it
    lacks: Mapping[Ability, str] = field(
        default_factory=dict
    )  # each with the reason, and where that is documented
    takes: Collection[str] = ()  # which of ONLY_SOME 'converged' takes
    on_host: bool = True  # whether modules on the storage host drive it; if not, the host stands for an array
    role: str = "target"  # the role of this collection that sets it up
    check: Callable[[Mapping[str, Any]], None] | None = None  # raises a Problem for what else it cannot have
    sets_chap: bool = False  # whether that role has tasks 'chap', which only write the CHAP credentials
    tells_wwids: bool = False  # whether its role returns the WWIDs of the LUNs, in the fact array_wwids

    def resource(self, targets: Iterable[dict[str, Any]], **scope: Any) -> Resource:
        """The Resource of these targets, as users write them (options.py).

        'purge': what is not named inside them goes; 'purge_targets': other targets go; 'inside': the targets must exist,
        and only what is in them is asked for; 'expected': what LVM's label on a LUN must be; 'force': for one task;
        'discovery_chap': what is asked of who asks for the targets of this host.
        """
        targets = list(targets)
        for option in ONLY_SOME:
            if scope.get(option):
                self.refuse_option(option)
            else:
                scope.pop(option, None)
        for one in targets:
            self.refuse(one)
        return self.converged(targets, **scope)

    def refuse_option(self, option: str) -> None:
        """Raise a Problem for one of ONLY_SOME that it does not take."""
        if option not in self.takes:
            raise Problem(f"{option}: this collection {ONLY_SOME[option]} with {self.name}. Leave it out.")

    def refuse(self, target: Mapping[str, Any]) -> None:
        """Raise a Problem where a target asks for what this software cannot enforce."""
        for ability, where in asked_abilities(target):
            if ability in self.lacks:
                lio = (
                    "with LIO ('provider: lio')"
                    if self.on_host
                    else "from a host with LIO (target_provider: lio)"
                )
                raise Problem(
                    f"{where} asks for {ability.value}. {self.name} does not have that: {self.lacks[ability]}. Change the "
                    f"request, or serve the target {lio}, which has it."
                )
        if self.check:
            self.check(target)


def asked_abilities(target: Mapping[str, Any]) -> Iterator[tuple[Ability, str]]:
    """What a target as a user wrote it asks of the software, and where it does."""
    here = f"target '{target['name']}'"
    luns = [lun for lun in target.get("luns") or () if lun.get("state") != "absent"]
    groups = [group for group in target.get("igroups") or () if group.get("state") != "absent"]
    for portal in target.get("portals") or ():
        if isinstance(portal, dict) and truth(f"{here}: iser of a portal", portal.get("iser")):
            yield Ability.ISER, f"{here}, portal '{portal.get('portal')}'"
    if len(luns) > 1:
        yield Ability.SEVERAL_LUNS, here
    for lun in luns:
        if lun.get("serial"):
            yield Ability.STABLE_IDENTITY, f"{here}, LUN '{lun['name']}'"
        if lun.get("alua"):
            yield Ability.ALUA, f"{here}, LUN '{lun['name']}'"
    for group in groups:
        yield from _asked_of_group(here, group, {lun["name"] for lun in luns})
    if any(group.get("chap") != groups[0].get("chap") for group in groups):
        yield Ability.CHAP_BY_INITIATOR, here


def _asked_of_group(here: str, group: Mapping[str, Any], luns: set[str]) -> Iterator[tuple[Ability, str]]:
    where = f"{here}, igroup '{group['name']}'"
    listed = [entry for entry in group.get("luns") or () if _is_present(entry)]
    if group.get("luns") is not None and luns - {_name(entry) for entry in listed}:
        yield Ability.LUN_BY_INITIATOR, where
    if group.get("initiators"):
        yield Ability.ALLOW_BY_NAME, where
    for entry in (one for one in listed if isinstance(one, dict)):
        place = f"{where}, LUN '{_name(entry)}'"
        if entry.get("number") is not None:
            yield Ability.NUMBER_BY_INITIATOR, place
        if entry.get("read_only") is not None:
            yield Ability.READ_ONLY_BY_INITIATOR, place


def _name(entry: Any) -> str:
    """The LUN that an igroup lists, by its name or with what is said of it."""
    return str(entry["name"] if isinstance(entry, dict) else entry)


def _is_present(entry: Any) -> bool:
    return not (isinstance(entry, dict) and entry.get("state") == "absent")
