# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ietd.conf as ietd reads it (iscsitarget usr/plain.c): its lines, the sections of its targets, what is wrong with one.

No line is continued and nothing is quoted. Comments are lines that begin with '#'; within a line it is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Iterator

from .._host import Problem
from .._keyvalue import lines
from .._step import Secret
from .keys import INCOMING, LUN_OPTIONS, OUTGOING, SESSION_KEYS, TARGET_KEYS, key_of

LONGEST = 4095  # bytes of a line with its end: fgets into 4096 bytes
LONGEST_NAME = 255  # bytes: ISCSI_NAME_LEN with its end (include/iet_u.h)
BLANK = " \t\n\v\f\r"  # isspace(3) in the C locale
NAMED = re.compile(r"\s*# LUN ([A-Za-z0-9][A-Za-z0-9._-]{0,62})\s*")
ACCOUNTS = (INCOMING, OUTGOING)


@dataclass(frozen=True)
class Account:
    """A user of a target: who proves itself with what, and in which direction."""

    key: str  # IncomingUser or OutgoingUser
    user: str
    secret: Secret


@dataclass(frozen=True)
class LunLine:
    """A line of a LUN: its options in their order as they are written, and the line and name comment that it has."""

    number: int
    options: tuple[tuple[str, str], ...]
    at: int
    name: str = ""

    def get(self, key: str) -> str:
        """An option by its name, which ietd compares without case; empty if it is not given."""
        return next((value for name, value in self.options if name.lower() == key.lower()), "")


@dataclass(frozen=True)
class Section:
    """A target in the file: its lines from 'start' to before 'end', and what they say. The last of two equal keys counts, the
    first of two equal LUN numbers."""

    name: str
    start: int
    end: int
    luns: dict[int, LunLine] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    faults: tuple[str, ...] = ()


def words_of(line: str) -> list[str]:
    """The words of a line that ietd reads: one that ends with the file, not with a blank, is lost."""
    found = [word for word in re.split(f"[{BLANK}]+", line) if word]
    return found if not line or line[-1] in BLANK else found[:-1]


def key_at(line: str) -> str:
    """What a line sets, by its canonical name; empty for comments, blank lines and what ietd does not know."""
    words = words_of(line)
    return key_of(words[0]) if words and not words[0].startswith("#") else ""


def sections_of(text: str) -> list[Section]:
    """The targets in the file, in their order."""
    parts = lines(text)
    starts = [at for at, part in enumerate(parts) if key_at(part) == "Target"]
    ends = [*starts[1:], len(parts)] if starts else []
    return [_section(parts, start, end) for start, end in zip(starts, ends)]


def section_of(sections: Iterable[Section], name: str) -> Section | None:
    """The section of a target; names are compared without case (target_find_by_name)."""
    found = [one for one in sections if one.name.lower() == name.lower()]
    return found[0] if found else None


def file_faults(text: str) -> Iterator[str]:
    """What keeps the file from being changed at all: ietd reads it otherwise than it looks."""
    for at, part in enumerate(lines(text)):
        if len(part.encode(errors="surrogateescape")) > LONGEST:
            yield f"line {at + 1} has more than {LONGEST} bytes, and ietd reads the rest of it as another line"
        if "\0" in part:
            yield f"line {at + 1} has a NUL byte, where ietd stops reading it"
    last = lines(text)[-1:]
    if last and not last[0].endswith("\n") and _says(last[0]) != _says(f"{last[0]}\n"):
        yield "its last line has no line feed, so ietd does not read its last word"


def with_end(text: str) -> str:
    """The text with a line feed at its end, where that changes nothing of what it says."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def _says(line: str) -> tuple[str, list[str]]:
    """What ietd takes from a line; numbers and LUNs are read to the end of the file, words are not."""
    key = key_at(line)
    if not key or key in TARGET_KEYS or key in ("Lun", "Alias", "MaxSessions"):
        return key, []
    return key, words_of(line)


def _section(parts: list[str], start: int, stop: int) -> Section:
    name = (words_of(parts[start]) + ["", ""])[1]
    luns: dict[int, LunLine] = {}
    keys: dict[str, str] = {}
    accounts: list[Account] = []
    faults: list[str] = []
    end = start + 1
    if not name:
        faults.append(f"line {start + 1} has no name")
    if len(name.encode(errors="surrogateescape")) > LONGEST_NAME:
        faults.append(f"the name in line {start + 1} has more than {LONGEST_NAME} bytes, and ietd cuts it")
    for at in range(start + 1, stop):
        key = key_at(parts[at])
        if not key:
            continue
        end = at + 1
        faults += [f"line {at + 1} {fault}" for fault in _line_faults(key, parts[at], luns)]
        words = words_of(parts[at])
        if key == "Lun":
            lun = lun_of(parts[at], at, parts[at - 1])
            luns.setdefault(lun.number, lun)
        elif key in ACCOUNTS and len(words) > 2:
            accounts.append(Account(key, words[1], Secret(words[2])))
        elif key not in ACCOUNTS:
            keys[key] = _value(key, parts[at])
    return Section(name, start, end, luns, keys, tuple(accounts), tuple(faults))


def _value(key: str, line: str) -> str:
    """Numbers are read to their end, words to the next blank."""
    found = [word for word in re.split(f"[{BLANK}]+", line) if word]
    return found[1] if len(found) > 1 else ""


def lun_of(line: str, at: int = 0, before: str = "") -> LunLine:
    """A line of a LUN, with the comment before it that names it."""
    found = re.match(rf"[{BLANK}]*\S+[{BLANK}]+([+-]?\d+)?(.*)", line, re.S)
    number, rest = (found[1] or "0", found[2]) if found else ("0", "")
    options = tuple(
        (key, value)
        for key, _equals, value in (one.partition("=") for one in rest.strip(BLANK).split(",") if one)
    )
    named = NAMED.fullmatch(before)
    return LunLine(int(number), options, at, named[1] if named else "")


def _line_faults(key: str, line: str, luns: dict[int, LunLine]) -> Iterator[str]:
    words = words_of(line)
    if key in SESSION_KEYS and len(words) < 2:
        yield f"has no value for '{key}', which ends ietd with a segmentation fault"
    if key in ACCOUNTS and len(words) < 3:
        yield f"has '{key}' without user or password"
    if key == "Lun":
        yield from _lun_faults(lun_of(line), luns)


def _lun_faults(lun: LunLine, luns: dict[int, LunLine]) -> Iterator[str]:
    keys = [key.lower() for key, _value in lun.options]
    known = {key.lower() for key in LUN_OPTIONS}
    if not 0 <= lun.number < 1 << 14:
        yield f"has the LUN number {lun.number}; ietd takes 0 to 16383"
    if lun.number in luns:
        yield f"has the LUN number {lun.number} again"
    if len(set(keys)) < len(keys):
        yield f"gives an option of the LUN {lun.number} twice"
    yield from (f"has the unknown option '{key}' of the LUN {lun.number}" for key in keys if key not in known)
    if lun.get("Type") == "nullio":
        return
    if not lun.get("Path"):
        yield f"has no Path for the LUN {lun.number}"


def check_file(path: str, text: str) -> None:
    """Raise a Problem where the file cannot be changed without changing what others said in it."""
    faults = list(file_faults(text))
    if faults:
        raise Problem(
            f"'{path}' cannot be changed: {'; '.join(faults[:3])}. Correct that first; nothing was done."
        )
