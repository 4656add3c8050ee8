# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that this machine knows of its iSCSI hosts, as an answer for people and templates."""

from __future__ import annotations

from typing import Any

from ..._host import Host, Problem, lines_of
from ..session import attribute
from .chap_table import read_table
from .flash import NAME, look_flashnodes
from .host import HOSTS, IFACES, IscsiHost, find_host, look_hosts, sessions_of

SOFTWARE = ("tcp", "iser")
NOT_SHOWN = ("dev", "device", "power", "subsystem", "uevent")


def tell_hosts(host: Host, mac: str | None, statistics: bool) -> dict[str, Any]:
    """The answer of the module host_info."""
    hosts = look_hosts(host) if mac is None else [find_host(host, mac)]
    return {"hosts": [_host(host, card, statistics) for card in hosts]}


def _host(host: Host, card: IscsiHost, statistics: bool) -> dict[str, Any]:
    place = f"{HOSTS}/host{card.number}"
    table, why = _table(host, card)
    return {
        "number": card.number,
        "transport": card.transport,
        "mac": card.mac or None,
        "address": attribute(host, f"{place}/ipaddress") or None,
        "nic": attribute(host, f"{place}/netdev") or None,
        "initiator_name": attribute(host, f"{place}/initiatorname") or None,
        "port_state": attribute(host, f"{place}/port_state") or None,
        "port_speed": attribute(host, f"{place}/port_speed") or None,
        "state": attribute(host, f"/sys/class/scsi_host/host{card.number}/state"),
        "ifaces": _ifaces(host, card),
        "chap": table,
        "chap_reason": why,
        "flashnodes": [
            {
                "index": one.index,
                "target": one.settings.get(NAME, ""),
                "portal": str(one.portal),
                "settings": one.settings,
            }
            for one in look_flashnodes(host, card.number)
        ],
        "statistics": _statistics(host, card) if statistics else None,
        "sessions": [str(session.name) for session in sessions_of(host, card.number)],
    }


def _ifaces(host: Host, card: IscsiHost) -> dict[str, dict[str, str]]:
    mine = [entry for entry in host.list(IFACES) if entry.split("-")[2:3] == [str(card.number)]]
    return {
        entry: {
            name: attribute(host, f"{IFACES}/{entry}/{name}")
            for name in host.list(f"{IFACES}/{entry}")
            if name not in NOT_SHOWN
        }
        for entry in mine
    }


def _table(host: Host, card: IscsiHost) -> tuple[list[dict[str, Any]] | None, str | None]:
    if card.transport in SOFTWARE:
        return None, "Software iSCSI keeps no CHAP table; its CHAP is in the node records."
    try:
        table = read_table(host, card)
    except Problem as problem:
        return None, str(problem)
    return [
        {"index": index, "user": entry.name.user, "mutual": entry.name.mutual}
        for index, entry in sorted(table.items())
    ], None


def _statistics(host: Host, card: IscsiHost) -> dict[str, int] | None:
    """Counters, as 'iscsiadm -m host -C stats' prints them. Its exit code is the length of the kernel's answer."""
    ran = host.run("iscsiadm", "-m", "host", "-H", str(card.number), "-C", "stats", ok=None)
    pairs = [line.split(":") for line in lines_of(ran.out) if line.startswith("\t")]
    return {name.strip(): int(value) for name, value in pairs} or None
