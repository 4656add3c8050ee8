# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways from the network interfaces of this host to portals: whether they are there, and what packets they take.

A login is a few small packets. Where the NICs at both ends send larger ones than something between them forwards, it succeeds,
and the first data hangs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any, Mapping

from .._arguments import NIC, ZONELESS, Portal, by_name, portal, zoneless
from .._host import Host, Problem
from .._net.nic_mtu import MTU, wanted_mtus
from .._net.way import Route, largest, mtu_of, route_to, strict
from .iface.bound import look_ifaces, nic_of
from .iface.fields import SOFTWARE
from .record import iface_name, look_records
from .session import LOGGED_IN, look_sessions

AT_ONCE = 128  # a thread and a socket each, or 'ip' with its pipes: far below the 1024 files that a process may open
AT_BOOT = ("automatic", "onboot")
WAY: dict[str, Any] = {
    "portals": {"type": "list", "elements": "str", "required": True},
    "ifaces": {"type": "list", "elements": "str", "default": ["default"]},
    "nics": {"type": "list", "elements": "str", "default": []},
}
OPTIONS: dict[str, Any] = {
    "ways": {"type": "list", "elements": "dict", "options": WAY},
    "mtu": {**MTU, "default": []},
    "seconds": {"type": "int"},
}
PORTALS = "\0"  # stands for them in a sentence
ON_THE_WAY, OF_NIC, FILTERED, UNREACHABLE = "mtu_on_the_way", "mtu_of_nic", "rp_filter", "unreachable"
LATE = "not_looked_at"
NAMED = 3  # of these ways in a sentence


@dataclass(frozen=True, order=True)
class Way:
    """From a NIC, or an iface, to a portal."""

    portal: Portal
    iface: str = ""
    nic: str = ""


@dataclass(frozen=True)
class Path:
    """What was found of a way."""

    portal: Portal
    iface: str | None
    nic: str
    source: str
    reachable: bool
    why: str
    logged_in: bool
    mtu: int | None  # of the NIC
    wanted: int | None
    largest: int | None  # None: the portal answers no echo request
    filtered_by: str = ""  # the NIC of the route to it, where a strict filter drops the answers

    def fits(self, size: int | None) -> bool | None:
        """Whether packets of a size reach the portal; None where that is not known: the NIC sends no larger ones than its MTU."""
        if size is None or self.largest is None:
            return None
        return True if self.largest >= size else False if self.largest < (self.mtu or 0) else None

    def show(self) -> dict[str, Any]:
        """The path as users get it."""
        names = ("iface", "nic", "source", "reachable", "why", "logged_in", "mtu", "wanted", "largest")
        said = {name: getattr(self, name) for name in names}
        return {
            "portal": str(self.portal),
            **said,
            "fits": self.fits(self.mtu),
            "fits_wanted": self.fits(self.wanted),
        }


def look_ways(options: Mapping[str, Any], host: Host) -> dict[str, Any]:
    """The answer of the module path_info."""
    if options["seconds"] is not None and options["seconds"] < 1:
        raise Problem(f"'seconds' is {options['seconds']}; it must be a number of seconds, 1 or more.")
    wanted = wanted_mtus(options["mtu"])
    ifaces = look_ifaces(host)
    live = {(one.name.portal, one.name.iface) for one in look_sessions(host) if one.state == LOGGED_IN}
    ways = _asked(options["ways"]) if options["ways"] is not None else _own(host, live)
    ways = {way for way in ways if ifaces.get(way.iface, {}).get("iface.transport_name", "tcp") in SOFTWARE}
    narrow: dict[str, int] = {}
    late: list[Way] = []
    begun = monotonic()

    def look(way: Way) -> list[Path]:
        if options["seconds"] is not None and monotonic() - begun >= options["seconds"]:
            late.append(way)
            return []
        return [_path(host, way, ifaces, live, wanted, narrow)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = [path for found in pool.map(look, sorted(ways)) for path in found]
    faults = [*faults_of(paths), *([_late(sorted(late), len(ways), options["seconds"])] if late else [])]
    return {"paths": [path.show() for path in paths], "faults": faults}


def _late(ways: list[Way], total: int, seconds: int) -> dict[str, Any]:
    """That the time was over before all ways were looked at."""
    portals = sorted({str(way.portal) for way in ways})
    named = ", ".join(portals[:NAMED]) + (f" and {len(portals) - NAMED} more" if len(portals) > NAMED else "")
    text = f"After {seconds} seconds {len(ways)} of {total} ways to portals had not been looked at yet: to {named}."
    todo = "Repair what is said of other ways, which is what takes the time, or look at these alone (module path_info)."
    return {
        **dict.fromkeys(("mtu", "wanted", "largest", "fits_wanted")),
        "kind": LATE,
        "text": text,
        "todo": todo,
        "nic": "",
        "portals": portals,
        "logged_in": False,
    }


def _asked(asked: list[dict[str, Any]]) -> set[Way]:
    """The ways that the user names."""
    found = set()
    for way in asked:
        for name in way["nics"]:
            if not NIC.fullmatch(name) or name in (".", ".."):
                raise Problem(f"'{name}' is not the name of a network interface.")
        for where in (portal(text, names=True) for text in way["portals"]):
            found |= {Way(where, nic=name) for name in way["nics"]}
            found |= set() if way["nics"] else {Way(where, iface_name(name)) for name in way["ifaces"]}
    return found


def _own(host: Host, live: set[tuple[Portal, str]]) -> set[Way]:
    """Those of sessions, and of records that are logged in at boot."""
    records = {(name.portal, name.iface) for name, one in look_records(host) if _at_boot(one.settings)}
    return {Way(where, iface) for where, iface in live | records}


def _at_boot(settings: Mapping[str, Any]) -> bool:
    return str(settings.get("node.startup", "manual")) in AT_BOOT


def _path(
    host: Host,
    way: Way,
    ifaces: Mapping[str, Mapping[str, Any]],
    live: set[tuple[Portal, str]],
    wanted: Mapping[str, int],
    narrow: dict[str, int],
) -> Path:
    """Look at one way; a session that is logged in proves that it is there. 'narrow': what was the largest from each NIC."""
    address = way.portal.address
    bound = way.nic or nic_of(host, ifaces.get(way.iface, {}))
    route = Route(bound) if by_name(way.portal) else route_to(host, address, bound)
    nic = bound or route.nic
    logged_in = (way.portal, way.iface) in live
    why = "" if logged_in else _why(host, way, nic, bound, ifaces)
    mtu = mtu_of(host, nic)
    other = ""
    if why and bound and mtu is not None and not by_name(way.portal) and ":" not in address:
        chosen = route_to(host, address).nic
        other = chosen if chosen and chosen != nic and strict(host, nic) else ""
    most = None
    if not why and mtu is not None and "lo" not in (nic, route.nic):
        most = largest(host, address, nic, mtu, narrow.get(nic, 0))
        narrow.update({nic: most} if most and most < mtu else {})
    return Path(
        portal=way.portal,
        iface=way.iface or None,
        nic=nic,
        source=route.source,
        reachable=not why,
        why=why,
        logged_in=logged_in,
        mtu=mtu,
        wanted=wanted.get(nic),
        largest=most,
        filtered_by=other,
    )


def _why(host: Host, way: Way, nic: str, bound: str, ifaces: Mapping[str, Any]) -> str:
    """Why there is no way; empty: there is one."""
    if way.iface and way.iface not in ifaces:
        return f"there is no iface '{way.iface}'"
    if zoneless(way.portal) and not bound:
        return ZONELESS
    if bound and mtu_of(host, bound) is None:
        return f"there is no network interface '{bound}'"
    return host.unreachable(way.portal.address, way.portal.port, bound)


def faults_of(paths: list[Path]) -> list[dict[str, Any]]:
    """What is wrong, once for all portals that it holds for."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for path in paths:
        for kind, text, todo in _faults(path):
            known = (path.mtu, path.wanted, path.largest, path.fits(path.wanted), path.logged_in)
            own = (kind, path.nic, *known, text, todo)
            found.setdefault(own, []).append(str(path.portal))
    names = ("kind", "nic", "mtu", "wanted", "largest", "fits_wanted", "logged_in")
    return [
        {
            **dict(zip(names, key)),
            "portals": sorted(set(where)),
            "text": key[-2].replace(PORTALS, " and ".join(sorted(set(where)))),
            "todo": key[-1],
        }
        for key, where in found.items()
    ]


def _faults(path: Path) -> list[tuple[str, str, str]]:
    """Kind, sentence and what to do."""
    found = []
    nic = f"'{path.nic}'" if path.nic else "this host"
    if path.filtered_by:
        text = (
            f"{PORTALS} cannot be reached through {nic}: its reverse path filter is strict, and the route to it goes through "
            f"'{path.filtered_by}', so that answers are dropped."
        )
        found.append((FILTERED, text, f"Add {nic} to initiator_rp_filter_interfaces (module rp_filter)."))
    elif path.why:
        text = f"{PORTALS} cannot be reached from {nic} ({path.why})."
        todo = "Check the address, cable and VLAN of that NIC, and whether the portal listens."
        found.append((UNREACHABLE, text, todo))
    if path.fits(path.mtu) is False:
        text = (
            f"Packets of {path.mtu} bytes, the MTU of {nic}, do not reach {PORTALS}; the largest that do have {path.largest} "
            "bytes: a login succeeds, and then data hangs."
        )
        todo = (
            f"Set the MTU of {nic} to {path.largest} (initiator_mtu), or that of switches, VLANs and tunnels on the way to "
            f"{path.mtu} or more."
        )
        found.append((ON_THE_WAY, text, todo))
    if path.wanted is not None and path.mtu is not None and path.mtu != path.wanted:
        text = f"The MTU of {nic} is {path.mtu}, and it must be {path.wanted}."
        found.append((OF_NIC, text, _set_it(path.mtu, path.wanted)))
    return found


def _set_it(mtu: int, wanted: int) -> str:
    """What to do for a NIC to have its MTU."""
    if wanted < mtu:
        return "Run lunworks.iscsi.site while no session goes through it, or boot the host after that."
    return (
        "Run lunworks.iscsi.site in a maintenance window, while no session goes through it: it tries packets of "
        f"{wanted} bytes before it logs in, and at a boot nobody tries them."
    )
