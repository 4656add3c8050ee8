# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of lines that others wrote, kept byte for byte but for the line that changes.

Which line says what is another question for each program that reads such a file, so that is asked of the caller.
"""

from __future__ import annotations

import re
from typing import Callable

Is = Callable[[str], bool]
BLANKS = " \t\n\r"  # systemd's WHITESPACE


def parse(text: str) -> dict[str, str]:
    """NAME=VALUE lines that a program writes for programs (systemctl show, files in /run), and those of ifcfg files."""
    return {
        name: value for name, equals, value in (line.partition("=") for line in text.split("\n")) if equals
    }


def unit_assignments(text: str) -> list[tuple[str, str, str]]:
    """Section, name and value of each assignment in a file of systemd (systemd.syntax(7)); a line that ends in a backslash goes
    on (src/shared/conf-parser.c)."""
    found, section, begun = [], "", ""
    for line in re.split("[\n\r\0]", text.replace("\r\n", "\n")):
        part = line.lstrip(BLANKS)
        if part[:1] in ("#", ";") or not (part or begun):
            continue
        whole, begun = begun + part, ""
        if (len(whole) - len(whole.rstrip("\\"))) % 2:
            begun = whole[:-1] + " "
            continue
        name, equals, value = whole.strip(BLANKS).partition("=")
        if not equals or name.startswith("["):
            section = whole.strip(BLANKS)[1:-1] if whole.startswith("[") else section
        else:
            found.append((section, name.strip(BLANKS), value.strip(BLANKS)))
    return found


def lines(text: str) -> list[str]:
    """The lines, each with its end. Only a line feed ends one: for C, a form feed, U+0085 or U+2028 is text."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def replaced(text: str, own: Is, line: str | None, first: bool = False) -> str | None:
    """The text with this line (None: no line) for its own ones, where the last or the first of them stood.

    None when it has no own line.
    """
    parts = lines(text)
    at = [number for number, part in enumerate(parts) if own(part)]
    if not at:
        return None
    place = at[0] if first else at[-1]
    if line is not None:
        parts[place] = line + (_end(parts[place]) or _end(parts[0]) or "\n")
        at.remove(place)
    return "".join(part for number, part in enumerate(parts) if number not in at)


def inserted(text: str, line: str, before: Is | None = None, after: Is | None = None) -> str:
    """The text with one more line: after the last such line, else before the first such one, else as the last whole one.

    What stands behind the last line feed is left behind it: some programs do not read it, and shall not begin to.
    """
    parts = lines(text)
    whole = len(parts) - (1 if parts and not _end(parts[-1]) else 0)
    examples = [number + 1 for number, part in enumerate(parts[:whole]) if after and after(part)]
    marks = [number for number, part in enumerate(parts) if before and before(part)]
    place = examples[-1] if examples else marks[0] if marks else whole
    neighbour = parts[place - 1] if place else "".join(parts[:1])
    return "".join([*parts[:place], line + (_end(neighbour) or "\n"), *parts[place:]])


def _end(part: str) -> str:
    return "\r\n" if part.endswith("\r\n") else "\n" if part.endswith("\n") else ""
