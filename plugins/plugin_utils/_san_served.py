# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of a SAN as their storage hosts declare them, and the names that compute hosts give to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from ..filter.to_initiator_name import declared_name
from ..module_utils._arguments import Portal, iscsi_name, target_key
from ..module_utils._san.options import asked_portals
from ..module_utils._san.wwid import DERIVED, derived, serial_of
from ._san_use import Place, numbered, present, provider_name, wwid_of
from ._typed import truths

Data = Mapping[str, Mapping[str, Any]]


@dataclass
class Served:
    """A target as its storage host declares it; 'numbers' and the keys of 'igroups': where things stand in their lists."""

    host: str
    provider: str
    name: str
    number: int = 0
    portals: set[Portal] = field(default_factory=set)
    luns: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    igroups: dict[int, dict[str, Any]] = field(default_factory=dict)

    def place(self, *below: str | int) -> Place:
        """Where it stands, or what is below it."""
        return self.host, ("target_targets", self.number, *below)

    def place_of(self, lun: str) -> Place:
        """Where one of its LUNs stands."""
        return self.place("luns", self.numbers[lun])

    def groups_of(self, initiator: str) -> dict[int, dict[str, Any]]:
        """The igroups that this initiator is in."""
        return {number: one for number, one in self.igroups.items() if initiator in initiators(one)}

    def given(self, lun: str, initiator: str) -> bool:
        """Whether an igroup with this initiator has this LUN."""
        return any(lun in mapped(group) for group in self.groups_of(initiator).values())

    def misnames(self, initiator: str) -> bool:
        """Whether an igroup with this initiator has a LUN that is not there, which is a fault of its own."""
        groups = self.groups_of(initiator).values()
        return bool(self.luns) and any(lun not in self.luns for group in groups for lun in mapped(group))

    def wwid(self, lun: str) -> str:
        """The WWID of one of its LUNs; '' if only the array knows it."""
        return wwid_of(self.provider, self.name, lun, self.luns[lun])

    def own_wwids(self, provider: str) -> dict[str, str]:
        """The WWIDs that do not follow from names, as a host derives them; of two LUNs with one WWID another fault tells."""
        if provider not in ("", *DERIVED):
            return {}
        wwids = {lun: self.wwid(lun) for lun in self.luns}
        return {
            lun: wwid
            for lun, wwid in wwids.items()
            if wwid
            and wwid != derived(provider, serial_of(self.name, lun))
            and list(wwids.values()).count(wwid) == 1
        }


def served_targets(data: Data) -> Iterator[tuple[str, Served]]:
    """Each target that must be there, by its name."""
    for host, vars_ in data.items():
        for number, given in numbered(vars_, "target_targets"):
            target = truths(given)
            luns = numbered(target, "luns")
            yield (
                target_key(target["name"]),
                Served(
                    host=host,
                    provider=provider_name(vars_),
                    name=target_key(target["name"]),
                    number=number,
                    portals={where for where, _iser in asked_portals(target.get("portals"))},
                    luns={lun["name"]: _with_shared(lun, target) for _number, lun in luns},
                    numbers={lun["name"]: position for position, lun in luns},
                    igroups=dict(numbered(target, "igroups")),
                ),
            )


def _with_shared(lun: dict[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    """A LUN may be said to be shared where an igroup lists it, too."""
    entries = [entry for group in present(target, "igroups") for entry in group.get("luns") or []]
    listed_so = [entry for entry in entries if isinstance(entry, Mapping) and entry.get("shared")]
    return {**lun, "shared": True} if lun["name"] in [entry["name"] for entry in listed_so] else lun


def initiators(group: Mapping[str, Any]) -> set[str]:
    """The initiators of an igroup."""
    return {iscsi_name(name) for name in group.get("initiators") or []}


def mapped(group: Mapping[str, Any]) -> dict[str, int]:
    """The LUNs that an igroup has, and where it lists them; an entry may be taken from it."""
    entries = [{"name": lun} if isinstance(lun, str) else lun for lun in group.get("luns") or []]
    return {
        lun["name"]: number for number, lun in enumerate(entries) if lun.get("state", "present") != "absent"
    }


def initiator_names(data: Data) -> Iterator[tuple[str, Place]]:
    """Each name that a host gives to targets, its own and those of its ifaces, and where it stands."""
    for host, vars_ in data.items():
        name = declared_name(host, vars_)
        if name:
            yield target_key(name), (host, ("initiator_name",))
        for number, iface in numbered(vars_, "initiator_ifaces", "initiator_name"):
            place = (host, ("initiator_ifaces", number, "initiator_name"))
            yield target_key(iface["initiator_name"]), place


def nodes_of(vars_: Mapping[str, Any]) -> dict[str, int]:
    """The targets that a host logs in to, and where it lists them."""
    return {target_key(node["target"]): number for number, node in numbered(vars_, "initiator_nodes")}
