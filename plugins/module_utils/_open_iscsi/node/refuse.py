# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not happen to nodes, and what a person should know beside the result."""

from __future__ import annotations

from typing import Iterable

from ..._host import Problem
from ..._step import Step
from ..record import RemoveRecord, SetRecord
from ..session import LOGGED_IN, LogIn, LogOut, refuse_logouts
from .plan import Nodes
from .twins import RemoveTwin


def refuse_nodes(seen: Nodes, steps: list[Step]) -> None:
    """No logout of what is in use, no login where nobody answers, no record pulled from under a session."""
    if seen.use:
        refuse_logouts(steps, seen.use)
    blocked = [step.name for step in steps if isinstance(step, LogIn) and step.name in seen.blocked]
    if blocked:
        said = " ".join(f"{name} {seen.blocked[name]}." for name in blocked[:3])
        said += f" The same is true of {len(blocked) - 3} more." if blocked[3:] else ""
        more = "Are the address and name right, is the target running, and is this initiator in its igroup?"
        raise Problem(f"Cannot log in: {said} Nothing was changed. {more}")
    out = {step.name for step in steps if isinstance(step, LogOut)}
    for step in steps:
        if isinstance(step, RemoveRecord):
            step.refuse()
        if not isinstance(step, RemoveTwin) or step.name in out or not seen.nodes[step.name].logged_in:
            continue
        if step.record in seen.nodes[step.name].twins:
            raise Problem(
                f"There is a second record of {step.name}, '{step.record.path}', which is not deleted while a session is logged "
                "in there. Log out first."
            )
        raise Problem(
            f"Cannot change the portal group tag of {step.name} from {step.record.tpg}: a session is logged in "
            f"there. Log out first."
        )


def note_nodes(seen: Nodes, steps: list[Step]) -> Iterable[str]:
    """What a person should know beside the result."""
    for step in steps:
        if isinstance(step, SetRecord) and seen.nodes[step.name].logged_in:
            yield f"{step.name} is logged in with the old settings; the new ones take effect at its next login."
    joined = {step.name for step in steps if isinstance(step, LogIn)}
    for name, blocked_by in seen.blocked.items():
        if name not in joined:
            yield f"{name} {blocked_by}: it is recorded and not logged in."
    for name, node in seen.nodes.items():
        if node.logged_in and node.state != LOGGED_IN:
            yield f"The session of {name} is {node.state}: iscsid is trying to restore it."
