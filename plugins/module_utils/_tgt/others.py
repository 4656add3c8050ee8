# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of tgt-admin that is not ours.

It is Config::General's (perl_config.py); read are its targets' names alone. Where we do not know what it makes of a line, we say
so, and leave alone what that line may define.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from .._host import Host
from .kept import DIRECTORY, file_of, is_ours
from .perl_config import files_of, fits, included, is_plain, lines_read, patterns_of

CONFIGURATION = "/etc/tgt/targets.conf"
BEGIN = re.compile(r"<([^/]+?.*?)>")
END = re.compile(r"</(.+?)>")
NAMED = re.compile(r'(?:"([^"]+)"|(\S+))(?:\s+(?:"([^"]+)"|(.*)))?', re.ASCII)
PLAIN_NAME = re.compile(r"[A-Za-z0-9._:@+=,-]+")


@dataclass
class _Reading:
    """What is read so far: files may begin and end within a block of the one that includes them."""

    targets: dict[str, str] = field(default_factory=dict)
    ours: bool = False
    unclear: str = ""
    level: int = 0
    opened: str = ""
    files: set[str] = field(default_factory=set)

    def doubt(self, where: str, line: str, why: str) -> None:
        """Only the first one is told."""
        self.unclear = self.unclear or f"{where}" + (f" ('{line.strip()}')" if line else "") + f": {why}"


def look_others(host: Host) -> tuple[dict[str, str], bool, str]:
    """The targets of files that are not ours, in lower case, each with its file; whether our files are read at boot; and the
    first line of which it is not known what tgt-admin makes of it, or ''."""
    reading = _reading(host)
    if reading.level:
        reading.doubt(
            reading.opened, "", "this block does not end, with which tgt-admin reads nothing at all"
        )
    return reading.targets, reading.ours, reading.unclear


def files_of_others(host: Host) -> list[str]:
    """The files that are not ours: those that tgt-admin reads, and what is in conf.d, where an include may be unclear."""
    there = {f"{DIRECTORY}/{one}" for one in host.list(DIRECTORY) if one.endswith(".conf")}
    return sorted(one for one in there | _reading(host).files if not is_ours(one))


def _reading(host: Host) -> _Reading:
    reading = _Reading()
    _read(host, CONFIGURATION, reading)
    return reading


def _read(host: Host, path: str, reading: _Reading) -> None:
    if path in reading.files or is_ours(path):
        return
    reading.files.add(path)
    for number, line in lines_read(host.read(path) or ""):
        include = included(line)
        where = f"'{path}', line {number}"
        if not include:
            _parse(line.strip(" \t\n\r\f\v"), path, where, reading)
        elif not is_plain(include):
            reading.doubt(where, line, "which files it includes is not known")
        else:
            for pattern in patterns_of(include):
                reading.ours = reading.ours or (not reading.level and _takes(pattern))
                for one in files_of(host, pattern):
                    _read(host, one, reading)


def _parse(line: str, path: str, where: str, reading: _Reading) -> None:
    begins = BEGIN.fullmatch(line)
    if begins:
        if not reading.level:
            reading.opened = where
            _begin(begins[1], line, path, where, reading)
        reading.level += 1
    elif END.fullmatch(line):
        if not reading.level:
            reading.doubt(where, line, "no block begins before it, with which tgt-admin reads nothing at all")
        reading.level = max(0, reading.level - 1)
    elif line.startswith("<"):
        reading.doubt(where, line, "it is not a block, and not an option")


def _begin(block: str, line: str, path: str, where: str, reading: _Reading) -> None:
    whole = re.fullmatch('"([^"]+)"', block)
    named = None if whole else NAMED.fullmatch(block)
    kind = whole[1] if whole else (named[1] or named[2]) if named else "target"
    if kind != "target":
        return
    name = ((named[3] or named[4] or "") if named else "").strip().strip("\"'").lower()
    if PLAIN_NAME.fullmatch(name):
        reading.targets.setdefault(name, path)
    else:
        reading.doubt(where, line, "which target it means is not known")


def _takes(pattern: str) -> bool:
    """Whether an include takes files of ours."""
    ours = file_of("x")
    if posixpath.dirname(ours) == posixpath.normpath(pattern):
        return True
    parts, wanted = ours.split("/"), posixpath.normpath(pattern).split("/")
    return len(parts) == len(wanted) and all(map(fits, parts, wanted))
