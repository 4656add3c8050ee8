# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ifaces of this host as its records and logins use them, and what network interface each is bound to."""

from __future__ import annotations

from typing import Mapping

from ..._host import Host
from ..conf.settings import Value, text_of
from ..file import config
from ..record import database, text_at

NETS, NIC, MAC = "/sys/class/net", "iface.net_ifacename", "iface.hwaddress"


def look_ifaces(host: Host) -> dict[str, dict[str, str]]:
    """The fields of every iface; 'default' and 'iser' are there without a file."""
    directory = f"{database(host)}/ifaces"
    found = {name: config(text_at(host, f"{directory}/{name}")) for name in host.list(directory)}
    for name, transport in (("default", "tcp"), ("iser", "iser")):
        found[name] = {"iface.iscsi_ifacename": name, "iface.transport_name": transport}
    return found


def binding(iface: Mapping[str, Value], key: str) -> str:
    """What a field binds an iface or a record to; 'default' is as good as empty (usr/iface.c, iface_is_bound_by_netdev)."""
    text = text_of(iface.get(key))
    return "" if text == "default" else text


def bound(iface: Mapping[str, Value]) -> bool:
    """Whether an iface says which network interface its sessions go through."""
    return any(binding(iface, key) for key in (NIC, MAC))


def nic_of(host: Host, iface: Mapping[str, Value]) -> str:
    """The network interface that an iface is bound to; empty: to none. Of two, the address counts (usr/io.c)."""
    mac = binding(iface, MAC).lower()
    if not mac:
        return binding(iface, NIC)
    there = [one for one in host.list(NETS) if (host.read(f"{NETS}/{one}/address") or "").strip() == mac]
    return "".join(there[:1])
