# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the array: each igroup is one, with its initiators."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping

from .asked import Asked, Igroup
from .model import Array, Host, Port
from .step import LET_GO, Plan

LONGEST_LABEL = 30


def plan_hosts(plan: Plan, array: Array, asked: Asked, purge: bool, force: bool) -> None:
    """The hosts of all igroups; what only loses initiators goes first, so that another can have them."""
    given_away = dict(_given_away(array, asked, purge))
    coming = {
        name: one.name for one in asked.igroups if not one.gone for name in new_of(one, array.host(one.name))
    }
    labels = {port.label.lower() for host in array.hosts for port in host.ports}
    planned: list[tuple[bool, str, dict[str, Any]]] = []
    for igroup in asked.igroups:
        seen = array.host(igroup.name)
        if igroup.gone:
            _remove(plan, array, asked, seen, force, coming)
            continue
        new, going = new_of(igroup, seen), going_of(igroup, seen, purge)
        fault = _fault(array, asked, igroup, seen, new, going, given_away, force)
        if fault:
            plan.refuse(f"igroup '{igroup.name}': {fault}")
        elif new or going or seen is None:
            ports = _ports(igroup, seen, new, going, labels)
            needs: dict[str, Any] = {
                "name": seen.name if seen else igroup.name,
                "host_type": str(seen.kind) if seen else "",
                "ports": ports,
            }
            planned.append((bool(new), _say(igroup, seen, new, going) + _meanwhile(going, coming), needs))
    for _grows, say, needs in sorted(planned, key=lambda one: one[0]):
        plan.add("host", say, **needs)


def new_of(igroup: Igroup, seen: Host | None) -> list[str]:
    """The initiators that a host must get."""
    known = {port.address for port in seen.ports} if seen else set()
    return [name for name in igroup.initiators or () if name not in known]


def going_of(igroup: Igroup, seen: Host | None, purge: bool) -> list[str]:
    """The initiators that a host must not have any more."""
    if seen is None or igroup.initiators is None or not purge:
        return []
    return [one.address for one in seen.ports if one.kind == "iscsi" and one.address not in igroup.initiators]


def _given_away(array: Array, asked: Asked, purge: bool) -> Iterator[tuple[str, str]]:
    """The initiators that a host loses in this run, and which host that is."""
    for igroup in asked.igroups:
        seen = array.host(igroup.name)
        lost = (
            [port.address for port in seen.ports] if seen and igroup.gone else going_of(igroup, seen, purge)
        )
        if not new_of(igroup, seen) or igroup.gone:
            yield from ((address, igroup.name) for address in lost)


def _volumes_of_others(array: Array, asked: Asked, seen: Host) -> list[str]:
    """The volumes that a host has, alone or in its host group, and that the data does not name."""
    ours = {lun.volume for lun in asked.luns}
    mapped = {one.volume for one in array.maps if seen in array.members(one.to)}
    return [one.name for one in array.volumes if one.ref in mapped and one.name not in ours]


def _fault(
    array: Array,
    asked: Asked,
    igroup: Igroup,
    seen: Host | None,
    new: list[str],
    going: list[str],
    given_away: dict[str, str],
    force: bool,
) -> str:
    if igroup.name in {group.name for group in array.groups}:
        return "the array has a host group of this name, and maps are made by name. Give the igroup another name."
    if seen is None and not igroup.initiators:
        return "the array has no such host yet: give its initiators."
    if seen and going and len(going) == len(seen.ports) and not new:
        return "it would have no initiator left. Remove the igroup instead, with state: absent."
    for address in new:
        owner = next((host for host in array.hosts if address in {port.address for port in host.ports}), None)
        if owner and address not in given_away:
            return (
                f"the array has the initiator '{address}' on the host '{owner.name}', and it can be on one only. Give the igroup "
                "that name, or take the initiator from that host first."
            )
    strange = _volumes_of_others(array, asked, seen) if seen and new else []
    if strange:
        return (
            f"the host on the array also has the volume '{strange[0]}', which the data does not have and '{new[0]}' would see. "
            "Give the igroup another name, or remove that map on the array first."
        )
    if going and seen and not force and any(seen in array.members(one.to) for one in array.maps):
        return f"'{going[0]}' would lose the LUNs of the host '{seen.name}'. {LET_GO}"
    return ""


def _ports(
    igroup: Igroup, seen: Host | None, new: list[str], going: list[str], labels: set[str]
) -> list[dict[str, str]]:
    """All ports that the host must have: the module removes those that it is not told."""
    kept = [port for port in seen.ports if port.address not in going] if seen else []
    ports = [*kept, *(Port(_label(igroup.name, labels), address) for address in new)]
    return [{"type": port.kind, "label": port.label, "port": port.address} for port in ports]


def _label(name: str, taken: set[str]) -> str:
    """A label for an initiator, which no other on the array has."""
    number = 1
    while True:
        tail = f"_{number}"
        label = name[: LONGEST_LABEL - len(tail)] + tail
        if label.lower() not in taken:
            taken.add(label.lower())
            return label
        number += 1


def _say(igroup: Igroup, seen: Host | None, new: list[str], going: list[str]) -> str:
    gained = " and ".join(f"'{name}'" for name in new)
    if seen is None:
        return f"Create the host '{igroup.name}' with {gained}."
    lost = " and ".join(f"'{name}'" for name in going)
    parts = ([f"give it {gained}"] if new else []) + ([f"take {lost} from it"] if going else [])
    return f"Change the host '{seen.name}': {', '.join(parts)}."


def _meanwhile(lost: Iterable[str], coming: Mapping[str, str]) -> str:
    """The array moves no initiator from host to host in one call: what one of them has until the second call."""
    return "".join(
        f" Until the host '{coming[name]}' gets it, '{name}' is on no host and has no LUN."
        for name in lost
        if name in coming
    )


def _remove(
    plan: Plan, array: Array, asked: Asked, seen: Host | None, force: bool, coming: Mapping[str, str]
) -> None:
    if seen is None:
        return
    foreign = _volumes_of_others(array, asked, seen)
    if foreign:
        plan.refuse(
            f"igroup '{seen.name}': the host on the array also has the volume '{foreign[0]}', which the data does not have. "
            "Remove that map on the array first."
        )
    elif seen.ports and not force and any(seen in array.members(one.to) for one in array.maps):
        plan.refuse(f"igroup '{seen.name}': its initiators would lose their LUNs. {LET_GO}")
    else:
        say = f"Remove the host '{seen.name}'." + _meanwhile((port.address for port in seen.ports), coming)
        plan.add("remove_host", say, name=seen.name)
