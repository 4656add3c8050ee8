# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions logged out and in again, one after the other, so that what their records say takes effect."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable

from ..._block.dm_multipath import running
from ..._host import Host, Problem
from ..._step import Step
from ..conf.initiator_name import PATH
from ..conf.iscsid import behind
from ..conf.settings import Value, text_of
from ..drift import NEXT_LOGIN, REPLACEMENT, look_live, outdated
from ..file import first
from ..login_refusal import INITIATOR, PROOF, probe_of
from ..record import Record, look_records, only
from ..session import LOGGED_IN, Session, look_sessions
from .login_probe import probe_login
from .redundancy import Disk, look_disks
from .step import LogInAgain, Terms, look_patiently, reasons


@dataclass(frozen=True)
class Standing:
    """A session, its record (None: it has none), and the settings that a new login would change, as the session has them."""

    session: Session
    record: Record | None
    old: dict[str, Value]
    disks: tuple[Disk, ...] = ()
    refusal: str = ""  # why the target would not let this host in again

    @property
    def root(self) -> bool:
        """Whether this host runs on it."""
        onboot = self.record is not None and self.record.settings.get("node.startup") == "onboot"
        return onboot or any(disk.root for disk in self.disks)


@dataclass(frozen=True)
class Standings:
    """The sessions that were asked about; 'leaving' are the numbers of those that are to be replaced."""

    sessions: tuple[Standing, ...]
    initiator: str = ""
    read: bool = True  # iscsid knows the initiator name that is in the file
    watched: bool = True  # multipathd runs
    leaving: frozenset[int] = field(default=frozenset(), compare=False)


def look_standings(host: Host, terms: Terms) -> Standings:
    """The sessions that were asked about, and for each that is to be logged in again whether the target would let it."""
    records = only(look_records(host))
    sessions = [one for one in look_sessions(host) if terms.covers(one)]
    known = {name.target for name in records} | {one.name.target for one in sessions}
    for target in sorted(terms.targets - known):
        raise Problem(
            f"There is neither a record nor a session of '{target}' on this host. Is the name right?"
        )
    initiator = first(host.read(PATH) or "", "InitiatorName") or ""
    disks = look_disks(host, [one.number for one in sessions])
    found = [_standing(host, one, records.get(one.name), disks[one.number], initiator) for one in sessions]
    leaving = [one.session for one in found if due(one, terms)]
    if leaving:
        disks.update(look_patiently(host, leaving, terms))
        found = [replace(one, disks=disks[one.session.number]) for one in found]
    mapped = any(disk.map for one in found for disk in one.disks)
    return Standings(
        sessions=tuple(_tried(host, one, initiator) if due(one, terms) else one for one in found),
        initiator=initiator,
        read=not behind(host, PATH),
        watched=not mapped or not leaving or running(host),
    )


def _standing(
    host: Host, session: Session, record: Record | None, disks: tuple[Disk, ...], initiator: str
) -> Standing:
    if record is None:
        return Standing(session, None, {}, disks)
    live = look_live(host, session)
    return Standing(session, record, old_settings(record, live, initiator, any(d.map for d in disks)), disks)


def old_settings(record: Record, live: dict[str, Value], initiator: str, mapped: bool) -> dict[str, Value]:
    """What a new login would change, as the session has it; pure.

    multipathd overwrites the replacement timeout of the paths of its maps with its own fast_io_fail_tmo.
    """
    said = {**record.settings, INITIATOR: text_of(record.settings.get(INITIATOR)) or initiator}
    names = set(outdated(said, live))
    names |= {key for key in PROOF if key in live and text_of(said.get(key)) != text_of(live.get(key))}
    return {key: value for key, value in live.items() if key in names and not (mapped and key == REPLACEMENT)}


def _tried(host: Host, one: Standing, initiator: str) -> Standing:
    settings = one.record.settings if one.record else {}
    return replace(one, refusal=probe_login(host, probe_of(settings, one.session.name, initiator)))


def due(one: Standing, terms: Terms) -> bool:
    """Whether a session must be logged in again. The one that this host runs on is not, unless it was named."""
    named = bool(terms.targets or terms.portals)
    return one.record is not None and bool(one.old or not terms.stale_only) and (named or not one.root)


def want_standings(seen: Standings, terms: Terms) -> Standings:
    """Those sessions gone, and new ones in their places that have what their records say."""
    leaving = frozenset(one.session.number for one in seen.sessions if due(one, terms))
    sessions = tuple(
        replace(one, session=replace(one.session, number=0, state=LOGGED_IN), old={})
        if one.session.number in leaving
        else one
        for one in seen.sessions
    )
    return replace(seen, sessions=sessions, leaving=leaving)


def again_standings(after: Standings, want: Standings, terms: Terms) -> Standings:
    """What new logins must have led to: nothing is old any more, and no session has stayed away."""
    settled = want_standings(after, replace(terms, stale_only=True))
    there = {one.session.name for one in after.sessions}
    away = tuple(one for one in want.sessions if one.session.name not in there)
    return replace(settled, sessions=settled.sessions + away)


def plan_standings(seen: Standings, want: Standings, terms: Terms) -> list[Step]:
    """One after the other, those that do not work first: they cost no path."""
    renewed = {one.session.name for one in want.sessions if not one.session.number}
    chosen = [
        one
        for one in seen.sessions
        if one.record and one.session.name in renewed and (one.session.number in want.leaving or one.old)
    ]
    chosen.sort(key=lambda one: (one.session.state == LOGGED_IN, one.session.name, one.session.number))
    return [
        LogInAgain(one.session, one.record, one.old, seen.initiator, terms) for one in chosen if one.record
    ]


def refuse_standings(seen: Standings, steps: list[Step], terms: Terms) -> None:
    """No logout without the certainty of a login, and no disk below its number of paths."""
    for one in seen.sessions:
        if one.record is None and not terms.stale_only:
            raise Problem(
                f"Cannot log in again to {one.session.name}: the session has no record. Record it first (module nodes)."
            )
    if steps and not seen.read:
        raise Problem(
            f"iscsid has not read '{PATH}' since it changed, so a new login would still give the old name. "
            "Run the module initiator_name first, which restarts iscsid."
        )
    chosen = {step.session.number for step in steps if isinstance(step, LogInAgain)}
    for one in seen.sessions:
        if one.session.number in chosen:
            _refuse_one(one, seen.watched, terms)


def _refuse_one(one: Standing, watching: bool, terms: Terms) -> None:
    doing = f"Cannot log in again to {one.session.name}"
    if one.root and not any(disk.root for disk in one.disks):
        raise Problem(f"{doing}: its record says startup 'onboot': this host boots from it.")
    for text in reasons(one.session, one.disks, terms):
        raise Problem(f"{doing}: {text}")
    for disk in one.disks:
        if disk.map and not watching:
            raise Problem(
                f"{doing}: multipathd does not run, so /dev/{disk.device} would not come back into the map "
                f"'{disk.map}'. Start it (role lunworks.iscsi.multipath)."
            )
    if one.refusal:
        raise Problem(f"{doing}: {one.refusal}. Nothing was logged out.")


def note_standings(seen: Standings, terms: Terms) -> Iterable[str]:
    """What a person should know beside the result."""
    for one in seen.sessions:
        if one.old and one.root and not due(one, terms):
            yield f"{one.session.name} is left alone: this host runs on it. What its record says takes effect at the next boot."


def shown(state: Standings) -> dict[str, Any]:
    """The sessions as people and templates get them."""
    return {"sessions": [_shown(one) for one in state.sessions]}


def _shown(one: Standing) -> dict[str, Any]:
    said = one.record.settings if one.record else {}
    return {
        "target": one.session.name.written,
        "portal": str(one.session.name.portal),
        "iface": one.session.name.iface,
        "state": one.session.state,
        "recorded": one.record is not None,
        "differences": [
            {"setting": key, "record": said.get(key), "session": value, "text": f"'{key}' {NEXT_LOGIN}"}
            for key, value in one.old.items()
        ],
    }
