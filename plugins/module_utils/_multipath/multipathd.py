# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipathd, asked and told through its own client (multipathd(8)).

A question never starts the daemon: its socket unit would, so systemd is asked first whether it runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Sequence

from .._block.dm_multipath import running
from .._host import Host, Problem, lines_of

WWIDS = "/etc/multipath/wwids"
BUSY = 30  # seconds that it may be busy with a path that does not answer


@dataclass(frozen=True)
class Map:
    """A multipath map as the daemon sees it, and which of its paths (kernel names) it has failed."""

    name: str
    wwid: str
    failed: frozenset[str]


def ask(host: Host, *words: str) -> str:
    """What the running daemon answers; while it waits for a path itself it says 'timeout', and is asked again."""

    def answered() -> str:
        ran = host.run("multipathd", *words, ok=None)
        return "" if ran.rc else ran.out

    return host.until(answered, BUSY, 1)


def look_maps(host: Host) -> list[Map]:
    """The daemon's maps; none when it does not run or is too busy to say."""
    said = ask(host, "show", "maps", "json") if running(host) else ""
    return parse_maps(said) if said else []


def parse_maps(text: str) -> list[Map]:
    """What 'multipathd show maps json' prints."""
    return [
        Map(
            name=one["name"],
            wwid=one["uuid"],
            failed=frozenset(
                path["dev"]
                for group in one["path_groups"]
                for path in group["paths"]
                if path["dm_st"] == "failed" or path["chk_st"] == "faulty"
            ),
        )
        for one in json.loads(text)["maps"]
    ]


def registered(host: Host) -> frozenset[str]:
    """The WWIDs that multipath claims as soon as their first path appears (libmultipath/wwids.c, lookup_wwid)."""
    lines = (line.split("/") for line in lines_of(host.read(WWIDS)))
    return frozenset(parts[1] for parts in lines if len(parts) > 2 and not parts[0])


def tell(host: Host, commands: Sequence[str], timeout: float = 60, up: bool = False) -> str:
    """Give the running daemon several commands at once; what it says, a line for each. 'up': that it runs is known."""
    if not up and not running(host):
        raise Problem(
            "multipathd is not running. Start it (role lunworks.iscsi.multipath), or use 'multipath: false'."
        )
    return host.run(
        "multipathd", "-k", stdin="".join(f"{line}\n" for line in [*commands, "quit"]), timeout=timeout
    ).out
