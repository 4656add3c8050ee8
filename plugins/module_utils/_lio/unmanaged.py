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
        if lun.fixed and not _is_managed(running, store):
            found.append(
                f"The backstore '{store}' {lun.fixed}, which is not made here; it is never created again."
            )
        found += [
            f"The backstore '{store}' is also served by {place}."
            for place in running.elsewhere.get(store, ())
        ]
    return found + [f"{fault}." for fault in running.faults.values()]


def _is_managed(running: Running, store: str) -> bool:
    """Whether the ALUA group that a backstore has is that of its LUN, and nothing else of it is others'."""
    luns = [
        lun for target in running.targets.values() for lun in target.luns.values() if lun.backstore == store
    ]
    return bool(luns) and all(lun.alua and not lun.fixed for lun in luns)


def _portals(host: Host, name: str, group: Target) -> Iterator[str]:
    for place in host.list(f"{tpg(group)}/np"):
        if value_of(host, f"{tpg(group)}/np/{place}/cxgbit") == "1":
            yield (
                f"The portal {place} of '{name}' (tpg{group.tag}) uses offload to a Chelsio card, which is not set up here."
            )
