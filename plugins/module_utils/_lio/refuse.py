# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO would do without warning, and we do not: cut a session, serve a disk in use, shut out who is logged in."""

from __future__ import annotations

from typing import Iterable

from .._arguments import PORT, Portal
from .._host import Problem
from .._san.backing import Backing, check_backing
from .._san.backing_file import MakeFile, check_room
from .._san.target import Session, Target
from .._san.way_back import bare
from .._step import Step
from .state import Serving
from .steps.backstore import MakeBackstore
from .steps.lun import RemoveLun
from .steps.remove import RemoveTarget
from .steps.target import (
    AddPortal,
    Disable,
    ForbidInitiator,
    ProtectLun,
    RemovePortal,
    SetIser,
    UnmapLun,
)

ADVICE = "Log out there first, or set force for this one task."


def refuse_serving(seen: Serving, steps: list[Step], force: bool) -> None:
    """Raise where a step could hurt."""
    for step in map(bare, steps):
        if isinstance(step, MakeBackstore):
            check_backing(step.lun.name, step.lun.path, seen.backing.get(step.lun.path, Backing()))
        if isinstance(step, AddPortal):
            _check_portal(seen, step.portal, step.target)
        if isinstance(step, MakeFile) and step.full:
            check_room(step, seen.backing[step.path])
        if not force:
            _check_sessions(seen, step)


def _check_sessions(seen: Serving, step: Step) -> None:
    sessions = seen.running.sessions
    if isinstance(step, RemoveTarget):  # all of its portal groups
        _nobody(step, [one for one in sessions if one.target == step.target.name])
        return
    if not isinstance(
        step, (Disable, UnmapLun, ForbidInitiator, ProtectLun, RemoveLun, RemovePortal, SetIser)
    ):
        return
    here = [one for one in sessions if (one.target, one.tag) == (step.target, step.tag)]
    if isinstance(step, Disable):
        _nobody(step, here)
    if isinstance(step, (UnmapLun, ForbidInitiator)) or (isinstance(step, ProtectLun) and step.read_only):
        _nobody(step, [one for one in here if one.initiator == step.initiator])
    if isinstance(step, RemoveLun):  # in demo mode there are no maps: everybody has every LUN
        _nobody(step, [one for one in here if one.dynamic])
    if isinstance(step, RemovePortal) and (_has_iser(seen, step) or seen.sockets.used(step.portal)):
        _nobody(step, here)
    if isinstance(step, SetIser) and not step.on:
        _nobody(step, here)


def _has_iser(seen: Serving, step: RemovePortal) -> bool:
    """Whether there may be connections at it that no TCP socket shows."""
    return step.portal in seen.running.targets[step.target.lower()].iser


def _nobody(step: Step, sessions: list[Session]) -> None:
    if sessions:
        raise Problem(f"Refused: {step}. Logged in: {_named(sessions)}. {ADVICE}")


def _named(sessions: Iterable[Session]) -> str:
    return ", ".join(sorted({str(one) for one in sessions}))


def check_access(seen: Serving, now: Target, then: Target) -> None:
    """Nobody who is logged in may be shut out by a change of who gets in: they go on, and after the next boot have no disk."""
    here = [one for one in seen.running.sessions if (one.target, one.tag) == (now.name, now.tag)]
    closing = _turned(now, then, "generate_node_acls", "1", "0")
    out = [one for one in here if closing and one.dynamic and not _gets_all(then, one.initiator)]
    if out:
        raise Problem(
            f"Refused: demo mode of '{now.name}' would be switched off. Logged in without an ACL: {_named(out)}, which would "
            "not get its LUNs again. First put it into an igroup with all LUNs under the numbers that they have in the "
            f"target. {ADVICE}"
        )
    if here and _turned(now, then, "authentication", "0", "1"):
        raise Problem(
            f"Refused: '{now.name}' would require CHAP from now on, because its igroups have credentials. Logged in "
            f"without it: {_named(here)}, which may not get in again. {ADVICE}"
        )


def _turned(now: Target, then: Target, key: str, old: str, new: str) -> bool:
    return (now.attributes.get(key), then.attributes.get(key)) == (old, new)


def _gets_all(target: Target, initiator: str) -> bool:
    """Whether an initiator has every LUN where demo mode had shown it."""
    maps = target.initiators[initiator].luns if initiator in target.initiators else {}
    return all(number in maps and maps[number].lun == number for number in target.luns) and (
        initiator in target.initiators
    )


def _check_portal(seen: Serving, portal: Portal, target: str) -> None:
    if not seen.sockets.has(portal):
        raise Problem(f"'{target}' cannot listen on {portal}: this host has no address {portal.address}.")
    ours = {one for running in seen.running.targets.values() for one in running.portals}
    taken = seen.sockets.taken(portal)
    if taken and taken not in ours and portal not in ours:
        tgt = " If it is tgt, stop it: systemctl disable --now tgt." if portal.port == PORT else ""
        raise Problem(f"'{target}' cannot listen on {portal}: another program listens on {taken}.{tgt}")
