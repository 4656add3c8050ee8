# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on an E-Series array: one sentence each, and what the task that does it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# In the order in which they are taken. CHAP comes before the first map, so that no LUN is there without it. Host groups and maps
# name what the kinds before them make, so they are planned again on what is there then.
KINDS = ("unmap", "remove_host", "remove_volume", "chap", "host", "volume", "grow", "host_group", "map")
LET_GO = (
    "The array does not say which initiators are logged in. When no host uses it any more, run this once with "
    "-e target_force=true."
)


@dataclass
class Plan:
    """The steps by their kind, why nothing may be done, and what people are told beside."""

    steps: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, say: str, **needs: Any) -> None:
        """Plan a step."""
        self.steps[kind].append({"say": say, **needs})

    def refuse(self, fault: str) -> None:
        """Plan nothing, for this reason."""
        self.faults.append(fault)

    def note(self, what: str) -> None:
        """Tell people."""
        self.notes.append(what)

    def said(self) -> list[str]:
        """What is to be done, as sentences."""
        return [step["say"] for kind in KINDS for step in self.steps[kind]]
