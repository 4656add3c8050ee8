# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IET's files say that this collection does not write: seen, named and left alone. Secrets are not told."""

from __future__ import annotations

from typing import Iterator

from .._keyvalue import lines
from . import allow
from .conf import ACCOUNTS, Section, words_of
from .keys import INCOMING, OUTGOING
from .state import Serving

ISNS = "isnsserver"  # usr/plain.c; a key of the whole file
SIZES = ("Blocks", "Sectors")


def look_unmanaged(seen: Serving) -> Iterator[str]:
    """One sentence each."""
    yield from _global(seen)
    for name, section in sorted(seen.sections.items()):
        yield from _target(seen, name, section)
    for name in sorted({*(seen.running or {})} - {*seen.saved}):
        yield f"The target '{name}' was made with ietadm and is in no file, so nothing of it is changed here."
    if seen.deny:
        yield f"'{seen.deny}' is there: whom it does not deny gets in, whatever '{seen.initiators.path}' says."


def _global(seen: Serving) -> Iterator[str]:
    parts = lines(seen.conf.text or "")
    first = min((one.start for one in seen.sections.values()), default=len(parts))
    words = [words_of(part) for part in parts]
    keys = {key.lower() for key in ACCOUNTS}
    users = [one[1] for one in words[:first] if len(one) > 2 and one[0].lower() in keys]
    if users:
        yield f"Discovery asks for CHAP with accounts that are set up by hand: {_listed(users)}."
    if any(one and one[0].lower() == ISNS for one in words):
        yield "The targets are registered with an iSNS server."


def _target(seen: Serving, name: str, section: Section) -> Iterator[str]:
    here = f"The target '{section.name}'"
    yield from (f"{here}: {fault} ('{seen.conf.path}')." for fault in section.faults)
    for number, lun in sorted(section.luns.items()):
        if lun.get("Type") == "nullio":
            yield f"The LUN number {number} of '{section.name}' is of the type nullio, which is not made here."
        elif any(lun.get(key) for key in SIZES):
            yield f"The LUN number {number} of '{section.name}' has a size in '{seen.conf.path}', which is not set here."
    incoming, outgoing = (
        [one.user for one in section.accounts if one.key == key] for key in (INCOMING, OUTGOING)
    )
    if incoming and not seen.saved[name].initiators:
        yield f"{here} asks for CHAP of {_listed(incoming)}, and is given to no initiator by its name."
    elif len(incoming) > 1:
        yield f"{here} has more CHAP accounts than that of its igroups: {_listed(incoming[1:])}."
    if outgoing and not incoming:
        yield f"{here} has an account to prove itself and asks for none, so nobody asks for it: {_listed(outgoing)}."
    networks = [
        one
        for one in allow.deciding(seen.portals.text, section.name).items
        if one != allow.NOBODY and allow.portal_of(one) is None
    ]
    if networks:
        yield f"{here} is shown at {_listed(networks)} by '{seen.portals.path}'; portals are single addresses here."


def _listed(words: list[str]) -> str:
    return ", ".join(f"'{one}'" for one in words)
