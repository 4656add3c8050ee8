# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ifaces of this host as its records and logins use them, and what network interface each is bound to."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_file import config
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import database, text_at

NETS, NIC, MAC = "/sys/class/net", "iface.net_ifacename", "iface.hwaddress"


def look_ifaces(host: Host) -> dict[str, dict[str, str]]:
    """The fields of every iface; 'default' and 'iser' are there without a file."""
    directory = f"{database(host)}/ifaces"
    found = {name: config(text_at(host, f"{directory}/{name}")) for name in host.list(directory)}
    for name, transport in (("default", "tcp"), ("iser", "iser")):
        found[name] = {"iface.iscsi_ifacename": name, "iface.transport_name": transport}
    return found


def bound(iface: dict[str, str]) -> bool:
    """Whether an iface says which network interface its sessions go through."""
    return any(iface.get(key, "default") not in ("", "default") for key in (NIC, MAC))


def nic_of(host: Host, iface: dict[str, str]) -> str:
    """The network interface that an iface is bound to; empty: to none."""
    nic, mac = iface.get(NIC, ""), iface.get(MAC, "").lower()
    if not bound(iface) or nic not in ("", "default"):
        return "" if nic == "default" else nic
    there = [one for one in host.list(NETS) if (host.read(f"{NETS}/{one}/address") or "").strip() == mac]
    return "".join(there[:1])
