# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery so that it cannot hurt (open-iscsi README 5, mode discoverydb).

A plain 'iscsiadm -m discovery' resets the settings of every record that it finds and deletes what is no longer offered.
Here '-o nonpersistent' asks what is offered and writes nothing: that is the look, in check mode too. Records are written
for what is new and passes the filters; what is there is left alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Iterable

from ..._arguments import ZONELESS, Portal, zoneless
from ..._host import Host, Problem
from ..._step import Step
from ..conf.record_defaults import look_defaults
from ..conf.settings import Value
from ..iface.bound import bound, look_ifaces
from ..record import Record, RecordId, RemoveRecord, look_records
from ..sendtargets import FIRMWARE, DiscoveryEntry, answering, ask
from ..session import look_sessions
from .discoveryd import WARNING, Polling, RestartPolling, look_polling, refuse_restart
from .node_records import RecordDiscovered, found_settings, source_of
from .record import (
    AUTH,
    ForgetDiscovery,
    Source,
    WriteDiscovery,
    differing,
    look_discovery_records,
    new_record,
    polled,
)
from .request import Request

PROBES, PROBING = 16, 3  # portals at once, seconds for each


@dataclass(frozen=True)
class Found:
    """Of one that is asked: the discovery record (None: there is none), what is offered (None: not asked yet)."""

    settings: dict[str, Value] | None
    entries: tuple[DiscoveryEntry, ...] | None
    known: bool = True  # whether the entries are what was answered


@dataclass(frozen=True)
class Discovery:
    """What was asked about, and the node records and sessions of this host."""

    sources: dict[Source, Found]
    defaults: dict[str, Value] = field(default_factory=dict)  # iscsid.conf: what new records start with
    ifaces: dict[str, dict[str, str]] = field(default_factory=dict)
    records: dict[RecordId, Record] = field(default_factory=dict)
    sessions: frozenset[RecordId] = frozenset()
    silent: dict[Portal, str] = field(default_factory=dict)  # offered portals that do not answer, and why
    polling: Polling = Polling()
    stale: frozenset[RecordId] = field(default=frozenset(), compare=False)  # whose records shall go


@dataclass(frozen=True)
class Discover(Step):
    """Ask, and do what that leads to. Where asking fails, the discovery record is put back."""

    source: Source
    request: Request
    back: Step | None

    def __str__(self) -> str:
        return f"Discover what {self.source} offers, and record what is new"

    def take(self, host: Host) -> None:
        request = replace(self.request, sources=(self.source,))
        try:
            seen = look_discovery(host, request, start=True)
        except Problem as problem:
            if self.back is None:
                raise
            self.back.take(host)
            raise Problem(f"{problem} The discovery record is as it was before.") from problem
        steps = [
            step for step in plan_discovery(seen, want_discovery(seen, request), request) if _of_nodes(step)
        ]
        refuse_discovery(seen, steps, request)
        for step in steps:
            step.take(host)


def _of_nodes(step: Step) -> bool:
    return isinstance(step, (RecordDiscovered, RemoveRecord))


def look_discovery(host: Host, request: Request, start: bool = False) -> Discovery:
    """Ask everybody whose credentials are as they shall be; of the others nothing is known before those are written.

    Nor where iscsid does not run: looking must not start it, unless it is told to.
    """
    conf = look_defaults(host)
    records = {source: settings for source, (_path, settings) in look_discovery_records(host).items()}
    able = start or answering(host)
    sources = {}
    for source in request.sources:
        settings = records.get(source, {} if source.kind == FIRMWARE else None)
        now = new_record(source, conf) if settings is None else settings
        auth = {name: value for name, value in request.settings.items() if name.startswith(f"{AUTH}.")}
        known = (able or source.kind == FIRMWARE) and not request.absent and not differing(auth, now)
        if source.portal and not request.absent:
            _refuse_silent(host, source)
        entries = ask(host, source.portal, request.ifaces[:1], source.kind) if known else None
        sources[source] = Found(settings, entries, known)
    nodes = dict(look_records(host))
    found = Discovery(
        sources=sources,
        defaults=conf,
        ifaces=look_ifaces(host),
        records=nodes,
        sessions=frozenset(session.name for session in look_sessions(host)),
        polling=look_polling(host),
    )
    return replace(found, silent=_look_silent(host, found, request) if request.reachable else {})


def _refuse_silent(host: Host, source: Source) -> None:
    portal = source.portal or Portal("")
    if zoneless(portal):
        raise Problem(f"Cannot discover at {portal}: {ZONELESS}.")
    why = host.unreachable(portal.address, portal.port)
    if why:
        raise Problem(
            f"Cannot discover at {portal}: it does not answer ({why}). Is the address right, and is the target running there?"
        )


def _look_silent(host: Host, seen: Discovery, request: Request) -> dict[Portal, str]:
    """Portals that would get a new record, and accept no connection."""
    portals = sorted({name.portal for source in request.sources for name in missing(seen, source, request)})
    with ThreadPoolExecutor(PROBES) as pool:
        said = pool.map(lambda one: host.unreachable(one.address, one.port, seconds=PROBING), portals)
        return {portal: why for portal, why in zip(portals, said) if why}


def objection(seen: Discovery, entry: DiscoveryEntry, request: Request) -> str:
    """Why an offered portal gets no record; empty when it gets one."""
    if entry.fault:
        return entry.fault
    if entry.portal in seen.silent:
        return f"does not answer ({seen.silent[entry.portal]})"
    return request.filter.objection(entry.portal)


def missing(seen: Discovery, source: Source, request: Request) -> dict[RecordId, DiscoveryEntry]:
    """The records that the entries of a source lead to and that are not there. Firmware names its own ifaces."""
    there = {(name.target, name.portal) for name in seen.records}
    found = {}
    for entry in seen.sources[source].entries or ():
        if source.kind == FIRMWARE:
            if entry.key not in there:
                found[RecordId.of(entry.target, entry.portal)] = entry
        elif not objection(seen, entry, request):
            names = [RecordId.of(entry.target, entry.portal, iface) for iface in request.ifaces]
            found.update({name: entry for name in names if name not in seen.records})
    return found


def want_discovery(seen: Discovery, request: Request) -> Discovery:
    """Everybody asked with these settings, every entry that passes the filters recorded, with prune nothing else of theirs."""
    for iface in request.ifaces:
        if iface not in seen.ifaces and not request.absent:
            raise Problem(f"There is no iface '{iface}' on this host. Create it first (module iface).")
    stale = frozenset(name for name, record in seen.records.items() if _stale(seen, name, record, request))
    records = {name: record for name, record in seen.records.items() if name not in stale}
    sources = {}
    for source, found in seen.sources.items():
        asked = found.entries if request.absent else found.entries or ()
        sources[source] = Found(_wanted_settings(seen, source, request), asked, found.known)
        for name, entry in missing(seen, source, request).items():
            bound = seen.ifaces.get(name.iface, {})
            new = Record(found_settings(source, name, entry, bound, seen.defaults), "")
            records.setdefault(name, new)  # what two of them offer comes from the first
    unread = seen.polling.unread  # a restart reads them all
    polling = replace(seen.polling, unread=frozenset() if unread & set(sources) else unread)
    return replace(seen, sources=sources, records=records, polling=polling, stale=stale)


def _wanted_settings(seen: Discovery, source: Source, request: Request) -> dict[str, Value] | None:
    settings = seen.sources[source].settings
    if request.absent or source.kind == FIRMWARE:
        return None if request.absent else settings
    base = new_record(source, seen.defaults) if settings is None else settings
    return {**base, **differing(request.settings, base)}


def _stale(seen: Discovery, name: RecordId, record: Record, request: Request) -> bool:
    """Whether a record came from somebody who was asked, and none of them offers it or it does not pass the filters."""
    found = seen.sources.get(source_of(record))
    if not request.prune or found is None or not (found.known or request.absent):
        return False
    entries = (entry for one in seen.sources.values() for entry in one.entries or ())
    offered = {entry.key for entry in entries}
    return (name.target, name.portal) not in offered or bool(request.filter.objection(name.portal))


def plan_discovery(seen: Discovery, want: Discovery, request: Request) -> list[Step]:
    """Discovery records; then what they lead to; then the daemon, when those that it polls changed; then what is stale."""
    records: list[Step] = []
    nodes: list[Step] = []
    added: set[RecordId] = set()
    restart = bool(seen.polling.unread & set(want.sources))
    for source, new in want.sources.items():
        old = seen.sources[source]
        steps = _record_steps(source, old.settings, new.settings, want)
        restart = restart or bool(steps) and (polled(source, old.settings) or polled(source, new.settings))
        records += steps
        new_ones = [name for name in missing(seen, source, request) if name in want.records]
        adding = {name: want.records[name] for name in new_ones if name not in added}
        added.update(adding)
        if adding:
            nodes.append(RecordDiscovered(source, adding))
        if old.entries is None and new.entries is not None:
            nodes.append(Discover(source, request, _back(source, old.settings) if steps else None))
    daemon: list[Step] = [RestartPolling(len(seen.polling.sources))] if restart else []
    stale = [name for name in sorted(want.stale) if name in seen.records]
    return records + nodes + daemon + [RemoveRecord(name, seen.records[name]) for name in stale]


def _record_steps(
    source: Source, old: dict[str, Value] | None, new: dict[str, Value] | None, want: Discovery
) -> list[Step]:
    if new is None:
        return [] if old is None else [ForgetDiscovery(source)]
    if old is None:
        return [WriteDiscovery(source, new, differing(new, new_record(source, want.defaults)))]
    changes = differing(new, old)
    return [WriteDiscovery(source, new, changes)] if changes else []


def _back(source: Source, old: dict[str, Value] | None) -> Step:
    return ForgetDiscovery(source) if old is None else WriteDiscovery(source, old, {})


def refuse_discovery(seen: Discovery, steps: list[Step], request: Request) -> None:
    """A record that a session uses stays; nothing is pruned because somebody offers nothing at all."""
    for step in steps:
        if not isinstance(step, RemoveRecord):
            continue
        step.refuse()
        if step.name in seen.sessions:
            raise Problem(
                f"Cannot prune the record of {step.name}, which is to be removed: a session is logged in there. "
                f"Log out first."
            )
        found = seen.sources.get(source_of(step.record))
        if found and found.entries == () and not request.absent:
            raise Problem(
                f"Cannot prune the record of {step.name}: {source_of(step.record)} answers, but offers this host nothing "
                f"at all, maybe because it is starting. If that is right, remove the node, or set state to 'absent'."
            )
    refuse_restart(steps, seen.polling)


def note_discovery(seen: Discovery, steps: list[Step]) -> Iterable[str]:
    """Whoever begins to poll must know what that means, and who records what nobody can reach."""
    added = [name for step in steps if isinstance(step, RecordDiscovered) for name in step.records]
    for name in added:
        if zoneless(name.portal) and not bound(seen.ifaces.get(name.iface, {})):
            yield f"{name} is recorded, but cannot be logged in to: {ZONELESS}."
    if any(isinstance(step, WriteDiscovery) and polled(step.source, step.settings) for step in steps):
        yield WARNING
