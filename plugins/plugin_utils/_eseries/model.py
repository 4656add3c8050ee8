# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An E-Series array as its API shows it: one answer, the object graph (GET storage-systems/ID/graph), has all of it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Mapping

from ...module_utils._arguments import Portal
from ...module_utils._host import Problem

NOBODY = "0" * 40  # the reference of no host group, and of the default one
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Port:
    """An initiator of a host, by the label under which the array keeps it."""

    label: str
    address: str
    kind: str = "iscsi"


@dataclass(frozen=True)
class Host:
    """A host definition on the array."""

    ref: str
    name: str
    kind: int  # the index of its host type
    group: str  # the reference of its host group, or NOBODY
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True)
class Group:
    """A host group (the API calls it a cluster)."""

    ref: str
    name: str


@dataclass(frozen=True)
class Volume:
    """A volume. 'busy': the array works on it, as while it grows."""

    ref: str
    name: str
    wwid: str
    capacity: int
    pool: str
    thin: bool
    busy: bool


@dataclass(frozen=True)
class Map:
    """A LUN mapping: a volume has at most one, to a host or to a host group."""

    ref: str
    volume: str
    to: str
    number: int


@dataclass(frozen=True)
class Array:
    """All of it. 'chap': whether its target lets nobody in without CHAP."""

    iqn: str
    alias: str
    portals: frozenset[Portal]
    chap: bool
    ping: bool
    unnamed_discovery: bool
    hosts: tuple[Host, ...]
    groups: tuple[Group, ...]
    volumes: tuple[Volume, ...]
    pools: Mapping[str, int]  # the free bytes of each
    maps: tuple[Map, ...]

    def host(self, name: str) -> Host | None:
        """The host of this name, which the array compares without case."""
        return next((one for one in self.hosts if one.name.lower() == name.lower()), None)

    def volume(self, name: str) -> Volume | None:
        """The volume of this name."""
        return next((one for one in self.volumes if one.name == name), None)

    def map_of(self, volume: Volume | None) -> Map | None:
        """The map of a volume."""
        return next((one for one in self.maps if volume and one.volume == volume.ref), None)

    def members(self, ref: str) -> list[Host]:
        """The hosts that a map to this host or host group reaches."""
        return [one for one in self.hosts if ref in (one.ref, one.group) and ref != NOBODY]

    def maps_to(self, host: Host) -> list[Map]:
        """The maps by which a host sees something of its own."""
        return [one for one in self.maps if host in self.members(one.to)]

    def open_volumes(self) -> list[str]:
        """The volumes of the default host group, without the access volume. Whoever has no map of its own is in that group, an
        initiator that the array does not know too (MD Storage Manager, Mappings View: Default Group)."""
        opened = {one.volume for one in self.maps if one.to == NOBODY}
        return [one.name for one in self.volumes if one.ref in opened]

    def name_of(self, ref: str) -> str:
        """The name of a host or host group; '' of the default one."""
        names = {**{one.ref: one.name for one in self.hosts}, **{one.ref: one.name for one in self.groups}}
        return names.get(ref, "")

    def named(self, ref: str) -> str:
        """A host or host group, for people."""
        kind = "host" if ref in {one.ref for one in self.hosts} else "host group"
        return f"the {kind} '{self.name_of(ref)}'" if self.name_of(ref) else "the default host group"


def read(graph: Data) -> Array:
    """The array that an object graph describes."""
    try:
        return _read(graph)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise Problem(
            f"The array's answer is not in the form of SANtricity's Web Services API, version 2: {error!r}"
        ) from error


def _read(graph: Data) -> Array:
    pool = graph["storagePoolBundle"]
    targets = [one for one in pool["target"] if one["nodeName"]["ioInterfaceType"] == "iscsi"]
    if not targets:
        raise Problem("The array has no iSCSI target: does it have iSCSI host ports?")
    target, entity = targets[0], graph["sa"]["iscsiEntityData"]
    methods = {one["authMethod"] for one in target["configuredAuthMethods"]["authMethodData"]}
    thin = graph["highLevelVolBundle"]["thinVolume"]
    pools = {one["volumeGroupRef"]: one["name"] for one in graph["volumeGroup"]}
    return Array(
        iqn=target["nodeName"]["iscsiNodeName"],
        alias=target["alias"]["iscsiAlias"] or "",
        portals=frozenset(_portal(one) for one in target["portals"]),
        chap=methods == {"chap"},
        ping=entity["icmpPingResponseEnabled"],
        unnamed_discovery=entity["unnamedDiscoverySessionsEnabled"],
        hosts=tuple(_host(one) for one in pool["host"]),
        groups=tuple(Group(one["clusterRef"], one["name"]) for one in pool["cluster"]),
        volumes=tuple(_volume(one, pools) for one in [*graph["volume"], *thin]),
        pools={one["name"]: int(one["freeSpace"]) for one in graph["volumeGroup"]},
        maps=tuple(
            Map(one["lunMappingRef"], one["volumeRef"], one["mapRef"], int(one["lun"]))
            for one in pool["lunMapping"]
        ),
    )


def _host(one: Data) -> Host:
    ports = tuple(
        Port(port["label"], port["address"].lower(), port["type"].lower()) for port in one["hostSidePorts"]
    )
    return Host(one["hostRef"], one["name"], int(one["hostTypeIndex"]), one["clusterRef"] or NOBODY, ports)


def _volume(one: Data, pools: Mapping[str, str]) -> Volume:
    return Volume(
        ref=one["volumeRef"],
        name=one["name"],
        wwid=_wwid(str(one["worldWideName"])),
        capacity=int(one["capacity"]),
        pool=pools.get(one["volumeGroupRef"], ""),
        thin=bool(one.get("thinProvisioned")),
        busy=one.get("action", "none") != "none",
    )


def _wwid(wwn: str) -> str:
    """As a host shows it; '' for what is no disk."""
    return f"3{wwn.lower()}" if re.fullmatch("6[0-9A-Fa-f]{31}", wwn) else ""


def _portal(one: Data) -> Portal:
    """Where the target listens; an IPv6 address may come as 32 hex digits."""
    given = one["ipAddress"]
    text = given.get("ipv4Address") or given["ipv6Address"]
    digits = text.replace(":", "")
    if len(digits) == 32:
        text = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
    return Portal(str(ipaddress.ip_address(text)), int(one["tcpListenPort"]))
