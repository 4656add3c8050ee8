# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ifaces: which network card a session goes through, and under which initiator name (open-iscsi README 5.1).

Files are read and written whole, as records are: open-iscsi 2.1.8 cannot read back what its own iscsiadm writes into an
iface with an IPv6 address, and 'iscsiadm -o new' empties an iface that is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import edit, parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import (
    DIRECTORY,
    MODE,
    Record,
    RecordId,
    SetRecord,
    database,
    locked,
    look_records,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_session import look_sessions
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_setting import Value
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

RESERVED = ("default", "tcp", "iser")
LONGEST = 64
TRANSPORTS = ("tcp", "iser", "bnx2i", "cxgb3i", "cxgb4i", "be2iscsi", "qla4xxx", "qedi", "ocs")
NETS = "/sys/class/net"
NAME = "iface.iscsi_ifacename"


@dataclass(frozen=True)
class Ifaces:
    """One iface (None when it is not there), and what is bound to it."""

    name: str
    iface: dict[str, str] | None
    records: dict[RecordId, Record]
    sessions: tuple[RecordId, ...]
    nics: dict[str, str]  # network interfaces and their hardware addresses


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
        with locked(host):
            for place in (directory.rpartition("/")[0], directory):
                if host.stat(place) is None:
                    host.mkdir(place, DIRECTORY)
            text = host.read(path) or f"# BEGIN RECORD\n{NAME} = {self.name}\n# END RECORD\n"
            body, end = text.split("# END RECORD")[0], "# END RECORD\n"
            host.write(
                path, edit(body, {key: value or None for key, value in self.changes.items()}) + end, MODE
            )


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
        raise Problem(f"'{name}' is an iface of open-iscsi's own and cannot be changed. Choose another name.")
    if (
        not name
        or len(name) > LONGEST
        or "/" in name
        or name.startswith(".")
        or name != "".join(name.split())
    ):
        raise Problem(
            f"'{name}' is no name for an iface. Wanted are 1 to {LONGEST} characters, no '/' and no blanks."
        )
    return name


def look_iface(host: Host, name: str) -> Ifaces:
    """The iface, the records and sessions bound to it, and the network cards of the host."""
    text = host.read(f"{database(host)}/ifaces/{name}")
    return Ifaces(
        name=name,
        iface=None if text is None else parse(text),
        records={one: record for one, record in look_records(host) if one.iface == name},
        sessions=tuple(session.name for session in look_sessions(host) if session.name.iface == name),
        nics={nic: (host.read(f"{NETS}/{nic}/address") or "").strip() for nic in host.list(NETS)},
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
    return steps


def refuse_iface(seen: Ifaces, steps: list[Step]) -> None:
    """Not under a session, and not away from records that name it."""
    if not steps:
        return
    if seen.sessions:
        raise Problem(
            f"Cannot change the iface '{seen.name}': a session uses it ({seen.sessions[0]}). Log out first."
        )
    if seen.records and isinstance(steps[0], RemoveIface):
        raise Problem(
            f"Cannot delete the iface '{seen.name}': the record of {min(seen.records)} uses it. Remove the record first."
        )
