# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an SVM has, from the answer of netapp.ontap.na_ontap_rest_info (the objects of ONTAP's REST reference)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Iterator, Mapping

from ...module_utils._host import Problem
from ...module_utils._san.ontap import wwid_of_ontap

Data = Mapping[str, Any]
SERVICES, CREDENTIALS, SESSIONS = (
    f"protocols/san/iscsi/{what}" for what in ("services", "credentials", "sessions")
)
IGROUPS, MAPS = "protocols/san/igroups", "protocols/san/lun-maps"
LUNS, VOLUMES, LIFS = "storage/luns", "storage/volumes", "network/ip/interfaces"
READ = (SERVICES, CREDENTIALS, SESSIONS, IGROUPS, MAPS, LUNS, VOLUMES, LIFS)


@dataclass(frozen=True)
class Service:
    """The iSCSI service: the target of an SVM."""

    svm: str
    enabled: bool
    name: str
    alias: str


@dataclass(frozen=True)
class Lun:
    """A LUN by its path."""

    path: str
    uuid: str
    size: int
    wwid: str


@dataclass(frozen=True)
class Igroup:
    """An igroup; its initiators may be those of other igroups that are in it."""

    name: str
    uuid: str
    protocol: str
    initiators: frozenset[str]


@dataclass(frozen=True)
class Map:
    """A map of a LUN to an igroup under a number."""

    path: str
    lun: str
    igroup: str
    igroup_uuid: str
    number: int


@dataclass(frozen=True)
class Credential:
    """What an initiator must prove itself with. Passwords are never shown."""

    initiator: str
    svm: str
    kind: str
    user: str
    mutual_user: str


@dataclass(frozen=True)
class Svm:
    """Everything of it that the role is about."""

    name: str
    service: Service | None
    luns: dict[str, Lun]
    igroups: dict[str, Igroup]
    maps: tuple[Map, ...]
    credentials: dict[str, Credential]
    logged_in: frozenset[str]
    volumes: frozenset[str]
    addresses: frozenset[str]

    def maps_to(self, igroup: str) -> dict[str, Map]:
        """The maps of an igroup by the path of the LUN."""
        return {one.path: one for one in self.maps if one.igroup == igroup}

    def maps_of(self, path: str) -> list[Map]:
        """The maps of a LUN."""
        return [one for one in self.maps if one.path == path]

    def in_use(self, initiators: frozenset[str]) -> list[str]:
        """Which of them are logged in, as far as that is known: logins by Fibre Channel are not asked for."""
        return sorted(name for name in initiators if name in self.logged_in or not is_iscsi(name))

    def initiators_of(self, igroup: str) -> frozenset[str]:
        """The initiators of an igroup, if it is there."""
        return self.igroups[igroup].initiators if igroup in self.igroups else frozenset()


def is_iscsi(initiator: str) -> bool:
    """Whether an initiator is one; a WWPN of Fibre Channel begins with hex digits."""
    return initiator.startswith(("iqn.", "eui.", "naa."))


def read(info: Data, svm: str) -> Svm:
    """The state of an SVM."""
    try:
        records = {what: list(_records(info, what, svm)) for what in READ}
        services = [_service(one) for one in records[SERVICES]]
        return Svm(
            name=svm,
            service=services[0] if services else None,
            luns={one["name"]: _lun(one) for one in records[LUNS]},
            igroups={one["name"]: _igroup(one) for one in records[IGROUPS]},
            maps=tuple(_map(one) for one in records[MAPS]),
            credentials={one["initiator"].lower(): _credential(one) for one in records[CREDENTIALS]},
            logged_in=frozenset(one["initiator"]["name"].lower() for one in records[SESSIONS]),
            volumes=frozenset(one["name"] for one in records[VOLUMES]),
            addresses=frozenset(
                str(ip_address(one["ip"]["address"])) for one in records[LIFS] if one.get("ip")
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Problem(f"The answer of ONTAP is not in the form of its REST reference: {error!r}") from error


def _records(info: Data, what: str, svm: str) -> Iterator[Data]:
    """The objects of one kind. Those of other SVMs are nobody's business here, whatever was asked for."""
    found = info.get(what)
    if not isinstance(found, Mapping) or "records" not in found:
        raise Problem(f"ONTAP did not return {what}: {found!r}.")
    yield from (one for one in found["records"] if one["svm"]["name"] == svm)


def _service(one: Data) -> Service:
    target = one.get("target") or {}
    return Service(one["svm"]["uuid"], bool(one["enabled"]), target["name"], target.get("alias") or "")


def _lun(one: Data) -> Lun:
    serial = one.get("serial_number")  # what is no disk of a host may have none
    return Lun(one["name"], one["uuid"], int(one["space"]["size"]), wwid_of_ontap(serial) if serial else "")


def _igroup(one: Data) -> Igroup:
    names = frozenset(each["name"].lower() for each in one.get("initiators") or [])
    return Igroup(one["name"], one["uuid"], one["protocol"], names)


def _map(one: Data) -> Map:
    lun, igroup = one["lun"], one["igroup"]
    return Map(lun["name"], lun["uuid"], igroup["name"], igroup["uuid"], int(one["logical_unit_number"]))


def _credential(one: Data) -> Credential:
    chap = one.get("chap") or {}
    return Credential(
        initiator=one["initiator"],
        svm=one["svm"]["uuid"],
        kind=one["authentication_type"].lower(),
        user=(chap.get("inbound") or {}).get("user") or "",
        mutual_user=(chap.get("outbound") or {}).get("user") or "",
    )
