# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of 'name = value' lines: iscsid.conf, initiatorname.iscsi, node records, sysctl.d."""

from __future__ import annotations

import re

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import lines_of

LINE = re.compile(r"^[ \t]*(?P<name>[^#;=\s][^=\s]*)[ \t]*=[ \t]*(?P<value>.*?)[ \t\r]*$")
COMMENTED = re.compile(r"^[ \t]*[#;][ \t]*(?P<name>[^#;=\s][^=\s]*)[ \t]*=")


def parse(text: str) -> dict[str, str]:
    """The settings that are in force; where a name stands twice, the last line wins."""
    found = {}
    for line in lines_of(text):
        match = LINE.match(line)
        if match:
            found[match["name"]] = match["value"]
    return found


def edit(text: str, changes: dict[str, str | None], equals: str = " = ") -> str:
    """The text with these settings in force and everything else as it was.

    A setting replaces its own line (every further one of the same name is dropped), else follows its
    commented-out example, else is appended. A value of None removes it.
    """
    lines = lines_of(text)
    for name, value in changes.items():
        lines = _with(lines, name, None if value is None else f"{name}{equals}{value}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def _with(lines: list[str], name: str, wanted: str | None) -> list[str]:
    own = [number for number, line in enumerate(lines) if _name(LINE, line) == name]
    if wanted is None:
        return [line for number, line in enumerate(lines) if number not in own]
    if own:
        kept = [line for number, line in enumerate(lines) if number not in own[:-1]]
        kept[own[-1] - len(own) + 1] = wanted
        return kept
    example = [number for number, line in enumerate(lines) if _name(COMMENTED, line) == name]
    at = example[-1] + 1 if example else len(lines)
    return lines[:at] + [wanted] + lines[at:]


def _name(pattern: re.Pattern[str], line: str) -> str | None:
    match = pattern.match(line)
    return match["name"] if match else None
