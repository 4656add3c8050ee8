# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for an SVM: from what it has to what the data asks for. Pure.

The order: the service, credentials before access, what goes, what grows and comes, access last; what was emptied is deleted.
"""

from __future__ import annotations

from typing import Iterator

from . import chap
from .asked import Asked, Igroup, Lun
from .refuse import faults_of
from .seen import IGROUPS, LUNS, MAPS, SERVICES, Map, Svm, is_iscsi
from .step import Call, Plan


class Planner:
    """The parts of the plan, each from the same two states."""

    def __init__(self, svm: Svm, asked: Asked, os_type: str, purge: bool, delete_luns: bool) -> None:
        self.svm, self.asked, self.os_type = svm, asked, os_type
        self.purge, self.delete_luns = purge, delete_luns

    def service(self) -> Iterator[Call]:
        """The target itself."""
        found, asked = self.svm.service, self.asked
        alias = {} if asked.alias is None else {"target.alias": asked.alias}
        if found is None:
            body = {"svm.name": self.svm.name, "enabled": asked.enabled is not False, **alias}
            yield Call(f"Create the iSCSI service of '{self.svm.name}'", "POST", SERVICES, body)
            return
        place = f"{SERVICES}/{found.svm}"
        if asked.alias not in (None, found.alias):
            yield Call(f"Give the target '{asked.name}' the alias '{asked.alias}'", "PATCH", place, alias)
        if asked.enabled not in (None, found.enabled):
            verb, loses = ("Enable", frozenset()) if asked.enabled else ("Disable", self.svm.logged_in)
            body = {"enabled": asked.enabled}
            yield Call(f"{verb} the iSCSI service of '{self.svm.name}'", "PATCH", place, body, loses=loses)

    def steps(self) -> Iterator[Call]:
        """Everything inside."""
        yield from self._unmaps()
        yield from self._leaving()
        for lun in self.asked.luns.values():
            yield from self._lun(lun)
        for group in self.asked.igroups:
            yield from self._igroup(group)
        for group in self.asked.igroups:
            yield from self._maps(group)
        yield from self._deletes()

    def going(self) -> list[Map]:
        """The maps that go, those that come back under another number too."""
        return [one for one in self.svm.maps if self._goes(one)]

    def _goes(self, one: Map) -> bool:
        lun = next((lun for lun in self.asked.luns.values() if lun.path == one.path), None)
        group = next((group for group in self.asked.igroups if group.name == one.igroup), None)
        if lun and lun.gone:
            return True
        if group is None:
            return False
        wanted = next((each for each in group.maps if lun and each.lun == lun.name), None)
        if wanted is None:
            return (group.gone and lun is not None) or (self.purge and group.lists_luns and not group.gone)
        return wanted.gone or wanted.number not in (None, one.number)

    def _unmaps(self) -> Iterator[Call]:
        for one in self.going():
            say = f"Unmap the LUN '{one.path}' from the igroup '{one.igroup}', where it is LUN {one.number}"
            loses = self.svm.initiators_of(one.igroup)
            yield Call(say, "DELETE", f"{MAPS}/{one.lun}/{one.igroup_uuid}", loses=loses)

    def _leaving(self) -> Iterator[Call]:
        for group in self.asked.igroups:
            found = self.svm.igroups.get(group.name)
            if found and self.purge and group.initiators is not None and not group.gone:
                for name in sorted(filter(is_iscsi, found.initiators - set(group.initiators))):
                    yield Call(
                        f"Remove the initiator '{name}' from the igroup '{group.name}'",
                        "DELETE",
                        f"{IGROUPS}/{found.uuid}/initiators/{name}",
                        query={"allow_delete_while_mapped": True},
                        loses=frozenset([name]),
                    )

    def _lun(self, lun: Lun) -> Iterator[Call]:
        found = self.svm.luns.get(lun.path)
        if lun.gone or lun.size is None:
            return
        if found is None:
            body = {
                "svm.name": self.svm.name,
                "name": lun.path,
                "os_type": self.os_type,
                "space.size": lun.size,
                "space.guarantee.requested": lun.reserved,
            }
            yield Call(f"Create the LUN '{lun.path}' of {lun.size} bytes", "POST", LUNS, body)
        elif lun.size > found.size:
            say = f"Grow the LUN '{lun.path}' from {found.size} to {lun.size} bytes"
            yield Call(say, "PATCH", f"{LUNS}/{found.uuid}", {"space.size": lun.size})

    def _igroup(self, group: Igroup) -> Iterator[Call]:
        if group.gone:
            return
        found, names = self.svm.igroups.get(group.name), list(group.initiators or ())
        if found is None:
            yield self._new_igroup(group.name, names)
            return
        new = [name for name in names if name not in found.initiators]
        if new:
            say = f"Add {_listed(new)} to the igroup '{group.name}'"
            records = {"records": [{"name": name} for name in new]}
            yield Call(say, "POST", f"{IGROUPS}/{found.uuid}/initiators", records)

    def _new_igroup(self, name: str, initiators: list[str]) -> Call:
        body = {
            "svm.name": self.svm.name,
            "name": name,
            "os_type": self.os_type,
            "protocol": "iscsi",
            **({"initiators": [{"name": one} for one in initiators]} if initiators else {}),
        }
        return Call(f"Create the igroup '{name}' of {_listed(initiators)}", "POST", IGROUPS, body)

    def _maps(self, group: Igroup) -> Iterator[Call]:
        kept = {one.path for one in self.svm.maps_to(group.name).values()} - {
            one.path for one in self.going() if one.igroup == group.name
        }
        for wanted in group.maps:
            path = self.asked.luns[wanted.lun].path
            if wanted.gone or path in kept:
                continue
            where = "under a free number" if wanted.number is None else f"as LUN {wanted.number}"
            number = {} if wanted.number is None else {"logical_unit_number": wanted.number}
            body = {"svm.name": self.svm.name, "lun.name": path, "igroup.name": group.name, **number}
            yield Call(f"Map the LUN '{path}' to the igroup '{group.name}' {where}", "POST", MAPS, body)

    def _deletes(self) -> Iterator[Call]:
        for group in self.asked.igroups:
            found = self.svm.igroups.get(group.name)
            if group.gone and found:
                yield Call(f"Delete the igroup '{group.name}'", "DELETE", f"{IGROUPS}/{found.uuid}")
        for lun in self.asked.luns.values():
            one = self.svm.luns.get(lun.path)
            if lun.gone and one and self.delete_luns:
                yield Call(f"Delete the LUN '{lun.path}' with its data", "DELETE", f"{LUNS}/{one.uuid}")


def plan_svm(
    svm: Svm, asked: Asked, *, os_type: str, purge: bool, delete_luns: bool, rewrite: bool, force: bool
) -> Plan:
    """The plan, or why nothing may be done."""
    planner = Planner(svm, asked, os_type, purge, delete_luns)
    plan = Plan(
        service=list(planner.service()),
        chap=list(chap.calls_of(svm, asked, rewrite)),
        steps=list(planner.steps()),
    )
    plan.faults = [*faults_of(svm, asked, planner.going(), purge), *chap.faults_of(svm, asked)]
    plan.faults += [] if force else list(_in_use(svm, plan))
    return plan


def chap_only(svm: Svm, asked: Asked, rewrite: bool) -> Plan:
    """The credentials, and nothing else of the data."""
    return Plan(chap=list(chap.calls_of(svm, asked, rewrite)), faults=list(chap.faults_of(svm, asked)))


def _in_use(svm: Svm, plan: Plan) -> Iterator[str]:
    for call in plan.calls():
        using = svm.in_use(call.loses)
        if using:
            how = (
                ""
                if svm.logged_in.issuperset(using)
                else " (by Fibre Channel, perhaps: that is not looked at)"
            )
            yield (
                f"Refused: {call.say}. Logged in: {_listed(using)}{how}. Log out there first, or set target_force for this one "
                "run."
            )


def _listed(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names) or "no initiator"
