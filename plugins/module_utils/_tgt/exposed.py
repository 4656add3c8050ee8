# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of tgt with CHAP secrets that everybody can read."""

from __future__ import annotations

import re
import stat

from .._host import Host
from .discovery import KEPT
from .kept import look_files, parse
from .others import files_of_others

ACCOUNT = re.compile(
    r"^\s*(?:incoming|outgoing)(?:discovery)?user\s+\S+\s+\S", re.MULTILINE
)  # targets.conf(5)


def look_exposed(host: Host) -> list[str]:
    """What tgt-admin reads, and our files."""
    found = [path for path in files_of_others(host) if ACCOUNT.search(host.read(path) or "")]
    for path, text in look_files(host).items():
        kept = parse(text)
        found += [path] if kept and any(one.chap for one in kept.initiators.values()) else []
    found += [KEPT] if host.read(KEPT) else []
    return sorted(path for path in found if _readable(host, path))


def _readable(host: Host, path: str) -> bool:
    found = host.stat(path)
    return found is not None and stat.S_ISREG(found.st_mode) and bool(found.st_mode & stat.S_IROTH)
