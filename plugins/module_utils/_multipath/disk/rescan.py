# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rescan that touches only what has changed: new LUNs are added one by one, vanished ones named, or removed in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, Sequence

from ..._arguments import portal, target_key
from ..._converge import Resource
from ..._host import Host, Problem
from ..._step import Step
from .attach import SCAN, push
from .detach import RemovePaths, plan_removal, users_of
from .luns import DEVICES, NO_DISK, Reach, Reaches, logged_in, look_reaches
from .path import Path

DISK = "0"  # SCSI peripheral device type of a direct access block device (SPC-4 table 141)
NAMING = 30  # seconds until the kernel has given a new disk its name
LARGEST = 2**64 - 1  # SAM-5 section 4.7: a LUN has eight bytes
OPTIONS: dict[str, Any] = {
    "targets": {"type": "list", "elements": "str", "default": []},
    "portals": {"type": "list", "elements": "str", "default": []},
    "luns": {"type": "list", "elements": "int", "default": []},
    "remove": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 0},
    "timeout": {"type": "int", "default": 60},
}


@dataclass(frozen=True)
class AddLuns(Step):
    """Let the kernel look at these LUN numbers of one session's SCSI host, or (none named) at all that are reported."""

    side_by_side = 16
    host: str
    portal: str
    luns: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.luns:
            return f"Scan {self.host} (portal {self.portal}), which has no LUN yet that could report what is offered"
        numbers = ", ".join(map(str, self.luns))
        return (
            f"Scan {self.host} (portal {self.portal}) for the new LUN{'s' if self.luns[1:] else ''} {numbers}"
        )

    def take(self, host: Host) -> None:
        for lun in self.luns or ("-",):
            push(host, f"/sys/class/scsi_host/{self.host}/scan", f"- - {lun}", SCAN)
        if not host.until(lambda: not self._nameless(host), NAMING):
            raise Problem(f"the kernel has not named the new disks {', '.join(self._nameless(host))}.")

    def _nameless(self, host: Host) -> list[str]:
        """Disks that the scan has found and the kernel is still reading; one that has gone meanwhile has no type."""
        number = f"{self.host[len('host') :]}:"
        return [
            hctl
            for hctl in host.list(DEVICES)
            if hctl.startswith(number)
            and (host.read(f"{DEVICES}/{hctl}/device/type") or "").strip() == DISK
            and not host.list(f"{DEVICES}/{hctl}/device/block")
        ]


def want_reaches(seen: Reaches, only: Sequence[int], remove: bool) -> Reaches:
    """What the targets report, in addition to or (with 'remove') instead of what the kernel has."""
    reaches = {number: _wanted(reach, seen, only, remove) for number, reach in seen.reaches.items()}
    leaving = [key for key, path in seen.paths.items() if remove and (path.state == "unmapped" or path.other)]
    return replace(
        seen,
        reaches=reaches,
        paths={key: path for key, path in seen.paths.items() if key not in leaving},
        scanned=True,
        guessed=not seen.scanned
        and any(_guessed(reach, reaches[number]) for number, reach in seen.reaches.items()),
        leaving=tuple(seen.paths[key] for key in leaving),
    )


def _guessed(seen: Reach, want: Reach) -> bool:
    """Whether a scan must tell what there is."""
    return seen.blank and (want.offered is None or set(want.luns) > set(seen.luns))


def _wanted(reach: Reach, seen: Reaches, only: Sequence[int], remove: bool) -> Reach:
    number, luns = reach.session.number, dict(reach.luns)
    offered = (frozenset(only) if reach.blank else reach.offered or frozenset()) - _unmapped(seen, number)
    for lun in [lun for lun in luns if remove and (number, lun) in seen.paths]:
        path = seen.paths[number, lun]
        if path.state == "unmapped" or path.other:
            del luns[lun]
        if path.other and lun in offered:
            luns[lun] = path.wwids[0]
    if not seen.scanned:
        luns.update(dict.fromkeys(sorted(offered - set(luns)), NO_DISK))
    return replace(reach, luns=luns, offered=offered if reach.blank and only else reach.offered)


def _unmapped(seen: Reaches, number: int) -> frozenset[int]:
    return frozenset(
        lun for (session, lun), path in seen.paths.items() if session == number and path.state == "unmapped"
    )


def plan_reaches(seen: Reaches, want: Reaches, timeout: int) -> list[Step]:
    """What is not there any more leaves, then what is new arrives. A second look asks only whether all has left."""
    leaving = [
        path
        for path in want.leaving
        if any((path.hctl, path.taken_for) == (old.hctl, old.taken_for) for old in seen.paths.values())
    ]
    steps = _removals(seen, leaving, timeout)
    for number, reach in [] if seen.scanned else seen.reaches.items():
        kept, new = reach.luns, want.reaches[number].luns
        arriving = sorted(lun for lun in new if new[lun] != kept.get(lun))
        if arriving and reach.session.state == "LOGGED_IN":
            steps.append(AddLuns(reach.session.host, reach.session.portal, tuple(arriving)))
        elif reach.blank and want.reaches[number].offered is None:
            steps.append(AddLuns(reach.session.host, reach.session.portal))
    return steps


def _removals(seen: Reaches, leaving: list[Path], timeout: int) -> list[Step]:
    """A map of which all paths leave goes with them, in the order in which nothing can come back; else only the paths."""
    steps: list[Step] = []
    loose: list[Path] = []
    for name in dict.fromkeys(path.map for path in leaving):
        own = tuple(path for path in leaving if path.map == name)
        if name and _whole(seen, name, own):
            wwid = own[0].mapped_as
            steps += plan_removal(f"'{wwid}'", wwid, name, wwid in seen.registered, own, timeout)
        else:
            loose += own
    return steps + [RemovePaths(_reason(path), (path,), timeout) for path in loose]


def _whole(seen: Reaches, name: str, leaving: Iterable[Path]) -> bool:
    return set(seen.slaves.get(name, ())) <= {path.device for path in leaving}


def _reason(path: Path) -> str:
    return _reuse(path) if path.other else "the target no longer maps a LUN there"


def _reuse(path: Path) -> str:
    return f"it was {path.was}, and its LUN number now answers as {path.now}"


def refuse_reaches(seen: Reaches, steps: list[Step]) -> None:
    """A device that another LUN has taken over must not be used; one that is gone must not be held by anybody."""
    for path in seen.reused():
        users = users_of([path.map or path.device], seen.holders)
        if users:
            raise Problem(
                f"{path} was {path.was} and now answers as {path.now}: its LUN number was given to another LUN while "
                f"{'; '.join(str(user) for user in users[:4])}. What is written there lands on the wrong LUN. Stop its "
                f"users, then run this again with 'remove: true'."
            )
    leaving = {path.device for step in steps if isinstance(step, RemovePaths) for path in step.paths}
    for path in [path for path in seen.gone() if path.device in leaving]:
        kept = path.map and not set(seen.slaves.get(path.map, ())) <= leaving
        users = [] if kept else users_of([path.map or path.device], seen.holders)
        if users:
            raise Problem(
                f"Cannot remove {path}, whose LUN the target no longer maps: "
                f"{'; '.join(str(user) for user in users[:4])}. Stop its users first, or map the LUN again."
            )


def note_reaches(seen: Reaches, steps: list[Step]) -> Iterator[str]:
    """What a person must decide: this only names it."""
    leaving = {path.device for step in steps if isinstance(step, RemovePaths) for path in step.paths}
    for path in seen.reused():
        if path.device not in leaving:
            yield f"{path} must not be used: {_reuse(path)}. 'remove: true' replaces it."
    for path in seen.gone():
        if path.device not in leaving:
            yield f"{path} ('{path.taken_for}') is still there, but the target no longer maps a LUN there."
    for path in seen.resized():
        told = f"has {path.capacity} bytes, but this host still sees {path.size}"
        yield f"{path} ('{path.taken_for}') {told}. Grow it with lunworks.iscsi.disk."
    for reach in seen.reaches.values():
        if reach.session.state != "LOGGED_IN":
            yield f"Session {reach.session.number} at {reach.session.portal} is {reach.session.state}; it was skipped."


def changed_reaches(seen: Reaches, after: Reaches, steps: list[Step]) -> bool:
    """Whether anything was added or removed; a scan that found nothing has changed nothing."""
    return bool(steps) and (after.guessed or _has(seen) != _has(after) or bool(_removed(steps)))


def _has(state: Reaches) -> dict[int, list[int]]:
    return {number: sorted(reach.luns) for number, reach in state.reaches.items()}


def _removed(steps: Iterable[Step]) -> list[Step]:
    return [step for step in steps if isinstance(step, RemovePaths)]


def show_reaches(state: Reaches) -> dict[str, Any]:
    """The sessions with their LUNs, and the devices that somebody should look at."""
    return {
        "sessions": [_shown(state, reach) for reach in state.reaches.values()],
        "unmapped": [_of(path) for path in state.gone()],
        "reused": [_of(path) for path in state.reused()],
        "resized": [_of(path) for path in state.resized()],
    }


def _shown(state: Reaches, reach: Reach) -> dict[str, Any]:
    session = reach.session
    paths = {lun: state.paths.get((session.number, lun)) for lun in sorted(reach.luns)}
    return {
        "number": session.number,
        "target": session.target,
        "portal": session.portal,
        "state": session.state,
        "offered": None if reach.offered is None else sorted(reach.offered),
        "luns": [
            {"lun": lun, "device": f"/dev/{path.device}" if path else None, "wwid": reach.luns[lun] or None}
            for lun, path in paths.items()
        ],
    }


def _of(path: Path) -> dict[str, Any]:
    return {
        "device": f"/dev/{path.device}",
        "hctl": path.hctl,
        "portal": path.session.portal if path.session else None,
        "wwid": path.taken_for,
        "serial": path.kept_serial or None,
        "size": path.size,
        "wwid_now": path.wwids[0] if path.wwids else None,
        "serial_now": path.serial or None,
        "size_now": path.capacity or None,
    }


class Rescan(Resource):
    """The LUNs of sessions, as the targets offer them now."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.targets = [target_key(name) for name in options["targets"]]
        self.portals = [str(portal(text, names=True)) for text in options["portals"]]
        self.luns, self.remove, self.timeout = options["luns"], options["remove"], options["timeout"]
        wrong = [lun for lun in self.luns if not 0 <= lun <= LARGEST]
        if wrong:
            raise Problem(f"{wrong[0]} is not a LUN number. It must be a number from 0 to {LARGEST}.")
        if not 1 <= self.timeout <= 3600:
            raise Problem(f"The timeout {self.timeout} is not a time in seconds from 1 to 3600.")
        self.wait = options["wait"]
        if not 0 <= self.wait <= 3600:
            raise Problem(f"wait: {self.wait} is not a time in seconds from 0 to 3600.")

    def look(self, host: Host) -> Reaches:
        host.until(lambda: logged_in(host, self.targets, self.portals), self.wait, 1)
        return look_reaches(host, self.targets, self.portals, self.luns, scanned=False)

    def look_again(self, host: Host, before: Reaches) -> Reaches:
        return look_reaches(host, self.targets, self.portals, self.luns, scanned=True)

    def want(self, seen: Reaches) -> Reaches:
        return want_reaches(seen, self.luns, self.remove)

    def plan(self, seen: Reaches, want: Reaches) -> list[Step]:
        return plan_reaches(seen, want, self.timeout)

    def refuse(self, seen: Reaches, want: Reaches, steps: list[Step]) -> None:
        refuse_reaches(seen, steps)

    def changed(self, seen: Reaches, after: Reaches, steps: list[Step]) -> bool:
        return changed_reaches(seen, after, steps)

    def notes(self, seen: Reaches, steps: list[Step]) -> Iterator[str]:
        return note_reaches(seen, steps)

    def show(self, state: Reaches) -> dict[str, Any]:
        return show_reaches(state)
