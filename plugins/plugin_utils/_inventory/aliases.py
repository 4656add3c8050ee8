# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUNs in the variables of the role multipath that no target of the inventory has.

Hosts may have these variables in common, so one for a LUN that is another host's is no mistake.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Iterator, Mapping

from ...module_utils._arguments import target_key
from .._san_served import Data, nodes_of
from .._san_use import listed, present
from .fault import Path, nearest, target_meant
from .parsers import is_open

VARIABLES = ("multipath_aliases", "multipath_claimed")


def of_no_lun(data: Data, values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Path, str]]:
    """The host, the place and what is wrong there; 'data' is right in all else, and 'values' has the other variables of hosts."""
    declared = {
        target_key(target["name"]): {lun["name"] for lun in target.get("luns") or []}
        for vars_ in data.values()
        for target in present(vars_, "target_targets")
    }
    known = {name for vars_ in data.values() for name in nodes_of(vars_)} | set(declared)

    @cache  # hosts have the same ones again and again
    def like(name: str) -> str:
        return "" if name in known else target_meant(name, declared)

    for host, path, target, lun in _named(values):
        luns = declared.get(target, set())
        if luns and lun not in luns:
            near = nearest(lun, luns)
            hint = f"; did you mean '{near}'?" if near else ""
            yield (
                host,
                (*path, "lun"),
                f"its target has no LUN '{lun}' in the inventory (it has {listed(luns)}){hint}",
            )
        elif like(target) and not data[host].get("initiator_discovery"):
            said = f"no host of the inventory has or uses this target; did you mean '{like(target)}'?"
            yield host, (*path, "target"), said


def _named(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Path, str, str]]:
    """The LUNs that hosts name by target and name."""
    for host, own in values.items():
        for variable in VARIABLES:
            entries = own.get(variable)
            for number, one in enumerate(entries if isinstance(entries, list) else ()):
                if _needs_a_lun(one):
                    yield host, (variable, number), target_key(one["target"]), str(one["lun"])


def _needs_a_lun(entry: Any) -> bool:
    """Whether it names one that must be there: an alias of a LUN that is gone is taken away by its name, too."""
    named = isinstance(entry, dict) and entry.get("target") and entry.get("lun")
    return bool(named) and entry.get("state") != "absent" and not is_open(entry)
