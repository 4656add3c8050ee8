# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of tgt-admin that others wrote: which targets it defines where, and whether it reads our directory.

It is Config::General's (a Perl module) with Apache's includes; read are its targets' names alone.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Iterator

from .._host import Host, lines_of
from .kept import file_of, is_ours

CONFIGURATION = "/etc/tgt/targets.conf"
INCLUDE = re.compile(r"\s*(?:<<)?include\s+(.+?)(?:>>)?\s*", re.IGNORECASE)
TARGET = re.compile(r"\s*<target\s+(.+?)\s*>\s*")
DEEPEST = 8  # includes within includes


def look_others(host: Host) -> tuple[dict[str, str], bool]:
    """The targets of files that are not ours, in lower case, each with its file; and whether our files are read at boot."""
    found: dict[str, str] = {}
    ours = False
    for path, text in _files(host, CONFIGURATION, 0):
        for line in lines_of(text):
            begins = TARGET.fullmatch(line)
            if begins and not is_ours(path):
                found.setdefault(begins[1].strip("\"'").lower(), path)
            ours = ours or any(map(_takes, _included(line)))
    return found, ours


def _files(host: Host, path: str, depth: int) -> Iterator[tuple[str, str]]:
    text = host.read(path)
    if text is None or depth > DEEPEST:
        return
    yield path, text
    for line in lines_of(text):
        for pattern in _included(line):
            for one in _matching(host, pattern):
                yield from _files(host, one, depth + 1)


def _included(line: str) -> list[str]:
    found = INCLUDE.fullmatch(line)
    path = found[1].strip("\"'") if found else ""
    return [posixpath.join("/etc/tgt", path)] if path else []


def _matching(host: Host, pattern: str) -> list[str]:
    """The files that an include means: a name, names with wildcards, or all of a directory."""
    directory, _slash, name = pattern.rpartition("/")
    if host.list(pattern):
        return [posixpath.join(pattern, one) for one in host.list(pattern)]
    return [posixpath.join(directory, one) for one in host.list(directory) if fnmatch.fnmatchcase(one, name)]


def _takes(pattern: str) -> bool:
    """Whether an include takes files of ours."""
    ours = file_of("x")
    return fnmatch.fnmatchcase(ours, pattern) or posixpath.dirname(ours) == pattern.rstrip("/")
