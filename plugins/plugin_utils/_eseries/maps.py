# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUN mappings: a volume has one, to a host, or to a host group where several igroups share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from ...module_utils._san.eseries import ACCESS_LUN, LABEL
from ...module_utils._san.options import NUMBERS
from .asked import Asked, Lun
from .default_group import Outlook, refuse_default
from .model import NOBODY, Array, Group, Host, Map, Volume
from .step import LET_GO, Plan


class Fault(Exception):
    """Why a map is not planned."""


@dataclass(frozen=True)
class Reach:
    """What a volume is mapped to."""

    name: str
    group: bool
    ref: str  # '' where it is not there yet

    def __str__(self) -> str:
        return f"the host group '{self.name}'" if self.group else f"the host '{self.name}'"


class Maps:
    """The maps of all LUNs, planned one after the other, since one takes the number of another."""

    def __init__(self, plan: Plan, array: Array, asked: Asked, purge: bool, force: bool) -> None:
        self.plan, self.array, self.asked, self.purge, self.force = plan, array, asked, purge, force
        self.wanted = {lun.name: self._wanted(lun) for lun in asked.luns}
        gone = [array.host(one.name) for one in asked.igroups if one.gone]
        self.going = {host.ref for host in gone if host}
        self.unmapped: set[str] = set()  # references of maps that go
        self.numbers: list[tuple[set[str], int, str]] = []  # planned: the hosts, the number, the volume

    def add(self) -> None:
        """Plan them: first what goes, then what stays, then what is new."""
        for lun in sorted(self.asked.luns, key=lambda lun: len(self.wanted[lun.name]) > 0):
            try:
                self._one(lun)
            except Fault as fault:
                self.plan.refuse(f"LUN '{lun.name}': {fault}")
        outlook = Outlook(self.array, self.asked, self.wanted, self.unmapped, self.purge)
        refuse_default(self.plan, outlook, self.force)

    def _reached(self, lun: Lun) -> dict[str, Host]:
        """The hosts that see the volume now, by their names as they are compared."""
        found = self.array.map_of(self.array.volume(lun.volume))
        return {one.name.lower(): one for one in self.array.members(found.to)} if found else {}

    def _wanted(self, lun: Lun) -> set[str]:
        """The igroups that must see it: unsaid means untouched."""
        if lun.gone:
            return set()
        reached = self._reached(lun)
        wanted = set()
        for igroup in self.asked.igroups:
            kept = igroup.name.lower() in reached and not (self.purge and igroup.luns is not None)
            listed = igroup.luns is not None and lun.name in igroup.luns
            if not igroup.gone and (listed or (kept and lun.name not in igroup.gone_luns)):
                wanted.add(igroup.name.lower())
        return wanted

    def _one(self, lun: Lun) -> None:
        volume = self.array.volume(lun.volume)
        found, reached, wanted = self.array.map_of(volume), self._reached(lun), self.wanted[lun.name]
        foreign = {name for name in reached if not self.asked.igroup(name)}
        if found and volume and not reached:
            raise Fault(
                f"the volume '{volume.name}' is mapped to {self.array.named(found.to)}. Remove that map on the array first."
            )
        if foreign and not lun.gone and wanted | foreign == set(reached):
            self._refuse_joining(lun, reached)
            return  # nothing that was asked for is missing, and nobody said that others must go
        if foreign:
            raise Fault(
                f"the volume '{lun.volume}' is mapped to '{min(foreign)}', which is no igroup of the data, and it can have one "
                "map only. Remove that map on the array first."
            )
        self._refuse_sharing(lun, wanted, reached)
        self._one_group(lun, wanted)
        if wanted:
            self._map(lun, volume, found, reached, wanted)
        elif found and volume:
            self._unmap(volume, found, reached)

    def _unmap(self, volume: Volume, found: Map, reached: dict[str, Host]) -> None:
        self._let_go(reached, f"the volume '{volume.name}' would be taken from {self.array.named(found.to)}")
        self.unmapped.add(found.ref)
        say = f"Remove the map of the volume '{volume.name}' to {self.array.named(found.to)}."
        self.plan.add("unmap", say, volume=volume.name, to=self.array.name_of(found.to))

    def _map(
        self, lun: Lun, volume: Volume | None, found: Map | None, reached: dict[str, Host], wanted: set[str]
    ) -> None:
        reach, number = self._reach(found, wanted), self._number(lun, found, wanted)
        self.numbers.append((wanted, number, lun.volume))
        if found and reach.ref == found.to and number == found.number:
            self._refuse_joining(lun, reached)
            return
        self._refuse_strangers(wanted)
        if found and volume and found.to in self.going:
            self._unmap(volume, found, reached)
            found = None
        if found:
            where = f"from {self.array.named(found.to)} as LUN {found.number} to {reach} as LUN {number}"
            self._let_go(reached, f"the map of the volume '{lun.volume}' would move {where}")
            say = f"Move the map of the volume '{lun.volume}' {where}."
        else:
            say = f"Map the volume '{lun.volume}' to {reach} as LUN {number}."
        self.plan.add("map", say, volume=lun.volume, to=reach.name, number=number)

    def _refuse_sharing(self, lun: Lun, wanted: set[str], reached: dict[str, Host]) -> None:
        if len(wanted) > 1 and wanted - set(reached) and not lun.shared:
            raise Fault(
                f"the igroups {_names(wanted)} would have it. Two hosts that write to one LUN destroy its data; if they know of "
                "each other (a cluster), set 'shared: true' there."
            )

    def _refuse_joining(self, lun: Lun, reached: dict[str, Host]) -> None:
        """Who joins a host sees what that has already, which nobody else may see unless that is said."""
        for name, host in sorted(reached.items()) if not lun.shared else ():
            igroup = self.asked.igroup(name)
            known = {port.address for port in host.ports}
            named = set(igroup.initiators or ()) if igroup and not igroup.gone else set()
            others = {address for one in reached.values() for address in self._staying_in(one)} - named
            if named - known and others:
                raise Fault(
                    f"{_names(named - known)} would get it with the host '{host.name}', and {_names(others)} has it too, which "
                    "the igroup does not list. Two hosts that write to one LUN destroy its data; if they know of each other (a "
                    "cluster), set 'shared: true' at the LUN. If it is an older name of the same host, have it removed with "
                    "target_purge."
                )

    def _staying_in(self, host: Host) -> set[str]:
        """The initiators that a host will have."""
        igroup = self.asked.igroup(host.name)
        if igroup is None or igroup.initiators is None:
            return {port.address for port in host.ports}
        if igroup.gone:
            return set()
        kept = {port.address for port in host.ports if port.kind != "iscsi" or not self.purge}
        return kept | set(igroup.initiators)

    def _refuse_strangers(self, wanted: set[str]) -> None:
        """An initiator of the host on the array that its igroup does not list would see the LUN too."""
        for name in sorted(wanted):
            seen, igroup = self.array.host(name), self.asked.igroup(name)
            if seen is None or igroup is None or igroup.initiators is None:
                continue
            staying = [port.address for port in seen.ports if port.kind != "iscsi" or not self.purge]
            strange = [address for address in staying if address not in igroup.initiators]
            if strange:
                raise Fault(
                    f"the host '{seen.name}' of the array has the initiator '{strange[0]}' too, which its igroup does not list "
                    "and which would see it. List it, or have it removed with target_purge."
                )

    def _let_go(self, reached: dict[str, Host], what: str) -> None:
        if not self.force and any(host.ports for host in reached.values()):
            raise Fault(f"{what}. {LET_GO}")

    # To what a volume is mapped

    def _one_group(self, lun: Lun, wanted: set[str]) -> None:
        """A host is in one host group, so hosts that share several LUNs share all of them with the same others."""
        for other, hosts in self.wanted.items():
            if min(len(hosts), len(wanted)) > 1 and hosts & wanted and hosts != wanted:
                raise Fault(
                    f"{_names(wanted)} share it, and {_names(hosts)} share '{other}': a host can be in one host group only."
                )

    def _reach(self, found: Map | None, wanted: set[str]) -> Reach:
        if found and self._staying(found.to) == wanted:
            return Reach(
                self.array.name_of(found.to), found.to in {one.ref for one in self.array.groups}, found.to
            )
        if len(wanted) == 1:
            (name,) = wanted
            seen = self.array.host(name)
            igroup = self.asked.igroup(name)
            known = seen.name if seen else igroup.name if igroup else name
            return Reach(known, False, seen.ref if seen else "")
        return self._group(wanted)

    def _staying(self, ref: str) -> set[str]:
        return {one.name.lower() for one in self.array.members(ref) if one.ref not in self.going}

    def _group(self, wanted: set[str]) -> Reach:
        """The host group with these hosts, which is made, or gets those that it lacks."""
        seen = {self.array.host(name) for name in wanted} - {None}
        refs = {host.group for host in seen if host} - {NOBODY}
        if len(refs) > 1:
            raise Fault(
                f"the hosts {_names(wanted)} are in different host groups on the array, and a host can be in one only."
            )
        group = next((one for one in self.array.groups if one.ref in refs), None)
        if group is None:
            return self._new_group(wanted)
        extra = self._staying(group.ref) - wanted
        if extra:
            raise Fault(
                f"the host group '{group.name}' of the array also has the hosts {_names(extra)}, which must not see it."
            )
        if self._staying(group.ref) != wanted:
            self._extend(group, wanted)
        return Reach(group.name, True, group.ref)

    def _extend(self, group: Group, wanted: set[str]) -> None:
        """Others' LUNs come with a host group, so all of them must be wanted there."""
        for other in (one for one in self.array.maps if one.to == group.ref):
            volume = next((one.name for one in self.array.volumes if one.ref == other.volume), "")
            ours = next((one for one in self.asked.luns if one.volume == volume), None)
            if volume and (ours is None or self.wanted[ours.name] != wanted):
                raise Fault(
                    f"the host group '{group.name}' of the array also has the volume '{volume}', which the hosts "
                    f"{_names(wanted)} would all see."
                )
        self._group_step(
            group.name, wanted, f"Give the host group '{group.name}' the hosts {_names(wanted)}."
        )

    def _new_group(self, wanted: set[str]) -> Reach:
        igroups = [self.asked.igroup(name) for name in sorted(wanted)]
        name = "_".join(one.name for one in igroups if one)
        taken = {one.name for one in self.array.hosts} | {one.name for one in self.array.groups}
        if not LABEL.fullmatch(name) or name in taken:
            raise Fault(
                f"the hosts {_names(wanted)} must share it in a host group, for which '{name}' is no name that is free and of "
                "at most 30 characters. Make a host group of them on the array; it is then used."
            )
        self._group_step(name, wanted, f"Create the host group '{name}' with the hosts {_names(wanted)}.")
        return Reach(name, True, "")

    def _group_step(self, name: str, wanted: set[str], say: str) -> None:
        """Hosts by their references: the module takes a part of a name for the name."""
        if say not in self.plan.said():
            hosts = [self.array.host(one) for one in sorted(wanted)]
            self.plan.add("host_group", say, name=name, hosts=[host.ref for host in hosts if host])

    # Under which number

    def _number(self, lun: Lun, found: Map | None, wanted: set[str]) -> int:
        igroups = [self.asked.igroup(name) for name in wanted]
        own = {one.luns[lun.name] for one in igroups if one and one.luns and lun.name in one.luns} - {None}
        if len(own) > 1:
            raise Fault(
                f"it has the numbers {_names({str(one) for one in own})}; on the array a volume has one for all."
            )
        given = next(iter(own), lun.number)
        used = dict(self._used(lun, wanted))
        if given is not None:
            if given in used:
                raise Fault(f"LUN {given} is '{used[given]}' for {_names(wanted)} already.")
            return given
        if found and found.number not in used:
            return found.number
        free = [number for number in NUMBERS if number not in used and number != ACCESS_LUN]
        if not free:
            raise Fault(f"{_names(wanted)} have no LUN number left.")
        return free[0]

    def _used(self, lun: Lun, wanted: set[str]) -> Iterator[tuple[int, str]]:
        """The numbers that these hosts see already or will see, each with its volume."""
        volumes = {one.ref: one.name for one in self.array.volumes}
        for one in self.array.maps:
            name = volumes.get(one.volume, "the access volume")
            here = self._staying(one.to) & wanted or one.to == NOBODY
            if here and name != lun.volume and one.ref not in self.unmapped:
                yield one.number, name
        for hosts, number, name in self.numbers:
            if hosts & wanted:
                yield number, name


def plan_maps(plan: Plan, array: Array, asked: Asked, purge: bool, force: bool) -> None:
    """The maps of all LUNs."""
    Maps(plan, array, asked, purge, force).add()


def _names(names: set[str]) -> str:
    return " and ".join(f"'{name}'" for name in sorted(names))
