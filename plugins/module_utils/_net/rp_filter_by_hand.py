# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage NICs whose own reverse path filter somebody has set: by a line that names them, or only until the next boot."""

from __future__ import annotations

import re
from typing import Any, Collection

from .._host import Host
from .in_use import OURS, in_use, look_devices, look_ends
from .rp_filter import LOOSE, PROC, in_force, kernel_number, key, look_filters, look_lines, saved_value

NAMED = re.compile(r"net/ipv4/conf/([^/*?\[]+)/rp_filter")
CONF = f"{PROC}/net/ipv4/conf"
OF_ALL = ("all", "default", "lo")


def look_by_hand(host: Host, bound: Collection[str]) -> list[dict[str, Any]]:
    """Of the NICs that ifaces name ('bound') and those through which sessions go; no command runs where nothing was set."""
    lines = look_lines(host)
    there = [name for name in host.list(CONF) if name not in OF_ALL]
    files = {match[1]: line.path for line in lines for match in [NAMED.fullmatch(line.setting)] if match}
    saved = in_force(lines)
    found = [name for name in there if name in files or _only_now(host, name, saved)]
    if not found:
        return []
    devices, ends = look_devices(host), look_ends(host)
    storage = [name for name in found if name in bound or OURS in in_use(name, devices, ends)]
    filters = look_filters(host, storage)
    return [
        {
            "nic": name,
            "running": filters[name].running,
            "at_boot": filters[name].at_boot,
            "file": files.get(name),
        }
        for name in storage
    ]


def _only_now(host: Host, name: str, saved: dict[str, str | None]) -> bool:
    """Whether it is loose now and no file makes it so."""
    own = kernel_number(host.read(f"{CONF}/{name}/rp_filter"))
    inherited = [saved_value(saved, key(one)) for one in (name, "default")]
    return (
        own == LOOSE
        and LOOSE not in inherited
        and kernel_number(host.read(f"{CONF}/default/rp_filter")) != LOOSE
    )
