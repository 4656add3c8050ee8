# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address answers a card (iscsiadm(8), -m iface -C ping)."""

from __future__ import annotations

import re
from typing import Any

from ..._host import Host, Problem
from ..file import config
from ..record import OWN_IFACES, database
from ..session import reason
from .fields import SOFTWARE

EACH = 30  # seconds for one
PING = re.compile(r"^Ping (\d+) (completed|failed: (.*))$", re.M)  # usr/iscsiadm.c exec_ping_op


def ping(host: Host, iface: str, where: str, count: int, size: int, interval: int) -> dict[str, Any]:
    """The answer of the module iface_ping_info."""
    text = host.read(f"{database(host)}/ifaces/{iface}")
    if text is None and iface not in OWN_IFACES:
        raise Problem(f"There is no iface '{iface}' on this host. Create it first (module iface).")
    transport = config(text or "").get("iface.transport_name", "tcp")
    if iface in OWN_IFACES or transport in SOFTWARE:
        raise Problem(
            f"The iface '{iface}' is software iSCSI, which uses the kernel's network: use 'ping -I NIC {where}'. Only a card "
            "has its own ping."
        )
    ran = host.run(
        *("iscsiadm", "-m", "iface", "-I", iface, "-C", "ping", "-a", where),
        *("-b", str(size), "-c", str(count), "-i", str(interval)),
        ok=None,
        timeout=count * (EACH + interval),
    )
    pings = [
        {"answered": found[2] == "completed", "reason": found[3] or None} for found in PING.finditer(ran.out)
    ]
    if not pings:
        raise Problem(f"Cannot ping through the iface '{iface}': {reason(ran.rc, ran.err)}.")
    return {"answered": sum(1 for one in pings if one["answered"]), "pings": pings}
