# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told beside the steps: what comes back, what is left, and what is more open than it looks."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping, Sequence

from .._san.backing_file import sparse_notes
from .._san.target import Target
from .._step import Step
from .plan import feasible
from .rdma import why_lost
from .state import Serving
from .steps.lun import AddLun, RemoveLun
from .steps.target import AddPortal, AllowInitiator, MakeTarget

RESTORE = "Recreate it with the tool that made it (targetcli), or by 'targetctl restore', which takes all targets down first."


def notes_of(seen: Serving, steps: Sequence[Step], names: Iterable[str]) -> Iterator[str]:
    """The warnings of a run."""
    for name in names:
        yield from _revived(seen, steps, name)
        yield from _left(seen, name)
        yield from _open(seen, steps, name)
    yield from _shared(seen, steps)
    yield from sparse_notes(steps, seen.backing)


def folded_names(steps: Sequence[Step], asked: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """rtslib writes every name in lower case (utils.py, _cleanse_wwn), also at the restore after a boot, and finds no other; the
    kernel compares bytes (iscsi_target.c, iscsit_get_tiqn_for_login)."""
    made = {step.target for step in steps if isinstance(step, MakeTarget)}
    for one in asked:
        if one["name"] in made and one["spelled"] != one["name"]:
            yield (
                f"The target '{one['spelled']}' is served as '{one['name']}', since LIO's restore at boot makes all names lower "
                "case. This collection finds it by either; an initiator that is configured by hand must use the name in lower "
                "case."
            )


def _revived(seen: Serving, steps: Sequence[Step], name: str) -> Iterator[str]:
    kept, runs = seen.kept.get(name), seen.running.targets.get(name, Target(name))
    if kept is None:
        return
    new = [step for step in steps if getattr(step, "target", None) == kept.name]
    luns = {step.number: step.lun for step in new if isinstance(step, AddLun)}
    names = {step.initiator for step in new if isinstance(step, AllowInitiator)}
    portals = {step.portal for step in new if isinstance(step, AddPortal)}
    lost = set(kept.luns) - set(runs.luns)
    back = [f"LUN '{luns[one]}'" for one in sorted(set(luns) & lost) if kept.luns[one].name == luns[one]]
    back += [f"initiator '{who}'" for who in sorted(names & set(kept.initiators))]
    back += [f"portal {portal}" for portal in sorted(portals & kept.portals)]
    if back:
        yield f"In the target '{name}' these were saved but not running, and are brought back: {', '.join(back)}."


def _left(seen: Serving, name: str) -> Iterator[str]:
    """What is the distribution's restore to bring back, since we could not make it as it was."""
    target = seen.whole(name)
    made = feasible(seen, name, target)
    if target is None or made is None:
        return
    for number in sorted(set(target.luns) - set(made.luns)):
        lun = target.luns[number]
        yield (
            f"The LUN {number} of '{name}' is saved but not running, and stays so: '{lun.backstore}' {lun.fixed}. {RESTORE}"
        )
    for portal in sorted(target.portals - made.portals):
        yield (f"The portal {portal} of '{name}' stays as it is saved: it {why_lost(portal in target.iser)}.")


def _open(seen: Serving, steps: Sequence[Step], name: str) -> Iterator[str]:
    now = seen.running.targets.get(name)
    if now is None or now.attributes.get("generate_node_acls") != "1":
        return
    stays = not any(getattr(step, "key", "") == "generate_node_acls" for step in steps)
    for step in steps:
        if isinstance(step, AddLun) and step.target == now.name and stays:
            yield (
                f"'{name}' is in demo mode: every initiator that logs in sees the LUN '{step.lun}'. An igroup with the "
                "initiators that may log in ends that."
            )


def _shared(seen: Serving, steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, RemoveLun):
            now = seen.running.targets[step.target.lower()]
            lun = now.luns[step.number]
            others = [
                place
                for name, tag, place in seen.running.users(lun.backstore)
                if (name, tag) != (step.target.lower(), step.tag)
            ]
            if others:
                yield f"The backstore '{lun.backstore}' stays: it is also served by {', '.join(others)}."
