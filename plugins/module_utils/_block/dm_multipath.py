# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of multipath maps as the kernel uses them (kernel Documentation/admin-guide/device-mapper/dm-multipath)."""

from __future__ import annotations

import re
from typing import Sequence

from .._host import Host, Late, lines_of
from .sysfs import BLOCK

LINE = re.compile(r"(?P<map>.+): \d+ \d+ multipath (?P<status>.*)")
PATH = re.compile(r"(\d+:\d+) ([AF])\b")
UNIT = "multipathd.service"
PIDS = ("/run/multipathd.pid", "/run/multipathd/multipathd.pid")
PATIENCE = 20  # seconds


def wwid_of_map(host: Host, device: str) -> str:
    """The WWID of the disk of a multipath map, which its UUID bears; empty for any other device."""
    kind, _dash, wwid = (host.read(f"{BLOCK}/{device}/dm/uuid") or "").strip().partition("-")
    return wwid if kind == "mpath" else ""


def look_wwids(host: Host) -> dict[str, str]:
    """The multipath maps by what the kernel calls them (dm-0), each with its WWID."""
    found = ((device, wwid_of_map(host, device)) for device in host.list(BLOCK))
    return {device: wwid for device, wwid in found if wwid}


def look_names(host: Host) -> dict[str, str]:
    """The multipath maps by name, each with its WWID."""
    found = {
        (host.read(f"{BLOCK}/{device}/dm/name") or "").strip(): wwid
        for device, wwid in look_wwids(host).items()
    }
    return {name: wwid for name, wwid in found.items() if name}  # one that is just going has none


def look_map_paths(host: Host) -> dict[str, frozenset[str]]:
    """The maps by name, each with the device numbers of the paths that the kernel sends I/O to; those it failed are out."""
    return paths_in_use(host, list(look_names(host)))


def paths_in_use(host: Host, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """The same of these maps. dmsetup's --target asks every device, and a thin pool without paths does not answer."""
    if not names:
        return {}
    try:
        ran = host.run("dmsetup", "status", "--noflush", *names, ok=None, timeout=PATIENCE)
    except Late:
        return {}
    return parse_status(ran.out if len(names) > 1 else f"{names[0]}: {ran.out}")


def parse_status(text: str) -> dict[str, frozenset[str]]:
    """What 'dmsetup status' prints of several maps."""
    found = (LINE.fullmatch(line.strip()) for line in lines_of(text))
    return {
        one["map"]: frozenset(number for number, state in PATH.findall(one["status"]) if state == "A")
        for one in found
        if one
    }


def running(host: Host) -> bool:
    """Whether multipathd runs. A question to it would start it; a look at its process is much cheaper than one at systemd."""
    for place in PIDS:
        number = (host.read(place) or "").strip()
        if number.isdecimal() and (host.read(f"/proc/{number}/comm") or "").strip() == "multipathd":
            return True
    return "ActiveState=active" in host.run("systemctl", "show", "-p", "ActiveState", UNIT).out.split()
