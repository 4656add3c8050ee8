# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ifupdown: the stanzas of a NIC (interfaces(5)), and a script that ifup runs when it is up."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Iterator, Mapping

from .._host import Host, lines_of
from .mark import MARK

INTERFACES = "/etc/network/interfaces"
HOOK = "/etc/network/if-up.d/lunworks-mtu"  # run-parts(8): a name without a dot
ENTRY = re.compile(r'^(\S+)\) ip link set dev "\$IFACE" mtu (\d+) \|\| : ;;$', re.M)
BEGIN = ("iface", "mapping", "auto", "source", "source-directory", "template", "rename", "no-auto-down")
INSIDE = re.compile(r"[A-Za-z0-9_-]+")  # names of files that source-directory reads
DEEPEST = 8  # files that source each other


@dataclass(frozen=True)
class Stanza:
    """The last MTU that the stanzas of a NIC say, and where."""

    mtu: int | None = None
    file: str = ""


def stanza_mtu(host: Host, nic: str) -> Stanza | None:
    """None: there is no stanza for the NIC."""
    found, inside = None, False
    for path, words in _lines(host, INTERFACES, DEEPEST):
        if words[0] in BEGIN or words[0].startswith("allow-"):
            inside = words[:2] == ["iface", nic]
            found = (found or Stanza()) if inside else found
        elif inside and words[0] == "mtu" and words[1:2] and words[1].isdigit():
            found = Stanza(int(words[1]), path)
    return found


def _lines(host: Host, path: str, depth: int) -> Iterator[tuple[str, list[str]]]:
    """The lines of a file and of those that it sources, in words; '\\' at the end of a line continues it."""
    for line in lines_of((host.read(path) or "").replace("\\\n", " ")):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        yield path, words
        if words[0] in ("source", "source-directory") and depth:
            for one in sorted(file for word in words[1:] for file in _sourced(host, words[0], word)):
                yield from _lines(host, one, depth - 1)


def _sourced(host: Host, how: str, word: str) -> list[str]:
    path = word if word.startswith("/") else f"{INTERFACES.rpartition('/')[0]}/{word}"
    if how == "source-directory":
        return [f"{path}/{one}" for one in host.list(path) if INSIDE.fullmatch(one)]
    place, _slash, pattern = path.rpartition("/")
    return [f"{place}/{one}" for one in host.list(place) if fnmatch.fnmatchcase(one, pattern)]


def hook_entries(text: str) -> dict[str, int]:
    """What our script sets, by NIC."""
    return {nic: int(mtu) for nic, mtu in ENTRY.findall(text)}


def hook_text(entries: Mapping[str, int]) -> str:
    """Our script. A NIC that refuses the MTU comes up all the same."""
    cases = [f'{nic}) ip link set dev "$IFACE" mtu {mtu} || : ;;\n' for nic, mtu in sorted(entries.items())]
    return "".join([f"#!/bin/sh\n{MARK}case $IFACE in\n", *cases, "esac\n"])
