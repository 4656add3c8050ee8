# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default host group: its volumes are seen by whoever has no map of its own, and by nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterator, Mapping

from .asked import Asked, Igroup
from .hosts import going_of, new_of
from .model import Array, Map
from .step import LET_GO, Plan

FIRST = "Map that to its own hosts on the array first"


@dataclass(frozen=True)
class Outlook:
    """What hosts have and will have. 'wanted': the hosts that must see each LUN; 'unmapped': the maps that go."""

    array: Array
    asked: Asked
    wanted: Mapping[str, Collection[str]]
    unmapped: Collection[str]
    purge: bool

    def now(self, igroup: Igroup) -> list[Map]:
        """The maps that its host has."""
        host = self.array.host(igroup.name)
        return self.array.maps_to(host) if host else []

    def staying(self, igroup: Igroup) -> list[Map]:
        """Those that it has all the time, from before the first step to after the last."""
        luns = {
            one.ref: lun.name
            for lun in self.asked.luns
            for one in self.array.volumes
            if one.name == lun.volume
        }
        others = {name for name, hosts in self.wanted.items() if igroup.name.lower() not in hosts}
        maps = [] if igroup.gone else self.now(igroup)
        return [one for one in maps if one.ref not in self.unmapped and luns.get(one.volume) not in others]

    def then(self, igroup: Igroup) -> bool:
        """Whether its host will have a map."""
        named = any(igroup.name.lower() in hosts for hosts in self.wanted.values())
        return not igroup.gone and (named or bool(self.staying(igroup)))

    def lost(self, igroup: Igroup) -> list[str]:
        """The initiators that leave its host: whatever host they come to, they are on none before (na_santricity_host)."""
        return going_of(igroup, self.array.host(igroup.name), self.purge)

    def joining(self, igroup: Igroup) -> list[str]:
        """The initiators that its host gets and that have no map yet."""
        having = {
            port.address for host in self.array.hosts if self.array.maps_to(host) for port in host.ports
        }
        new = [] if igroup.gone else new_of(igroup, self.array.host(igroup.name))
        return [name for name in new if name not in having]


def refuse_default(plan: Plan, outlook: Outlook, force: bool) -> None:
    """Refuse where an initiator would come into the group, or would leave it, with which it loses what it may use; and tell of
    it."""
    volumes = outlook.array.open_volumes()
    for name in volumes:
        plan.note(
            f"The volume '{name}' is mapped to the default host group: every initiator that has no LUN of its own sees it. Map "
            "it to its own hosts on the array."
        )
    for igroup in outlook.asked.igroups if volumes else ():
        opened = f"the volume '{volumes[0]}', which is mapped to the default host group"
        for fault in _coming(outlook, igroup, opened) if outlook.now(igroup) else ():
            plan.refuse(f"igroup '{igroup.name}': {fault}")
        for fault in _leaving(outlook, igroup, opened) if not force else ():
            plan.refuse(f"igroup '{igroup.name}': {fault} {LET_GO}")


def _coming(outlook: Outlook, igroup: Igroup, opened: str) -> Iterator[str]:
    lost = outlook.lost(igroup)
    if not outlook.then(igroup):
        yield f"it would have no LUN of its own any more, and its initiators would see {opened}. {FIRST}."
    elif not outlook.staying(igroup):
        yield (
            f"its last LUN would go before another one comes, and meanwhile its initiators would see {opened}. {FIRST}, or give "
            "the igroup its new LUN in one run and take the old one from it in the next."
        )
    elif lost:
        yield (
            f"'{lost[0]}' would leave it and be, for a time at least, on no host with a LUN, where it would see {opened}. "
            f"{FIRST}."
        )


def _leaving(outlook: Outlook, igroup: Igroup, opened: str) -> Iterator[str]:
    joining = outlook.joining(igroup)
    if not outlook.then(igroup):
        return
    if not outlook.now(igroup):
        yield f"with its first LUN its initiators lose {opened}, for those that have no LUN of their own."
    elif joining:
        yield f"with its LUNs '{joining[0]}' loses {opened}, for those that have no LUN of their own."
