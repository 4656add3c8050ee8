# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tgtd would do without a word, and we do not: delete a disk in use, shut out who is logged in."""

from __future__ import annotations

from typing import Iterable

from .._arguments import PORT, Portal
from .._host import Problem
from .._san.backing import Backing, check_backing
from .._san.backing_file import MakeFile, check_room
from .._san.target import Session, Target
from .._san.way_back import bare
from .._step import Step
from .ipc import logged
from .kept import RULES
from .state import Serving
from .steps.boot import StartDaemon
from .steps.chap import SetAccounts
from .steps.discovery import SetDiscovery
from .steps.lun import AddLun, ProtectLun, RemoveLun
from .steps.target import Disable, ForbidAddress, ForbidInitiator, RemoveTarget

ADVICE = "Log out there first, or set force for this one task."
GROWS = (
    "tgtd sees a new size only where the LUN is removed and served anew, which takes it away from whom is logged in "
    "(usr/target.c, tgt_device_path_update)"
)


def refuse_serving(seen: Serving, want: Serving, steps: list[Step], force: bool) -> None:
    """Raise where a step could hurt."""
    served = {lun.path for target in seen.running.targets.values() for lun in target.luns.values()}
    for step in map(bare, steps):
        if isinstance(step, AddLun) and step.lun.path not in served:
            check_backing(step.lun.name, step.lun.path, seen.backing.get(step.lun.path, Backing()))
        if isinstance(step, MakeFile) and step.full:
            check_room(step, seen.backing[step.path])
        told = (isinstance(step, SetAccounts) and step.renewed) or (
            isinstance(step, SetDiscovery) and step.chap
        )
        if told and seen.running.debug:
            raise logged()
        if isinstance(step, StartDaemon):
            _check_port(seen)
        if not force:
            _check_sessions(seen, want, step)


def _check_sessions(seen: Serving, want: Serving, step: Step) -> None:
    running = seen.running
    if isinstance(step, RemoveLun) and _only_grows(seen, want, step):
        _nobody(step, running.here(step.target), f" {GROWS}.")
    elif isinstance(step, (RemoveTarget, Disable, RemoveLun, ProtectLun)):
        _nobody(step, running.here(step.target))
    elif isinstance(step, ForbidInitiator):
        _nobody(step, running.here(step.target, step.initiator))
    elif isinstance(step, ForbidAddress):
        then = want.running.targets[step.target.lower()]
        _nobody(step, [one for one in running.here(step.target) if one.initiator not in then.initiators])


def _only_grows(seen: Serving, want: Serving, step: RemoveLun) -> bool:
    now = seen.running.targets[step.target.lower()].luns[step.number]
    then = want.running.targets[step.target.lower()].luns.get(step.number)
    return then is not None and (now.path, now.serial, now.block_size) == (
        then.path,
        then.serial,
        then.block_size,
    )


def _nobody(step: Step, sessions: list[Session], why: str = "") -> None:
    if sessions:
        raise Problem(f"Refused: {step}. Logged in is {_named(sessions)}.{why} {ADVICE}")


def _named(sessions: Iterable[Session]) -> str:
    return ", ".join(sorted({str(one) for one in sessions}))


def check_access(seen: Serving, now: Target, then: Target) -> None:
    """Nobody who is logged in may be asked for CHAP from now on: they go on, and after the next boot have no disk."""
    here = seen.running.here(now.name)
    asked = any(one.chap for one in then.initiators.values())
    open_now = not any(seen.running.accounts.get(now.name.lower(), ()))
    if here and asked and open_now:
        raise Problem(
            f"Refused: '{now.name}' would ask for CHAP from now on, as its igroups have credentials. Logged in without being "
            f"asked is {_named(here)}, and may not get in again. {ADVICE}"
        )


def _check_port(seen: Serving) -> None:
    """tgtd listens on the port of iSCSI everywhere, and so may something else."""
    taken = seen.sockets.taken(Portal("0.0.0.0")) or seen.sockets.taken(Portal("::"))
    if taken is None:
        return
    lio = f" The kernel's target (LIO) serves {', '.join(seen.lio)}." if seen.lio else ""
    raise Problem(
        f"tgtd cannot be started: it listens on port {PORT} of all addresses, and another program listens on {taken}.{lio} A "
        "host serves with one of them: give these targets to the one that runs (provider), or stop it first."
    )


def rules_of(target: Target) -> list[str]:
    """The rules for addresses that others gave to a target."""
    return target.attributes.get(RULES, "").split()
