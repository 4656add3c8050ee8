# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that let in others than the initiators of their igroups: told, and written without igroups, so that nobody is locked
out by an igroup that ends it."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ...module_utils._tgt.kept import RULES
from .document import Findings

Data = Mapping[str, Any]
EVERYBODY = "ALL"  # tgt's and IET's word


def lets_in_others(host: str, provider: str, target: Data) -> tuple[bool, Findings]:
    """Whether it does, and what is to be said of it."""
    found = Findings()
    here = f"The target '{target['name']}' ('{host}')"
    return OPEN[provider](here, target, found), found


def _by_demo_mode(here: str, target: Data, found: Findings) -> bool:
    """LIO: whether it lets in initiators that it does not know."""
    if str(target["attributes"].get("generate_node_acls", "0")) != "1":
        return False
    writable = str(target["attributes"].get("demo_mode_write_protect", "1")) == "0"
    found.dangerous.append(
        f"{here} is in demo mode: every initiator that reaches it gets every LUN, {'to write' if writable else 'to read'}. It is "
        "written without igroups, so that nobody is locked out; give each host that uses it an igroup, which ends demo mode."
    )
    return True


def _by_address(here: str, target: Data, found: Findings) -> bool:
    """tgt: whether it lets in by addresses."""
    return _by_rules(here, str(target["attributes"].get(RULES, "")).split(), RULES, found)


def _by_items(here: str, target: Data, found: Findings) -> bool:
    """IET: whether it lets in by addresses, networks and patterns."""
    return _by_rules(here, target["open_to"], "initiators.allow", found)


def _by_rules(here: str, rules: list[str], place: str, found: Findings) -> bool:
    if EVERYBODY in rules:
        found.dangerous.append(
            f"{here} lets in every initiator that reaches it ({place} {EVERYBODY}). Give each host that uses it an igroup."
        )
    elif rules:
        found.cannot.append(
            f"{here} lets in by address ({', '.join(rules)}); the data has initiator names alone. It is written without igroups."
        )
    return bool(rules)


def _by_nothing(here: str, target: Data, found: Findings) -> bool:
    """NetBSD: it enforces no access."""
    found.dangerous.append(
        f"{here} lets in every initiator that reaches it: NetBSD's target enforces no access. Keep others out with a packet "
        "filter."
    )
    return True


OPEN: dict[str, Callable[[str, Data, Findings], bool]] = {
    "lio": _by_demo_mode,
    "tgt": _by_address,
    "iet": _by_items,
    "netbsd": _by_nothing,
}
