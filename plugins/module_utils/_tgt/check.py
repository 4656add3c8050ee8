# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be wanted of tgt, given what is there."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Iterable, Iterator, Mapping

from .._host import Problem
from .._san.backing import Backing
from .._san.target import Lun, Target
from .before_start import same_disk
from .boot import UNITS
from .identity import LONGEST_SERIAL, wwid_of
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
            _check_names(one, before, then)
            _check_chap(seen, one, then)
            for lun in then.luns.values():
                _check_lun(seen, then, before, lun, force)
    _check_secrets(seen, want)
    _check_twice(seen, want)


def _check_names(asked: dict[str, Any], before: Target, then: Target) -> None:
    for lun in asked["luns"]:
        if lun["state"] == "present" and lun["number"] == 0:
            raise Problem(
                f"The LUN '{lun['name']}' of '{then.name}' cannot be number 0: that is tgt's own controller in every target. "
                "Numbers begin with 1."
            )
        if lun["serial"] and len(lun["serial"]) > LONGEST_SERIAL:
            raise Problem(
                f"The serial of the LUN '{lun['name']}' has {len(lun['serial'])} characters; tgt keeps {LONGEST_SERIAL}."
            )
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
    if seen.active and not seen.unit:
        raise Problem(
            f"This host has no unit {' or '.join(UNITS)}, which would let the initiators of '{then.name}' in after a boot: "
            "tgt-admin alone would show the CHAP secrets to every user. Serve it without CHAP, or with other storage software."
        )
    if not chap.secret.reveal() or (chap.mutual_user and not chap.mutual_secret.reveal()):
        raise Problem(
            f"The CHAP secrets of '{then.name}' (user '{chap.user}') are not known here, and tgtd does not tell them: give chap "
            "to its igroups, or an empty user and secret to have none."
        )
    for user in filter(None, (chap.user, chap.mutual_user)):
        if not USER.fullmatch(user):
            raise Problem(
                f"The CHAP user '{user}' of '{then.name}': tgt tells users apart by letters, digits and . _ : @ + = - alone."
            )
    if chap.user == chap.mutual_user:
        raise Problem(
            f"The CHAP user and mutual_user of '{then.name}' are both '{chap.user}': tgt has one secret for a user."
        )


def _check_strangers(seen: Serving, asked: dict[str, Any], then: Target) -> None:
    """Accounts that somebody gave to a target which lets in by address must not go by the way."""
    known = {"", *secrets_of(seen)}
    users = [user for user in seen.running.accounts.get(asked["name"], ()) if user not in known]
    if users and not then.initiators:
        raise Problem(
            f"'{then.name}' asks for CHAP (user '{users[0]}') without an initiator that it names, and tgtd does not tell the "
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
                        f"The CHAP user '{user}' would have two secrets: at '{where}' and at '{name}'. tgt has one for a user "
                        "on the whole host: change it at all of them in one call, or use another user."
                    )
    known = secrets_of(seen)
    for user, (name, secret) in secrets.items():
        strangers = [
            one for one, users in seen.running.accounts.items() if user in users and one not in want.kept
        ]
        strangers += ["the discovery"] if user in seen.running.discovery else []
        if user and name in changed and strangers and known.get(user) != secret:
            raise Problem(
                f"The CHAP user '{user}' of '{name}' is that of {strangers[0]} too, which is not managed here, and tgt has one "
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
