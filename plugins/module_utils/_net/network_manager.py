# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager: the MTU in the profile of a NIC, and the default for profiles that say none (NetworkManager.conf(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping

from .._host import Host
from .mark import MARK
from .rp_filter import kernel_number

RUNNING = "/run/NetworkManager"
TOP = "/etc/NetworkManager"
DIRECTORIES = ("/usr/lib/NetworkManager/conf.d", f"{RUNNING}/conf.d", f"{TOP}/conf.d")
CONF = f"{TOP}/conf.d/90-lunworks-mtu.conf"
UNMANAGED = 10  # NMDeviceState: NM_DEVICE_STATE_UNMANAGED
WIRED = "802-3-ethernet"  # the setting with the MTU of all kinds of NICs but those that have their own (nm-settings(5))
OWN = ("infiniband", "802-11-wireless", "ip-tunnel", "wireguard")
ENTRY = re.compile(r"^match-device=interface-name:=(\S+)\nethernet\.mtu=(\d+)$", re.M)
DEFAULT = re.compile(r"^[ \t]*ethernet\.mtu[ \t]*=", re.M)


@dataclass(frozen=True)
class Profile:
    """The MTU that the active profile of a NIC sets (0: none), and what stands against our default."""

    mtu: int = 0
    fixed: str = ""
    remedy: str = ""


def profile_mtu(host: Host, nic: str) -> Profile | None:
    """None: NetworkManager does not run, or does not manage the NIC."""
    if host.stat(RUNNING) is None:
        return None
    ran = host.run("nmcli", "-g", "GENERAL.STATE,GENERAL.CON-UUID", "device", "show", nic, ok=None)
    state, uuid = (ran.out.split("\n") + ["", ""])[:2]
    if ran.rc != 0 or (kernel_number(state) or 0) <= UNMANAGED:
        return None
    kind = _setting(host, uuid, "connection.type") if uuid else WIRED
    name = f"{kind if kind in OWN else WIRED}.mtu"
    mtu = (kernel_number(_setting(host, uuid, name)) or 0) if uuid else 0
    others = [path for path in _files(host) if path != CONF and DEFAULT.search(host.read(path) or "")]
    fixed = ""
    if mtu:
        fixed = f"the profile {uuid} of NetworkManager says {mtu}"
    elif kind in OWN:
        fixed = f"NetworkManager has a profile of the type '{kind}' for it, which our default is not for"
    elif others:
        fixed = f"'{others[-1]}' has a default of its own (ethernet.mtu)"
    return Profile(mtu, fixed, _remedy(nic, uuid, name) if fixed else "")


def _remedy(nic: str, uuid: str, name: str) -> str:
    if uuid:
        return f"Set it in its profile: nmcli connection modify uuid {uuid} {name} <MTU>"
    return (
        "No profile is active on it. Make one that says the MTU and activate it "
        f"(nmcli connection add type ethernet ifname {nic} {name} <MTU>)"
    )


def _setting(host: Host, uuid: str, name: str) -> str:
    return host.run("nmcli", "-g", name, "connection", "show", "uuid", uuid).out.strip()


def _files(host: Host) -> list[str]:
    inside = [f"{place}/{one}" for place in DIRECTORIES for one in host.list(place) if one.endswith(".conf")]
    return [f"{TOP}/NetworkManager.conf", *inside]


def conf_entries(text: str) -> dict[str, int]:
    """What our file says, by NIC."""
    return {nic: int(mtu) for nic, mtu in ENTRY.findall(text)}


def conf_text(entries: Mapping[str, int]) -> str:
    """Our file: a default for each NIC. ':=' takes a name as it stands (NetworkManager.conf(5), Device List Format)."""
    sections = [
        f"\n[connection-lunworks-mtu-{nic}]\nmatch-device=interface-name:={nic}\nethernet.mtu={mtu}\n"
        for nic, mtu in sorted(entries.items())
    ]
    return "".join([MARK, *sections])
