# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in the shapes that distributions, vendors' guides and people use: tests/unit/others/SOURCE/PATH ON THE HOST.

A colon in a path is written %3A there, since not every file system takes one. Beside the files of a source stand README.md
(what they are in the shape of) and expected.yml (what the modules make of them; 'crlf' names files whose lines end as on
Windows, which no tool of a repository leaves so).
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
    root, windows = PLACE / source, expected_of(source).get("crlf", ())
    found = {
        "/" + str(path.relative_to(root)).replace("%3A", ":"): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in BESIDE
    }
    return {path: text.replace(b"\n", b"\r\n") if path in windows else text for path, text in found.items()}


@functools.lru_cache(maxsize=None)
def expected_of(source):
    """What is expected of the modules on a host with these files."""
    return yaml.safe_load((PLACE / source / "expected.yml").read_text())
