# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage network of a compute host, in the words of the role initiator."""

from __future__ import annotations

from typing import Any, Mapping

from .document import Findings, Variable

Data = Mapping[str, Any]
STRICT = 1
WHY = "initiator_rp_filter_interfaces is written, and what is loose now must be so after a boot"


def network(host: str, answer: Data, check: Data | None) -> Findings:
    """The NICs whose reverse path filter somebody has loosened; 'check' is what the module said to them."""
    found, check = Findings(), check or {}
    loosened = [one for one in answer["rp_filter"] if one["running"] != STRICT]
    if check.get("msg"):
        found.decisions.append(
            f"'{host}': the reverse path filter of {_listed(loosened)} is not written, since site.yml would end there: "
            f"{check['msg']}"
        )
    elif loosened:
        where = ", ".join(
            f"{one['nic']}: {one['file'] or 'set by hand until the next boot'}" for one in loosened
        )
        names = [one["nic"] for one in loosened]
        found.variables.append(Variable("initiator_rp_filter_interfaces", names, where))
        found.changes += [f"'{host}': {step}: {WHY}." for step in check.get("steps", [])]
    return found


def _listed(filters: list[Data]) -> str:
    return ", ".join(f"'{one['nic']}'" for one in filters)
