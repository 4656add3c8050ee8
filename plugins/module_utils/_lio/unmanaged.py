# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO serves that this collection does not make: seen, named and left alone."""

from __future__ import annotations

from typing import Iterator

from .._host import Host
from .._san.target import Target
from .configfs import Running, tpg
from .configfs_node import value_of
from .saved_entry import OURS

TRANSPORTS = {
    "iser": "iSER",
    "cxgbit": "offload to a Chelsio card",
}  # what a portal can have set (np/ADDRESS:PORT/)


def look_unmanaged(host: Host, running: Running) -> list[str]:
    """One sentence each."""
    found = []
    for name in sorted(running.targets):
        groups = [running.targets[name], *running.others.get(name, ())]
        if len(groups) > 1:
            tags = ", ".join(str(one.tag) for one in groups[1:])
            found.append(
                f"The target '{name}' has more than one portal group: {groups[0].tag} is worked on, {tags} left alone."
            )
        for group in groups:
            found += _portals(host, name, group)
    for store, lun in sorted(running.stores.items()):
        kind = store.partition("/")[0]
        if kind not in OURS:
            found.append(
                f"The backstore '{store}' is of the kind '{kind}', which is not made here. It can be mapped."
            )
        if lun.fixed:
            found.append(
                f"The backstore '{store}' {lun.fixed}, which is not made here; it is never created again."
            )
        found += [
            f"The backstore '{store}' is also served by {place}."
            for place in running.elsewhere.get(store, ())
        ]
    return found + [f"{fault}." for fault in running.faults.values()]


def _portals(host: Host, name: str, group: Target) -> Iterator[str]:
    for place in host.list(f"{tpg(group)}/np"):
        for file, what in TRANSPORTS.items():
            if value_of(host, f"{tpg(group)}/np/{place}/{file}") == "1":
                yield f"The portal {place} of '{name}' (tpg{group.tag}) uses {what}, which is not set up here."
