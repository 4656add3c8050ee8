# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sessions have counted. The kernel tells it by netlink only, so iscsiadm is asked, once for all sessions."""

from __future__ import annotations

import re

from .._host import Host, lines_of

HEAD = re.compile(r"^Stats for session \[sid: (\d+),")
COUNTER = re.compile(r"^\s+(\w+): (\d+)$")


def look_statistics(host: Host) -> dict[int, dict[str, int]]:
    """The counters of every session by its number; a session that has just ended has none."""
    return parse_statistics(host.run("iscsiadm", "-m", "session", "-s", ok=None, timeout=30).out)


def parse_statistics(text: str) -> dict[int, dict[str, int]]:
    """What 'iscsiadm -m session -s' prints: RFC 4544's counters and those of the transport, since the login."""
    found: dict[int, dict[str, int]] = {}
    counters: dict[str, int] = {}
    for line in lines_of(text):
        head, counter = HEAD.match(line), COUNTER.match(line)
        if head:
            counters = found.setdefault(int(head[1]), {})
        elif counter:
            counters[counter[1]] = int(counter[2])
    return found
