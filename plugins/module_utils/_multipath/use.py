# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What relies on the name of a multipath map: files that are read at the next boot, mounts, swap, filters, what stands on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, Sequence

from .._block.holders import Holders, look_holders
from .._host import Host

FILES = (
    "/etc/fstab",
    "/etc/crypttab",
    "/etc/lvm/devices/system.devices",
    "/proc/cmdline",
    "/etc/default/grub",
)
UNITS = "/etc/systemd/system"
KINDS = (".mount", ".swap", ".automount", ".service")
LVM = ("/etc/lvm/lvm.conf", "/etc/lvm/lvmlocal.conf")
# lvm.conf(5): filter = [ "a|regex|", "r/regex/" ], or one such text; any character may stand around the expression.
FILTER = re.compile(
    r'^\s*(?:devices/)?((?:global_)?filter)\s*=\s*\[?((?:\s*"(?:[^"\\]|\\.)*"\s*,?)+)', re.MULTILINE
)
PATTERN = re.compile(r'"([ar])(.)((?:[^"\\]|\\.)*).?"')


@dataclass(frozen=True)
class Running:
    """A map that is there: its kernel name, its name and WWID, what array it is of, its partitions (kernel name, name), and its
    paths with what leads to them as multipath calls it.
    """

    device: str
    name: str
    wwid: str
    vendor: str = ""
    product: str = ""
    revision: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()


def uses_of(
    host: Host, renamed: Sequence[tuple[Running, str]], named: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """For each map and its new name: who uses the old one, in words, by the kernel name of the map.

    A volume of LVM finds its disk by what is on it. It counts only where nobody asked for this map's name.
    """
    holders, texts = look_holders(host), _texts(host)
    filters = [(path, one) for path in LVM for one in FILTER.findall(host.read(path) or "")]
    found = {}
    for one, new in renamed:
        names = [one.name, *(name for _device, name in one.parts)]
        found[one.device] = (
            *(
                f"'{path}' names it"
                for path, text in texts.items()
                if any(_names(text, name) for name in names)
            ),
            *_filtered(filters, one.name, new),
            *_above(one, holders, one.wwid in named),
        )
    return found


def _texts(host: Host) -> dict[str, str]:
    units = [f"{UNITS}/{name}" for name in host.list(UNITS) if name.endswith(KINDS)]
    read = {path: host.read(path) or "" for path in (*FILES, *units)}
    return {
        path: "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
        for path, text in read.items()
    }


def _names(text: str, name: str) -> bool:
    return bool(re.search(rf"(?:/dev/mapper/|\bdm-name-){re.escape(name)}(?![\w.+:@-])", text))


def _filtered(filters: Sequence[tuple[str, tuple[str, str]]], old: str, new: str) -> Iterator[str]:
    """The filters of LVM that take one of the two names and not the other."""
    for path, (keyword, patterns) in filters:
        if _accepts(patterns, f"/dev/mapper/{old}") != _accepts(patterns, f"/dev/mapper/{new}"):
            yield f"the {keyword} in '{path}' does not treat '{old}' and '{new}' alike"


def _accepts(patterns: str, path: str) -> bool:
    """The first pattern that fits decides; what none fits is taken (lvm.conf(5))."""
    for action, begin, inner in PATTERN.findall(patterns):
        expression = inner.rstrip({"(": ")", "[": "]", "{": "}"}.get(begin, begin))
        try:
            if re.search(expression, path):
                return bool(action == "a")
        except re.error:
            continue
    return True


def _above(one: Running, holders: Holders, asked_for: bool) -> Iterator[str]:
    parts = {name for _device, name in one.parts}
    for device in (one.device, *(device for device, _name in one.parts)):
        for user in holders.direct.get(device, []):
            if user.name not in parts and not (asked_for and user.kind == "volume"):
                yield str(user)
