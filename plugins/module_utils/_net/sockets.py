# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's IP addresses and TCP sockets, as the kernel lists them (kernel Documentation/networking/proc_net_tcp.rst)."""

from __future__ import annotations

import ipaddress
import re
import sys
from dataclasses import dataclass

from .._arguments import Portal
from .._host import Host, lines_of

ESTABLISHED, LISTEN = "01", "0A"


@dataclass(frozen=True)
class Sockets:
    """Addresses that this host has (None: any may be bound), where it listens, and its ends of connections."""

    addresses: frozenset[str] | None = frozenset()
    listening: frozenset[Portal] = frozenset()
    connected: frozenset[Portal] = frozenset()

    def taken(self, portal: Portal) -> Portal | None:
        """Who listens where this portal would."""
        return next(
            (one for one in sorted(self.listening) if one.port == portal.port and meet(one, portal)), None
        )

    def has(self, portal: Portal) -> bool:
        """Whether the portal's address is this host's, or stands for all of them."""
        address = ipaddress.ip_address(portal.address.partition("%")[0])
        return self.addresses is None or address.is_unspecified or str(address) in self.addresses

    def used(self, portal: Portal) -> bool:
        """Whether a connection ends at this portal."""
        return any(one.port == portal.port and meet(one, portal) for one in self.connected)


def meet(one: Portal, other: Portal) -> bool:
    """Whether two addresses are the same or one stands for the other; '::' stands for IPv4 too."""
    if one.address == other.address or "::" in (one.address, other.address):
        return True
    return "0.0.0.0" in (one.address, other.address) and ":" not in one.address + other.address


def look_sockets(host: Host) -> Sockets:
    """Read /proc/net once."""
    states: dict[str, set[Portal]] = {ESTABLISHED: set(), LISTEN: set()}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in lines_of(host.read(path))[1:]:
            words = line.split()
            if words[3] in states:
                address, _colon, port = words[1].partition(":")
                states[words[3]].add(Portal(_address(address), int(port, 16)))
    return Sockets(_addresses(host), frozenset(states[LISTEN]), frozenset(states[ESTABLISHED]))


def _addresses(host: Host) -> frozenset[str] | None:
    if (host.read("/proc/sys/net/ipv4/ip_nonlocal_bind") or "0").strip() == "1":
        return None
    found = set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", host.read("/proc/net/fib_trie") or ""))
    for line in lines_of(host.read("/proc/net/if_inet6")):
        found.add(str(ipaddress.ip_address(int(line.split()[0], 16).to_bytes(16, "big"))))
    return frozenset(found)


def _address(text: str) -> str:
    """An address as /proc/net/tcp writes it: words of 32 bits in the machine's own byte order."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    found = ipaddress.ip_address(b"".join(words))
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
