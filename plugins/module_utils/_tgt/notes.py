# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told beside the steps: what comes back, and what is more open than it looks."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from .._san.backing_file import sparse_notes
from .._san.target import Target
from .._san.way_back import bare
from .._step import Step
from .refuse import rules_of
from .state import Serving
from .steps.lun import AddLun
from .steps.target import AllowInitiator, EndSessions, ForbidAddress
from .tgtadm import megabytes


def notes_of(seen: Serving, steps: Sequence[Step], names: Iterable[str]) -> Iterator[str]:
    """The warnings of a run."""
    plain = list(map(bare, steps))
    for name in names:
        yield from _revived(seen, plain, name)
        yield from _open(seen, plain, name)
        yield from _still_here(seen, plain, name)
    yield from sparse_notes(plain, seen.backing)


def _revived(seen: Serving, steps: Sequence[Step], name: str) -> Iterator[str]:
    kept, runs = seen.kept.get(name), seen.running.targets.get(name, Target(name))
    if kept is None:
        return
    luns = {
        step.lun.number: step.lun for step in steps if isinstance(step, AddLun) and step.target == kept.name
    }
    lost = set(kept.luns) - set(runs.luns)
    back = [
        f"LUN '{luns[one].name}'" for one in sorted(set(luns) & lost) if kept.luns[one].name == luns[one].name
    ]
    names = {
        step.initiator for step in steps if isinstance(step, AllowInitiator) and step.target == kept.name
    }
    back += [f"initiator '{who}'" for who in sorted(names & set(kept.initiators))]
    if back:
        yield f"In the target '{name}' these were saved but not running, and are brought back: {', '.join(back)}."


def _still_here(seen: Serving, steps: Sequence[Step], name: str) -> Iterator[str]:
    now = seen.running.targets.get(name)
    ended = {
        step.initiator for step in steps if isinstance(step, EndSessions) and step.target.lower() == name
    }
    left = set(seen.running.shut_out(name, now)) - ended if now else set()
    if left:
        yield (
            f"Logged in to '{name}', though it no longer lets them in: {', '.join(sorted(left))}. tgtd lets sessions go on. Log "
            "out there, or set force for one task that names the igroups of the target."
        )


def _open(seen: Serving, steps: Sequence[Step], name: str) -> Iterator[str]:
    now = seen.running.targets.get(name)
    gone = {step.address for step in steps if isinstance(step, ForbidAddress) and step.target.lower() == name}
    left = [one for one in rules_of(now) if one not in gone] if now else []
    if left:
        yield (
            f"'{name}' lets in by address, whatever the initiator is called: {', '.join(left)}. tgt admits whom either a name "
            "or an address allows. igroups with the initiators that may log in end that."
        )
    for lun in now.luns.values() if now else ():
        there = seen.backing.get(lun.path)
        if (
            there
            and there.kind == "device"
            and there.size
            and seen.running.megabytes.get((name, lun.number))
            not in (
                None,
                megabytes(there.size),
            )
        ):
            yield (
                f"The LUN '{lun.name}' of '{name}' has another size than its device '{lun.path}' now: tgtd shows the new one "
                "only when the LUN is removed and served anew."
            )
