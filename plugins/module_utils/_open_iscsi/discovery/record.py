# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The discovery records of open-iscsi: one file for each portal or iSNS server that is asked (usr/idbm.c).

'iscsiadm -m discoverydb -o new' resets a record that is there, '-o delete' deletes every node record that came from it,
and '-o update' takes secrets on its command line. So the files are written here, 0600, under open-iscsi's own lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._arguments import Portal
from ..._host import Host
from ..._step import Step
from ..conf.settings import DAEMON, NODE, Kind, Value, clear, masked
from ..conf.settings import DISCOVERY as OF_SENDTARGETS
from ..file import BEGIN, END, config, edit_config
from ..lock import locked
from ..record import DIRECTORY, database, portal_of
from ..sendtargets import FIRMWARE, ISNS, SENDTARGETS

PLACES = {SENDTARGETS: ("send_targets", "st_config"), ISNS: ("isns", "isns_config")}
OF_ISNS = {name: kind for name, kind in DAEMON.items() if name.startswith("discovery.isns.")}
ALGORITHMS = "node.session.auth.chap_algs"  # usr/idbm.c: one name for sessions and for discovery
OF_PORTAL = {**OF_SENDTARGETS, ALGORITHMS: NODE[ALGORITHMS]}
KNOWN: dict[str, dict[str, Kind]] = {SENDTARGETS: OF_PORTAL, ISNS: OF_ISNS, FIRMWARE: {}}
WORDS = {SENDTARGETS: "sendtargets", ISNS: "isns", FIRMWARE: "firmware"}  # in a record, and in options
POLLED, INTERVAL = "use_discoveryd", "discoveryd_poll_inval"
AUTH = "discovery.sendtargets.auth"
# usr/idbm_fields.h: an iSNS server's record names its address so too
ADDRESS, PORT = "discovery.sendtargets.address", "discovery.sendtargets.port"


@dataclass(frozen=True, order=True)
class Source:
    """Who is asked: a portal, an iSNS server, or the firmware of this host (which has no portal)."""

    kind: str
    portal: Portal | None

    def __str__(self) -> str:
        if self.portal is None:
            return "the firmware"
        return f"the iSNS server {self.portal}" if self.kind == ISNS else str(self.portal)

    def setting(self, name: str) -> str:
        """The full name of one of this kind's settings."""
        return f"discovery.{WORDS[self.kind]}.{name}"


def directory(root: str, source: Source) -> str:
    """Where the record of a source is, with links to the node records that came from it."""
    portal = source.portal or Portal("")
    return f"{root}/{PLACES[source.kind][0]}/{portal.address},{portal.port}"


def look_discovery_records(host: Host) -> dict[Source, tuple[str, dict[str, Value]]]:
    """Every discovery record: its file, and its settings, secrets as secrets."""
    found = {}
    for kind, (place, name) in PLACES.items():
        for entry in host.list(f"{database(host)}/{place}"):
            where, _comma, port = entry.rpartition(",")
            path = f"{database(host)}/{place}/{entry}/{name}"
            text = host.read(path) if where and port.isdecimal() else None
            if text is not None:
                found[Source(kind, portal_of(where, port))] = (path, masked(config(text)))
    return found


def polled(source: Source, settings: dict[str, Value] | None) -> bool:
    """Whether iscsid asks this source by itself, again and again (discoveryd)."""
    return (settings or {}).get(source.setting(POLLED)) == "Yes"


def new_record(source: Source, defaults: dict[str, Value]) -> dict[str, Value]:
    """What a new record says: where to ask, and what iscsid.conf says of this kind."""
    portal = source.portal or Portal("")
    of_kind = {name: value for name, value in defaults.items() if name in KNOWN[source.kind]}
    where = {ADDRESS: portal.address, PORT: str(portal.port)}
    return {"discovery.type": WORDS[source.kind], **where, **of_kind}


def differing(wanted: dict[str, Value], seen: dict[str, Value]) -> dict[str, Value]:
    """The settings that are not as they shall be; a missing one and an empty one are the same."""
    texts, there = clear(wanted), clear(seen)
    return {name: wanted[name] for name in wanted if texts[name] != there.get(name, "")}


@dataclass(frozen=True)
class WriteDiscovery(Step):
    """Write the record of a source; node records are not touched."""

    source: Source
    settings: dict[str, Value]
    changes: dict[str, Value]

    def __str__(self) -> str:
        texts = clear(self.changes)
        said = ", ".join(f"{key} = {value if texts[key] else 'empty'}" for key, value in self.changes.items())
        return f"Write the discovery record of {self.source}" + (f" with {said}" if said else "")

    def take(self, host: Host) -> None:
        root = database(host)
        settings = {key: value for key, value in clear(self.settings).items() if value}
        lines = [BEGIN, *(f"{key} = {value}" for key, value in settings.items()), END, ""]
        with locked(host) as write:
            path = self._path(host, root)
            place = path.rpartition("/")[0]
            for above in (root, place.rpartition("/")[0], place):
                if host.stat(above) is None:
                    host.mkdir(above, DIRECTORY)
            text = host.read(path) or ""
            old = config(text)
            gone = dict.fromkeys(name for name in old if name not in settings)
            changed = {name: value for name, value in settings.items() if old.get(name) != value}
            whole = edit_config(text, {**gone, **changed}) if BEGIN in text else "\n".join(lines)
            write(path, whole)

    def _path(self, host: Host, root: str) -> str:
        """Where the record is, maybe under another spelling of its address, or will be."""
        new = f"{directory(root, self.source)}/{PLACES[self.source.kind][1]}"
        return look_discovery_records(host).get(self.source, (new, {}))[0]


@dataclass(frozen=True)
class ForgetDiscovery(Step):
    """Delete the record of a source and its links; the node records that came from it stay."""

    source: Source

    def __str__(self) -> str:
        return f"Delete the discovery record of {self.source}"

    def take(self, host: Host) -> None:
        with locked(host):
            there = look_discovery_records(host).get(self.source)
            place = there[0].rpartition("/")[0] if there else directory(database(host), self.source)
            for name in host.list(place):
                host.remove(f"{place}/{name}")
            host.rmdir(place)
