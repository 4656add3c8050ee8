# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of multipath maps as the kernel uses them (kernel Documentation/admin-guide/device-mapper/dm-multipath)."""

from __future__ import annotations

import re

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Late

LINE = re.compile(r"(?P<map>.+): \d+ \d+ multipath (?P<status>.*)")
PATH = re.compile(r"(\d+:\d+) ([AF])\b")
UNIT = "multipathd.service"
PATIENCE = 20  # seconds


def look_map_paths(host: Host) -> dict[str, frozenset[str]]:
    """The maps by name, each with the device numbers of the paths that the kernel sends I/O to; those it failed are out."""
    try:
        ran = host.run("dmsetup", "status", "--noflush", "--target", "multipath", ok=None, timeout=PATIENCE)
    except Late:  # a map without paths that queues
        return {}
    return parse_status(ran.out)


def parse_status(text: str) -> dict[str, frozenset[str]]:
    """What 'dmsetup status --target multipath' prints."""
    found = (LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {
        one["map"]: frozenset(number for number, state in PATH.findall(one["status"]) if state == "A")
        for one in found
        if one
    }


def watched(host: Host) -> bool:
    """Whether multipathd runs, so that a path that comes back gets into its map. Asking it would start it."""
    return "ActiveState=active" in host.run("systemctl", "show", "-p", "ActiveState", UNIT).out.split()
