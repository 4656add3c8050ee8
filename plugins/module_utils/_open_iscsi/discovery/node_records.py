# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node records that come from a discovery, with the links that iscsiadm keeps from one to the other (usr/idbm.c)."""

from __future__ import annotations

from dataclasses import dataclass

from ..._arguments import Portal
from ..._host import Host
from ..._step import Step
from ..conf.settings import NODE, Value
from ..lock import locked
from ..record import (
    TPG,
    AddRecord,
    Record,
    RecordId,
    SetRecord,
    database,
    look_records,
    new_settings,
    portal_of,
)
from ..sendtargets import FIRMWARE, ISNS, SENDTARGETS, DiscoveryEntry
from .record import Source, directory

WORDS = {SENDTARGETS: "send_targets", ISNS: "isns", FIRMWARE: "fw"}  # what a node record calls its origin
KINDS = {word: kind for kind, word in WORDS.items()}
ONBOOT: dict[str, Value] = {"node.startup": "onboot", "node.conn[0].startup": "onboot"}
TYPE, ADDRESS, PORT = "node.discovery_type", "node.discovery_address", "node.discovery_port"


def source_of(record: Record) -> Source:
    """Where a record came from."""
    kind, where, port = (str(record.settings.get(name, "")) for name in (TYPE, ADDRESS, PORT))
    if KINDS.get(kind) == FIRMWARE:
        return Source(FIRMWARE, None)
    return Source(KINDS.get(kind, kind), portal_of(where, port if port.isdecimal() else "0"))


def found_settings(
    source: Source, name: RecordId, entry: DiscoveryEntry, iface: dict[str, str], defaults: dict[str, Value]
) -> dict[str, Value]:
    """What a new record says: iscsid.conf's settings, what was discovered, the iface, and where it came from."""
    portal = source.portal or Portal("")
    return {
        **{key: value for key, value in defaults.items() if key in NODE},
        **new_settings(name, entry.tpg, iface),
        TYPE: WORDS[source.kind],
        ADDRESS: portal.address,
        PORT: str(portal.port),
    }


@dataclass(frozen=True)
class RecordDiscovered(Step):
    """Record what is new."""

    source: Source
    records: dict[RecordId, Record]

    def __str__(self) -> str:
        return f"Record what {self.source} offers: {', '.join(map(str, self.records))}"

    def take(self, host: Host) -> None:
        if self.source.kind == FIRMWARE:
            self._take_firmware(host)
            return
        for name, record in self.records.items():
            _link(
                host, self.source, name, str(record.settings[TPG])
            )  # first: what is recorded is not done again
            AddRecord(name, record.settings).take(host)

    def _take_firmware(self, host: Host) -> None:
        """Only iscsiadm knows the ifaces and secrets of the firmware; 2.1.8 gives new records the startup of iscsid.conf."""
        host.run("iscsiadm", "-m", "discoverydb", "-t", FIRMWARE, "-o", "new", "--discover", timeout=90)
        added = {(name.target, name.portal) for name in self.records}
        for name, record in look_records(host):
            if (name.target, name.portal) in added:
                SetRecord(name, record.path, ONBOOT).take(host)


def _link(host: Host, source: Source, name: RecordId, tpg: str) -> None:
    """'iscsiadm -m discoverydb -o delete' finds the node records of a source by these links."""
    root, portal = database(host), name.portal
    place = directory(root, source)
    link = f"{place}/{name.written},{portal.address},{portal.port},{tpg},{name.iface}"
    with locked(host):
        if host.stat(place) is not None and host.link(link) is None:
            host.symlink(f"{root}/nodes/{name.written}/{portal.address},{portal.port},{tpg}", link)
