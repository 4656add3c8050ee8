# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP at discovery: accounts that tgtd binds to no target, and the file with which they come back after a boot.

tgt-admin would take them from targets.conf, and give their secrets to a shell. So they stand in a file of ours, which the
program of boot.py reads first of all.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, Mapping

from .._chap import NO_CHAP, Chap
from .._host import Host, Problem
from .._step import Secret
from .others import files_of_others

KEPT = "/etc/tgt/lunworks-discovery.json"
FIELDS = ("user", "secret", "mutual_user", "mutual_secret")
THEIRS = re.compile(r"^\s*(?:incoming|outgoing)discoveryuser\b", re.MULTILINE | re.IGNORECASE)
NONE = ("",)


def render_discovery(chap: Chap | None, before: Iterable[str] | None = None) -> str:
    """The file; '' where there is none. 'before': whose accounts are ours too, while they are changed (a run may be killed)."""
    if chap is None:
        return ""
    values = (chap.user, chap.secret.reveal(), chap.mutual_user, chap.mutual_secret.reveal())
    more = {} if before is None else {"before": list(before)}
    return json.dumps({**dict(zip(FIELDS, values)), **more}, indent=1) + "\n"


def parse_discovery(text: str) -> Chap | None:
    """The credentials in the file; None where it has none."""
    try:
        user, secret, mutual_user, mutual_secret = (str(json.loads(text)[key]) for key in FIELDS)
    except (ValueError, TypeError, KeyError):
        return None
    return Chap(user, Secret(secret), mutual_user, Secret(mutual_secret))


def users_of(chap: Chap | None) -> tuple[str, ...]:
    """The users of discovery as tgtd has them: the last one proves the target, or is ''."""
    return (chap.user, chap.mutual_user) if chap else NONE


def kept_users(text: str) -> frozenset[str]:
    """The users of all accounts that are ours, as the file says."""
    chap = parse_discovery(text)
    before = json.loads(text).get("before") if chap else None
    return frozenset([*users_of(chap), *map(str, before if isinstance(before, list) else ())]) - {""}


def want_discovery(kept: str, asked: Mapping[str, Any] | None) -> str:
    """The file as it must be (options.py, asked_discovery)."""
    if asked is None:
        return kept
    return render_discovery(None if asked["chap"] == NO_CHAP else asked["chap"])


def shown_discovery(users: tuple[str, ...]) -> dict[str, Any] | None:
    """For people, without secrets; None: nothing is asked. Of several users the first."""
    return {"user": users[0], "mutual_user": users[-1], "enforced": True} if len(users) > 1 else None


def told_discovery(users: tuple[str, ...]) -> dict[str, Any] | None:
    """In the result of a run the users too are left out: one may be the secret, where the two were taken for each other."""
    shown = shown_discovery(users)
    return (
        {key: "(not shown)" if one and key != "enforced" else one for key, one in shown.items()}
        if shown
        else None
    )


def look_theirs(host: Host) -> str:
    """A file of others with accounts for discovery, or ''."""
    return next((one for one in files_of_others(host) if THEIRS.search(host.read(one) or "")), "")


def check_asked(asked: Mapping[str, Any] | None) -> None:
    """Raise for what tgtd never does."""
    if asked and asked["enforced"] is False:
        raise Problem(
            "discovery_chap: with an account for discovery tgtd refuses whoever does not prove himself (usr/iscsi/iscsid.c, "
            "text_scan_security). Leave enforced out; 'provider: lio' can ask only those that offer CHAP."
        )
