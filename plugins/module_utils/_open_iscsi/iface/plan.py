# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ifaces: which network card a session goes through, and under which initiator name (open-iscsi README 5.1).

Files are read and written whole, as records are: open-iscsi 2.1.8 cannot read back what its own iscsiadm writes into an
iface with an IPv6 address, and 'iscsiadm -o new' empties an iface that is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping

from ..._arguments import iscsi_name
from ..._host import Host, Problem
from ..._step import Step
from ..conf.settings import Value
from ..file import BEGIN, END, config, edit_config
from ..lock import locked
from ..record import DIRECTORY, Record, RecordId, SetRecord, database, iface_name, look_records
from ..session import look_sessions
from .bound import NETS, binding
from .card import Apply, Card, differing, plain
from .fields import OPTIONS, SOFTWARE, check_fields

RESERVED = ("default", "tcp", "iser")
NAME, TRANSPORT = "iface.iscsi_ifacename", OPTIONS["transport"]
BINDING = NIC, MAC, ADDRESS = OPTIONS["nic"], OPTIONS["mac"], OPTIONS["address"]


@dataclass(frozen=True)
class Ifaces:
    """One iface (None when it is not there), and what is bound to it."""

    name: str
    iface: dict[str, str] | None
    records: dict[RecordId, Record]
    sessions: tuple[RecordId, ...]
    nics: dict[str, str]  # network interfaces and their hardware addresses
    card: Card | None = None  # what its card has in force; None when nobody asked


@dataclass(frozen=True)
class WriteIface(Step):
    """Write the file of an iface, whole."""

    name: str
    changes: dict[str, str]

    def __str__(self) -> str:
        said = ", ".join(f"{key} = {value or 'empty'}" for key, value in self.changes.items())
        return f"Write the iface '{self.name}' with {said}"

    def take(self, host: Host) -> None:
        directory = f"{database(host)}/ifaces"
        path = f"{directory}/{self.name}"
        with locked(host) as write:
            for place in (directory.rpartition("/")[0], directory):
                if host.stat(place) is None:
                    host.mkdir(place, DIRECTORY)
            text = host.read(path) or f"{BEGIN}\n{NAME} = {self.name}\n{END}\n"
            changes = {key: value or None for key, value in self.changes.items()}
            write(path, edit_config(text, changes))


@dataclass(frozen=True)
class RemoveIface(Step):
    """Delete the file of an iface."""

    name: str

    def __str__(self) -> str:
        return f"Delete the iface '{self.name}'"

    def take(self, host: Host) -> None:
        with locked(host):
            host.remove(f"{database(host)}/ifaces/{self.name}")


def check_name(name: str) -> str:
    """The name of an iface that may be made."""
    if name in RESERVED:
        raise Problem(
            f"'{name}' is a built-in iface of open-iscsi and cannot be changed. Choose another name."
        )
    if name.startswith("."):
        raise Problem(f"'{name}' is not a name for an iface: it must not begin with a dot.")
    return iface_name(name)


def look_iface(host: Host, name: str) -> Ifaces:
    """The iface, the records and sessions bound to it, and the network cards of the host."""
    text = host.read(f"{database(host)}/ifaces/{name}")
    return Ifaces(
        name=name,
        iface=None if text is None else config(text),
        records={one: record for one, record in look_records(host) if one.iface == name},
        sessions=tuple(session.name for session in look_sessions(host) if session.name.iface == name),
        nics={nic: (host.read(f"{NETS}/{nic}/address") or "").strip() for nic in host.list(NETS)},
    )


def want_iface(seen: Ifaces, asked: dict[str, str]) -> Ifaces:
    """The iface with these fields, and the records that carry a copy of them."""
    new = {NAME: seen.name, TRANSPORT: "tcp"}
    there = new if seen.iface is None else seen.iface
    asked = {field: spelled(field, value, there.get(field, "")) for field, value in asked.items()}
    fields = laid(there, asked)
    check_fields(seen.name, fields.setdefault(TRANSPORT, "tcp"), asked)
    if set(BINDING) & set(asked) or fields[TRANSPORT] != there.get(TRANSPORT, "tcp"):
        check_binding(seen.name, fields, seen.nics)
    fields[TRANSPORT] = fields.pop(TRANSPORT)  # last, as iscsiadm wants it
    records = {
        name: replace(record, settings=laid(record.settings, {**fields, **asked}))
        for name, record in seen.records.items()
    }
    card = seen.card
    if card is not None:
        card = replace(card, fields={**card.fields, **differing(card, fields)})
    return replace(seen, iface=fields, records=records, card=card)


def laid(there: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Fields merged over others; an empty one that is not there need not be created."""
    return {**there, **{field: value for field, value in fields.items() if value or field in there}}


def spelled(field: str, value: str, there: str) -> str:
    """A value as the file spells it, where that means the same; a name in lower case, where it does not say it so already."""
    if field == OPTIONS["initiator_name"]:
        return value if value in (there, "") else iscsi_name(value)
    if field in BINDING and binding({field: value}, field) == binding({field: there}, field) == "":
        return there
    same = value.lower() == there.lower() if field == MAC else plain(value) == plain(there)
    return there if same else value


def check_binding(name: str, fields: dict[str, str], nics: dict[str, str]) -> None:
    """Software iSCSI is bound by one thing, which is there."""
    nic, mac, ip = (binding(fields, one) for one in BINDING)
    if fields[TRANSPORT] not in SOFTWARE:
        return
    there = ", ".join(f"{one} ({nics[one]})" for one in nics)
    if nic and mac:
        raise Problem(
            f"The iface '{name}' cannot be bound by nic '{nic}' and by mac '{mac}' at once. Choose one."
        )
    if ip and not nic and not mac:
        raise Problem(
            f"The iface '{name}' cannot be bound by address '{ip}': software iSCSI binds by nic or mac."
        )
    if nic and nic not in nics:
        raise Problem(f"There is no network interface '{nic}' on this host. There are: {there}.")
    if mac and mac.lower() not in nics.values():
        raise Problem(
            f"No network interface of this host has the hardware address '{mac}'. There are: {there}."
        )


def plan_iface(seen: Ifaces, want: Ifaces) -> list[Step]:
    """One write for the iface, and one for each record that carries a copy of its fields."""
    if want.iface is None:
        return [RemoveIface(seen.name)] if seen.iface is not None else []
    old, new = seen.iface or {}, want.iface
    changes = {key: value for key, value in new.items() if value != old.get(key, "")}
    steps: list[Step] = [WriteIface(seen.name, changes)] if changes else []
    for name, record in seen.records.items():
        stale: dict[str, Value] = {
            key: value for key, value in new.items() if value != str(record.settings.get(key, ""))
        }
        steps += [SetRecord(name, record.path, stale)] if stale else []
    late = differing(seen.card, new) if seen.card is not None else {}
    return [*steps, Apply(seen.name, late)] if late else steps


def refuse_iface(seen: Ifaces, steps: list[Step]) -> None:
    """Not under a session, and not away from records that name it."""
    if not steps:
        return
    if seen.card is not None and seen.card.sessions and isinstance(steps[-1], Apply):
        raise Problem(
            f"Cannot apply the iface '{seen.name}': a session goes through its card ({seen.card.sessions[0]}). "
            f"Log out first."
        )
    if seen.sessions:
        raise Problem(
            f"Cannot change the iface '{seen.name}': a session uses it ({seen.sessions[0]}). Log out first."
        )
    if seen.records and isinstance(steps[0], RemoveIface):
        raise Problem(
            f"Cannot delete the iface '{seen.name}': the record of {min(seen.records)} uses it. Remove the record first."
        )
