# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: who is logged in where, which disks that brings, and what a logout would take away.

Read from sysfs (kernel drivers/scsi/scsi_transport_iscsi.c), never from the tables that iscsiadm prints for people.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Sequence

from .._block.holders import Holders, User, look_holders
from .._block.sysfs import BLOCK
from .._host import Host, Late, Problem
from .._step import Step
from .conf.settings import number as as_number
from .iface.bound import nic_of
from .login_refusal import why_refused
from .record import Record, RecordId, RemoveRecord, look_records, portal_of

SESSIONS = "/sys/class/iscsi_session"
CONNECTIONS = "/sys/class/iscsi_connection"
LOGGED_IN = "LOGGED_IN"
LONGEST_LOGIN = 180  # seconds
AT_ONCE = 64  # a login that hangs costs nothing but its place
# What iscsiadm says of each login that failed (usr/session_mgmt.c, log_login_msg).
FAILED = re.compile(
    r"Could not login to \[iface: (\S+), target: (\S+), portal: ([^,\s]+),(\d+)\]\.\s+"
    r"(?:iscsiadm: )?initiator reported error \((\d+) "
)
TAKING_OVER = 60  # seconds that iscsid may need for the sessions that it finds at its start
LOGOUT = 60  # seconds; a session whose target is gone can hang in its recovery

# The exit codes of iscsiadm (include/iscsi_err.h) and what to do about them.
SUCCESS, SESSION_EXISTS, NO_SESSION, NO_OBJECTS, BUSY, RESTORING = 0, 15, 2, 21, 28, 32
REFUSED = (5, 8, 11, 19, 24)  # what a target that refuses, or does not know itself by that name, ends in
GOING = (9, 22)  # nothing in sysfs any more, no such session id
LATE = "Login response timeout"  # usr/login.c; the exit code is that of a login that was refused
REASONS = {
    4: "the portal cannot be reached, or its name does not resolve",
    5: "the target refused the login",
    8: "the portal did not answer in time",
    11: "the portal did not answer in time",
    12: "the kernel has no such transport. Load its module (iscsi_tcp for tcp)",
    13: "iscsid refuses this user. Run as root",
    18: "iscsid does not answer. Look at 'systemctl status iscsid'",
    19: "the target refuses this initiator. Is the target there, is the name in "
    "/etc/iscsi/initiatorname.iscsi in its igroup (ACL), and is the portal group tag right?",
    20: "iscsid is not running. Start iscsid.socket or iscsid.service; if they are masked, unmask them first",
    24: "the target rejects the CHAP user or secret of the record, or requires CHAP and the record has none, or has no igroup "
    "(ACL) with the name in /etc/iscsi/initiatorname.iscsi",
    28: "it is in use",
    32: "iscsid has restarted and is still restoring the session, whose portal may be away. Try again later",
    33: "iscsid did not answer in time",
}


@dataclass(frozen=True)
class Session:
    """A session by its kernel number, and what it is logged in to."""

    number: int
    name: RecordId
    tpg: int
    state: str


@dataclass(frozen=True)
class Use:
    """What depends on the sessions: their disks, who uses those, and which disks of the system answer."""

    disks: dict[int, list[str]]
    holders: Holders
    running: frozenset[str]


def reason(code: int, said: str = "") -> str:
    """An exit code of iscsiadm in words."""
    if LATE in said:
        return REASONS[11]
    return REASONS.get(code, f"iscsiadm ended with exit code {code}: {' '.join(said.split())}")


def look_sessions(host: Host) -> list[Session]:
    """All sessions, also those that no record knows (discoveryd, firmware)."""
    found = []
    for entry in host.list(SESSIONS):
        number = entry[len("session") :]
        target, iface, tpg, state = (
            attribute(host, f"{SESSIONS}/{entry}/{name}")
            for name in ("targetname", "ifacename", "tpgt", "state")
        )
        where = f"{CONNECTIONS}/connection{number}:0"
        portal, port = (attribute(host, f"{where}/persistent_{name}") for name in ("address", "port"))
        if target and portal:
            name = RecordId.of(target, portal_of(portal, port or "3260"), iface or "default")
            found.append(Session(int(number), name, int(tpg or -1), state))
    return found


def attribute(host: Host, path: str) -> str:
    """An attribute in sysfs; a session may end while it is read."""
    try:
        text = (host.read(path) or "").strip()
    except Problem:
        return ""
    return "" if text in ("(null)", "<NULL>") else text


def disks_of(host: Host, number: int) -> list[tuple[str, str]]:
    """The LUNs of a session: host:channel:target:lun and the kernel's name of the disk ('' when it is no disk)."""
    found = []
    device = f"{SESSIONS}/session{number}/device"
    for target in host.list(device):
        for lun in host.list(f"{device}/{target}") if target.startswith("target") else []:
            if lun.count(":") == 3 and lun[0].isdigit():
                found.append((lun, "".join(host.list(f"{device}/{target}/{lun}/block")[:1])))
    return sorted(found, key=lambda pair: [int(part) for part in pair[0].split(":")])


def look_use(host: Host, sessions: list[Session]) -> Use:
    """What the disks of these sessions carry."""
    holders = look_holders(host, opened=True)
    return Use(
        disks={one.number: [disk for _lun, disk in disks_of(host, one.number) if disk] for one in sessions},
        holders=holders,
        running=frozenset(
            name for name in holders.above if attribute(host, f"{BLOCK}/{name}/device/state") == "running"
        ),
    )


@dataclass(frozen=True)
class LogIn(Step):
    """Log in through one record; other portals of the target are left alone."""

    name: RecordId
    record: Record
    fresh: bool  # this run made the record
    limit: float
    side_by_side = AT_ONCE

    def __str__(self) -> str:
        return f"Log in to {self.name}"

    def take(self, host: Host) -> None:
        for problem in LogIn.at_one_portal([self], host):
            if problem:
                raise problem

    @classmethod
    def together(cls, steps: Sequence[Step], host: Host) -> list[Exception | None]:
        """One iscsiadm for all logins at a portal, where exactly these are recorded: each reads every record again."""
        logins = [step for step in steps if isinstance(step, LogIn)]
        recorded = [(name.portal, name.iface) for name, _record in look_records(host)]
        batches = []
        for way in dict.fromkeys((step.name.portal, step.name.iface) for step in logins):
            group = [step for step in logins if (step.name.portal, step.name.iface) == way]
            exact = recorded.count(way) == len(group) and not any(step.several for step in group)
            batches += [group] if exact else [[step] for step in group]
        with ThreadPoolExecutor(min(AT_ONCE, len(batches))) as pool:
            ended = list(pool.map(lambda batch: cls.at_one_portal(batch, host), batches))
        problems = {
            step.name: problem for batch, said in zip(batches, ended) for step, problem in zip(batch, said)
        }
        return [problems[step.name] for step in logins]

    @classmethod
    def at_one_portal(cls, group: Sequence[LogIn], host: Host) -> list[Exception | None]:
        """One iscsiadm for these; it waits for all of them, and those that succeed stand meanwhile."""
        options, limit = group[0].record.options(), max(step.limit for step in group)
        if len(group) > 1:
            options = options[2:]  # whatever the target
        try:
            ran = host.run("iscsiadm", "-m", "node", *options, "-l", ok=None, timeout=limit)
        except Late:
            slow = (
                f"the portal answers, but {limit:g} seconds were not enough to log in; iscsid keeps trying."
            )
            return [None if len(group) > 1 and step._stands(host) else Problem(slow) for step in group]
        except Problem as problem:
            return [problem for _step in group]
        if ran.rc == SUCCESS:
            return [None for _step in group]
        codes = {
            RecordId.of(target, portal_of(where, port), iface): int(code)
            for iface, target, where, port, code in FAILED.findall(ran.err)
        }
        many = len(group) > 1
        return [
            step._ended(codes.get(step.name, ran.rc) if many else ran.rc, ran.err, many, host)
            for step in group
        ]

    def _ended(self, code: int, said: str, many: bool, host: Host) -> Exception | None:
        if many and self._stands(host):
            return None
        if code == SESSION_EXISTS:  # or somebody else's login has just begun
            host.until(lambda: self._stands(host), self.limit, 0.5)
            return None
        why = (
            why_refused(host, self.record.settings, self.name)
            if code in REFUSED and not self._away(host)
            else ""
        )
        return Problem(f"{why or reason(code, said) + '.'}{self._undone(host) if self.fresh else ''}")

    def _away(self, host: Host) -> bool:
        portal, nic = self.name.portal, nic_of(host, self.record.settings)
        return bool(host.unreachable(portal.address, portal.port, nic))

    @property
    def several(self) -> bool:
        """Whether more than one session is to be made of the record."""
        return as_number(self.record.settings.get("node.session.nr_sessions"), 1) != 1

    def _stands(self, host: Host) -> bool:
        return any(one.name == self.name and one.state == LOGGED_IN for one in look_sessions(host))

    def _undone(self, host: Host) -> str:
        try:
            RemoveRecord(self.name, self.record).take(host)
        except Problem as problem:
            return f" The new record is still there: {problem}"
        return " The new record was deleted again."


@dataclass(frozen=True)
class LogOut(Step):
    """End these sessions, each by its own number."""

    name: RecordId
    numbers: tuple[int, ...]
    side_by_side = 16

    def __str__(self) -> str:
        return f"Log out of {self.name}"

    def take(self, host: Host) -> None:
        for number in self.numbers:
            if not host.until(partial(self._ended, host, number), TAKING_OVER, 1):
                raise Problem(f"{REASONS[RESTORING]}.")

    def _ended(self, host: Host, number: int) -> bool:
        """Whether it is over. An iscsid that has just started does not know every session yet, or is restoring it; one that
        gives up a login just takes its session away.
        """
        ran = host.run("iscsiadm", "-m", "session", "-r", str(number), "-u", ok=None, timeout=LOGOUT)
        if ran.rc not in (SUCCESS, NO_SESSION, NO_OBJECTS, RESTORING, *GOING):
            raise Problem(f"{reason(ran.rc, ran.err)}.")
        return ran.rc == SUCCESS or host.stat(f"{SESSIONS}/session{number}") is None


def refuse_logouts(steps: list[Step], use: Use) -> None:
    """A disk that is used keeps its session, unless every map that it is a path of has another path that answers."""
    logouts = [step for step in steps if isinstance(step, LogOut)]
    leaving = {disk for step in logouts for number in step.numbers for disk in use.disks.get(number, [])}
    for step in logouts:
        for number in step.numbers:
            for disk in use.disks.get(number, []):
                users = pinned(disk, use.holders, use.running - leaving)
                if users:
                    raise Problem(
                        f"Cannot log out of {step.name}: {users[0]}. Stop using it first, or keep another path."
                    )


def pinned(disk: str, holders: Holders, staying: frozenset[str]) -> list[User]:
    """Who would lose its disk; a map that keeps a path that answers loses nothing."""
    found = [user for user in holders.direct.get(disk, []) if user.kind != "map"]
    for upper in holders.above.get(disk, []):
        if upper not in holders.maps or not staying & set(holders.below[upper]):
            found += pinned(upper, holders, staying)
    return found
