# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be wanted of tgt, given what is there."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Iterable, Iterator, Mapping

from .._chap import Chap
from .._host import Problem
from .._san.backing import Backing
from .._san.target import Lun, Target
from .before_start import same_disk
from .boot import UNITS
from .discovery import kept_users, parse_discovery, users_of
from .identity import wwid_of
from .kept import DIRECTORY
from .others import CONFIGURATION
from .plan import secrets_of
from .state import Serving

ABSENT = Target("")
# tgt-admin gives paths to a shell, and tgtd parts its options by commas.
SERVABLE = re.compile(r"/[A-Za-z0-9/._:@+=-]+")
USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+=-]*")


def check_serving(seen: Serving, want: Serving, asked: Iterable[dict[str, Any]], force: bool) -> None:
    """Raise where what is wanted would lose something, or cannot be made."""
    asked = list(asked)
    if not seen.read_at_boot and any(one["state"] == "present" for one in asked):
        raise Problem(
            f"'{CONFIGURATION}' does not include '{DIRECTORY}/*.conf', so a target would not come back after a boot. Add the "
            f"line: include {DIRECTORY}/*.conf"
        )
    for one in asked:
        then = want.running.targets.get(one["name"])
        if then:
            before = seen.whole(one["name"]) or ABSENT
            _check_names(before, then)
            _check_chap(seen, one, then)
            for lun in then.luns.values():
                _check_lun(seen, then, before, lun, force)
    _check_secrets(seen, want)
    _check_twice(seen, want)


def _check_names(before: Target, then: Target) -> None:
    for number, lun_ in then.luns.items():
        if number not in before.luns and not SERVABLE.fullmatch(lun_.path):
            raise Problem(
                f"The LUN '{lun_.name}': tgt-admin gives '{lun_.path}' to a shell, so a path has letters, digits and "
                "/ . _ : @ + = - alone. Use another path, or a link to it."
            )
    if not before.initiators and "/" in then.name:
        raise Problem(f"The target name '{then.name}' cannot be the name of a file.")


def _check_chap(seen: Serving, asked: dict[str, Any], then: Target) -> None:
    chaps = {one.chap for one in then.initiators.values()}
    if len(chaps) > 1:
        raise Problem(
            f"The igroups of '{then.name}' would have different CHAP credentials. tgt takes each user of a target from each of "
            "its initiators: give all igroups the same, or serve them in targets of their own."
        )
    chap = next(iter(chaps), None)
    if chap is None:
        _check_strangers(seen, asked, then)
        return
    if not chap.secret.reveal() or (chap.mutual_user and not chap.mutual_secret.reveal()):
        raise Problem(
            f"The CHAP secrets of '{then.name}' are not known here, and tgtd does not tell them: give chap to its igroups, or an "
            "empty user and secret to have none."
        )
    _check_credentials(seen, f"'{then.name}'", chap)


def _check_credentials(seen: Serving, whose: str, chap: Chap) -> None:
    """Users are not shown: one may be the secret, where the two were taken for each other."""
    if seen.active and not seen.unit:
        raise Problem(
            f"This host has no unit {' or '.join(UNITS)}, which would give tgtd the CHAP credentials of {whose} after a boot: "
            "tgt-admin alone would show the secrets to every user. Do without CHAP, or serve with other storage software."
        )
    for what, user in (("user", chap.user), ("mutual_user", chap.mutual_user)):
        if user and not USER.fullmatch(user):
            raise Problem(
                f"The CHAP {what} of {whose}: tgt tells users apart by letters, digits and . _ : @ + = - alone."
            )
    if chap.user == chap.mutual_user:
        raise Problem(
            f"The CHAP user and mutual_user of {whose} are the same: tgt has one secret for a user."
        )


def _at_discovery(serving: Serving) -> tuple[str, ...]:
    """The CHAP users of discovery that we keep."""
    return users_of(parse_discovery(serving.at_discovery))


def check_discovery(seen: Serving, want: Serving, asked: Mapping[str, Any] | None) -> None:
    """tgtd has one list of accounts for discovery and all targets, and others may have bound theirs."""
    chap = parse_discovery(want.at_discovery)
    users, ours = set(_at_discovery(want)) - {""}, kept_users(seen.at_discovery)
    of_targets = {
        user for one in (seen, want) for names in one.running.accounts.values() for user in names
    } | set(secrets_of(want))
    if users & of_targets:
        raise Problem(
            "A CHAP user of discovery is that of a target too. tgt has one secret for a user: use another user for one of them."
        )
    if asked is None:
        return
    if seen.discovery_theirs:
        raise Problem(
            f"'{seen.discovery_theirs}' binds CHAP accounts for discovery, and is not a file of this collection: they are left "
            "alone. Take them out there to have discovery_chap here."
        )
    if ours & of_targets:
        raise Problem(
            "The CHAP user that discovery has had so far is that of a target too, which would lose its account. Give that target "
            "another user, or none, first."
        )
    if set(seen.running.discovery) - {"", *users, *ours}:
        raise Problem(
            "Discovery of this host has CHAP accounts that somebody bound with tgtadm: they are left alone. Unbind them there, "
            "the last one first (tgtadm --lld iscsi --op unbind --mode account --user USER), to have discovery_chap here."
        )
    if (users & seen.running.users) - {*ours, *seen.running.discovery}:
        raise Problem(
            "tgtd has an account with a CHAP user of discovery already, which is not managed here and would be replaced. Use "
            "another user, or delete that account first (tgtadm --lld iscsi --op delete --mode account --user USER)."
        )
    if chap:
        _check_credentials(seen, "discovery", chap)


def _check_strangers(seen: Serving, asked: dict[str, Any], then: Target) -> None:
    """Accounts that somebody gave to a target which lets in by address must not go by the way."""
    known = {"", *secrets_of(seen)}
    users = [user for user in seen.running.accounts.get(asked["name"], ()) if user not in known]
    if users and not then.initiators:
        raise Problem(
            f"'{then.name}' asks for CHAP without an initiator that it names, and tgtd does not tell the "
            "secret. Give it igroups with chap first."
        )


def _check_secrets(seen: Serving, want: Serving) -> None:
    """tgtd has one secret for each user, whatever the target."""
    secrets: dict[str, tuple[str, Any]] = {}
    changed = {name for name, one in want.kept.items() if one != seen.kept.get(name)}
    for name, target in sorted(want.kept.items()):
        for chap in {one.chap for one in target.initiators.values() if one.chap}:
            for user, secret in ((chap.user, chap.secret), (chap.mutual_user, chap.mutual_secret)):
                where, other = secrets.setdefault(user, (name, secret))
                if user and other != secret:
                    raise Problem(
                        f"One CHAP user would have two secrets: at '{where}' and at '{name}'. tgt has one for a user on "
                        "the whole host: change it at all of them in one call, or use another user."
                    )
    known, by_hand = secrets_of(seen), set(seen.running.discovery) - set(_at_discovery(seen))
    for user, (name, secret) in secrets.items():
        strangers = [
            one for one, users in seen.running.accounts.items() if user in users and one not in want.kept
        ]
        strangers += ["the discovery"] if user in by_hand else []
        if user and name in changed and strangers and known.get(user) != secret:
            raise Problem(
                f"A CHAP user of '{name}' is that of {strangers[0]} too, which is not managed here, and tgt has one "
                "secret for a user. Use another user."
            )


def _check_lun(seen: Serving, then: Target, before: Target, lun: Lun, force: bool) -> None:
    old = next((one for one in before.luns.values() if one.name == lun.name), None)
    if old is None:
        return
    backing = seen.backing.get(lun.path)
    if (
        backing
        and backing.size is None
        and lun.path == old.path
        and lun.path.startswith("/")
        and not lun.fixed
    ):
        raise Problem(
            f"The LUN '{lun.name}' of '{then.name}' was served from '{lun.path}', which is not there now. Bring it back "
            "(is its file system mounted, its volume active?), or remove the LUN (state: absent) if its data may be gone."
        )
    if old.fixed and (old.number != lun.number or not same_disk(old, lun)):
        raise Problem(
            f"The LUN '{lun.name}' of '{then.name}' {old.fixed}: it must be changed with the tool that made it (tgtadm)."
        )
    if (old.path, old.serial) != (lun.path, lun.serial) and not force:
        raise Problem(
            f"The LUN '{lun.name}' of '{then.name}' is '{old.path}' with the serial '{old.serial}', and must become "
            f"'{lun.path}' with the serial '{lun.serial}': another disk under the same name. Remove it (state: absent) and "
            "create it again, use another name, or set force for this one task."
        )


def _check_twice(seen: Serving, want: Serving) -> None:
    """One file or device behind two LUNs, or two LUNs with one identity: hosts would merge or destroy them. Only what a target
    has new is judged: others may well serve one file twice."""
    luns = [*_all_luns(want.kept), *_all_luns(want.running.targets)]
    for name, lun in _new_luns(seen, want):
        for other, one in luns:
            if (other, one.number) == (name, lun.number):
                continue
            if _behind(want.backing, lun) == _behind(want.backing, one):
                raise Problem(
                    f"'{lun.path}' would be behind two LUNs: '{one.name}' of '{other}' and '{lun.name}' of '{name}'."
                )
            if wwid_of(lun) == wwid_of(one):
                raise Problem(
                    f"The LUNs '{one.name}' of '{other}' and '{lun.name}' of '{name}' would have one WWID (the serials "
                    f"'{one.serial}' and '{lun.serial}' have the same 25 hex digits): hosts would take them for one disk."
                )


def _new_luns(seen: Serving, want: Serving) -> Iterator[tuple[str, Lun]]:
    """The LUNs that a target did not have, under any number; one that it has once more is new too."""
    for name, target in sorted(want.running.targets.items()):
        before = seen.whole(name) or ABSENT
        old = Counter(map(_itself, before.luns.values()))
        many = Counter(map(_itself, target.luns.values()))
        yield from ((name, lun) for lun in target.luns.values() if many[_itself(lun)] > old[_itself(lun)])


def _itself(lun: Lun) -> tuple[str, str]:
    return lun.path, lun.backstore


def _all_luns(targets: Mapping[str, Target]) -> Iterator[tuple[str, Lun]]:
    for name, target in sorted(targets.items()):
        for lun in target.luns.values():
            yield name, lun


def _behind(backing: Mapping[str, Backing], lun: Lun) -> Any:
    known = backing.get(lun.path)
    return known.identity if known and known.identity else (lun.path,)
