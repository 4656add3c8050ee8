# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flashnode as it must be: in the card's memory, with these parameters, logged in or not (iscsiadm -m host)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...._host import Host, Problem
from ...._step import Step
from ...conf.settings import named, setting
from ...record import RecordId
from ...session import (
    NO_SESSION,
    SESSION_EXISTS,
    SUCCESS,
    LogOut,
    Session,
    Use,
    look_use,
    reason,
    refuse_logouts,
)
from ..flash import ADDRESS, BIT, BOOT, NAME, PORT, PORTAL_TYPE, SETTINGS, Flashnode, look_flashnodes
from ..host import IscsiHost, find_host, sessions_of

PATIENCE = 60  # seconds for the firmware
NEW = -1  # the index of a flashnode that the card has not given one yet


@dataclass(frozen=True)
class Flash:
    """A portal of a target in the memory of a card (None: not there), and the sessions with it."""

    card: IscsiHost
    name: RecordId
    flashnode: Flashnode | None
    sessions: tuple[int, ...] = ()
    logged_in: bool = False
    use: Use | None = None


@dataclass(frozen=True)
class AddFlashnode(Step):
    """Make a new flashnode. The card chooses its index."""

    card: IscsiHost
    name: RecordId
    settings: dict[str, str]

    def __str__(self) -> str:
        said = "".join(f", {key} = {value}" for key, value in self.settings.items())
        return f"Add a flashnode to {self.card} for '{self.name.written}' at {self.name.portal}{said}"

    def take(self, host: Host) -> None:
        old = {one.index for one in look_flashnodes(host, self.card.number)}
        family = "ipv6" if ":" in self.name.portal.address else "ipv4"
        _iscsiadm(host, self.card, "-A", family, "-o", "new")
        new = [one.index for one in look_flashnodes(host, self.card.number) if one.index not in old]
        if len(new) != 1:
            raise Problem(
                f"{self.card} has {len(new)} new flashnodes, but one was made. Is someone else working on it? See "
                "host_info."
            )
        try:
            _update(host, self.card, new[0], {**identity(self.name), **self.settings})
        except Problem:
            _iscsiadm(host, self.card, "-x", str(new[0]), "-o", "delete")
            raise


@dataclass(frozen=True)
class SetFlashnode(Step):
    """Change parameters of a flashnode; sessions keep theirs until their next login."""

    card: IscsiHost
    flashnode: Flashnode
    changes: dict[str, str]

    def __str__(self) -> str:
        said = ", ".join(f"{key} = {value or 'empty'}" for key, value in self.changes.items())
        return f"Set in the flashnode {self.flashnode.index} of {self.card} ({self.flashnode.name}): {said}"

    def take(self, host: Host) -> None:
        _update(host, self.card, self.flashnode.index, self.changes)


@dataclass(frozen=True)
class RemoveFlashnode(Step):
    """Delete a flashnode."""

    card: IscsiHost
    flashnode: Flashnode

    def __str__(self) -> str:
        return f"Delete the flashnode {self.flashnode.index} of {self.card} ({self.flashnode.name})"

    def take(self, host: Host) -> None:
        _iscsiadm(host, self.card, "-x", str(self.flashnode.index), "-o", "delete")


@dataclass(frozen=True)
class LogInFlashnode(Step):
    """Let the card log in."""

    card: IscsiHost
    name: RecordId

    def __str__(self) -> str:
        return f"Let {self.card} log in to '{self.name.written}' at {self.name.portal}"

    def take(self, host: Host) -> None:
        there = find_flashnode(host, self.card, self.name)
        if there is None:
            raise Problem("the flashnode has disappeared in the meantime. Run again.")
        _iscsiadm(host, self.card, "-x", str(there.index), "-o", "login", ok=(SUCCESS, SESSION_EXISTS))
        host.until(lambda: _sessions(host, self.card, self.name), PATIENCE)


@dataclass(frozen=True)
class LogOutFlashnode(LogOut):
    """Let the card log out."""

    card: IscsiHost
    index: int

    def __str__(self) -> str:
        return f"Let {self.card} log out of '{self.name.written}' at {self.name.portal}"

    def take(self, host: Host) -> None:
        _iscsiadm(host, self.card, "-x", str(self.index), "-o", "logout", ok=(SUCCESS, NO_SESSION))
        host.until(lambda: not _sessions(host, self.card, self.name), PATIENCE)


def wanted_settings(given: dict[str, Any]) -> dict[str, str]:
    """The parameters that were asked for, each checked."""
    found = {}
    for name, value in named(given).items():
        if name in (NAME, ADDRESS, PORT, PORTAL_TYPE):
            raise Problem(
                f"'{name}' comes from the options 'target' and 'portal'. Give it there, not in 'settings'."
            )
        if "username" in name or "password" in name:
            raise Problem(
                f"'{name}' is not set in a flashnode: write the CHAP entry with host_chap, and name its index in "
                f"'flashnode.session.chap_out_idx'."
            )
        found[name] = setting(
            name, int(value) if SETTINGS.get(name) == BIT and value in (True, False) else value, SETTINGS
        )
    return found


def identity(name: RecordId) -> dict[str, str]:
    """What a flashnode is known by."""
    return {NAME: name.written, ADDRESS: name.portal.address, PORT: str(name.portal.port)}


def find_flashnode(host: Host, card: IscsiHost, name: RecordId) -> Flashnode | None:
    """The flashnode for this portal of this target."""
    found = [
        one
        for one in look_flashnodes(host, card.number)
        if one.settings.get(NAME, "").lower() == name.target and one.portal == name.portal
    ]
    if len(found) > 1:
        raise Problem(
            f"{card} has {len(found)} flashnodes for '{name.written}' at {name.portal}: "
            f"{', '.join(str(one.index) for one in found)}. Delete all but one (iscsiadm -m host -C flashnode -o delete)."
        )
    return found[0] if found else None


def look_flash(host: Host, mac: str, name: RecordId, leaving: bool) -> Flash:
    """The flashnode, and the sessions that the card has with its portal."""
    card = find_host(host, mac)
    found = find_flashnode(host, card, name)
    sessions = _sessions(host, card, name)
    use = look_use(host, sessions) if leaving and sessions else None
    return Flash(card, name, found, tuple(one.number for one in sessions), bool(sessions), use)


def want_flash(seen: Flash, settings: dict[str, str], logged_in: bool | None, absent: bool) -> Flash:
    """The flashnode with these parameters."""
    if absent:
        return replace(seen, flashnode=None, logged_in=False if seen.flashnode else seen.logged_in)
    there = seen.flashnode
    if there is None and seen.logged_in and logged_in is False:
        raise Problem(
            f"{seen.card} has a session with '{seen.name.written}' at {seen.name.portal} that no flashnode made. Log out of "
            "it with the module nodes, through the iface of the card."
        )
    untold = [name for name in settings if there is not None and name not in there.settings]
    if untold:
        raise Problem(f"{seen.card} does not report '{untold[0]}', so it cannot be verified.")
    flashnode = (
        Flashnode(NEW, {**identity(seen.name), **settings})
        if there is None
        else Flashnode(there.index, {**there.settings, **settings})
    )
    return replace(seen, flashnode=flashnode, logged_in=seen.logged_in if logged_in is None else logged_in)


def plan_flash(seen: Flash, want: Flash) -> list[Step]:
    """Added or set before the login, deleted after the logout."""
    steps: list[Step] = []
    card, there, wanted = seen.card, seen.flashnode, want.flashnode
    if seen.logged_in and not want.logged_in and there is not None:
        steps.append(LogOutFlashnode(seen.name, seen.sessions, card, there.index))
    if wanted is None:
        return [*steps, RemoveFlashnode(card, there)] if there is not None else steps
    if there is None:
        own = {name: value for name, value in wanted.settings.items() if name not in identity(seen.name)}
        steps.append(AddFlashnode(card, seen.name, own))
    else:
        changes = {
            name: value for name, value in wanted.settings.items() if there.settings.get(name) != value
        }
        steps += [SetFlashnode(card, there, changes)] if changes else []
    if want.logged_in and not seen.logged_in:
        steps.append(LogInFlashnode(card, seen.name))
    return steps


def refuse_flash(seen: Flash, steps: list[Step]) -> None:
    """Not under a disk in use, and not what the card boots from."""
    if seen.use is not None:
        refuse_logouts(steps, seen.use)
    for step in steps:
        if isinstance(step, RemoveFlashnode) and step.flashnode.settings.get(BOOT) == "1":
            raise Problem(
                f"Cannot delete the flashnode {step.flashnode.index} of {seen.card} ({step.flashnode.name}): the card boots "
                f"from it. Choose another boot target in the card's own setup first."
            )


def _sessions(host: Host, card: IscsiHost, name: RecordId) -> list[Session]:
    return [
        one
        for one in sessions_of(host, card.number)
        if (one.name.target, one.name.portal) == (name.target, name.portal)
    ]


def _update(host: Host, card: IscsiHost, index: int, changes: dict[str, str]) -> None:
    pairs = [text for name, value in changes.items() for text in ("-n", name, "-v", value)]
    _iscsiadm(host, card, "-x", str(index), "-o", "update", *pairs)


def _iscsiadm(host: Host, card: IscsiHost, *options: str, ok: tuple[int, ...] = (SUCCESS,)) -> None:
    ran = host.run(
        "iscsiadm",
        "-m",
        "host",
        "-H",
        str(card.number),
        "-C",
        "flashnode",
        *options,
        ok=None,
        timeout=PATIENCE,
    )
    if ran.rc not in ok:
        raise Problem(f"{reason(ran.rc, ran.err)}.")
