# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what tgtd serves to what it shall serve: first what has to go, then what comes, at last our files."""

from __future__ import annotations

import os
from typing import Collection, Iterator

from .._san.backing_file import files
from .._san.target import Target
from .._san.way_back import WithWayBack
from .._step import Secret, Step
from .before_start import before_start, same_disk
from .discovery import KEPT, kept_users, parse_discovery, render_discovery, users_of
from .kept import RULES, is_ours
from .state import Serving
from .steps.boot import Drop, Keep, Prepare, StartDaemon
from .steps.chap import Accounts, ForgetAccount, SetAccounts
from .steps.discovery import Announce, SetDiscovery
from .steps.lun import AddLun, ProtectLun, RemoveHalf, RemoveLun, set_cache, unprotect
from .steps.target import (
    AllowInitiator,
    Disable,
    Enable,
    EndSessions,
    ForbidAddress,
    ForbidInitiator,
    MakeTarget,
    RemoveTarget,
    SetParameter,
)


def plan_serving(
    seen: Serving,
    want: Serving,
    full: Collection[str] = (),
    force: bool = False,
    told_who: Collection[str] = (),
) -> list[Step]:
    """The steps; 'full' names the files that get all their blocks, 'told_who' the targets of which igroups were asked for."""
    seen, settled = before_start(seen, want)
    cuts: list[Step] = [
        RemoveHalf(seen.running.targets[name].name, number)
        for name, number in seen.running.halves
        if (name, number) not in want.running.halves and name in want.running.targets
    ]
    builds: list[Step] = []
    opens: list[Step] = []
    names = sorted({*seen.running.targets, *want.running.targets})
    for name in names:
        now, then = seen.running.targets.get(name), want.running.targets.get(name)
        if now and not then:  # those of others' files are never to go: a start has brought them
            cuts += [RemoveTarget(now.name, force)] if name not in seen.others else []
        elif now and then:
            cuts += _cut(now, then, force)
            left = set(seen.running.shut_out(name, then)) - set(now.initiators)
            cuts += [EndSessions(now.name, force, who) for who in sorted(left) if force and name in told_who]
        if then:
            builds += _build(now, then)
            opens += _open(now, then)
    luns = [lun for target in want.running.targets.values() for lun in target.luns.values()]
    grown = files(luns, seen.backing, want.backing, full)
    start: list[Step] = [StartDaemon(want.unit)] if want.active and not seen.active else []
    before, after = _kept(seen, want)
    return [
        *before,
        *settled,
        *start,
        *_discovery(seen, want),
        *grown,
        *cuts,
        *builds,
        *_accounts(seen, want),
        *opens,
        *_forgotten(seen, want),
        *after,
    ]


def _cut(now: Target, then: Target, force: bool) -> Iterator[Step]:
    at = now.name
    if now.enabled and not then.enabled:
        yield Disable(at, force)
    for rule in now.attributes.get(RULES, "").split():
        if rule not in then.attributes.get(RULES, "").split():
            yield ForbidAddress(at, rule)
    for name in sorted(set(now.initiators) - set(then.initiators)):
        yield ForbidInitiator(at, force, name)
    for number, lun in now.luns.items():
        new = then.luns.get(number)
        if new is None or not same_disk(lun, new):
            yield RemoveLun(at, force, lun.name, number)
        elif new.read_only and not lun.read_only:
            yield ProtectLun(at, force, lun.name, number)


def _build(now: Target | None, then: Target) -> Iterator[Step]:
    at = then.name
    if now is None:
        yield MakeTarget(at)
        if not then.enabled:
            yield Disable(at, False)
    for key, value in sorted(then.parameters.items()):
        if now is None or now.parameters.get(key) != value:
            yield SetParameter(at, key, value)
    yield from _add_luns(now, then)
    for number, lun in sorted(then.luns.items()):
        old = now.luns.get(number) if now else None
        if old and same_disk(old, lun) and old.write_back != lun.write_back:
            yield set_cache(at, lun)


def _add_luns(now: Target | None, then: Target) -> Iterator[Step]:
    """The LUNs that come. Where some of them were served before, and one fails, all that came go again, and these come back:
    two may have changed their numbers."""
    at, before = then.name, now.luns if now else {}
    paths = {lun.path for lun in then.luns.values()}
    gone = [
        old
        for number, old in sorted(before.items())
        if (number in then.luns or old.path in paths)
        and not (number in then.luns and same_disk(old, then.luns[number]))
    ]
    came: list[Step] = []
    for number, lun in sorted(then.luns.items()):
        if number not in before or not same_disk(before[number], lun):
            step = AddLun(at, lun)
            yield WithWayBack(step, (*came, *(AddLun(at, old) for old in gone))) if gone else step
            came.append(RemoveLun(at, True, lun.name, number))


def _open(now: Target | None, then: Target) -> Iterator[Step]:
    for number, lun in sorted(then.luns.items()):
        old = now.luns.get(number) if now else None
        if old and same_disk(old, lun) and old.read_only and not lun.read_only:
            yield unprotect(then.name, lun)
    for name in sorted(set(then.initiators) - set(now.initiators if now else ())):
        yield AllowInitiator(then.name, name)
    if now and then.enabled and not now.enabled:
        yield Enable(then.name)


def secrets_of(serving: Serving) -> dict[str, Secret]:
    """The secrets that are kept, by user; those of a wanted state are those that shall be."""
    found = {}
    for target in serving.kept.values():
        for one in target.initiators.values():
            if one.chap:
                found.update({one.chap.user: one.chap.secret, one.chap.mutual_user: one.chap.mutual_secret})
    found.pop("", None)
    return found


def _accounts(seen: Serving, want: Serving) -> list[Step]:
    """One step for all targets: an account may be in several."""
    known, wanted = secrets_of(seen), secrets_of(want)
    used = {user for users in want.running.accounts.values() for user in users}
    renewed = sorted(
        user
        for user, secret in wanted.items()
        if user in used and (user not in seen.running.users or known.get(user) != secret)
    )
    changed = []
    for name, users in sorted(want.running.accounts.items()):
        if users != seen.running.accounts.get(name, ("",)) or set(users) & set(renewed):
            changed.append(Accounts(want.running.targets[name].name, users[:-1], users[-1]))
    return [SetAccounts(tuple(changed), tuple((user, wanted[user]) for user in renewed))] if changed else []


def _discovery(seen: Serving, want: Serving) -> list[Step]:
    """Who is asked at discovery; where only the secret is another one, the file says so."""
    now, then = seen.running.discovery, want.running.discovery
    if not want.active or seen.discovery_theirs:  # a start brings those of others, which stay
        return []
    if now == then and seen.at_discovery == want.at_discovery:
        return []
    chap, known = parse_discovery(want.at_discovery), kept_users(seen.at_discovery)
    ours = tuple(sorted({*now, *known} - {""}))
    new = set(users_of(chap)) - {"", *known}
    announced = [Announce(render_discovery(chap, ours), tuple(sorted(new)))] if new else []
    return [*announced, SetDiscovery(chap, ours)]


def _forgotten(seen: Serving, want: Serving) -> list[Step]:
    """The accounts of ours that nothing uses any more."""
    used = {user for users in want.running.accounts.values() for user in users} | set(seen.running.discovery)
    gone = set(secrets_of(seen)) - set(secrets_of(want)) - used
    return [ForgetAccount(user) for user in sorted(gone & seen.running.users)]


def _kept(seen: Serving, want: Serving) -> tuple[list[Step], list[Step]]:
    """The steps on our files: what the service needs at its start comes first, the targets last."""
    before: list[Step] = []
    after: list[Step] = []
    for path, text in sorted(want.files.items()):
        same = seen.files.get(path) == text
        if is_ours(path) and (not same or path in seen.exposed - want.exposed):
            after.append(Keep(path, text, _directories(seen, want, path)))
        elif not same:
            before.append(Prepare(path, text))
    if want.at_discovery and (seen.at_discovery != want.at_discovery or KEPT in seen.exposed - want.exposed):
        after.append(Keep(KEPT, want.at_discovery))
    if seen.at_discovery and not want.at_discovery:
        after.append(Drop(KEPT))
    after += [Drop(path) for path in sorted(set(seen.files) - set(want.files))]
    return before, after


def _directories(seen: Serving, want: Serving, path: str) -> tuple[str, ...]:
    """Where files are that this target has new."""
    name = path.rpartition("/lunworks-")[2][: -len(".conf")]
    old = {lun.path for lun in seen.kept[name].luns.values()} if name in seen.kept else set()
    new = (
        {lun.path for lun in want.kept[name].luns.values() if lun.size is not None}
        if name in want.kept
        else set()
    )
    return tuple(sorted({os.path.dirname(one) or "/" for one in new - old}))
