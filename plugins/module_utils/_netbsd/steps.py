# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on NetBSD's target: it reads its files when it starts, and SIGHUP ends it.

Between stop and start a note says that it ran: a run that is killed there would leave it down, and the next one could not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .._host import Host, Problem
from .._step import Step
from .state import NOTE, RC, is_running


@dataclass(frozen=True)
class WriteFile(Step):
    """Write a file whole; what somebody changed in it meanwhile is not overwritten."""

    path: str
    seen: str | None = field(repr=False)
    want: str = field(repr=False)
    mode: int | None = None

    def __str__(self) -> str:
        return f"Write '{self.path}'"

    def take(self, host: Host) -> None:
        if (host.read(self.path) or "") != (self.seen or ""):
            raise Problem(f"'{self.path}' was changed by somebody else meanwhile. Run again.")
        host.write(host.real(self.path), self.want, self.mode)


@dataclass(frozen=True)
class Stop(Step):
    """End the daemon and all sessions with it; before that it is noted that it ran."""

    def __str__(self) -> str:
        return "Stop the iSCSI target, which ends all sessions"

    def take(self, host: Host) -> None:
        host.write(NOTE, "The iSCSI target was stopped by lunworks.iscsi, and must run again.\n")
        host.run(RC, "onestop")
        if not host.until(lambda: not is_running(host), 30):
            raise Problem(f"The iSCSI target still runs after '{RC} onestop'.")


@dataclass(frozen=True)
class Start(Step):
    """Start the daemon; it ends by itself when it cannot open what is behind a target."""

    def __str__(self) -> str:
        return "Start the iSCSI target"

    def take(self, host: Host) -> None:
        host.run(RC, "onestart")
        if not host.until(lambda: is_running(host), 30):
            raise Problem(f"The iSCSI target does not run after '{RC} onestart'. See the log of this host.")
        if host.stat(NOTE):
            host.remove(NOTE)
