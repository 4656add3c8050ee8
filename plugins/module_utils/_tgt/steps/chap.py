# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on CHAP accounts, which tgtd has once for all its targets."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._host import Host, Problem
from ..._step import Partly, Secret, Step
from ..ipc import make_account
from ..tgtadm import TGTADM, RawTarget, find_target, look_targets, look_users
from .target import change


@dataclass(frozen=True)
class Accounts:
    """The CHAP users of one target: those who may prove themselves, and the one that proves the target, or ''."""

    target: str
    incoming: tuple[str, ...] = ()
    outgoing: str = ""

    def __str__(self) -> str:
        users = ", ".join(f"'{user}'" for user in self.incoming)
        both = ", both ways" if self.outgoing else ""
        return f"'{self.target}' (user {users}{both})" if users else f"'{self.target}' (none)"


@dataclass(frozen=True)
class SetAccounts(Step):
    """Give targets the accounts that they shall have.

    While an account is changed a target has none and would ask nobody, so nobody is let in meanwhile; sessions go on. The
    last account of a target is taken out first: tgtd dies when it shows a target with a gap before an account (tgt,
    usr/target.c, account_ctl and tgt_target_show_all).
    """

    accounts: tuple[Accounts, ...]
    renewed: tuple[tuple[str, Secret], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"Set the CHAP credentials of {' and '.join(map(str, self.accounts))}"

    def take(self, host: Host) -> None:
        targets = [(find_target(host, one.target), one) for one in self.accounts]
        for target, _one in targets:
            _rules(host, "unbind", target)
        try:
            for target, _one in targets:
                for user in reversed(target.incoming):
                    change(host, "account", "unbind", target, "--user", user)
                if target.outgoing:
                    change(host, "account", "unbind", target, "--user", target.outgoing, "--outgoing")
            self._renew(host)
            for target, one in targets:
                for user in one.incoming:
                    change(host, "account", "bind", target, "--user", user)
                if one.outgoing:
                    change(host, "account", "bind", target, "--user", one.outgoing, "--outgoing")
            for target, _one in targets:
                _rules(host, "bind", target)
        except Problem as problem:
            closed = ", ".join(f"'{one.target}'" for one in self.accounts)
            raise Partly(
                f"{problem} Until this is repaired nobody can log in to {closed}; sessions go on."
            ) from problem

    def _renew(self, host: Host) -> None:
        there = look_users(host)
        for user, secret in self.renewed:
            if user in there:
                host.run(*TGTADM, "--op", "delete", "--mode", "account", "--user", user)
            make_account(host, user, secret)


def _rules(host: Host, operation: str, target: RawTarget) -> None:
    """Let nobody in, or again those whom the target did."""
    for rule in target.names:
        change(host, "target", operation, target, "--initiator-name", rule)
    for rule in target.addresses:
        change(host, "target", operation, target, "--initiator-address", rule)


@dataclass(frozen=True)
class ForgetAccount(Step):
    """Remove an account of ours that no target has any more."""

    user: str

    def __str__(self) -> str:
        return f"Remove the CHAP account '{self.user}', which no target has any more"

    def take(self, host: Host) -> None:
        targets = look_targets(host) or ()
        used = any(self.user in (*one.incoming, one.outgoing) for one in targets)
        if self.user in look_users(host) and not used:
            host.run(*TGTADM, "--op", "delete", "--mode", "account", "--user", self.user)
