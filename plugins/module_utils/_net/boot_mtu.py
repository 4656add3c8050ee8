# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sets the MTU of a NIC at boot, and the file in which this collection can have it set without touching another's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Iterator, Mapping

from .._host import Host, Problem
from .._keyvalue import parse
from .ifupdown import HOOK, hook_entries, hook_text, stanza_mtu
from .mark import MARK
from .network_manager import CONF, RUNNING, conf_entries, conf_text, profile_mtu
from .networkd import drop_in_entries, drop_in_text, network_of

NETWORKD, NETWORK_MANAGER, IFUPDOWN = "systemd-networkd", "NetworkManager", "ifupdown"
IFCFG = (
    "/etc/sysconfig/network/ifcfg-{}",
    "/etc/sysconfig/network-scripts/ifcfg-{}",
)  # wicked; before NetworkManager
NETPLAN = "/run/systemd/network/10-netplan-"  # what netplan-generate(8) makes of its files
RULE = 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="<NIC>", ATTR{mtu}="<MTU>"'
TEXTS = {NETWORKD: drop_in_text, NETWORK_MANAGER: conf_text, IFUPDOWN: hook_text}
ENTRIES = {NETWORKD: drop_in_entries, NETWORK_MANAGER: conf_entries, IFUPDOWN: hook_entries}


@dataclass(frozen=True)
class Boot:
    """What configures a NIC and to which MTU (None: to none of its own); '<MTU>' in 'remedy' is the one that is wanted."""

    by: str
    mtu: int | None
    file: str = ""  # our own file for it
    entries: Mapping[str, int] = field(default_factory=dict)  # what our file says now, by NIC
    fixed: str = ""  # why our file would not do
    remedy: str = ""  # what to write then, and where
    shared: tuple[str, ...] = ()  # NICs that are configured by the same file
    without: int | None = None  # the MTU at boot if our file were not there
    ours: tuple[tuple[str, str], ...] = ()  # files of ours that name the NIC, and who reads each of them
    more: tuple[str, ...] = ()  # files of ours to which somebody has added something


def look_boot(host: Host, nic: str) -> Boot:
    """The first that says it configures this NIC."""
    boot = (
        _networkd(host, nic) or _network_manager(host, nic) or _ifupdown(host, nic) or _elsewhere(host, nic)
    )
    ours = tuple(_ours(host, nic, boot))
    files = {*ours, (boot.by, boot.file)} if boot.by in TEXTS else ours
    more = tuple(file for by, file in files if has_more(by, host.read(file) or ""))
    return replace(boot, ours=ours, more=more)


def _ours(host: Host, nic: str, boot: Boot) -> Iterator[tuple[str, str]]:
    """Those of what configures the NIC now, and of what did once."""
    if boot.by == NETWORKD and MARK in (host.read(boot.file) or ""):
        yield NETWORKD, boot.file
    for by, file in ((NETWORK_MANAGER, CONF), (IFUPDOWN, HOOK)):
        text = host.read(file) or ""
        if MARK in text and nic in entries_of(by, text):
            yield by, file


def entries_of(by: str, text: str) -> dict[str, int]:
    """What a file of ours says by NIC."""
    return ENTRIES[by](text)


def text_of(by: str, entries: Mapping[str, int]) -> str:
    """Our file for all these NICs."""
    return TEXTS[by](entries)


def has_more(by: str, text: str) -> bool:
    """Whether a file of our name is somebody else's, or somebody has added something to it."""
    found = entries_of(by, text)
    return bool(text.strip()) and not (MARK in text and found and text == text_of(by, found))


def mode_of(by: str) -> int:
    """The mode of our file."""
    return 0o755 if by == IFUPDOWN else 0o644


def read_ours(host: Host, by: str, file: str) -> str:
    """A file of ours as it is now, which is to be written anew."""
    text = host.read(file) or ""
    if has_more(by, text):
        refuse_more(file)
    return text


def refuse_more(file: str) -> None:
    """What was added would be lost."""
    raise Problem(
        f"'{file}' has more in it than lunworks.iscsi.nic_mtu writes, which would be lost. Move that to a file of your own, "
        "and run this again."
    )


def reload(host: Host, by: str) -> None:
    """The files of NetworkManager alone, no profile and no NIC: nmcli(1)."""
    if by == NETWORK_MANAGER and host.stat(RUNNING) is not None:
        host.run("nmcli", "general", "reload", "conf")


def _networkd(host: Host, nic: str) -> Boot | None:
    found = network_of(host, nic)
    if found is None:
        return None
    boot = Boot(NETWORKD, found.mtu, found.drop_in, without=found.without)
    if found.file.startswith(NETPLAN):
        remedy = f"Write 'mtu: <MTU>' below '{nic}:' in its file in '/etc/netplan' and run 'netplan generate'"
        return replace(boot, by="netplan", fixed=f"netplan writes '{found.file}'", remedy=remedy)
    if found.later:
        remedy = "Write 'MTUBytes=<MTU>' there, or remove its line"
        return replace(boot, fixed=f"'{found.later}' is read after '{found.drop_in}'", remedy=remedy)
    return replace(boot, shared=found.shared)


def _network_manager(host: Host, nic: str) -> Boot | None:
    found = profile_mtu(host, nic)
    if found is None:
        return None
    entries = conf_entries(host.read(CONF) or "")
    mtu = found.mtu or (None if found.fixed else entries.get(nic))
    return Boot(NETWORK_MANAGER, mtu, CONF, entries, found.fixed, found.remedy, without=found.mtu or None)


def _ifupdown(host: Host, nic: str) -> Boot | None:
    found = stanza_mtu(host, nic)
    if found is None:
        return None
    entries = hook_entries(host.read(HOOK) or "")
    if found.mtu is None:
        hook = host.stat(HOOK)
        runs = hook is not None and hook.st_mode & 0o111  # run-parts(8) passes over what cannot be executed
        return Boot(IFUPDOWN, entries.get(nic) if runs else None, HOOK, entries)
    fixed = f"'{found.file}' says 'mtu {found.mtu}' below 'iface {nic}'"
    return Boot(IFUPDOWN, found.mtu, HOOK, entries, fixed, "Write 'mtu <MTU>' there", without=found.mtu)


def _elsewhere(host: Host, nic: str) -> Boot:
    for path in (one.format(nic) for one in IFCFG):
        text = host.read(path)
        if text is not None:
            said = re.sub(r"\D", "", parse(text).get("MTU", ""))
            remedy = f"Write \"MTU='<MTU>'\" to '{path}'"
            mtu = int(said) if said else None
            return Boot("ifcfg", mtu, fixed=f"'{path}' configures it", remedy=remedy, without=mtu)
    rule = RULE.replace("<NIC>", nic)
    remedy = (
        f"Have whatever configures it set the MTU <MTU>, or write the line {rule} to '/etc/udev/rules.d/70-mtu.rules', and run "
        f"'ip link set {nic} mtu <MTU>'"
    )
    fixed = "it is configured by none of systemd-networkd, NetworkManager and ifupdown"
    return Boot("", None, fixed=fixed, remedy=remedy)
