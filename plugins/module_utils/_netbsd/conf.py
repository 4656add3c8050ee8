# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/iscsi/targets as NetBSD's target reads it (external/bsd/iscsi/dist/src/lib/conffile.c, storage.c), and changes of it.

Fields stand between blanks and tabs; '\\' before one of these makes it a part of the field, before the end of a line it joins the
next one. What is behind a line that the daemon refuses is read all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Iterator, Mapping

from .._host import Problem
from .._keyvalue import lines

LONGEST = 1000  # bytes of an entry: fgets into BUFSIZ, 1024 bytes
DEFAULT = "iqn.1994-04.org.netbsd.iscsi-target:"  # and the label: the name of a target without one
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
READ_ONLY = ("readonly", "ro", "r")
KINDS = ("extent", "device", "target", "lun")  # how a label begins


@dataclass(frozen=True)
class Entry:
    """An entry and the lines that it stands in, from 'start' to before 'end'."""

    fields: tuple[str, ...]
    start: int
    end: int

    @property
    def label(self) -> str:
        """What other entries call it; of a target without its name."""
        return self.fields[0].partition("=")[0]

    @property
    def kind(self) -> str:
        """extent, device or target; empty for what the daemon does not know."""
        found = next((kind for kind in KINDS if self.fields[0].startswith(kind)), "")
        return "target" if found == "lun" else found


@dataclass(frozen=True)
class TargetEntry:
    """A target: what it serves, and how. A mask hides it from discovery only."""

    name: str
    entry: Entry
    storage: str  # the label of an extent or a device
    read_only: bool
    mask: str


@lru_cache(maxsize=8)
def entries_of(text: str) -> tuple[Entry, ...]:
    """The entries in their order."""
    parts = lines(text)
    found = []
    at = 0
    while at < len(parts):
        start, whole = at, parts[at].lstrip(" \t\n\v\f\r")
        while re.search(r"(?<!\\)(?:\\\\)*\\\n$", whole) and at + 1 < len(parts):
            at += 1
            quote = (
                "\\" if parts[at][:1] in (" ", "\t") else ""
            )  # conffile_split looks at the second character next
            whole = whole[:-2] + quote + parts[at]
        at += 1
        if whole and not whole.startswith("#"):
            found.append(Entry(tuple(_fields(whole.partition("\n")[0])), start, at))
    return tuple(found)


def _fields(line: str) -> Iterator[str]:
    for field in re.findall(r"(?:\\.|[^ \t\\]|\\$)+", line):
        yield re.sub(r"\\([ \t])", r"\1", field)


def targets_of(text: str) -> dict[str, TargetEntry]:
    """The targets by name in lower case; the daemon takes the first of two with one label."""
    found: dict[str, TargetEntry] = {}
    labels = set()
    for entry in entries_of(text):
        if entry.kind != "target" or len(entry.fields) < 3 or entry.label in labels:
            continue
        labels.add(entry.label)
        old = len(entry.fields) == 3  # three columns mean read-only, whatever the FAQ said
        flags, storage, mask = ("ro", *entry.fields[1:]) if old else entry.fields[1:4]
        name = entry.fields[0].partition("=")[2] or f"{DEFAULT}{entry.label}"
        found.setdefault(name.lower(), TargetEntry(name, entry, storage, flags in READ_ONLY, mask))
    return found


def labels_of(text: str, kind: str) -> dict[str, Entry]:
    """The extents or devices by their labels; the first of two counts."""
    found: dict[str, Entry] = {}
    for entry in entries_of(text):
        if entry.kind == kind and len(entry.fields) > (3 if kind == "extent" else 2):
            found.setdefault(entry.label, entry)
    return found


def length_of(extent: Entry, there: int | None) -> int | None:
    """The bytes of an extent; 'size' is what the file has."""
    word = extent.fields[3]
    if word.lower() == "size":
        return there
    found = re.match(r"(\d+)(.?)", word)
    return int(found[1]) * UNITS.get(found[2].lower(), 1) if found else 0


def check_text(path: str, text: str) -> None:
    """Raise a Problem where the daemon reads the file otherwise than it looks."""
    for entry in entries_of(text):
        parts = lines(text)[entry.start : entry.end]
        if sum(len(part.encode(errors="surrogateescape")) for part in parts) > LONGEST or "\0" in "".join(
            parts
        ):
            raise Problem(
                f"'{path}' cannot be changed: its line {entry.start + 1} is longer than {LONGEST} bytes or has a NUL byte, and "
                "is not read as it is written. Correct that first; nothing was done."
            )


def with_entry(text: str, old: Entry | None, fields: tuple[str, ...]) -> str:
    """The text with this entry: in the place of an old one, or at the end."""
    line = "\t".join(re.sub(r"([ \t])", r"\\\1", field) for field in fields) + "\n"
    if old is None:
        return (text if not text or text.endswith("\n") else f"{text}\n") + line
    parts = lines(text)
    return "".join([*parts[: old.start], line, *parts[old.end :]])


def without_entry(text: str, old: Entry) -> str:
    """The text without an entry."""
    parts = lines(text)
    return "".join([*parts[: old.start], *parts[old.end :]])


def free_number(text: str) -> int:
    """A number that no label has."""
    labels = (entry.label for entry in entries_of(text))
    numbers = [int(digits) for label in labels for digits in re.findall(r"^[a-z]+(\d{1,9})", label)]
    return max(numbers, default=-1) + 1


def several_striped(text: str) -> list[str]:
    """Devices that the daemon corrupts: a write behind the first of several members of a RAID0 goes to the first one (seen;
    disk.c, offset)."""
    return sorted(
        label
        for label, entry in labels_of(text, "device").items()
        if not re.fullmatch(r"raid0*1(\D.*)?", entry.fields[1], re.IGNORECASE) and len(entry.fields) > 3
    )


def below(text: str, storage: str) -> list[str]:
    """The labels that a device is made of, at any depth, and its own."""
    devices: Mapping[str, Entry] = labels_of(text, "device")
    found: list[str] = []
    left = [storage]
    while left:
        label = left.pop()
        if label not in found:
            found.append(label)
            left += devices[label].fields[2:] if label in devices else ()
    return found
