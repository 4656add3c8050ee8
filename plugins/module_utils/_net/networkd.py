# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-networkd: which .network file configures a NIC, and the MTU that it sets with its drop-ins (systemd.network(5)).

Which file that is stands in /run/systemd/netif/links, as sd_network_link_get_network_file reads it (src/libsystemd/sd-network).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, Mapping

from .._host import Host
from .._keyvalue import parse, unit_assignments
from .mark import MARK
from .way import NETS

LINKS = "/run/systemd/netif/links"
DIRECTORIES = ("/lib", "/usr/lib", "/usr/local/lib", "/run", "/etc")  # the last has the say about a name
ALL = ""  # stands for the NICs of a file
OURS = "90-lunworks-mtu.conf"
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True)
class Network:
    """What configures a NIC."""

    file: str
    drop_in: str  # our own part of it
    mtu: int | None
    later: str  # a drop-in that is read after ours and sets an MTU
    shared: tuple[str, ...]  # the other NICs that it configures
    without: int | None  # the MTU if our part of it were not there


def network_of(host: Host, nic: str) -> Network | None:
    """None: networkd does not manage the NIC."""
    file = _file(host, nic)
    if not file:
        return None
    name = file.rpartition("/")[2]
    drop_ins = _drop_ins(host, name)
    values = [(path, value) for path in [file, *drop_ins] for value in mtu_bytes(host.read(path) or "")]
    ours = f"/etc/systemd/network/{name}.d/{OURS}"
    later = [path for path, _value in values if path in drop_ins and path.rpartition("/")[2] > OURS]
    shared = tuple(one for one in host.list(NETS) if one != nic and _file(host, one) == file)
    others = [value for path, value in values if path != ours]
    return Network(
        file,
        ours,
        values[-1][1] if values else None,
        later[-1] if later else "",
        shared,
        others[-1] if others else None,
    )


def _file(host: Host, nic: str) -> str:
    index = (host.read(f"{NETS}/{nic}/ifindex") or "").strip()
    said = parse(host.read(f"{LINKS}/{index}") or "") if index else {}
    return "" if said.get("ADMIN_STATE") == "unmanaged" else said.get("NETWORK_FILE", "").strip("\"'")


def _drop_ins(host: Host, name: str) -> list[str]:
    """In the order in which they are read: by name."""
    places = [f"{top}/systemd/network/{name}.d" for top in DIRECTORIES]
    paths = {one: f"{place}/{one}" for place in places for one in host.list(place) if one.endswith(".conf")}
    return [paths[one] for one in sorted(paths)]


def mtu_bytes(text: str) -> Iterator[int | None]:
    """The values of MTUBytes in [Link], in order; an empty one takes back what was said before."""
    for section, name, value in unit_assignments(text):
        number = re.fullmatch(r"(\d+)([KMG]?)", value)
        if (section, name) == ("Link", "MTUBytes") and (number or not value):
            yield int(number[1]) * UNITS[number[2]] if number else None


def drop_in_entries(text: str) -> dict[str, int]:
    """What our drop-in says, for all NICs of its file: it names none."""
    said = [mtu for mtu in mtu_bytes(text) if mtu is not None]
    return {ALL: said[-1]} if said else {}


def drop_in_text(entries: Mapping[str, int]) -> str:
    """Our drop-in: all NICs of its file have one MTU."""
    return f"{MARK}[Link]\nMTUBytes={next(iter(entries.values()))}\n"
