# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step on the CHAP accounts of discovery, which are bound to no target."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Iterator

from ..._chap import NO_CHAP, Chap
from ..._host import Host, Late, Problem
from ..._step import Partly, Secret, Step
from ..discovery import KEPT
from ..ipc import make_account, prove
from ..tgtadm import TGTADM, look_system, look_targets, look_users


@dataclass(frozen=True)
class Announce(Step):
    """Write down which accounts will be ours, before there are any: a run that is killed leaves them, and the next one must tell
    them from those of others."""

    text: str = field(repr=False)  # it has secrets
    new: tuple[str, ...]  # the users of those

    def __str__(self) -> str:
        return f"Note the new CHAP users of discovery in '{KEPT}'"

    def take(self, host: Host) -> None:
        if set(self.new) & look_users(host) - {*look_system(host)[0]}:
            raise _somebody()
        host.write(KEPT, self.text, 0o600)


@dataclass(frozen=True)
class SetDiscovery(Step):
    """Ask for other credentials at discovery, or for none.

    The old ones go first, the last one first: tgtd dies when it shows a gap before an account (tgt, usr/target.c, system_show).
    In between, for some tenths of a second, nobody is asked; a target is then shown to whom it lets in.
    """

    chap: Chap | None
    ours: tuple[str, ...]  # the users of accounts that were there or are kept, and may go

    def __str__(self) -> str:
        if self.chap is None:
            return "Ask for no CHAP at discovery any more"
        mutual = ", both ways" if self.chap.mutual_user else ""
        # Not the user: it may be the secret, where the two were taken for each other.
        return f"Ask every initiator that asks for targets for CHAP at discovery{mutual}"

    def take(self, host: Host) -> None:
        bound, there, new = look_system(host)[0], look_users(host), self._new()
        held = {user for one in look_targets(host) or () for user in (*one.incoming, one.outgoing)}
        ours, names = {*self.ours, *bound} - {""}, {user for user, _secret, _way in new}
        if ours - {*self.ours, *names} or (names & there) - ours or names & held:
            raise _somebody()
        if new:
            prove(host)  # while the old ones still ask
        done = 0
        try:
            for change in self._renew(host, bound, sorted((ours - held) & there), new):
                change()
                done += 1
        except Problem as problem:
            until = " Until this is repaired discovery may ask nobody for CHAP, or not prove the target: run this again."
            kind = Partly if done else type(problem)
            raise kind(f"{problem}{until if new else ''}") from problem

    def _new(self) -> list[tuple[str, Secret, tuple[str, ...]]]:
        one = self.chap or NO_CHAP
        both = [(one.user, one.secret, ()), (one.mutual_user, one.mutual_secret, ("--outgoing",))]
        return [each for each in both if each[0]]

    @staticmethod
    def _renew(
        host: Host, bound: tuple[str, ...], gone: list[str], new: list[tuple[str, Secret, tuple[str, ...]]]
    ) -> Iterator[Callable[[], None]]:
        """One change after the other."""
        if bound[-1]:  # first of all: without another account it is not shown
            yield partial(_account, host, "unbind", bound[-1], "--outgoing")
        for user in reversed(bound[:-1]):
            yield partial(_account, host, "unbind", user)
        for user in gone:
            yield partial(_account, host, "delete", user)
        for user, secret, way in new:
            yield partial(make_account, host, user, secret)
            yield partial(_account, host, "bind", user, *way)


def _somebody() -> Problem:
    return Problem(
        "Somebody has made other accounts for discovery, or accounts with its users, meanwhile: nothing was changed there. Run "
        "this again to see what is in the way."
    )


def _account(host: Host, operation: str, user: str, *more: str) -> None:
    """The user is not shown: it may be the secret, where the two were taken for each other."""
    argv = (*TGTADM, "--op", operation, "--mode", "account", "--user", user, *more)
    try:
        code = host.run(*argv, ok=None).rc
    except Late:
        raise Partly(  # maybe
            f"tgtadm did not end in time when it had to {operation} an account of discovery."
        ) from None
    if code:
        raise Problem(f"tgtadm could not {operation} an account of discovery (exit code {code}).")
