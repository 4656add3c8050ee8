# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes: what is recorded and what is logged in, for exactly the portals and ifaces that were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..._arguments import ZONELESS, zoneless
from ..._host import Host, Problem
from ..._step import Step
from ..conf.record_defaults import look_defaults, refuse_unknown
from ..conf.settings import NODE, Value, number, text_of
from ..iface.bound import bound, look_ifaces
from ..record import (
    NAME,
    TPG,
    AddRecord,
    Record,
    RecordId,
    RemoveRecord,
    SetRecord,
    look_records,
    new_settings,
)
from ..session import (
    LOGGED_IN,
    LONGEST_LOGIN,
    LogIn,
    LogOut,
    Session,
    Use,
    look_sessions,
    look_use,
)
from .reachability import Blocker, Offered, look_blocked
from .twins import RemoveTwin, by_node, right_one

STARTUP, SESSIONS = "node.startup", "node.session.nr_sessions"
NEW, MOST_SESSIONS = 0, 64  # a number for what the kernel has not numbered yet; what the setting may say
RETRIES, WAIT = "node.session.initial_login_retry_max", "node.conn[0].timeo.login_timeout"


@dataclass(frozen=True)
class Request:
    """What was asked of one portal through one iface; None: as it is."""

    absent: bool = False
    tpg: int | None = None
    settings: dict[str, Value] = field(default_factory=dict)
    reset_to_defaults: tuple[str, ...] = ()  # settings that become what iscsid.conf says
    logged_in: bool | None = None


@dataclass(frozen=True)
class Requests:
    """What was asked of all nodes together."""

    named: dict[RecordId, Request]
    emptied: frozenset[str] = frozenset()  # targets that keep nothing but what is named
    by_startup: dict[str, bool] = field(default_factory=dict)  # logged in or not, for records of this startup
    assume_present: frozenset[str] = frozenset()  # targets and ifaces that an earlier task will have made
    patient: bool = False  # a portal that does not answer may stay away

    def over(self, nodes: dict[RecordId, Node]) -> dict[RecordId, Request]:
        """A request for each node that is meant: those that are named, and those whose record is of a startup."""
        classed = {
            name: Request(logged_in=self.by_startup[node.startup])
            for name, node in nodes.items()
            if node.startup in self.by_startup and name.target not in self.emptied
        }
        return {**classed, **self.named}


@dataclass(frozen=True)
class Node:
    """What there is: a record or none, sessions or none."""

    record: Record | None
    sessions: tuple[int, ...] = ()
    state: str = ""
    # The settings that matter, where it is wanted; None: all of them.
    asked: frozenset[str] | None = field(default=None, compare=False)
    twins: tuple[Record, ...] = ()  # more records of the same

    @property
    def logged_in(self) -> bool:
        """Whether there is a session, even one whose connection is being restored."""
        return bool(self.sessions)

    @property
    def startup(self) -> str:
        """When the record is logged in; empty without a record. What a record does not say is manual."""
        return text_of(self.record.settings.get(STARTUP)) or "manual" if self.record else ""


@dataclass(frozen=True)
class Nodes:
    """The nodes, and what the planner must know beside them."""

    nodes: dict[RecordId, Node]
    defaults: dict[str, Value] = field(
        default_factory=dict
    )  # node settings of iscsid.conf: what a new record gets
    ifaces: dict[str, dict[str, str]] = field(default_factory=dict)
    blocked: dict[RecordId, Blocker] = field(default_factory=dict)  # logins that would fail
    use: Use | None = None
    spellings: dict[str, str] = field(default_factory=dict)  # how targets, or else users, spell names
    offered: Offered = Offered()
    tags: dict[RecordId, int] = field(default_factory=dict)  # the portal group tags that sessions have

    def spelled(self, name: RecordId) -> RecordId:
        """The same, with the target's name as it is to be written and sent."""
        return RecordId.of(self.spellings.get(name.target, name.written), name.portal, name.iface)


def look_nodes(host: Host, requests: Requests) -> Nodes:
    """Records and sessions of the targets that are meant, and whether the portals to log in to answer.

    Targets in assume_present are not asked, and its ifaces are taken as there: no need of either while nothing is changed.
    """
    found = look_records(host)
    targets = {name.target for name in requests.named} | requests.emptied
    targets |= {name.target for name, record in found if Node(record).startup in requests.by_startup}
    several = by_node((name, record) for name, record in found if name.target in targets)
    records = {name: some[0] for name, some in several.items()}
    sessions: dict[RecordId, list[Session]] = {}
    for session in look_sessions(host):
        if session.name.target in targets:
            sessions.setdefault(session.name, []).append(session)
    nodes = {name: _node(records.get(name), sessions.get(name, [])) for name in sorted({*records, *sessions})}
    meant = requests.over(nodes)
    assumed = requests.assume_present & {name.iface for name in meant}
    ifaces: dict[str, dict[str, str]] = {**{iface: {} for iface in assumed}, **look_ifaces(host)}
    joining = [
        name
        for name, request in meant.items()
        if request.logged_in
        and name not in sessions
        and not {name.target, name.iface} & requests.assume_present
    ]
    refuse_unknown(host, [key for request in meant.values() for key in request.settings])
    leaving = any(name not in meant or _leaves(meant[name]) for name in sessions)
    blocked, offered = look_blocked(host, joining, ifaces)
    tags = {name: found[0].tpg for name, found in sessions.items() if found[0].tpg >= 0}
    for name, some in several.items():
        if len(some) > 1:
            told = offered.tags.get((name.target, name.portal), -1)
            nodes[name] = _without_twins(
                name, some, nodes[name], meant.get(name), tags.get(name, told), offered
            )
    return Nodes(
        nodes=nodes,
        defaults={name: value for name, value in look_defaults(host).items() if name in NODE},
        ifaces=ifaces,
        blocked=blocked,
        use=look_use(host, sum(sessions.values(), [])) if leaving else None,
        spellings=_spellings([*requests.named, *records, *sessions], offered.spellings),
        offered=offered,
        tags=tags,
    )


def _without_twins(
    name: RecordId, records: list[Record], node: Node, request: Request | None, tag: int, offered: Offered
) -> Node:
    """Of several records the one that is meant; which one that is does not matter where all stay, or go."""
    if request is None or request.absent:
        return replace(node, twins=tuple(records[1:]))
    asked = request.tpg if request.tpg is not None else tag if tag >= 0 else None
    record, twins = right_one(name, records, asked, offered.spellings.get(name.target, ()))
    return replace(node, record=record, twins=twins)


def _spellings(names: list[RecordId], offered: dict[str, frozenset[str]]) -> dict[str, str]:
    """How each target is written and sent: as it is offered, else as the last of these names says."""
    said = {name.target: name.written for name in names}
    told = {key: said[key] if said.get(key) in texts else min(texts) for key, texts in offered.items()}
    return {**said, **told}


def _leaves(request: Request) -> bool:
    """Whether sessions may end by it."""
    return (
        request.absent
        or request.logged_in is False
        or SESSIONS in {*request.settings, *request.reset_to_defaults}
    )


def _node(record: Record | None, sessions: list[Session]) -> Node:
    states = [session.state for session in sessions]
    worst = next((state for state in states if state != LOGGED_IN), "".join(states[:1]))
    return Node(record, tuple(session.number for session in sessions), worst)


def want_nodes(seen: Nodes, requests: Requests) -> Nodes:
    """Each request merged with what is there; what was not requested stays, except for the targets in 'emptied'."""
    nodes = {name: node for name, node in seen.nodes.items() if name.target not in requests.emptied}
    for name, request in requests.over(seen.nodes).items():
        nodes.pop(name, None)
        if not request.absent:
            nodes[seen.spelled(name)] = _wanted(seen.spelled(name), request, seen, requests.patient)
    return replace(seen, nodes=nodes)


def _wanted(name: RecordId, request: Request, seen: Nodes, patient: bool) -> Node:
    old = seen.nodes.get(name, Node(None))
    settings = old.record.settings if old.record else {**seen.defaults}
    tpg = _tag(name, request, old, seen)
    if old.record is None or tpg != old.record.tpg or _misspelled(name, old, seen):
        if name.iface not in seen.ifaces:
            raise Problem(f"There is no iface '{name.iface}' on this host. Create it first (module iface).")
        if zoneless(name.portal) and not bound(seen.ifaces[name.iface]):
            raise Problem(f"Cannot record {name}: {ZONELESS}.")
        settings = {**settings, **new_settings(name, tpg if tpg >= 0 else 1, seen.ifaces[name.iface])}
    reset = {key: seen.defaults[key] for key in request.reset_to_defaults if key in seen.defaults}
    said = {**reset, **request.settings}
    changed = {key: value for key, value in said.items() if text_of(settings.get(key)) != text_of(value)}
    record = Record({**settings, **changed}, old.record.path if old.record else "")
    asked = frozenset([*said, TPG])
    unreachable = name in seen.blocked and seen.blocked[name].unreachable
    if request.logged_in is None or request.logged_in and patient and unreachable:
        return Node(record, old.sessions, old.state, asked)
    count = min(max(number(record.settings.get(SESSIONS), 1), 1), MOST_SESSIONS) if request.logged_in else 0
    if SESSIONS not in said and request.logged_in:
        count = max(count, len(old.sessions))  # sessions beside the first may be somebody else's
    sessions = (old.sessions + (NEW,) * count)[:count]
    return Node(record, sessions, LOGGED_IN if sessions != old.sessions else old.state, asked)


def _tag(name: RecordId, request: Request, old: Node, seen: Nodes) -> int:
    """The portal group tag to record: a login ends where the target answers with another one (usr/login.c). A record without
    a tag takes any."""
    if request.tpg is not None:
        return request.tpg
    there = old.record.tpg if old.record else 1
    if old.record and (old.sessions or there < 0):
        return there
    known = seen.offered.tags.get((name.target, name.portal), seen.tags.get(name, -1))
    return known if known >= 0 else there


def _misspelled(name: RecordId, old: Node, seen: Nodes) -> bool:
    """Whether the target would not know itself by the name in the record, which no session uses."""
    said = text_of(old.record.settings.get(NAME)) if old.record else ""
    offered = seen.offered.spellings.get(name.target, frozenset())
    return bool(offered) and said not in offered and not old.sessions


def plan_nodes(seen: Nodes, want: Nodes) -> list[Step]:
    """Records first, then every login, and only then logouts and deletions: a host never loses its last path on the way."""
    records: list[Step] = []
    logins: list[Step] = []
    logouts: list[Step] = []
    removals: list[Step] = []
    for name in sorted({*want.nodes, *seen.nodes}):  # the wanted spelling of each
        old, new = seen.nodes.get(name, Node(None)), want.nodes.get(name, Node(None))
        if len(new.sessions) < len(old.sessions):
            logouts.append(LogOut(name, old.sessions[len(new.sessions) :]))
        if new.record is None:
            removals += [RemoveRecord(name, one) for one in (old.record, *old.twins) if one]
            continue
        records += _record_steps(name, old.record, new.record, new.asked)
        records += [RemoveTwin(_as_in(one, name), one) for one in old.twins if one not in new.twins]
        if len(new.sessions) > len(old.sessions):
            fresh = old.record is None and any(
                isinstance(step, AddRecord) and step.name == name for step in records
            )
            logins.append(LogIn(name, new.record, fresh, _limit(new.record)))
    return records + logins + logouts + removals


def _record_steps(
    name: RecordId, old: Record | None, new: Record, asked: frozenset[str] | None
) -> list[Step]:
    if old is None:
        return [AddRecord(name, new.settings)]
    if old.tpg != new.tpg or text_of(old.settings.get(NAME)) != text_of(new.settings.get(NAME)):
        return [AddRecord(name, new.settings), RemoveTwin(_as_in(old, name), old)]
    changes = {
        key: value
        for key, value in new.settings.items()
        if (asked is None or key in asked) and text_of(old.settings.get(key)) != text_of(value)
    }
    return [SetRecord(name, old.path, changes)] if changes else []


def _as_in(record: Record, name: RecordId) -> RecordId:
    return RecordId.of(text_of(record.settings.get(NAME)) or name.written, name.portal, name.iface)


def _limit(record: Record) -> float:
    """iscsid itself gives up after so many seconds."""
    retries, wait = (number(record.settings.get(key), 15) for key in (RETRIES, WAIT))
    return min(LONGEST_LOGIN, max(0, retries * wait) + 30)
