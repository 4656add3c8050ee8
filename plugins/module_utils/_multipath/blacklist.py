# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that a configuration excludes: as it is read, multipathd removes those, and of one that is in use it stops the queueing
and checks its paths no more (multipathd/main.c, coalesce_maps).

Which disks are shut out: libmultipath/blacklist.c, filter_path, and wwids.c, should_multipath. 'property' is not looked at: its
words are udev's, and the exceptions that multipath has of itself let every SCSI disk in.
"""

from __future__ import annotations

import re
from typing import Collection, Iterator, Sequence

from .queueing import in_force
from .sections import Section
from .use import Running


def shut_out(config: Section, one: Running, listed: Collection[str]) -> str:
    """Why multipath takes no map of this disk, in words; empty where it does."""
    if in_force(config, {}, "find_multipaths") == "strict" and one.wwid not in listed:
        return "find_multipaths is strict, and its WWID is not on multipath's list"
    for kind, texts in (("devnode", one.paths), ("protocol", one.protocols), ("wwid", (one.wwid,))):
        found = [_excluded(config, kind, text) for text in texts]
        if found and all(found):
            return f"it is blacklisted by {kind} '{found[0]}'"
    return next((f"its array is blacklisted by '{name}'" for name in _arrays(config, one)), "")


def _excluded(config: Section, kind: str, text: str) -> str:
    """The expression of the blacklist that this fits, and no exception."""
    if any(_fits(said, text) for said in _said(config, "blacklist_exceptions", kind)):
        return ""
    return next((said for said in _said(config, "blacklist", kind) if _fits(said, text)), "")


def _said(config: Section, section: str, kind: str) -> Iterator[str]:
    return (value for part in config.all(section) for key, value in part.pairs if key == kind)


def _arrays(config: Section, one: Running) -> Sequence[str]:
    fitting = {
        section: [
            " ".join(part.values.values())
            for part in config.all(section, "device")
            if part.values
            and all(
                _fits(part.values[key], text)
                for key, text in (("vendor", one.vendor), ("product", one.product))
                if key in part.values
            )
        ]
        for section in ("blacklist", "blacklist_exceptions")
    }
    return [] if fitting["blacklist_exceptions"] else fitting["blacklist"]


def _fits(expression: str, text: str) -> bool:
    """A leading '!' turns it round (check_invert); a backslash keeps one that is meant."""
    turned = expression.startswith("!")
    try:
        return (
            bool(re.search(expression[1:] if turned or expression[:2] == "\\!" else expression, text))
            != turned
        )
    except re.error:  # a regular expression of the C library that Python's does not know
        return False
