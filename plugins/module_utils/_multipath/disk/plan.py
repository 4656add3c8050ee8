# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUNs as this host has them: found by WWID, verified on every path, under their maps, with their current sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Sequence

from ..._block.dm_multipath import look_wwids
from ..._block.holders import Holders, look_holders
from ..._block.past_map import Beside, look_beside, plan_beside, refuse_beside
from ..._block.sysfs import BLOCK
from ..._host import Host, Problem
from ..._step import Step
from ..multipathd import registered
from .attach import Arrival, AwaitDisks, GrowDisk, MakeMaps, ScanHost, mapped, paths_of, single, size_of
from .detach import REMOVAL, RemovePaths, plan_removal, refuse_removal, users_of
from .path import ACCESS_LUN, Path, Session, look_paths, look_sessions


@dataclass(frozen=True)
class Request:
    """A disk as requested. Sizes in bytes, times in seconds."""

    wwid: str
    lun: str = ""
    target: str = ""
    paths: int = 1
    multipath: bool = True
    size: int = 0
    present: bool = True
    timeout: int = 60

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"LUN '{self.lun}' of '{self.target}' ({self.wwid})" if self.lun else f"'{self.wwid}'"


@dataclass(frozen=True)
class Disk:
    """A disk on this host. 'good' counts the paths that carry I/O, in its map if it has one."""

    wwid: str
    good: int = 0
    mapped: bool = False
    named: bool = False
    size: int = 0
    registered: bool = False
    map: str = ""
    name: str | None = None
    serial: str | None = None
    paths: tuple[Path, ...] = ()
    strays: tuple[
        Path, ...
    ] = ()  # devices of this disk whose LUN number now is another LUN, and the other way round
    beside: tuple[Beside, ...] = ()  # what stands on a path past the map


@dataclass(frozen=True)
class Disks:
    """The disks that were asked for, by WWID; the sessions to scan; who uses what, where something is to be removed."""

    disks: dict[str, Disk | None]
    sessions: tuple[Session, ...] = ()
    holders: Holders | None = None


def look_disks(host: Host, requests: Sequence[Request]) -> Disks:
    """What this host has of the requests. Every path is asked who it is; nothing is written."""
    sessions = look_sessions(host)
    paths = look_paths(host, sessions, [request.wwid for request in requests])
    maps = {wwid: name for name, wwid in look_wwids(host).items()}
    listed = registered(host)
    found = {
        request.wwid: _disk(host, request, paths, maps.get(request.wwid, ""), request.wwid in listed)
        for request in requests
    }
    leaving = [
        disk
        for request in requests
        for disk in [found[request.wwid]]
        if disk and (disk.strays or not request.present)
    ]
    return Disks(found, tuple(sessions), look_holders(host, opened=True) if leaving else None)


def _disk(host: Host, request: Request, paths: list[Path], name: str, listed: bool) -> Disk | None:
    wwid = request.wwid
    own = paths_of(wwid, paths)
    slaves = host.list(f"{BLOCK}/{name}/slaves") if name else []
    beside = [one for path in own for one in look_beside(host, path.device)] if request.multipath else []
    strays = [path for path in paths if path.wwids and _strays(path, wwid, path.device in slaves)]
    own = [path for path in own if path not in strays]
    if not (own or name or listed or strays):
        return None
    good = [path for path in own if path.good and (not name or path.map == name)]
    sizes = [path.size for path in own] + ([size_of(host, name)] if name else [])
    return Disk(
        wwid=wwid,
        good=len(good),
        mapped=bool(name),
        named=host.stat(mapped(wwid) if name else single(wwid)) is not None,
        size=min(sizes) if sizes else 0,
        registered=listed,
        map=name,
        name=(host.read(f"{BLOCK}/{name}/dm/name") or "").strip() or None if name else None,
        serial=next((path.serial for path in own if path.serial), None),
        paths=tuple(own),
        strays=tuple(strays),
        beside=tuple(beside),
    )


def _strays(path: Path, wwid: str, in_map: bool) -> bool:
    """Whether it became another LUN since the kernel asked it, from or to this one, or is a wrong path of its map."""
    known = (path.known, path.remembered, *path.wwids)
    return in_map and wwid not in path.wwids or path.other and wwid in known


def want_disks(requests: Iterable[Request], seen: Disks) -> Disks:
    """The disks as they must be: on enough paths, mapped, as large as their LUNs are."""
    return replace(
        seen, disks={request.wwid: _wanted(request, seen.disks[request.wwid]) for request in requests}
    )


def _wanted(request: Request, seen: Disk | None) -> Disk | None:
    if not request.present:
        return None
    disk = seen or Disk(request.wwid)
    offered = min((path.capacity for path in disk.paths if path.good), default=0)
    return replace(
        disk,
        good=max(disk.good, request.paths),
        mapped=request.multipath,
        named=True,
        size=max(disk.size, offered, request.size),
        strays=(),
        beside=() if request.multipath else disk.beside,
    )


def plan_disks(requests: Sequence[Request], seen: Disks, want: Disks) -> list[Step]:
    """What is no longer the same disk is removed first; then all disks arrive together, then growth, then removals."""
    pairs = [(request, seen.disks[request.wwid], want.disks[request.wwid]) for request in requests]
    steps: list[Step] = []
    for _request, disk, new in pairs:
        if disk and new:
            gone = {path: None for path in disk.strays if path not in new.strays}
            steps += [RemovePaths(_why(path), (path,), 30) for path in gone]
    steps = list(dict.fromkeys(steps))
    steps += _arrivals(pairs, seen.sessions)
    steps += plan_beside(
        one for _request, disk, new in pairs if disk and new and not new.beside for one in disk.beside
    )
    for request, disk, new in pairs:
        if new and disk and disk.paths and new.size > disk.size:
            steps.append(GrowDisk(request.label, request.wwid, disk.size, new.size, request.timeout))
    leaving: list[Step] = []
    for request, disk, new in pairs:
        if disk and not new:
            paths = disk.paths + disk.strays
            leaving += plan_removal(
                request.label, request.wwid, disk.map, disk.registered, paths, request.timeout
            )
    # The maps of all disks, then their paths, each side by side.
    return steps + sorted(leaving, key=lambda step: REMOVAL.index(type(step)))


def _why(path: Path) -> str:
    return f"it was {path.was}, and its LUN number now answers as {path.now}"


def _arrivals(
    pairs: list[tuple[Request, Disk | None, Disk | None]], sessions: Iterable[Session]
) -> list[Step]:
    short, unmapped, targets = [], [], []
    for request, seen, new in pairs:
        disk = seen or Disk(request.wwid)
        if new is None:
            continue
        arrival = Arrival(request.label, request.wwid, new.good, new.size, request.target)
        running = sum(path.good for path in disk.paths)
        if disk.good < new.good and running < new.good or disk.strays or not (disk.named or new.mapped):
            short.append((request, arrival))
            targets.append(request.target)
        if new.mapped and (not disk.mapped or disk.good < new.good or not disk.named):
            unmapped.append((request, arrival))
    steps: list[Step] = [
        ScanHost(one.host, one.portal)
        for one in sessions
        if one.state == "LOGGED_IN" and targets and ("" in targets or one.target.lower() in targets)
    ]
    for named in (False, True):
        late = [(request, arrival) for request, arrival in short if request.multipath != named]
        if late:
            patience = max(request.timeout for request, _arrival in late)
            steps.append(AwaitDisks(tuple(arrival for _request, arrival in late), named, patience))
    if unmapped:
        patience = max(request.timeout for request, _arrival in unmapped)
        steps.append(MakeMaps(tuple(arrival for _request, arrival in unmapped), patience))
    return steps


def refuse_disks(requests: Sequence[Request], seen: Disks) -> None:
    """Refuses a wrong disk, one in use, and a smaller one."""
    for request in requests:
        disk = seen.disks[request.wwid]
        if disk is None:
            continue
        if request.present:
            for path in disk.strays:
                _refuse_stray(path, seen.holders)
            refuse_beside(request.label, disk.beside)
            _refuse_kind(request, disk)
            _refuse_size(request, disk)
        else:
            loose = [path.device for path in disk.paths + disk.strays if not path.map or path.map != disk.map]
            refuse_removal(request.label, [disk.map, *loose] if disk.map else loose, seen.holders)


def _refuse_stray(path: Path, holders: Holders | None) -> None:
    users = users_of([path.device], holders)
    if users:
        raise Problem(
            f"{path} was {path.was} and now answers as {path.now}: its LUN number was given "
            f"to another LUN while {'; '.join(str(user) for user in users[:4])}. What is written there lands on the "
            f"wrong LUN. Stop its users, remove the disk '{path.taken_for}' (state: absent), then run this again."
        )


def _refuse_kind(request: Request, disk: Disk) -> None:
    if any(path.product == ACCESS_LUN for path in disk.paths):
        raise Problem(
            f"{request.label} is the access LUN of an array ('{ACCESS_LUN}'), not a disk. Name another LUN."
        )
    if disk.mapped and not request.multipath:
        raise Problem(
            f"{request.label} was requested without multipath, but is part of the map '{disk.name}'. Leave out "
            "'multipath: false', or remove the disk (state: absent) and blacklist its WWID first."
        )


def _refuse_size(request: Request, disk: Disk) -> None:
    offered = min((path.capacity for path in disk.paths if path.good and path.capacity), default=disk.size)
    if offered < disk.size:
        raise Problem(
            f"{request.label} has {disk.size} bytes on this host, but its LUN only {offered}: it shrank on the storage side. "
            "Reads and writes beyond its end fail. Grow the LUN back to its old size."
        )
    down = [f"{path} is {path.state}" for path in disk.paths if not path.good]
    if offered > disk.size and down:
        raise Problem(
            f"Cannot grow {request.label} from {disk.size} to {offered} bytes: {'; '.join(down)}. A map may grow only when "
            "all its paths are up and as large. Repair the paths first."
        )


def show_disk(request: Request, disk: Disk | None) -> dict[str, Any]:
    """A disk as people and templates get it."""
    paths = [
        {
            "device": f"/dev/{path.device}",
            "hctl": path.hctl,
            "state": path.state,
            "portal": path.session.portal if path.session else None,
            "session": path.session.number if path.session else None,
        }
        for path in (disk.paths if disk else ())
    ]
    return {
        "wwid": request.wwid,
        "device": (mapped if disk.mapped else single)(request.wwid) if disk else None,
        "name": disk.name if disk else None,
        "size": disk.size or None if disk else None,
        "serial": disk.serial if disk else None,
        "paths": paths,
    }
