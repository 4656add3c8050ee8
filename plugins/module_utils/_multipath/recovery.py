# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multipath maps that have no path in use though their paths answer again, and nobody else brings them back.

multipathd asks devices of other kinds for their status too (libmultipath, devmapper.c, libmp_mapinfo, since 0.10). A thin pool
writes its metadata before it answers (drivers/md/dm-thin.c, pool_status), the write waits for the map without paths, and the map
for multipathd. The kernel takes paths back from anybody ('reinstate_path', drivers/md/dm-mpath.c).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._block.dm_multipath import look_names, paths_in_use, running
from .._block.sysfs import BLOCK
from .._converge import Resource
from .._host import Host, Problem
from .._step import Step
from .disk.path import Path, ask_paths, look_sessions
from .multipathd import ask

MESSAGE = 30  # seconds for the kernel
HOLDS = 3  # seconds that a path which was taken back must carry I/O
AGAIN = 2  # seconds from one attempt to the next
OPTIONS: dict[str, Any] = {"timeout": {"type": "int", "default": 60}, "wait": {"type": "int", "default": 30}}


@dataclass(frozen=True)
class MapPaths:
    """A map, whether the kernel sends I/O to any path of it, and, where it does not, what its paths say."""

    name: str
    wwid: str
    has_active_path: bool
    paths: tuple[Path, ...] = ()

    @property
    def ready(self) -> tuple[Path, ...]:
        """The paths that answer as the disk that the map is."""
        return tuple(path for path in self.paths if path.good and self.wwid in path.wwids)

    @property
    def returning(self) -> bool:
        """Whether no path answers yet, and the initiator is still logging in again."""
        return not self.ready and any(
            path.session.state != "LOGGED_IN" for path in self.paths if path.session
        )


@dataclass(frozen=True)
class Revive(Step):
    """Leave it to multipathd while that answers; else tell the kernel."""

    name: str
    paths: tuple[str, ...]
    timeout: int

    def __str__(self) -> str:
        listed = ", ".join(f"/dev/{path}" for path in self.paths)
        return f"Bring the paths of the multipath map '{self.name}' back into use: {listed}"

    def take(self, host: Host) -> None:
        alone = running(host) and bool(ask(host, "show", "paths", "format", "%d"))
        back = self._carries if alone else self._reinstated
        if not host.until(lambda: back(host), self.timeout, AGAIN):
            raise Problem(
                f"{', '.join(f'/dev/{path}' for path in self.paths)} answer, and within {self.timeout} seconds "
                + (
                    f"multipathd took none of them back into the map '{self.name}'. Its checker may see more: 'multipathd "
                    "show paths', and its journal."
                    if alone
                    else f"each that the kernel took back into the map '{self.name}' failed again. See its log, and repair them."
                )
            )

    def _carries(self, host: Host) -> bool:
        return bool(paths_in_use(host, [self.name]).get(self.name))

    def _reinstated(self, host: Host) -> bool:
        """Whether they carry what waited. One may answer, and fail again, while its target is still coming up."""
        for path in next((one.ready for one in _look(host) if one.name == self.name), ()):
            number = (host.read(f"{BLOCK}/{path.device}/dev") or "").strip()
            host.run("dmsetup", "message", self.name, "0", f"reinstate_path {number}", timeout=MESSAGE)
        return self._carries(host) and not host.until(lambda: not self._carries(host), HOLDS, 0.5)


def look_revival(host: Host, wait: int) -> tuple[MapPaths, ...]:
    """Every map. The paths of those that carry nothing are asked who they are, for so many seconds until one answers."""
    found: tuple[MapPaths, ...] = ()

    def settled() -> bool:
        nonlocal found
        found = _look(host)
        return not any(one.returning for one in found)

    host.until(settled, wait, 1)
    return found


def _look(host: Host) -> tuple[MapPaths, ...]:
    named = look_names(host)
    carried = paths_in_use(host, list(named))
    wwids = {name: wwid for name, wwid in named.items() if name in carried}
    dead = {wwid for name, wwid in wwids.items() if not carried[name]}
    asked = ask_paths(host, look_sessions(host), dead) if dead else []
    return tuple(
        MapPaths(
            name=name,
            wwid=wwid,
            has_active_path=wwid not in dead,
            paths=tuple(path for path in asked if path.mapped_as == wwid and wwid in dead),
        )
        for name, wwid in sorted(wwids.items())
    )


def want_revival(seen: tuple[MapPaths, ...]) -> tuple[MapPaths, ...]:
    """Every map with a path that answers carries I/O."""
    return tuple(replace(one, has_active_path=True, paths=()) if one.ready else one for one in seen)


def plan_revival(seen: tuple[MapPaths, ...], want: tuple[MapPaths, ...], timeout: int) -> list[Step]:
    """A step for each map."""
    alive = {one.name for one in want if one.has_active_path}
    return [
        Revive(one.name, tuple(path.device for path in one.ready), timeout)
        for one in seen
        if not one.has_active_path and one.name in alive
    ]


def notes_of_revival(seen: tuple[MapPaths, ...]) -> list[str]:
    """The maps that nothing can be done for here."""
    return [
        f"The multipath map '{one.name}' has no path that answers as '{one.wwid}': "
        + (", ".join(f"{path} is {_said(path, one.wwid)}" for path in one.paths) or "it has none")
        + "."
        for one in seen
        if not one.has_active_path and not one.ready
    ]


def show_revival(state: tuple[MapPaths, ...]) -> list[dict[str, Any]]:
    """The maps as people and templates get them."""
    return [{"name": one.name, "wwid": one.wwid, "has_active_path": one.has_active_path} for one in state]


def _said(path: Path, wwid: str) -> str:
    return f"now the disk {path.now}" if path.wwids and wwid not in path.wwids else path.state


class MultipathPaths(Resource):
    """Maps without an active path, given those back that respond."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.timeout, self.wait = options["timeout"], options["wait"]
        for name, least in (("timeout", 1), ("wait", 0)):
            if not least <= options[name] <= 3600:
                raise Problem(f"{name}: {options[name]} is not a time in seconds from {least} to 3600.")

    def look(self, host: Host) -> tuple[MapPaths, ...]:
        return look_revival(host, self.wait)

    def want(self, seen: tuple[MapPaths, ...]) -> tuple[MapPaths, ...]:
        return want_revival(seen)

    def plan(self, seen: tuple[MapPaths, ...], want: tuple[MapPaths, ...]) -> list[Step]:
        return plan_revival(seen, want, self.timeout)

    def notes(self, seen: tuple[MapPaths, ...], steps: list[Step]) -> list[str]:
        return notes_of_revival(seen)

    def show(self, state: tuple[MapPaths, ...]) -> list[dict[str, Any]]:
        return show_revival(state)
