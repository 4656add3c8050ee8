# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CHAP accounts of a target as they shall be: one igroup says them for all, and those of others stay without purge."""

from __future__ import annotations

from typing import Any, Mapping

from .._chap import NO_CHAP, Chap
from .._host import Problem
from .conf import Account
from .keys import INCOMING
from .state import Serving, accounts_of


def accounts_after(seen: Serving, asked: Mapping[str, Any], purge: bool) -> tuple[Account, ...]:
    """Those of the file, unless the call says others; one call says one for the whole target."""
    given = [group["chap"] for group in asked["igroups"] if group["state"] == "present" and group["chap"]]
    section = seen.sections.get(asked["name"])
    now = section.accounts if section else ()
    if not given:
        return now
    chap = None if given[0] == NO_CHAP else given[0]
    new = accounts_of(chap)
    users = [one for one in now if one.key == INCOMING]
    if len(users) > 1 and not purge:
        new = _beside(asked["name"], users, chap, new)
    return now if set(new) == set(now) else new


def _beside(
    target: str, users: list[Account], chap: Chap | None, new: tuple[Account, ...]
) -> tuple[Account, ...]:
    """With the users of others. Which of several the call would replace is not known, unless it names one of them."""
    if chap is None or chap.user not in {one.user for one in users}:
        named = ", ".join(f"'{one.user}'" for one in users)
        wanted = f"the CHAP user '{chap.user}'" if chap else "no CHAP"
        raise Problem(
            f"The target '{target}' must have {wanted}, and has several accounts: {named}. Name one of these, remove by hand "
            "those that may go, or set purge to be left with what is declared."
        )
    incoming = tuple(new[0] if one.user == chap.user else one for one in users)
    return (*incoming, *new[1:])
