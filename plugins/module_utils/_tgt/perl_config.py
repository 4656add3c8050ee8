# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that Config::General (a Perl module) makes of a file, as tgt-admin has it read them: with Apache's includes, those
of directories and with wildcards (Config/General.pm, _read and _open; tgt's scripts/tgt-admin, parse_configs)."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import stat
from typing import Iterator

from .._host import Host, lines_of

HERE_DOCUMENT = re.compile(r"\s*(?:[^=]+?\s*=\s*|\S+?\s+)<<\s*(.+?)\s*", re.ASCII)
EMPTY_BLOCK = re.compile(r"\s*<([^/]+?.*?)/>\s*$", re.ASCII)
QUOTED = re.compile(r"""\s*(?:include|includeoptional)\s*(["'])(.*?)(?<!\\)\1""", re.ASCII | re.IGNORECASE)
PLAIN = re.compile(r"\s*(?:include|includeoptional)\s+(.+?)\s*", re.ASCII | re.IGNORECASE)
CONTINUED = re.compile(r"(?<!\\)\\$")


def lines_read(text: str) -> Iterator[tuple[int, str]]:
    """What is left of a file without comments, with its long lines in one, each with the number of its last line."""
    end, comment, long = "", False, ""
    for number, line in enumerate(lines_of(text.lstrip("\ufeff")), 1):
        if end:
            end = "" if line.strip() == end else end
            continue
        line, comment = _without_comment(line, comment)
        if comment:
            continue
        line = re.sub(r"(?<!\\)#.*$", "", line)
        if CONTINUED.search(line):
            long += line[:-1].lstrip()
            continue
        block = EMPTY_BLOCK.search(line)
        here = HERE_DOCUMENT.fullmatch(line)
        if block:
            yield number, re.sub("/>$", ">", line)
            yield number, f"</{block[1].split()[0]}>"
        elif here:
            end = here[1]
        elif long:
            yield number, long + line.lstrip()
            long = ""
        elif line.strip():
            yield number, line


def _without_comment(line: str, inside: bool) -> tuple[str, bool]:
    """The line without comments of C, and whether it is in one that goes on."""
    if re.search(r"/\*.*\*/", line):
        return re.sub(r"\s*/\*.*\*/\s*", "", line, count=1, flags=re.ASCII), inside
    if re.match(r"\s*/\*", line, re.ASCII):
        return line, True
    if "*/" in line:
        return re.sub(r"^.*\*/", "", line), False
    return line, inside


def included(line: str) -> str:
    """The file, directory or pattern that a line includes, or ''."""
    quoted = QUOTED.fullmatch(line)
    plain = PLAIN.fullmatch(line)
    return quoted[2] if quoted else plain[1] if plain else ""


def is_plain(pattern: str) -> bool:
    """Whether we know what an include means: one level of braces, and no quotes and backslashes."""
    return re.fullmatch(r"[^\"'\\{}\[\]]*(?:\{[^\"'\\{}\[\]]*\}[^\"'\\{}\[\]]*)*", pattern) is not None


def patterns_of(include: str) -> list[str]:
    """The patterns that an include with braces means, from '/': relative ones are looked up in targets.conf's directory too."""
    found = re.search(r"\{([^{}]*)\}", include)
    if found is None:
        return [posixpath.join("/etc/tgt", include)]
    one = [f"{include[: found.start()]}{part}{include[found.end() :]}" for part in found[1].split(",")]
    return [pattern for part in one for pattern in patterns_of(part)]


def files_of(host: Host, pattern: str) -> list[str]:
    """The files that a pattern without braces means: a file, all of a directory, or those that fit wildcards."""
    if re.search(r"[*?]", pattern):
        return [path for path in _fitting(host, pattern) if _is_file(host, path)]
    names = host.list(pattern)
    paths = [posixpath.join(pattern, name) for name in sorted(names)] if names else [pattern]
    return [path for path in paths if _is_file(host, path)]


def _fitting(host: Host, pattern: str) -> list[str]:
    found = ["/"]
    for part in pattern.strip("/").split("/"):
        if re.search(r"[*?]", part):
            found = [
                posixpath.join(path, name)
                for path in found
                for name in sorted(host.list(path))
                if fits(name, part)
            ]
        else:
            found = [posixpath.join(path, part) for path in found]
    return found


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits; wildcards leave hidden files out (File::Glob)."""
    return fnmatch.fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def _is_file(host: Host, path: str) -> bool:
    there = host.stat(path)
    return there is not None and not stat.S_ISDIR(there.st_mode)
