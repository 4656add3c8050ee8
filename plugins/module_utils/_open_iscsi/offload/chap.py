# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CHAP entries that a card shall have, beside those that it has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..._chap import chap
from ..._converge import Resource
from ..._host import Host, Problem
from ..._step import Secret, Step
from ..iface.fields import hardware_address
from ..session import SESSIONS, attribute
from .chap_table import Entry, EntryId, delete_entry, read_table, write_entry
from .flash import look_flashnodes
from .host import IscsiHost, find_host, sessions_of

FIRST_FREE = 4  # drivers/scsi/qla4xxx/ql4_fw.h MAX_RESRV_CHAP_IDX: 0 to 3 are the card's own
LAST = 1023  # MAX_CHAP_ENTRIES_82XX; other cards have fewer
SHORTEST, LONGEST = 12, 99  # bytes; RFC 7143 section 12.1.3, and MAX_CHAP_SECRET_LEN with its end
LONGEST_USER = 255
ENTRY: dict[str, Any] = {
    "user": {"type": "str", "required": True},
    "secret": {"type": "str", "no_log": True},
    "mutual": {"type": "bool", "default": False},
    "index": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS: dict[str, Any] = {
    "mac": {"type": "str", "required": True},
    "entries": {"type": "list", "elements": "dict", "default": [], "options": ENTRY},
    "purge": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Request:
    """What was asked of one entry."""

    name: EntryId
    secret: Secret | None  # None: the entry shall not be there
    index: int | None = None


@dataclass(frozen=True)
class Table:
    """The table of a card, and what uses its entries: a sentence by index."""

    card: IscsiHost
    entries: dict[int, Entry]
    live: dict[int, str] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WriteEntry(Step):
    """Put an entry into the table."""

    card: IscsiHost
    index: int
    entry: Entry

    def __str__(self) -> str:
        return f"Write the CHAP entry {self.index} of {self.card} for {self.entry.name}"

    def take(self, host: Host) -> None:
        write_entry(host, self.card, self.index, self.entry)


@dataclass(frozen=True)
class DeleteEntry(Step):
    """Take an entry out of the table."""

    card: IscsiHost
    index: int
    name: EntryId

    def __str__(self) -> str:
        return f"Delete the CHAP entry {self.index} of {self.card} for {self.name}"

    def take(self, host: Host) -> None:
        delete_entry(host, self.card, self.index)


def request_of(given: dict[str, Any]) -> Request:
    """An entry as a user gives it, checked."""
    absent = given["state"] == "absent"
    index = given["index"]
    if index is not None and not 0 <= index <= LAST:
        raise Problem(f"The CHAP index {index} is out of range. It must be a number from 0 to {LAST}.")
    secret = given["secret"] or ""
    if absent:
        if not given["user"]:
            raise Problem("A CHAP entry must have a user.")
        return Request(EntryId(given["user"], given["mutual"]), None, index)
    if not given["user"] or not secret:
        raise Problem(f"The CHAP entry for '{given['user']}' must have a user and a secret, or be absent.")
    found = chap({"user": given["user"], "secret": secret}, SHORTEST, LONGEST)
    return Request(EntryId(given["user"], given["mutual"]), found.secret if found else None, index)


def check_requests(requests: list[Request]) -> list[Request]:
    """Entries that contradict each other are refused."""
    seen: dict[tuple[EntryId, int | None], Request] = {}
    for request in requests:
        if (request.name, request.index) in seen:
            raise Problem(
                f"The CHAP entry for {request.name} is given more than once. Give each its 'index'."
            )
        seen[request.name, request.index] = request
    places = [request.index for request in requests if request.index is not None]
    twice = [index for index in places if places.count(index) > 1]
    if twice:
        raise Problem(f"The CHAP index {twice[0]} is given more than once.")
    ours = {request.secret for request in requests if request.secret and not request.name.mutual}
    if any(request.secret in ours for request in requests if request.secret and request.name.mutual):
        raise Problem(
            "A mutual CHAP entry has the same secret as one that is not mutual; RFC 7143 forbids that. Use two different secrets."
        )
    return requests


def look_table(host: Host, mac: str) -> Table:
    """The table of the card with this address, and who uses which entry."""
    card = find_host(host, mac)
    live, named = {}, {}
    for session in sessions_of(host, card.number):
        for name in ("chap_out_idx", "chap_in_idx"):
            index = attribute(host, f"{SESSIONS}/session{session.number}/{name}")
            if index.isdecimal():
                live[int(index)] = f"the session with {session.name} uses it"
    for flashnode in look_flashnodes(host, card.number):
        index = flashnode.settings.get("flashnode.session.chap_out_idx", "")
        if index.isdecimal() and flashnode.settings.get("flashnode.session.chap_auth_en") == "1":
            named[int(index)] = f"the flashnode {flashnode.index} ({flashnode.name}) names it"
    return Table(card, read_table(host, card), live, named)


def want_table(seen: Table, requests: list[Request], purge: bool) -> Table:
    """The table with the entries that were asked for; new ones take the lowest free places."""
    entries = dict(seen.entries)
    kept = set()
    for request in sorted(requests, key=lambda one: (one.index is None, one.secret is not None)):
        index = _place(entries, request)
        if request.secret is None:
            if index in entries:
                del entries[index]
            continue
        if index is None:
            index = next(free for free in range(FIRST_FREE, LAST + 2) if free not in entries)
        entries[index] = Entry(request.name, request.secret)
        kept.add(index)
    if purge:
        entries = {index: entry for index, entry in entries.items() if index in kept or index < FIRST_FREE}
    return replace(seen, entries=entries)


def _place(entries: dict[int, Entry], request: Request) -> int | None:
    """The index that a request is about; None when there is none yet."""
    found = [index for index, entry in entries.items() if entry.name == request.name]
    if request.index is None:
        if len(found) > 1:
            raise Problem(
                f"The CHAP table has {len(found)} entries for {request.name}: {', '.join(map(str, found))}. Select one with "
                "'index'."
            )
        return found[0] if found else None
    there = entries.get(request.index)
    if there is not None and there.name != request.name:
        if request.secret is None:
            return None
        raise Problem(
            f"The CHAP entry {request.index} is for {there.name}, not for {request.name}. Delete it first, or choose another "
            "index."
        )
    return request.index


def plan_table(seen: Table, want: Table) -> list[Step]:
    """What leaves first, so that its place is free."""
    steps: list[Step] = [
        DeleteEntry(seen.card, index, entry.name)
        for index, entry in sorted(seen.entries.items())
        if index not in want.entries or want.entries[index].name != entry.name
    ]
    for index, entry in sorted(want.entries.items()):
        if seen.entries.get(index) != entry:
            steps.append(WriteEntry(seen.card, index, entry))
    return steps


def refuse_table(seen: Table, steps: list[Step]) -> None:
    """The card does not keep an entry that a session has logged in with (ql4_os.c asks about dead sessions only)."""
    for step in steps:
        if isinstance(step, (WriteEntry, DeleteEntry)):
            held = seen.live.get(step.index) or (
                seen.named.get(step.index) if isinstance(step, DeleteEntry) else None
            )
            if held:
                verb = "delete" if isinstance(step, DeleteEntry) else "change"
                raise Problem(
                    f"Cannot {verb} the CHAP entry {step.index} of {seen.card}: {held}. "
                    f"{'Log out' if step.index in seen.live else 'Change the flashnode'} first."
                )


class HostChap(Resource):
    """The table of a card with the entries that were asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.mac = hardware_address(options["mac"])
        self.requests = check_requests([request_of(entry) for entry in options["entries"]])
        self.purge = options["purge"]

    def look(self, host: Host) -> Table:
        return look_table(host, self.mac)

    def want(self, seen: Table) -> Table:
        return want_table(seen, self.requests, self.purge)

    def plan(self, seen: Table, want: Table) -> list[Step]:
        return plan_table(seen, want)

    def refuse(self, seen: Table, want: Table, steps: list[Step]) -> None:
        refuse_table(seen, steps)

    def show(self, state: Table) -> dict[str, Any]:
        return {
            "mac": state.card.mac,
            "entries": [
                {"index": index, "user": entry.name.user, "mutual": entry.name.mutual}
                for index, entry in sorted(state.entries.items())
            ],
        }
