# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in the shapes that distributions, vendors' guides and people use: tests/unit/others/SOURCE/PATH ON THE HOST.

A colon in a path is written %3A there, since not every file system takes one. Beside the files of a source stand README.md
(what they are in the shape of) and expected.yml (what the modules make of them; 'crlf' names files whose lines end as on
Windows, 'encodings' those that are not UTF-8: a repository's own checks allow neither).
"""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

PLACE = Path(__file__).parent / "others"
BESIDE = ("README.md", "expected.yml")


def sources():
    """The names of all sources."""
    return sorted(path.name for path in PLACE.iterdir() if path.is_dir())


def files_of(source):
    """The files of a source by their path on the host, as bytes."""
    root = PLACE / source
    return {
        path: text
        for found in sorted(root.rglob("*"))
        if found.is_file() and found.name not in BESIDE
        for path in ["/" + str(found.relative_to(root)).replace("%3A", ":")]
        for text in [_as_there(source, path, found.read_bytes())]
    }


def _as_there(source, path, text):
    expected = expected_of(source)
    if path in expected.get("crlf", ()):
        text = text.replace(b"\n", b"\r\n")
    return text.decode().encode(expected.get("encodings", {}).get(path, "utf-8"))


@functools.lru_cache(maxsize=None)
def expected_of(source):
    """What is expected of the modules on a host with these files."""
    return yaml.safe_load((PLACE / source / "expected.yml").read_text())
