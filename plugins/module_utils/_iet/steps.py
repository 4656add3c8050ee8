# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on IET: files, and ietadm. No secret is among the arguments of ietadm: all users of a host can read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._host import Host, Problem
from .._step import Step
from .running import Running, Volume, look_connections, look_running, look_sessions
from .state import Text


@dataclass(frozen=True)
class WriteFile(Step):
    """Write a file of IET whole; what somebody changed in it meanwhile is not overwritten."""

    what: str
    seen: Text
    want: Text
    mode: int | None = None

    def __str__(self) -> str:
        return f"Write {self.what} to '{self.want.path}'"

    def take(self, host: Host) -> None:
        if host.read(self.seen.path) != self.seen.text:
            raise Problem(f"'{self.seen.path}' was changed by somebody else meanwhile. Run again.")
        host.write(host.real(self.want.path), self.want.text or "", self.mode)


@dataclass(frozen=True)
class Live(Step):
    """A step on a target that runs, which is looked up again by its name."""

    target: str

    def running(self, host: Host) -> Running:
        """The target as it runs when the step is taken."""
        found = (look_running(host) or {}).get(self.target.lower())
        if found is None:
            raise Problem(f"The target '{self.target}' does not run any more. Run again.")
        return found


def check_idle(host: Host, target: str = "") -> None:
    """Raise where somebody has logged in to the target, or to any, since nobody was."""
    found = sorted({str(one) for one in look_sessions(host) if target.lower() in ("", one.target)})
    if found:
        raise Problem(f"Meanwhile {', '.join(found)} has logged in. Log out there, and run again.")


@dataclass(frozen=True)
class AddTarget(Live):
    """Make a target; nobody gets in who is not in initiators.allow, which was written before."""

    def __str__(self) -> str:
        return f"Create the target '{self.target}'"

    def take(self, host: Host) -> None:
        tids = [one.tid for one in (look_running(host) or {}).values()]
        host.run("ietadm", "--op", "new", f"--tid={max(tids, default=0) + 1}", f"--params=Name={self.target}")


@dataclass(frozen=True)
class RemoveTarget(Live):
    """Remove a target; IET refuses that while somebody is logged in (kernel/target.c, EBUSY)."""

    def __str__(self) -> str:
        return f"Remove the target '{self.target}'"

    def take(self, host: Host) -> None:
        host.run("ietadm", "--op", "delete", f"--tid={self.running(host).tid}")


@dataclass(frozen=True)
class CutSessions(Live):
    """End the sessions of a target that must go, which the call allowed."""

    def __str__(self) -> str:
        return f"End the sessions of '{self.target}'"

    def take(self, host: Host) -> None:
        tid = self.running(host).tid
        name = self.target.lower()
        for one in look_connections(host):
            if one.session.target == name and one.cid:
                host.run("ietadm", "--op", "delete", f"--tid={tid}", f"--sid={one.sid}", f"--cid={one.cid}")
        if not host.until(lambda: not any(one.target == name for one in look_sessions(host)), 10):
            raise Problem(f"There are still sessions of '{self.target}'. Log out there, and run again.")


@dataclass(frozen=True)
class SetKey(Live):
    """Set a key; it counts for logins from now on."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"Set {self.key} of '{self.target}' to {self.value}"

    def take(self, host: Host) -> None:
        tid = self.running(host).tid
        host.run("ietadm", "--op", "update", f"--tid={tid}", f"--params={self.key}={self.value}")


@dataclass(frozen=True)
class AddLun(Live):
    """Serve a LUN; its options as they stand in the file."""

    number: int
    name: str
    options: tuple[tuple[str, str], ...] = field(default=())

    def __str__(self) -> str:
        return f"Serve the LUN '{self.name}' as number {self.number} of '{self.target}'"

    def take(self, host: Host) -> None:
        tid = self.running(host).tid
        params = ",".join(f"{key}={value}" for key, value in self.options)
        host.run("ietadm", "--op", "new", f"--tid={tid}", f"--lun={self.number}", f"--params={params}")


@dataclass(frozen=True)
class RemoveLun(Live):
    """Stop serving a LUN; it must still be what was looked at, and nobody may have come where nobody was."""

    number: int
    volume: Volume
    idle: bool = True

    def __str__(self) -> str:
        return f"Stop serving the LUN number {self.number} of '{self.target}' ('{self.volume.path}')"

    def take(self, host: Host) -> None:
        now = self.running(host)
        found = now.luns.get(self.number)
        if found is None or found.path != self.volume.path:
            raise Problem(
                f"The LUN number {self.number} of '{self.target}' is another one by now. Run again."
            )
        if self.idle:
            check_idle(host, self.target)
        host.run("ietadm", "--op", "delete", f"--tid={now.tid}", f"--lun={self.number}")


@dataclass(frozen=True)
class Restart(Step):
    """Start IET again: it reads accounts only then."""

    command: tuple[str, ...]
    path: str
    idle: bool = True

    def __str__(self) -> str:
        return f"Restart IET ('{' '.join(self.command)}'), which reads the CHAP accounts in '{self.path}' only when it starts"

    def take(self, host: Host) -> None:
        if self.idle:
            check_idle(host)
        host.run(*self.command, timeout=120)
        if not host.until(lambda: look_running(host) is not None, 30):
            raise Problem(f"IET does not run after '{' '.join(self.command)}'. See the log of this host.")
