# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipath.conf(5) as multipath itself reads it (multipath-tools, libmpathutil/parser.c): lines, words, sections.

What a person would read otherwise: '!' begins a comment like '#', also behind a value; a quote in a quoted text is written
twice; only a section that is known opens one, so the '}' of an unknown one ends the section around it; what stands behind
the '{' or the value on a line is ignored; a '{' may stand on a line of its own, except that of 'overrides' and 'protocol'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Sequence

from .._host import lines_of

LONGEST = (
    1023  # bytes that are read at once (MAXBUF 1024, fgets); the rest of a longer line is a line of its own
)
BLANK = " \t\n\v\f\r"
ROOT = ("defaults", "blacklist", "blacklist_exceptions", "devices", "overrides", "multipaths")
INNER = {
    "": ROOT,
    "blacklist": ("device",),
    "blacklist_exceptions": ("device",),
    "devices": ("device",),
    "overrides": ("protocol",),
    "multipaths": ("multipath",),
}
# parser.c, is_sublevel_keyword: these open even where no '{' follows on their line.
LOOSE = ("defaults", "blacklist", "blacklist_exceptions", "devices", "device", "multipaths", "multipath")
QUOTE = "\0"  # a quote that begins or ends a text, as a word of its own


@dataclass
class Section:
    """A section: its keywords (the last one counts; 'pairs' has each, for lists), and the sections in it."""

    name: str
    values: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    inner: list[Section] = field(default_factory=list)

    def all(self, *names: str) -> list[Section]:
        """The sections of this path of names, in their order."""
        found = [self]
        for name in names:
            found = [inner for one in found for inner in one.inner if inner.name == name]
        return found


def parse_sections(text: str) -> Section:
    """What one file says, or what 'multipath -t' and 'multipathd show config' print."""
    open_ = [Section("")]
    for piece in pieces_of(text):
        words = words_of(piece)
        key = words[0] if words else ""
        if not key or key in (QUOTE, "{"):
            continue
        if key == "}":
            if len(open_) > 1:
                open_.pop()
        elif key in INNER.get(open_[-1].name, ()):
            if key in LOOSE or _value(words) is not None:
                inner = Section(key)
                open_[-1].inner.append(inner)
                open_.append(inner)
        elif len(open_) > 1 and key not in LOOSE:
            value = _value(words)
            if value is not None:
                open_[-1].values[key] = value
                open_[-1].pairs.append((key, value))
    return open_[0]


def pieces_of(text: str) -> list[str]:
    """The lines as fgets gives them, in pieces of its buffer, bytes as characters; a carriage return ends what counts of one."""
    found = []
    for line in lines_of(text):
        data = line.encode(errors="surrogateescape")
        for at in range(0, max(len(data), 1), LONGEST):
            part = data[at : at + LONGEST].split(b"\0")[0].lstrip(b"\r").split(b"\r")[0]
            found.append(part.decode("latin-1"))
    return found


def words_of(line: str) -> list[str]:
    """The words of a piece of pieces_of (alloc_strvec). Outside of quotes every byte that is not ASCII is a blank."""
    words: list[str] = []
    at, quoted = _skip(line, 0), False
    while at < len(line) and (quoted or line[at] not in "!#"):
        if line[at] == '"' and not (quoted and line[at + 1 : at + 2] == '"'):
            quoted = not quoted
            words.append(QUOTE)
            at += 1
        elif not quoted and line[at] in "{}":
            words.append(line[at])
            at += 1
        else:
            pattern = r'(?:[^"]|"")*' if quoted else r'[^\s!#{}"\x80-\xff]*'
            match = re.compile(pattern, re.ASCII | re.DOTALL).match(line, at)
            word = match[0] if match else ""
            at += len(word)
            words.append(word.replace('""', '"').encode("latin-1").decode(errors="surrogateescape"))
        if not quoted:
            at = _skip(line, at)
    return words


def _skip(line: str, at: int) -> int:
    while at < len(line) and (line[at] in BLANK or line[at] > "\x7f"):
        at += 1
    return at


def _value(words: Sequence[str]) -> str | None:
    """The value of a keyword (validate_config_strvec, set_value); None where the line does not count."""
    if len(words) < 2:
        return None
    if words[1] != QUOTE:
        return words[1]
    if len(words) > 2 and words[2] != QUOTE:
        return words[2] if len(words) == 3 or words[3] == QUOTE else None
    return ""
