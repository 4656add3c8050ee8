# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a network interface of this host to an address: which one the routes choose, and what packets get through."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .._host import Host
from .rp_filter import PROC, kernel_number, key

NETS = "/sys/class/net"
SMALL = 128  # bytes; RFC 791 has every host take 576, RFC 8200 1280
WAITS = (0.2, 0.5, 1.0)  # seconds for the answer to a packet, and to the same again


@dataclass(frozen=True)
class Route:
    """Where packets to an address leave this host; without a NIC they do not."""

    nic: str = ""
    source: str = ""


def route_to(host: Host, address: str, nic: str = "") -> Route:
    """The route that is chosen; with a NIC, among those through it (ip-route(8))."""
    bare, _percent, zone = address.partition("%")
    through = nic or zone
    ran = host.run(
        "ip", "-json", "route", "get", bare, *(["oif", through] if through else []), ok=None, timeout=10
    )
    found = (json.loads(ran.out or "[]") or [{}])[0] if ran.rc == 0 else {}
    return Route(str(found.get("dev", "")), str(found.get("prefsrc", "")))


def mtu_of(host: Host, nic: str) -> int | None:
    """The MTU of a NIC now; None when there is no such NIC."""
    return kernel_number(host.read(f"{NETS}/{nic}/mtu")) if nic else None


def strict(host: Host, nic: str) -> bool:
    """Whether a NIC takes packets only from where its own routes lead (IPv4): the higher of both values counts."""
    values = [kernel_number(host.read(f"{PROC}/{key(name)}")) or 0 for name in ("all", nic)]
    return max(values) == 1


def largest(host: Host, address: str, nic: str, top: int, likely: int = 0) -> int | None:
    """The largest packet, up to 'top' bytes, that reaches an address and comes back whole; None: not even a small one does.

    Echo requests that must not be fragmented. What is asked twice without an answer is asked a third time before it counts.
    'likely' is tried first, as what is narrow is mostly so for all addresses behind it: an answer that does not come takes time.
    """

    def answered(size: int) -> bool:
        return any(host.echo(address, size, nic, seconds) for seconds in WAITS)

    if not answered(SMALL):
        return None
    if answered(top):
        return top
    low, high = SMALL, top
    tries = [likely, likely + 1]
    while high - low > 1:
        middle = tries.pop(0) if tries else (low + high) // 2
        if low < middle < high:
            low, high = (middle, high) if answered(middle) else (low, middle)
    return top if answered(top) else low
