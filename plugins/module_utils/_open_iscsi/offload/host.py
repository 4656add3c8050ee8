# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iSCSI hosts: what iscsiadm -m host calls so, the SCSI hosts of iSCSI drivers (one for each port of a card; software iSCSI
makes one for each session). Read from sysfs, as iscsiadm does (usr/iscsi_sysfs.c).

A host's number may be another card's after the next boot, so a host is known by its hardware address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._host import Host, Problem
from ..session import SESSIONS, Session, attribute, look_sessions

HOSTS = "/sys/class/iscsi_host"
IFACES = "/sys/class/iscsi_iface"


@dataclass(frozen=True)
class IscsiHost:
    """A port of a card; software iSCSI has no hardware address."""

    number: int
    transport: str
    mac: str

    def __str__(self) -> str:
        return f"the {self.transport} host {self.mac}"


def look_hosts(host: Host) -> list[IscsiHost]:
    """All iSCSI hosts of this machine."""
    found = []
    for entry in host.list(HOSTS):
        number = entry[len("host") :]
        driver = attribute(host, f"/sys/class/scsi_host/{entry}/proc_name")
        mac = attribute(host, f"{HOSTS}/{entry}/hwaddress").lower()
        transport = re.sub(
            "^iscsi_", "", driver
        )  # the modules of tcp and iser are named iscsi_tcp, iscsi_iser
        found.append(IscsiHost(int(number), transport, "" if mac == "default" else mac))
    return sorted(found, key=lambda one: one.number)


def find_host(host: Host, mac: str) -> IscsiHost:
    """The iSCSI host with this hardware address."""
    hosts = look_hosts(host)
    found = [one for one in hosts if one.mac == mac]
    if len(found) > 1:
        raise Problem(
            f"{len(found)} iSCSI hosts of this machine have the hardware address '{mac}'. It is not clear which one is meant."
        )
    if not found:
        there = ", ".join(f"{one.mac or 'none'} ({one.transport}, host{one.number})" for one in hosts)
        raise Problem(
            f"No iSCSI host of this machine has the hardware address '{mac}'. There are: {there or 'none'}. "
            f"Is the card there, and its driver loaded? Software iSCSI has no such address."
        )
    return found[0]


def sessions_of(host: Host, number: int) -> list[Session]:
    """The sessions through an iSCSI host."""
    place = f"/host{number}/"
    return [
        session
        for session in look_sessions(host)
        if place in host.real(f"{SESSIONS}/session{session.number}/device") + "/"
    ]
