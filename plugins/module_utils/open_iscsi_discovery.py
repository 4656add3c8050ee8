# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery by SendTargets, so that it cannot hurt (open-iscsi README 5, mode discoverydb).

A plain 'iscsiadm -m discovery' resets the settings of every record that it finds and deletes what is no longer offered.
Here '-o nonpersistent' asks a portal what it offers and writes nothing: that is the look, in check mode too. Only
'-o new' is used to write, which adds what is missing and leaves what is there alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import Chap, Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_offer import Offer, answering, ask
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import (
    DIRECTORY,
    MODE,
    Record,
    RecordId,
    RemoveRecord,
    database,
    locked,
    look_records,
    portal_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_session import look_sessions
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_setting import (
    DISCOVERY,
    Value,
    clear,
    masked,
    setting,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

CONF = "/etc/iscsi/iscsid.conf"
SENDTARGETS = "discovery.sendtargets"
AUTH = f"{SENDTARGETS}.auth"


@dataclass(frozen=True)
class Found:
    """A discovery portal: its settings (None: no record of it), whether it was asked with them, and what it offers."""

    settings: dict[str, Value] | None
    asked: bool
    offers: tuple[Offer, ...]
    known: bool  # whether the offers are what the portal says, not a guess before it is asked


@dataclass(frozen=True)
class Discovery:
    """The discovery portals, and the node records of this host."""

    portals: dict[Portal, Found]
    defaults: dict[str, Value]  # what iscsid.conf says for a new discovery record
    records: dict[RecordId, Record]
    sessions: frozenset[RecordId]
    stale: frozenset[RecordId] = frozenset()  # whose records shall go


@dataclass(frozen=True)
class WriteDiscovery(Step):
    """Write the record of a discovery portal; node records are not touched."""

    portal: Portal
    settings: dict[str, Value]
    changes: dict[str, Value]

    def __str__(self) -> str:
        texts = clear(self.changes)
        said = ", ".join(f"{key} = {value if texts[key] else 'empty'}" for key, value in self.changes.items())
        return f"Write the discovery record of {self.portal}" + (f" with {said}" if said else "")

    def take(self, host: Host) -> None:
        root = database(host)
        directory = f"{root}/send_targets/{self.portal.address},{self.portal.port}"
        lines = [f"{key} = {value}" for key, value in clear(self.settings).items() if value]
        with locked(host):
            for place in (root, f"{root}/send_targets", directory):
                if host.stat(place) is None:
                    host.mkdir(place, DIRECTORY)
            text = "\n".join(["# BEGIN RECORD", *lines, "# END RECORD", ""])
            host.write(f"{directory}/st_config", text, MODE)


@dataclass(frozen=True)
class Discover(Step):
    """Ask the portal again, and let open-iscsi record what is new."""

    portal: Portal
    ifaces: tuple[str, ...]
    missing: tuple[RecordId, ...]  # empty: not known before the portal is asked

    def __str__(self) -> str:
        if not self.missing:
            return f"Discover what {self.portal} offers, and record what is new"
        return f"Record what {self.portal} offers: {', '.join(map(str, self.missing))}"

    def take(self, host: Host) -> None:
        ask(host, self.portal, self.ifaces, "new")


def wanted_settings(settings: dict[str, Any], given: Chap | None) -> dict[str, Value]:
    """The settings that were asked for, checked, and CHAP as a discovery record holds it."""
    found: dict[str, Value] = {}
    for name, value in settings.items():
        if name.startswith(f"{AUTH}."):
            raise Problem(f"'{name}' belongs into the option 'chap', not into 'settings'.")
        found[name] = setting(name, value, DISCOVERY)
    if given:
        found[f"{AUTH}.authmethod"] = "CHAP" if given.user else "None"
        found[f"{AUTH}.username"], found[f"{AUTH}.password"] = given.user, given.secret
        found[f"{AUTH}.username_in"], found[f"{AUTH}.password_in"] = given.mutual_user, given.mutual_secret
    return found


def look_discovery(host: Host, portals: list[Portal], settings: dict[str, Value], iface: str) -> Discovery:
    """Ask every portal whose settings are as they shall be; of the others nothing is known before those are written.

    Nor where iscsid does not run: looking must not start it.
    """
    conf = masked(parse(host.read(CONF) or ""))
    defaults = {name: value for name, value in conf.items() if name in DISCOVERY}
    found, able = {}, answering(host)
    for portal in portals:
        why = host.unreachable(portal.address, portal.port)
        if why:
            raise Problem(
                f"Cannot discover at {portal}: it does not answer ({why}). Is the address right, the target running?"
            )
        seen = look_settings(host, portal)
        known = able and not differing(settings, defaults if seen is None else seen)
        found[portal] = Found(seen, known, ask(host, portal, [iface]) if known else (), known)
    return Discovery(
        portals=found,
        defaults=defaults,
        records=dict(look_records(host)),
        sessions=frozenset(session.name for session in look_sessions(host)),
    )


def want_discovery(
    seen: Discovery, settings: dict[str, Value], ifaces: tuple[str, ...], prune: bool
) -> Discovery:
    """Every portal recorded with these settings, every offer recorded, and if wished nothing that is not offered."""
    portals = {}
    for portal, found in seen.portals.items():
        base = found.settings
        if base is None:
            where = {f"{SENDTARGETS}.address": portal.address, f"{SENDTARGETS}.port": str(portal.port)}
            base = {"discovery.type": "sendtargets", **where, **seen.defaults}
        changed = differing(settings, base)
        portals[portal] = Found({**base, **changed}, True, found.offers, found.known)
    records = {name: Record({}, "") for found in portals.values() for name in expected(found.offers, ifaces)}
    stale = frozenset(
        name for name, record in seen.records.items() if prune and _unoffered(seen, name, record)
    )
    kept = {name: record for name, record in seen.records.items() if name not in stale}
    return replace(seen, portals=portals, records={**records, **kept}, stale=stale)


def _unoffered(seen: Discovery, name: RecordId, record: Record) -> bool:
    """Whether a record came from one of these portals and is not among what it offers."""
    found = seen.portals.get(_source(record))
    return bool(
        found
        and found.asked
        and all((one.target, one.portal) != (name.target, name.portal) for one in found.offers)
    )


def _source(record: Record) -> Portal:
    """The discovery portal that a record came from."""
    where, port = (str(record.settings.get(f"node.discovery_{name}", "")) for name in ("address", "port"))
    return portal_of(where, port if port.isdecimal() else "0")


def look_settings(host: Host, portal: Portal) -> dict[str, Value] | None:
    """The record of a discovery portal; None when there is none."""
    root = database(host)
    for place in host.list(f"{root}/send_targets"):
        where, _comma, port = place.rpartition(",")
        if port.isdecimal() and portal_of(where, port) == portal:
            text = host.read(f"{root}/send_targets/{place}/st_config")
            if text is not None:
                return masked(parse(text))
    return None


def differing(wanted: dict[str, Value], seen: dict[str, Value]) -> dict[str, Value]:
    """The settings that are not as they shall be; a missing one and an empty one are the same."""
    texts, there = clear(wanted), clear(seen)
    return {name: wanted[name] for name in wanted if texts[name] != there.get(name, "")}


def plan_discovery(seen: Discovery, want: Discovery, ifaces: tuple[str, ...]) -> list[Step]:
    """Discovery records first; then one discovery for each portal that offers something new; then what is stale goes."""
    steps: list[Step] = []
    for portal, found in want.portals.items():
        old = seen.portals[portal]
        changes = differing(found.settings or {}, old.settings or {})
        written = changes if old.settings is not None else {}
        if old.settings is None or changes:
            steps.append(WriteDiscovery(portal, found.settings or {}, written))
        missing = tuple(
            name for name in expected(old.offers, ifaces) if name in want.records and name not in seen.records
        )
        if missing or found.asked and not old.asked:
            steps.append(Discover(portal, ifaces, missing))
    return steps + [
        RemoveRecord(name, seen.records[name]) for name in sorted(want.stale) if name in seen.records
    ]


def expected(offers: tuple[Offer, ...], ifaces: tuple[str, ...]) -> list[RecordId]:
    """The records that these offers lead to."""
    return [RecordId(offer.target, offer.portal, iface) for offer in offers for iface in ifaces]


def refuse_discovery(seen: Discovery, steps: list[Step]) -> None:
    """A record that a session uses stays, even when its portal is no longer offered."""
    for step in steps:
        if isinstance(step, RemoveRecord) and step.name in seen.sessions:
            raise Problem(
                f"Cannot prune the record of {step.name}, which is no longer offered: a session is logged in there. "
                f"Log out first."
            )
