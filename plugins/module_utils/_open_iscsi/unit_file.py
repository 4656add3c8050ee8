# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a systemd unit as its files say them (systemd.syntax(7), systemd.unit(5), systemd.service(5)).

'systemctl show' prints them for people: without the quotes that hold a word together, and with specifiers filled in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Sequence, Tuple

from .._keyvalue import unit_assignments

PREFIXES = "@-:+!|"  # systemd.service(5), special executable prefixes
LOGIN = re.compile(r"(?<!\S)[\"']?(?:--login|-L|-l(?!\S))")  # iscsiadm(8)
WITHOUT_WAITING = re.compile(r"(?<!\S)[\"']?(?:-W|--no_wait)(?!\w)")


@dataclass(frozen=True)
class Command:
    """A command that the unit runs, as it is written, and the file that says so."""

    text: str
    path: str

    @property
    def waits(self) -> bool:
        """Whether it logs in, by itself or by what it runs, and waits for a portal that is away."""
        logs_in = "iscsiadm" in self.text and LOGIN.search(self.text)
        return bool(logs_in) and not WITHOUT_WAITING.search(self.text)

    @property
    def plain(self) -> bool:
        """Whether it is iscsiadm itself and nothing else, so that an option can be added at its end."""
        words = self.text.lstrip(PREFIXES).split()
        return (
            words[0].rpartition("/")[2] == "iscsiadm"
            and not set(words) & {";", "\\;"}
            and '"' not in self.text
        )


Files = Sequence[Tuple[str, str]]  # path and text, in the order in which systemd reads them


def commands(files: Files) -> tuple[Command, ...]:
    """What ExecStart= says in the unit's own file and in its drop-ins; an empty one forgets those before it."""
    found: list[Command] = []
    for path, text in files:
        for section, name, value in unit_assignments(text):
            if (section, name) == ("Service", "ExecStart"):
                found = [*found, Command(value, path)] if value else []
    return tuple(found)


def drop_ins(shown: str) -> list[str]:
    """The paths in DropInPaths=, as 'systemctl show' prints them: one with a blank in it stands in quotes."""
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', shown)
    return [re.sub(r"\\(.)", r"\1", long) or short for long, short in quoted]
