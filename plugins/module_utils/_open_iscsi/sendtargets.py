# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is offered to this host: by a portal (SendTargets, RFC 7143 appendix C), an iSNS server (RFC 4171), its firmware."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass
from typing import Callable, Sequence

from .._arguments import Portal, portal, target_name
from .._host import Host, Problem, Ran
from .record import portal_of
from .session import reason

LINE = re.compile(r"(?P<where>\[[^\]]+\]|[^\s\[\]]+?):(?P<port>\d+),(?P<tpg>-?\d+) (?P<target>\S+)")
PID = "/run/iscsid.pid"
NOTHING = 21  # include/iscsi_err.h: ISCSI_ERR_NO_OBJS_FOUND: whoever was asked answers, and offers this host nothing
OF_ISNS = {  # include/iscsi_err.h: ISCSI_ERR_ISNS_QUERY, ISCSI_ERR_ISNS_REG_FAILED
    25: "the iSNS server does not answer the query of this host",
    26: "the iSNS server does not let this host register",
}
# All discovery sessions of a host have one ISID (usr/discovery.c), so the next one of iscsid's polling, or of somebody else, to
# any portal of that storage ends ours at once (RFC 7143 section 6.3.5). iscsiadm says ISCSI_ERR_PDU_TIMEOUT of it, or dies while
# it writes.
ENDED = (11, -signal.SIGPIPE)
AT_ONCE = 5  # seconds; what took longer was a timeout
TRIES = 8
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
    how = ("-t", kind, *where, *through, "-o", "nonpersistent", "--discover")
    ran = _undisturbed(lambda: host.run("iscsiadm", "-m", "discoverydb", *how, ok=None, timeout=seconds))
    if ran.rc not in (0, NOTHING):
        place = f"at {at}" if at else "in the firmware"
        raise Problem(f"Cannot discover {place}: {OF_ISNS.get(ran.rc) or reason(ran.rc, ran.err)}.")
    return parse_entries(ran.out)


def _undisturbed(asked: Callable[[], Ran]) -> Ran:
    """Ask again where another discovery session of this host has ended ours."""
    for _try in range(TRIES):
        begun = time.monotonic()
        ran = asked()
        if ran.rc not in ENDED or time.monotonic() - begun > AT_ONCE:
            break
    return ran


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
