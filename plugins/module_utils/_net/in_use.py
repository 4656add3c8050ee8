# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether iSCSI goes through a NIC: sessions of this host, and those of initiators that it serves."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .._host import Host, Problem
from .sockets import look_sockets

HOSTS = "/sys/class/iscsi_host"  # one for each software session, or for each port of an offload card
PORT = 3260  # RFC 7143 section 4.2.7.2 (iscsi-target)
OVS = "openvswitch"  # the kind of its internal ports, and of the master of the others
BONDS = ("bond", "team")
OURS, SERVED = "iSCSI sessions go through it", "initiators are logged in through it"
UNKNOWN = "iSCSI sessions may go through it (their NIC is not known)"
Devices = Mapping[str, Any]  # as 'ip' says them, by name


@dataclass(frozen=True)
class End:
    """This host's end of a session: its address and NIC, as far as they are known."""

    address: str
    nic: str = ""
    served: bool = False


def look_devices(host: Host) -> dict[str, Any]:
    """The network interfaces, with their addresses."""
    said = json.loads(host.run("ip", "-json", "-details", "address", "show").out or "[]")
    return {one["ifname"]: one for one in said if one}


def look_ends(host: Host) -> list[End]:
    """Those of sessions, also of those that are in recovery, and of connections to targets here; not within this host."""
    ends = [
        End(_address(_attribute(host, f"{HOSTS}/{one}/ipaddress")), _attribute(host, f"{HOSTS}/{one}/netdev"))
        for one in host.list(HOSTS)
        if any(name.startswith("session") for name in host.list(f"{HOSTS}/{one}/device"))
    ]
    served = {_address(one.address) for one in look_sockets(host).connected if one.port == PORT}
    ends += [End(address, served=True) for address in sorted(served)]
    return [one for one in ends if not one.address or not ipaddress.ip_address(one.address).is_loopback]


def in_use(nic: str, devices: Devices, ends: Iterable[End]) -> str:
    """What goes through a NIC; empty: nothing does."""
    names = _together(nic, devices)
    own = {address for name in names for address in _addresses(devices[name])}
    found = {SERVED if one.served else OURS for one in ends if one.nic in names or one.address in own}
    if not found and any(not _placed(one, devices) for one in ends):
        found = {UNKNOWN}
    return " and ".join(sorted(found, reverse=True))


def kind(device: Mapping[str, Any] | None) -> str:
    """What a network interface is: 'vlan', 'bond', ...; empty for a card."""
    return str((device or {}).get("linkinfo", {}).get("info_kind", ""))


def on_it(device: Mapping[str, Any], nic: str) -> bool:
    """Whether it is a VLAN on this NIC, or what else is lowered with it (net/8021q/vlan.c, drivers/net/macvlan.c)."""
    return device.get("link") == nic and kind(device) in ("vlan", "macvlan", "macvtap")


def in_bond(device: Mapping[str, Any]) -> bool:
    """Whether it is a port of a bond or team, which gives it its MTU."""
    return device.get("linkinfo", {}).get("info_slave_kind") in BONDS


def _together(nic: str, devices: Devices) -> set[str]:
    """The NIC, what stands on it (VLANs, bonds, bridges, the internal ports of Open vSwitch), and the ports of a bond."""
    found: set[str] = set()
    left = [nic, *(name for name, one in devices.items() if one.get("master") == nic and in_bond(one))]
    while left:
        name = left.pop()
        if name in found or name not in devices:  # each end of a veth pair is the 'link' of the other
            continue
        found.add(name)
        master = str(devices[name].get("master", ""))
        left += [master, *(other for other, one in devices.items() if one.get("link") == name)]
        if kind(devices.get(master)) == OVS:
            left += [other for other, one in devices.items() if kind(one) == OVS]
    return found


def _placed(end: End, devices: Devices) -> bool:
    """Whether its NIC is known: an address on 'lo' or a dummy is on none, and those of offload cards are the card's own."""
    cards = [one for name, one in devices.items() if name != "lo" and kind(one) != "dummy"]
    return end.nic in devices or any(end.address in _addresses(one) for one in cards)


def _addresses(device: Mapping[str, Any]) -> set[str]:
    return {_address(one["local"]) for one in device.get("addr_info", []) if "local" in one}


def _address(text: str) -> str:
    """An address in one form: iscsi_host says IPv6 with all its zeros."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def _attribute(host: Host, path: str) -> str:
    """While a session is in recovery the kernel answers ENOTCONN for its address."""
    try:
        return (host.read(path) or "").strip()
    except Problem:
        return ""
