# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a login would fail, as far as it can be known without one; iscsid itself would try for two minutes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Iterable

from ..._arguments import ZONELESS, Portal, zoneless
from ..._host import Host, Late, Problem
from ..iface.bound import nic_of
from ..lock import wait_for_others
from ..record import RecordId
from ..sendtargets import DiscoveryEntry, answering, ask

ASKING = 15  # seconds


@dataclass(frozen=True)
class Blocker:
    """Why there can be no session now; 'unreachable' when the portal does not answer at all."""

    why: str
    unreachable: bool = True

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True)
class Offered:
    """What the portals that were asked offer: how targets spell their names, and each portal's group tag."""

    spellings: dict[str, frozenset[str]] = field(default_factory=dict)
    tags: dict[tuple[str, Portal], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """What logins have in common that can be tried with one connection."""

    portal: Portal
    nic: str
    initiator: str


def look_blocked(
    host: Host, names: list[RecordId], ifaces: dict[str, dict[str, str]]
) -> tuple[dict[RecordId, Blocker], Offered]:
    """The logins that would fail, and what targets answer.

    Offload ifaces have a network of their own and are not asked.
    """
    ways: dict[Way, list[RecordId]] = {}
    for name in names:
        iface = ifaces.get(name.iface, {})
        if iface.get("iface.transport_name") == "tcp":
            way = Way(name.portal, nic_of(host, iface), iface.get("iface.initiatorname", ""))
            ways.setdefault(way, []).append(name)
    blocked: dict[RecordId, Blocker] = {}
    offered = Offered()
    if ways:
        wait_for_others(host)
    with ThreadPoolExecutor(16) as pool:
        for way, said in zip(ways, pool.map(lambda way: _asked(host, way), ways)):
            blocked.update(_blocked(ways[way], said))
            for entry in said if isinstance(said, tuple) else ():
                spelled = offered.spellings.get(entry.key[0], frozenset())
                offered.spellings[entry.key[0]] = spelled | {entry.target}
                offered.tags[entry.key] = entry.tpg
    return blocked, offered


def _blocked(
    names: list[RecordId], said: Blocker | tuple[DiscoveryEntry, ...] | None
) -> dict[RecordId, Blocker]:
    if said is None:
        return {}
    if isinstance(said, Blocker):
        return dict.fromkeys(names, said)
    targets = {entry.target for entry in said}
    keys = {entry.key[0] for entry in said}
    other = Blocker(f"is not offered to this initiator (offered: {_listed(targets)})", unreachable=False)
    return {name: other for name in names if name.target not in keys}


def _asked(host: Host, way: Way) -> Blocker | tuple[DiscoveryEntry, ...] | None:
    """What the portal offers this initiator, why it does not answer, or None: it answers and does not tell."""
    if zoneless(way.portal) and not way.nic:
        return Blocker(f"cannot be reached: {ZONELESS}")
    why = host.unreachable(way.portal.address, way.portal.port, way.nic)
    if why:
        return Blocker(f"does not answer ({why})")
    if way.initiator or not answering(host):  # discovery gives the host's own name
        return None
    try:
        return ask(host, way.portal, ["default"], seconds=ASKING)
    except Late:
        return Blocker(
            f"does not answer (it accepts connections, but did not list its targets within {ASKING} seconds)"
        )
    except Problem:
        return None


def _listed(targets: Iterable[str]) -> str:
    names = [f"'{target}'" for target in sorted(targets)]
    return ", ".join(names[:5] + (["..."] if len(names) > 5 else [])) or "nothing"
