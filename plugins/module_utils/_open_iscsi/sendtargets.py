# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is offered to this host: by a portal (SendTargets, RFC 7143 appendix C), an iSNS server (RFC 4171), its firmware."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Sequence

from .._arguments import Portal, portal, target_name
from .._host import Host, Problem
from .record import portal_of
from .session import reason

LINE = re.compile(r"(?P<where>\[[^\]]+\]|[^\s\[\]]+?):(?P<port>\d+),(?P<tpg>-?\d+) (?P<target>\S+)")
PID = "/run/iscsid.pid"
NOTHING = 21  # include/iscsi_err.h: ISCSI_ERR_NO_OBJS_FOUND: whoever was asked answers, and offers this host nothing
OF_ISNS = {  # include/iscsi_err.h: ISCSI_ERR_ISNS_QUERY, ISCSI_ERR_ISNS_REG_FAILED
    25: "the iSNS server does not answer the query of this host",
    26: "the iSNS server does not let this host register",
}
SENDTARGETS, ISNS, FIRMWARE = "st", "isns", "fw"  # as 'iscsiadm -t' says them


@dataclass(frozen=True, order=True)
class DiscoveryEntry:
    """A target that is offered, as it spells its name, and the portal that leads there."""

    target: str
    portal: Portal
    tpg: int

    @property
    def key(self) -> tuple[str, Portal]:
        """What it is compared by."""
        return self.target.lower(), self.portal

    @property
    def fault(self) -> str:
        """Why no record can be made of it: names and addresses come from the network, and become those of files."""
        try:
            target_name(self.target)
            portal(
                f"[{self.portal.address}]:{self.portal.port}"
                if ":" in self.portal.address
                else str(self.portal),
                names=True,
            )
        except Problem as problem:
            return f"cannot be recorded: {problem}"
        return ""


def answering(host: Host) -> bool:
    """Whether iscsid runs. iscsiadm would start it to ask for this host's name, and looking must not start anything."""
    process = (host.read(PID) or "").strip()
    return bool(process) and host.stat(f"/proc/{process}") is not None


def ask(
    host: Host, at: Portal | None, ifaces: Sequence[str], kind: str = SENDTARGETS, seconds: float = 90
) -> tuple[DiscoveryEntry, ...]:
    """What is offered; nothing is written anywhere. Firmware has no portal to ask at."""
    where = ["-p", str(at)] if at else []
    through = [word for iface in ifaces for word in ("-I", iface)]
    ran = host.run(
        *("iscsiadm", "-m", "discoverydb", "-t", kind, *where, *through, "-o", "nonpersistent", "--discover"),
        ok=None,
        timeout=seconds,
    )
    if ran.rc not in (0, NOTHING):
        place = f"at {at}" if at else "in the firmware"
        raise Problem(f"Cannot discover {place}: {OF_ISNS.get(ran.rc) or reason(ran.rc, ran.err)}.")
    return parse_entries(ran.out)


def parse_entries(text: str) -> tuple[DiscoveryEntry, ...]:
    """The lines 'address:port,tpg name' that iscsiadm prints, each once."""
    found = (LINE.fullmatch(line.strip()) for line in text.split("\n"))
    entries = {
        DiscoveryEntry(
            match["target"], portal_of(match["where"].strip("[]"), match["port"]), int(match["tpg"])
        )
        for match in found
        if match
    }
    return tuple(sorted(entries))
