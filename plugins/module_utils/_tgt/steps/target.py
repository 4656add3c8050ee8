# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on tgt's targets: what they are, and whom they let in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._host import Host, Problem
from ..._san.target import Session
from ..._step import Step
from ..tgtadm import TGTADM, RawTarget, find_target, look_targets

CLOSING = 20  # seconds in which a session ends that was told to


def change(host: Host, mode: str, operation: str, target: RawTarget, *more: str) -> None:
    """One change of a target by tgtadm."""
    host.run(*TGTADM, "--op", operation, "--mode", mode, "--tid", str(target.number), *more)


@dataclass(frozen=True)
class OnTarget(Step):
    """A step on one target; its number is asked for when the step is taken."""

    target: str


@dataclass(frozen=True)
class Guarded(OnTarget):
    """A step that those who are logged in must not meet, unless it was forced."""

    force: bool

    def guard(self, target: RawTarget, initiator: str = "") -> list[Session]:
        """Those who are logged in now; whoever came since the plan was made stops the step."""
        here = [one for one in target.sessions if initiator in ("", one.initiator)]
        if here and not self.force:
            names = ", ".join(sorted({str(one) for one in here}))
            raise Problem(f"{names} has logged in to '{self.target}' meanwhile: nothing was changed there.")
        return here


@dataclass(frozen=True)
class MakeTarget(OnTarget):
    """A new target, which lets nobody in."""

    def __str__(self) -> str:
        return f"Make the target '{self.target}'"

    def take(self, host: Host) -> None:
        used = {one.number for one in look_targets(host) or ()}
        number = next(one for one in range(1, len(used) + 2) if one not in used)
        host.run(
            *TGTADM, "--op", "new", "--mode", "target", "--tid", str(number), "--targetname", self.target
        )


@dataclass(frozen=True)
class RemoveTarget(Guarded):
    """Take a whole target away. tgtd itself refuses while somebody is logged in."""

    def __str__(self) -> str:
        return f"Remove the target '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        self.guard(target)
        for rule in target.names:
            change(host, "target", "unbind", target, "--initiator-name", rule)
        for rule in target.addresses:
            change(host, "target", "unbind", target, "--initiator-address", rule)
        if self.force:
            close(host, self.target)
        change(host, "target", "delete", target)


@dataclass(frozen=True)
class SetParameter(OnTarget):
    """Change a negotiated parameter."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"Set the parameter {self.key} of '{self.target}' to '{self.value}'"

    def take(self, host: Host) -> None:
        change(
            host,
            "target",
            "update",
            find_target(host, self.target),
            "--name",
            self.key,
            "--value",
            self.value,
        )


@dataclass(frozen=True)
class Enable(OnTarget):
    """Open the target for logins."""

    def __str__(self) -> str:
        return f"Enable the target '{self.target}'"

    def take(self, host: Host) -> None:
        change(
            host, "target", "update", find_target(host, self.target), "--name", "state", "--value", "ready"
        )


@dataclass(frozen=True)
class Disable(Guarded):
    """Close the target; commands of sessions fail from then on."""

    def __str__(self) -> str:
        return f"Disable the target '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        self.guard(target)
        change(host, "target", "update", target, "--name", "state", "--value", "offline")


@dataclass(frozen=True)
class AllowInitiator(OnTarget):
    """Let an initiator log in, and see all LUNs."""

    initiator: str

    def __str__(self) -> str:
        return f"Allow the initiator '{self.initiator}' to log in to '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        if self.initiator not in target.names:
            change(host, "target", "bind", target, "--initiator-name", self.initiator)


@dataclass(frozen=True)
class ForbidInitiator(Guarded):
    """No longer let an initiator log in. tgtd lets its sessions go on, so they are ended."""

    initiator: str

    def __str__(self) -> str:
        return f"No longer allow the initiator '{self.initiator}' to log in to '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        self.guard(target, self.initiator)
        change(host, "target", "unbind", target, "--initiator-name", self.initiator)
        if self.force:
            close(host, self.target, self.initiator)


@dataclass(frozen=True)
class EndSessions(Guarded):
    """Of an initiator that is no longer let in, but still logged in: a run that shut it out was killed."""

    initiator: str

    def __str__(self) -> str:
        return f"End the sessions of '{self.initiator}', which '{self.target}' no longer lets in"

    def take(self, host: Host) -> None:
        self.guard(find_target(host, self.target), self.initiator)
        close(host, self.target, self.initiator)


@dataclass(frozen=True)
class ForbidAddress(OnTarget):
    """Remove a rule that lets addresses in, whatever the initiator is called."""

    address: str

    def __str__(self) -> str:
        return f"No longer allow every initiator from '{self.address}' to log in to '{self.target}'"

    def take(self, host: Host) -> None:
        change(host, "target", "unbind", find_target(host, self.target), "--initiator-address", self.address)


def close(host: Host, name: str, initiator: str = "") -> None:
    """End the sessions of a target, or of them those of one initiator, until there are none: one may have begun to log in
    before it was shut out. tgtd shows a session until the last command that was begun has ended (usr/iscsi/conn.c,
    conn_close)."""

    def ended() -> bool:
        return not _told_to_end(host, find_target(host, name), initiator)

    if not ended() and not host.until(ended, CLOSING):
        raise Problem(
            f"Sessions of '{name}' did not end within {CLOSING} seconds; nobody can log in to it now."
        )


def _told_to_end(host: Host, target: RawTarget, initiator: str) -> bool:
    """Whether there were sessions; all their connections are told to end."""
    ours = {one.tag for one in target.sessions if initiator in ("", one.initiator)}
    show = (*TGTADM, "--op", "show", "--mode", "conn", "--tid", str(target.number))
    session = 0
    for what, number in re.findall(
        r"^ *(Session|Connection): (\d+)$", host.run(*show).out if ours else "", re.MULTILINE
    ):
        if what == "Session":
            session = int(number)
        elif session in ours:
            end = ("--op", "delete", "--mode", "conn", "--tid", str(target.number))
            # One that has ended meanwhile is not there any more.
            host.run(*TGTADM, *end, "--sid", str(session), "--cid", number, ok=range(256))
    return bool(ours)
