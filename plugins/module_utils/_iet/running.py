# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IET serves now: /proc/net/iet, and what ietadm prints of keys and accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from .._host import Host, lines_of
from .._san.target import Session
from .._step import Secret
from .conf import Account

VOLUMES, SESSIONS = "/proc/net/iet/volume", "/proc/net/iet/session"
TARGET = re.compile(r"tid:(\d+) name:(.*)")
# Older kernels' modules print neither blocks nor blocksize (kernel/volume.c, iet_volume_info_show).
VOLUME = re.compile(
    r"\tlun:(\d+) state:\w+ iotype:(\S+) iomode:(\S+)(?: blocks:(\d+) blocksize:(\d+))?(?: path:(.*))?"
)
SESSION = re.compile(r"\tsid:(\d+) initiator:(.*)")
CONNECTION = re.compile(r"\t\tcid:(\d+) ip:(\S+) .*")


@dataclass(frozen=True)
class Volume:
    """A LUN that runs; its ScsiId and ScsiSN cannot be read. Size None: this version does not say it."""

    path: str
    kind: str  # fileio, blockio or nullio
    mode: str  # wt, wb or ro
    size: int | None = None


@dataclass(frozen=True)
class Running:
    """A target that runs. Keys: those that matter to the call. Accounts None: they were not asked."""

    name: str
    tid: int = field(default=0, compare=False)
    luns: Mapping[int, Volume] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    accounts: frozenset[Account] | None = None


def look_running(host: Host) -> dict[str, Running] | None:
    """The targets by their names in lower case; None: the kernel's part is not loaded, so nothing runs."""
    text = host.read(VOLUMES)
    return None if text is None else volumes_in(text)


def volumes_in(text: str) -> dict[str, Running]:
    """What /proc/net/iet/volume says."""
    found: dict[str, Running] = {}
    luns: dict[int, Volume] = {}
    for line in lines_of(text):
        target, volume = TARGET.fullmatch(line), VOLUME.fullmatch(line)
        if target:
            luns = {}
            found[target[2].lower()] = Running(target[2], int(target[1]), luns)
        elif volume:
            size = int(volume[4]) * int(volume[5]) if volume[4] else None
            luns[int(volume[1])] = Volume(volume[6] or "", volume[2], volume[3], size)
    return found


@dataclass(frozen=True, order=True)
class Connection:
    """A connection of a session, which IET knows by numbers."""

    session: Session
    sid: str
    cid: str


def look_sessions(host: Host) -> tuple[Session, ...]:
    """Who is logged in to which target, from which address."""
    return tuple(sorted({one.session for one in look_connections(host)}))


def look_connections(host: Host) -> list[Connection]:
    """All connections; a session without one is there too, with an empty number of its connection."""
    return connections_in(host.read(SESSIONS) or "")


def connections_in(text: str) -> list[Connection]:
    """What /proc/net/iet/session says."""
    name = sid = initiator = ""
    found: list[Connection] = []
    for line in lines_of(text):
        target, session, connection = (one.fullmatch(line) for one in (TARGET, SESSION, CONNECTION))
        if target:
            name = target[2].lower()
        elif session:
            sid, initiator = session[1], session[2]
            found.append(Connection(Session(name, initiator), sid, ""))
        elif connection:
            if found and not found[-1].cid:
                found.pop()
            address = connection[2].strip("[]")
            found.append(Connection(Session(name, initiator, address), sid, connection[1]))
    return found


def look_keys(host: Host, tid: int, keys: Iterable[str]) -> dict[str, str]:
    """These keys of a target, as ietadm prints them."""
    wanted = set(keys)
    if not wanted:
        return {}
    out = host.run("ietadm", "--op", "show", f"--tid={tid}").out
    out += host.run("ietadm", "--op", "show", f"--tid={tid}", "--sid=0").out
    said = dict(line.split("=", 1) for line in lines_of(out) if "=" in line)
    return {key: value for key, value in said.items() if key in wanted}


def look_accounts(host: Host, tid: int) -> frozenset[Account]:
    """The accounts of a target. ietadm prints a secret when it is asked for its user."""
    listed = host.run("ietadm", "--op", "show", f"--tid={tid}", "--user").out
    found = []
    for words in (line.split(" ", 1) for line in lines_of(listed) if " " in line):
        key, user = words[0], words[1]
        shown = host.run("ietadm", "--op", "show", f"--tid={tid}", "--user", f"--params={key}={user}").out
        secret = shown.rstrip("\n")[len(f"{key} {user} ") :]
        found.append(Account(key, user, Secret(secret)))
    return frozenset(found)
