# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of the plan for an SVM: one call of ONTAP's REST API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call, what it does as one plain sentence (never a secret), and which initiators lose something by it."""

    say: str
    method: str
    api: str
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    loses: frozenset[str] = frozenset()

    def plain(self) -> dict[str, Any]:
        """The options of netapp.ontap.na_ontap_restit."""
        return {
            "say": self.say,
            "method": self.method,
            "api": self.api,
            "body": self.body,
            "query": self.query,
        }


@dataclass
class Plan:
    """What is to be done, in this order, and why nothing may be done."""

    service: list[Call] = field(default_factory=list)  # before everything else, since it names the target
    chap: list[Call] = field(default_factory=list)  # with secrets; before anybody gets access
    steps: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """All of them."""
        return [*self.service, *self.chap, *self.steps]
