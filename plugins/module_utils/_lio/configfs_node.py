# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How objects of the kernel's target are read from configfs: their numbers, links and values."""

from __future__ import annotations

import re
from typing import Iterable

from .._host import Host, Problem

ROOT = "/sys/kernel/config/target"
CORE = f"{ROOT}/core"
ISCSI = f"{ROOT}/iscsi"
PLUGINS = {"iblock": "block", "rd_mcp": "ramdisk"}  # the kernel's name and the one in the saved file
NO_LINKS = {
    "alua_tg_pt_gp",
    "alua_tg_pt_offline",
    "alua_tg_pt_status",
    "alua_tg_pt_write_md",
    "statistics",
    "write_protect",
}


def saved_name(hba: str, name: str) -> str:
    """What the saved file calls a backstore."""
    plugin = hba.rpartition("_")[0]
    return f"{PLUGINS.get(plugin, plugin)}/{name}"


def tags_of(host: Host, target: str) -> list[int]:
    """The portal groups of a target, lowest first."""
    return sorted(int(group[5:]) for group in host.list(target) if re.fullmatch(r"tpgt_\d+", group))


def numbered(host: Host, directory: str) -> list[int]:
    """The numbers of the LUNs or maps in a directory."""
    return sorted(int(name[4:]) for name in host.list(directory) if re.fullmatch(r"lun_\d+", name))


def link_of(host: Host, directory: str) -> str | None:
    """What the one link in a directory of configfs points to."""
    names = (name for name in host.list(directory) if name not in NO_LINKS)
    return next((link for link in (host.link(f"{directory}/{name}") for name in names) if link), None)


def values_of(host: Host, directory: str, names: Iterable[str]) -> dict[str, str]:
    """Of these settings those that are there and can be read."""
    found = {}
    for name in names:
        try:
            text = host.read(f"{directory}/{name}")
        except Problem:  # write-only, or not for this device
            continue
        if text is not None:
            found[name] = text.strip()
    return found


def value_of(host: Host, path: str) -> str:
    """A value as a word; empty when it is not there."""
    return (host.read(path) or "").strip()


def exact_of(host: Host, path: str) -> str:
    """A text in which blanks count: only the line's end is not part of it."""
    return (host.read(path) or "").rstrip("\n")


def served_elsewhere(host: Host) -> dict[str, tuple[str, ...]]:
    """What fabrics other than iSCSI serve (loopback, vhost, qla2xxx, ...): the same portal groups with LUNs in them."""
    found: dict[str, tuple[str, ...]] = {}
    for fabric in [name for name in host.list(ROOT) if name not in ("core", "iscsi")]:
        for wwn in host.list(f"{ROOT}/{fabric}"):
            for tag in tags_of(host, f"{ROOT}/{fabric}/{wwn}"):
                base = f"{ROOT}/{fabric}/{wwn}/tpgt_{tag}/lun"
                for number in numbered(host, base):
                    place = link_of(host, f"{base}/lun_{number}")
                    if place:
                        store = saved_name(*place.split("/")[-2:])
                        found[store] = (*found.get(store, ()), f"{fabric} '{wwn}' (LUN {number})")
    return found
