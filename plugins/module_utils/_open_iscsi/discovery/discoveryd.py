# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""discoveryd: iscsid asking by itself, again and again, and logging in to what it finds (open-iscsi usr/discoveryd.c).

It reads its records only when iscsid starts. It takes over every session to a target that it finds, whoever logged in;
where it stops, with iscsid, it logs them all out, used or not. Its own sessions have no node records.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._host import Host, Problem
from ..._step import Step
from ..conf.iscsid import RestartIscsid, behind
from ..session import Session, Use, look_sessions, look_use, pinned
from .record import Source, look_discovery_records, polled

WARNING = (
    "iscsid logs out every session to a target that it finds by polling when it is stopped or restarted, even while its "
    "disks are in use, and when the target is no longer offered. Keep such hosts' iscsid from being restarted by others."
)


@dataclass(frozen=True)
class Polling:
    """Who is polled, of those which records the daemon has not read yet, and what a restart would take away."""

    sources: frozenset[Source] = frozenset()
    unread: frozenset[Source] = frozenset()
    sessions: tuple[Session, ...] = ()
    use: Use | None = None


@dataclass(frozen=True)
class RestartPolling(RestartIscsid):
    """Restart the daemon so that it polls as its records say."""

    def __str__(self) -> str:
        return "Restart iscsid, which polls as the discovery records said when it started"


def look_polling(host: Host) -> Polling:
    """Nothing more is looked at where nothing is polled."""
    records = look_discovery_records(host)
    sources = {source: path for source, (path, settings) in records.items() if polled(source, settings)}
    if not sources:
        return Polling()
    sessions = look_sessions(host)
    return Polling(
        sources=frozenset(sources),
        unread=frozenset(source for source, path in sources.items() if behind(host, path)),
        sessions=tuple(sessions),
        use=look_use(host, sessions) if sessions else None,
    )


def refuse_restart(steps: list[Step], polling: Polling) -> None:
    """While iscsid polls, its restart may cut any session: it waits until nothing uses their disks.

    Records that the daemon has not read are not polled yet.
    """
    use = polling.use
    if use is None or not any(isinstance(step, RestartIscsid) for step in steps):
        return
    if polling.sources == polling.unread:
        return
    ours = {disk for disks in use.disks.values() for disk in disks}
    for session in polling.sessions:
        for disk in use.disks.get(session.number, []):
            users = pinned(disk, use.holders, use.running - ours)
            if users:
                asked = ", ".join(str(source) for source in sorted(polling.sources))
                raise Problem(
                    f"Cannot restart iscsid: it polls {asked}, and logs out the sessions to what it found when it stops, "
                    f"maybe that of {session.name}: {users[0]}. Stop using it first."
                )
