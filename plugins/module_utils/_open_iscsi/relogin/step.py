# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session logged out and in again: proved before, waited for after, and taken back where the login fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterable, Sequence

from ..._arguments import Portal
from ..._host import Host, Problem
from ..._step import Step
from ..conf.settings import Value, text_of
from ..login_refusal import PROOF, USER, probe_of
from ..record import Record, SetRecord
from ..session import LONGEST_LOGIN, LogIn, LogOut, Session, look_sessions
from .login_probe import SILENT, probe_login
from .redundancy import Disk, came_back, lack, look_disks, scan

PATIENCE = 15  # seconds; multipathd looks at a failed path every 5 to 20


@dataclass(frozen=True)
class Terms:
    """On what terms sessions are logged in again."""

    targets: frozenset[str] = frozenset()
    portals: frozenset[Portal] = frozenset()
    stale_only: bool = True
    min_paths: int = 1
    timeout: float = 60
    verify_old_secret: bool = False
    force: bool = False

    def covers(self, session: Session) -> bool:
        """Whether a session was asked about."""
        target, portal = session.name.target, session.name.portal
        return (not self.targets or target in self.targets) and (not self.portals or portal in self.portals)


@dataclass(frozen=True)
class LogInAgain(Step):
    """End one session and log in again, when it is proved that the target would let us in and that nobody loses a disk."""

    session: Session
    record: Record
    old: dict[str, Value]
    initiator: str
    terms: Terms

    def __str__(self) -> str:
        return f"Log in again to {self.session.name}" + (f", for {', '.join(self.old)}" if self.old else "")

    def take(self, host: Host) -> None:
        number, name = self.session.number, self.session.name
        disks = self._prove(host)
        LogOut(name, (number,)).take(host)
        try:
            LogIn(name, self.record, False, LONGEST_LOGIN).take(host)
        except Problem as problem:
            raise Problem(f"{problem} {self._restore(host)}") from problem
        self._await(host, disks)
        if self.terms.verify_old_secret:
            self._retire(host)

    def _prove(self, host: Host) -> tuple[Disk, ...]:
        """Nothing has changed for the worse since the plan was made."""
        standing = [one for one in look_sessions(host) if one.number == self.session.number]
        if not standing:
            raise Problem("the session has ended in the meantime. Run again.")
        disks = look_patiently(host, standing, self.terms)[self.session.number]
        refusal = probe_login(host, probe_of(self.record.settings, self.session.name, self.initiator))
        for text in [*reasons(standing[0], disks, self.terms), *([f"{refusal}."] if refusal else [])]:
            raise Problem(f"{text} The session continues as it was.")
        return disks

    def _await(self, host: Host, disks: tuple[Disk, ...]) -> None:
        name, number = self.session.name, self.session.number
        manual = self.record.settings.get("node.session.scan") == "manual"
        if manual:
            scan(host, came_back(host, name, number, ())[0], [disk.lun for disk in disks])
        host.until(lambda: not came_back(host, name, number, disks)[1], self.terms.timeout, 0.5)
        missing = came_back(host, name, number, disks)[1]
        if missing:
            raise Problem(
                f"after {self.terms.timeout:g} seconds {missing}. No other session was touched after this one."
            )

    def _restore(self, host: Host) -> str:
        """The session as it was: log in with what it had, then let the record say again what it shall."""
        if any(one.name == self.session.name for one in look_sessions(host)):
            return "The other paths were left alone."  # iscsid goes on trying
        if not self.old:
            return "The other paths were left alone; nothing was different before."
        kept = {key: self.record.settings.get(key, "") for key in self.old}
        SetRecord(self.session.name, self.record.path, self.old).take(host)
        try:
            LogIn(self.session.name, self.record, False, LONGEST_LOGIN).take(host)
        except Problem as problem:
            return (
                f"With its old settings it cannot log in either: {problem} The other paths were left alone."
            )
        finally:
            SetRecord(self.session.name, self.record.path, kept).take(host)
        return "It is logged in with its old settings again; the other paths were left alone."

    def _retire(self, host: Host) -> None:
        """A login with the secret that the session had is refused."""
        before = {**self.record.settings, **self.old}
        if not (text_of(before.get(USER)) and set(PROOF) & set(self.old)):
            return
        refusal = probe_login(host, replace(probe_of(before, self.session.name, self.initiator), insist=True))
        if not refusal or SILENT in refusal:
            why = refusal or "the target still lets this host in with the old one"
            raise Problem(
                f"the new CHAP secret works, but it is not proved that the old one is refused: {why}."
            )


def reasons(session: Session, disks: Iterable[Disk], terms: Terms) -> list[str]:
    """Why the session must not end, for the sake of each of these disks."""
    texts = {disk.device: lack(session, disk, terms.min_paths, terms.force) for disk in disks}
    return [f"/dev/{device}: {text}" for device, text in texts.items() if text]


def look_patiently(host: Host, sessions: Sequence[Session], terms: Terms) -> dict[int, tuple[Disk, ...]]:
    """The disks of these sessions; paths that are just coming back get time for it, and who opened a disk is asked last."""
    numbers = [one.number for one in sessions]
    found = look_disks(host, numbers, opened=terms.force)

    def enough() -> bool:
        found.update(look_disks(host, numbers))
        return not any(
            disk.down and reasons(one, [disk], terms) for one in sessions for disk in found[one.number]
        )

    if any(reasons(one, found[one.number], terms) for one in sessions):
        host.until(enough, PATIENCE, 1)
        return look_disks(host, numbers, opened=True)
    return found
