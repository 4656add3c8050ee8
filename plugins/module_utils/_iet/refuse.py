# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be wanted of IET, given what is there, and what must not happen to who is logged in."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from .._arguments import PORT, Portal
from .._host import Problem
from .._san.backing import Backing, check_backing
from .._san.backing_file import MakeFile, check_room
from .._san.target import Lun, Session, Target
from .._san.wwid import wwid_of_scsi_id
from .._step import Step
from . import allow
from .conf import check_file
from .restart import check_restart
from .running import Volume
from .state import Serving
from .steps import CutSessions, RemoveLun, Restart

ADVICE = "Log out there first, or set force for this one task."
EMPTY = Target("")


def refuse_serving(
    seen: Serving, want: Serving, asked: Iterable[dict[str, Any]], steps: Iterable[Step], force: bool
) -> None:
    """Raise where what is wanted, or a step towards it, would lose or open something."""
    steps = list(steps)
    if seen.conf != want.conf:
        check_file(seen.conf.path, seen.conf.text or "")
    for file, other in ((seen.initiators, want.initiators), (seen.portals, want.portals)):
        if file != other:
            check_file(file.path, file.text or "")
    for one in asked:
        then = want.saved.get(one["name"])
        if then:
            _check_target(seen, one, seen.saved.get(one["name"], EMPTY), then, force)
            _check_shut_out(seen, want, one, then, force)
    _check_twice(seen, want)
    _check_runs_twice(seen, want)
    _check_steps(seen, want, steps, force)


def check_sections(seen: Serving, names: Iterable[str]) -> None:
    """A section in which ietd reads something else than stands there is not worked on."""
    for name in names:
        section = seen.sections.get(name)
        if section and section.faults:
            raise Problem(
                f"The target '{section.name}' in '{seen.conf.path}' is left alone: {'; '.join(section.faults[:3])}. Correct "
                "that by hand first."
            )


def _check_target(seen: Serving, asked: Mapping[str, Any], before: Target, then: Target, force: bool) -> None:
    here = f"the target '{then.name}'"
    _check_maps(here, then)
    _check_chap(here, then)
    _check_portals(seen, before, then)
    if seen.deny and ("igroups" in asked["given"] or before is EMPTY):
        raise Problem(
            f"'{seen.deny}' is there, so ietd lets everybody in who is not denied, whatever '{seen.initiators.path}' says. "
            "Remove it first (see README.initiators of IET)."
        )
    known = {one.path for one in before.luns.values()}
    for number, lun in then.luns.items():
        backing = seen.backing.get(lun.path, Backing())
        if before.luns.get(number) != lun:
            _check_lun(here, lun, before.lun(lun.name), force)
        if lun.path and lun.path not in known:
            check_backing(lun.name, lun.path, backing)
        elif lun.path and backing.size is None and lun.size is not None:
            raise Problem(
                f"The LUN '{lun.name}' of {here} was served from '{lun.path}', which is not there now. Bring it back, or "
                "remove the LUN (state: absent) if its data may be gone."
            )
        _check_run(seen, then, lun)


def _check_run(seen: Serving, then: Target, lun: Lun) -> None:
    now = (seen.running or {}).get(then.name.lower())
    volume = now.luns.get(lun.number) if now else None
    if volume and volume.path != lun.path and lun.number not in seen.saved.get(then.name.lower(), EMPTY).luns:
        raise Problem(
            f"The number {lun.number} of '{then.name}' is taken: '{volume.path}' runs there, and is not in "
            f"'{seen.conf.path}'. Give the LUN '{lun.name}' another number."
        )


def _check_maps(here: str, then: Target) -> None:
    for name, one in sorted(then.initiators.items()):
        unseen = sorted(lun.name for number, lun in then.luns.items() if number not in one.luns)
        if unseen:
            raise Problem(
                f"IET shows every LUN of a target to every initiator that may log in: '{name}' would see '{unseen[0]}' of "
                f"{here}, which its igroup '{one.igroup}' does not have. List it there too, put it into a target of its own, or "
                "use 'provider: lio', which maps LUNs by initiator."
            )


def _check_chap(here: str, then: Target) -> None:
    if len({one.chap for one in then.initiators.values()}) > 1:
        raise Problem(
            f"IET asks all initiators of {here} for the same accounts: give every igroup of it the same chap in one call, put "
            "some of them into a target of their own, or use 'provider: lio'."
        )


def _check_portals(seen: Serving, before: Target, then: Target) -> None:
    every = Portal("::")
    if every in then.portals and len(then.portals) > 1 and then.portals != before.portals:
        raise Problem(
            f"The target '{then.name}' is offered on every address ('{allow.ALL}' in '{seen.portals.path}'). Declare [::], or "
            "name addresses with purge to give that up."
        )
    for one in sorted(then.portals - before.portals):
        if not seen.sockets.has(one):
            raise Problem(
                f"'{then.name}' cannot be offered on {one}: this host has no address {one.address}."
            )
        if seen.running is not None and seen.sockets.listening and not seen.sockets.taken(one):
            raise Problem(
                f"'{then.name}' cannot be offered on {one}: ietd does not listen there. It was started with other options "
                f"(-a, -p; the port must be {PORT})."
            )


def _check_lun(here: str, lun: Lun, old: Lun | None, force: bool) -> None:
    if lun.read_only and lun.write_back:
        raise Problem(f"The LUN '{lun.name}' of {here} cannot be both read-only and write_back.")
    if old is None or force:
        return
    if (old.path, old.serial, _id(old)) != (lun.path, lun.serial, _id(lun)):
        raise Problem(
            f"The LUN '{lun.name}' of {here} is '{old.path}' with the serial '{old.serial}', and must become '{lun.path}' with "
            f"the serial '{lun.serial}': another disk under the same name. Remove it (state: absent) and create it again, "
            "use another name, or set force for this one task."
        )


def _id(lun: Lun) -> str:
    return lun.attributes.get("ScsiId", "")


def _check_shut_out(
    seen: Serving, want: Serving, asked: Mapping[str, Any], then: Target, force: bool
) -> None:
    """Who is logged in stays in, but would not get in again."""
    line = allow.deciding(want.initiators.text, then.name)
    if (
        force
        or seen.initiators.text == want.initiators.text
        or allow.ALL in line.items
        or allow.others_in(line.items)
    ):
        return
    out = [
        one
        for one in seen.sessions
        if one.target == asked["name"] and one.initiator.lower() not in then.initiators
    ]
    _nobody(f"'{then.name}' would no longer let in who is logged in", out)


def _check_steps(seen: Serving, want: Serving, steps: Iterable[Step], force: bool) -> None:
    for step in steps:
        if isinstance(step, MakeFile) and step.full:
            check_room(step, seen.backing.get(step.path, Backing()))
        if isinstance(step, Restart):
            check_restart(seen, want, step)
            if not force:
                _nobody(str(step), seen.sessions)
        if isinstance(step, (RemoveLun, CutSessions)) and not force:
            _nobody(str(step), [one for one in seen.sessions if one.target == step.target.lower()])


def _nobody(what: str, sessions: Iterable[Session]) -> None:
    named = ", ".join(sorted({str(one) for one in sessions}))
    if named:
        raise Problem(f"Refused: {what}. Logged in is {named}. {ADVICE}")


def _check_twice(seen: Serving, want: Serving) -> None:
    """One file behind two LUNs, or two LUNs with one WWID: hosts would merge or destroy them. Judged is what is new."""
    luns = [(name, lun) for name, one in sorted(want.saved.items()) for lun in one.luns.values()]
    old = {(name, lun.number): lun for name, one in seen.saved.items() for lun in one.luns.values()}
    for name, lun in luns:
        if old.get((name, lun.number)) == lun or not lun.path:
            continue
        for other, one in luns:
            if (other, one.number) == (name, lun.number):
                continue
            if one.path and _behind(seen, one) == _behind(seen, lun):
                raise Problem(
                    f"'{lun.path}' would be behind two LUNs: '{one.name}' of '{other}' and '{lun.name}' of '{name}'."
                )
            if _id(one) and _id(one) == _id(lun):
                raise Problem(
                    f"The LUNs '{one.name}' of '{other}' and '{lun.name}' of '{name}' would have one WWID, "
                    f"'{wwid_of_scsi_id(_id(lun))}': hosts would take them for one disk. Give one of them another serial."
                )


def _check_runs_twice(seen: Serving, want: Serving) -> None:
    """What runs without being in the file has its file or device, too: nothing new may be served from there."""
    now, then = _runs(seen), _runs(want)
    for (name, number), volume in sorted(then.items()):
        before = now.get((name, number))
        if not volume.path or before and before.path == volume.path:
            continue
        for (other, taken), one in sorted(then.items()):
            if (other, taken) != (name, number) and one.path and _behind(seen, one) == _behind(seen, volume):
                raise Problem(
                    f"'{volume.path}' would be behind two LUNs: the number {taken} of '{other}' runs on '{one.path}', which "
                    f"'{seen.conf.path}' does not say, and the number {number} of '{name}' would. Delete the first one with "
                    "ietadm, or give the second one another path."
                )


def _runs(state: Serving) -> dict[tuple[str, int], Volume]:
    return {
        (name, number): volume
        for name, one in (state.running or {}).items()
        for number, volume in one.luns.items()
    }


def _behind(seen: Serving, lun: Lun | Volume) -> Any:
    known = seen.backing.get(lun.path)
    return known.identity if known else (lun.path,)
