# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of a compute host, from target to mount: what it answered, beside what the inventory wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Mapping

from ...module_utils._arguments import in_units
from .model import FAULT, MISSING, OK, PLANNED, Data, Fact, Thing, View, answer, spelled
from .volumes import groups_of, plain_mounts
from .wanted import Wanted, WantedLun


@dataclass(frozen=True)
class Path:
    """One way to a LUN; without a disk the way is wanted and not there."""

    target: str
    portal: str
    iface: str
    reason: str = ""  # why it carries no I/O; '' if it does
    disk: Data = field(default_factory=dict)

    @property
    def working(self) -> bool:
        """Whether I/O can take it."""
        return bool(self.disk) and not self.reason


@dataclass(frozen=True)
class Lun:
    """A LUN with its paths."""

    key: str
    target: str
    name: str
    paths: tuple[Path, ...]
    wanted: WantedLun | None = None

    @property
    def disks(self) -> list[Data]:
        """The disks that the host has of it."""
        return [path.disk for path in self.paths if path.disk]

    @property
    def lost(self) -> bool:
        """Whether no path to it works."""
        return bool(self.disks) and not any(path.working for path in self.paths)

    @property
    def map(self) -> str:
        """Its multipath map; '' without one."""
        return next((str(disk["map"]) for disk in self.disks if disk["map"]), "")

    @property
    def size(self) -> int | None:
        """In bytes; None when the host does not have it."""
        return max((int(disk["size"]) for disk in self.disks), default=None)

    @property
    def users(self) -> list[str]:
        """What uses it, as sentences."""
        return sorted({str(user) for disk in self.disks for user in disk["users"]})

    @property
    def read_only(self) -> bool:
        """Whether what the host uses of it may only be read."""
        flags = [disk.get("map_read_only") if disk["map"] else disk.get("read_only") for disk in self.disks]
        return any(flags)

    @property
    def top(self) -> tuple[str, ...]:
        """The keys of what volumes of it stand on: its map, else its paths."""
        paths = tuple(path_key(self, path) for path in self.paths)
        return (f"map {self.key}",) if self.map else paths or (f"lun {self.key}",)


@dataclass(frozen=True)
class Compute:
    """A compute host's answers, and what is wanted of it. 'looked': it was asked."""

    host: str
    answers: Data
    wanted: Wanted
    names: Mapping[str, tuple[str, str]]  # of LUNs by WWID: target and name
    storage: Mapping[str, str]  # the storage host of each target
    looked: bool = True

    @property
    def initiator(self) -> Data | None:
        """The answer of initiator_info."""
        return answer(self.answers.get("initiator"), "sessions")

    @property
    def timers(self) -> Data | None:
        """The answer of timers_info."""
        return answer(self.answers.get("timers"), "faults")

    @property
    def groups(self) -> Data | None:
        """The answer of volume_group_info."""
        return answer(self.answers.get("groups"), "groups")

    @property
    def paths(self) -> Data | None:
        """The answer of path_info."""
        return answer(self.answers.get("paths"), "paths")

    @property
    def missing(self) -> str:
        """The state of what is wanted and was not found."""
        return MISSING if self.initiator else PLANNED

    @property
    def sessions(self) -> list[Data]:
        """Its sessions."""
        return list(self.initiator["sessions"]) if self.initiator else []

    @property
    def ways(self) -> set[tuple[str, str, str]]:
        """Target, portal and iface of wanted sessions: those of the inventory, else of records that log in at boot."""
        records = (self.initiator or {}).get("records", [])
        at_boot = {
            (one["target"].lower(), one["portal"], one["iface"])
            for one in records
            if one["startup"] in ("automatic", "onboot")
        }
        return set(self.wanted.ways) or at_boot


def reason_of(session: Data, disk: Data | None = None) -> str:
    """Why a path carries no I/O."""
    connection = session.get("connection_state") or "up"
    if session["state"] != "LOGGED_IN" or connection != "up":
        return f"session {session['state']}" + (f", connection {connection}" if connection != "up" else "")
    return f"disk {disk['state']}" if disk and disk["state"] != "running" else ""


def luns_of(host: Compute) -> list[Lun]:
    """Those that it has and those that it must have, by target and name."""
    found: dict[str, list[Path]] = {}
    for session in host.sessions:
        for disk in session["disks"]:
            if disk["device"]:
                key = spelled(disk["wwid"]) or f"{session['target']}/{disk['lun']}"
                path = Path(
                    session["target"].lower(),
                    session["portal"],
                    session["iface"],
                    reason_of(session, disk),
                    disk,
                )
                found.setdefault(key, []).append(path)
    keys = dict.fromkeys([*found, *host.wanted.luns])
    return sorted(
        (_lun(host, key, found.get(key, [])) for key in keys), key=lambda lun: (lun.target, lun.name)
    )


def _lun(host: Compute, key: str, paths: list[Path]) -> Lun:
    wanted = host.wanted.luns.get(key)
    target = paths[0].target if paths else wanted.target if wanted else ""
    known = wanted.name if wanted else host.names.get(key, ("", ""))[1]
    there = {(path.portal, path.iface) for path in paths}
    live = {(one["target"].lower(), one["portal"], one["iface"]): reason_of(one) for one in host.sessions}
    lacking = [
        Path(*way, live.get(way, "no session") or "no disk")
        for way in host.wanted.ways_to(target)
        if way[1:] not in there
    ]
    name = known or (f"LUN {paths[0].disk['lun']}" if paths else key)
    return Lun(
        key, target, name, tuple(sorted(paths + lacking, key=lambda one: (one.portal, one.iface))), wanted
    )


def view_of(host: Compute) -> View:
    """The chain of a host as things."""
    luns = luns_of(host)
    answered = host.initiator is not None
    about = (host.initiator["name"] if host.initiator else host.wanted.initiator) or "no initiator name"
    things = [
        *_targets(host, luns),
        *(thing for lun in luns for thing in _of_lun(host, lun)),
        *groups_of(host, luns),
        *plain_mounts(host, luns),
    ]
    lost = tuple(str(one["text"]) for one in (host.timers or {}).get("connection_errors") or [])
    return View(host.host, "compute", answered or not host.looked, about, tuple(things), lost)


def _targets(host: Compute, luns: list[Lun]) -> Iterator[Thing]:
    sessions: dict[str, list[Data]] = {}
    for session in host.sessions:
        sessions.setdefault(session["target"].lower(), []).append(session)
    for target in sorted(
        {*sessions, *(lun.target for lun in luns if lun.target), *(w[0] for w in host.ways)}
    ):
        there = sessions.get(target, [])
        working = [one for one in there if not reason_of(one)]
        wanted = host.wanted.ways_to(target)
        state = OK if there else host.missing
        facts = (
            Fact("Name", target if there else None, target if wanted else None),
            Fact("Storage host", host.storage.get(target)),
            Fact(
                "Sessions",
                str(len(working)) if host.initiator else None,
                str(len(wanted)) if wanted else None,
            ),
            Fact(
                "Portals",
                ", ".join(sorted({one["portal"] for one in there})) or None,
                ", ".join(sorted({way[1] for way in wanted})) or None,
            ),
        )
        yield Thing(f"target {target}", "target", target, host.storage.get(target, ""), facts, state=state)


def _of_lun(host: Compute, lun: Lun) -> Iterator[Thing]:
    """The LUN, its paths and its map."""
    key = f"lun {lun.key}"
    size = lun.size if lun.size is not None else lun.wanted.size if lun.wanted else None
    note = in_units(size) if size is not None else ""
    state = OK if lun.disks else host.missing
    yield Thing(key, "lun", lun.name, note, tuple(_lun_facts(host, lun)), (f"target {lun.target}",), state)
    for path in lun.paths:
        yield _path(host, lun, path)
    if lun.map:
        paths = tuple(path_key(lun, path) for path in lun.paths)
        ways = f"{sum(path.working for path in lun.paths)} of {len(lun.paths)} paths"
        facts = (Fact("Device", f"/dev/mapper/{lun.map}"), Fact("WWID", lun.key), *_stall(host, lun))
        yield Thing(f"map {lun.key}", "map", lun.map, ways, facts, paths)


def _lun_facts(host: Compute, lun: Lun) -> Iterator[Fact]:
    wanted, there = lun.wanted, bool(lun.disks)
    numbers = sorted({str(disk["lun"]) for disk in lun.disks})
    yield Fact("Name", lun.name if there else None, wanted.name if wanted else None)
    yield Fact("Target", lun.target if there else None, wanted.target if wanted else None)
    yield Fact("LUN number", ", ".join(numbers) or None)
    yield Fact(
        "Size",
        None if lun.size is None else in_units(lun.size),
        in_units(wanted.size) if wanted and wanted.size else None,
    )
    yield Fact("WWID", lun.key if there else None, lun.key if wanted and "/" not in lun.key else None)
    writing = {True: "read-only", False: "may be written"}
    yield Fact(
        "Access", writing[lun.read_only] if there else None, writing[wanted.read_only] if wanted else None
    )
    ways = host.wanted.ways_to(lun.target)
    working = str(sum(path.working for path in lun.paths))
    yield Fact("Paths", working if host.initiator else None, str(len(ways)) if ways else None)
    users = [user for user in lun.users if " is a path of the multipath map " not in user]
    if users:
        yield Fact("Used", "; ".join(users))
    if not lun.map:
        yield from _stall(host, lun)


def path_key(lun: Lun, path: Path) -> str:
    """A path keeps its key when its disk gets another name."""
    return f"path {lun.key} {path.portal} {path.iface}"


def _path(host: Compute, lun: Lun, path: Path) -> Thing:
    disk = path.disk
    device = str(disk.get("device", "")).rpartition("/")[2]
    state = OK if path.working else FAULT if disk else host.missing
    iface = f" by {path.iface}" if path.iface != "default" else ""
    facts = (
        Fact("Device", disk.get("device")),
        Fact("Target", path.target),
        Fact("Portal", path.portal),
        Fact("Iface", path.iface),
        Fact("State", (path.reason or "working") if host.initiator else None),
    )
    name = f"{path.portal}{iface}"
    reason = path.reason.partition(",")[0]
    note = f"{device}: {reason}" if device and reason else reason or device
    return Thing(
        path_key(lun, path), "path", name, note if host.initiator else "", facts, (f"lun {lun.key}",), state
    )


def _stall(host: Compute, lun: Lun) -> Iterator[Fact]:
    """How long the I/O of a LUN can stand still."""
    devices = {disk["device"] for disk in lun.disks}
    for disk in (host.timers or {}).get("disks", []):
        if devices & {f"/dev/{path['device']}" for path in disk["paths"]}:
            worst = "forever" if disk["worst_stall"] is None else f"{disk['worst_stall']} s"
            yield Fact("Worst stall", f"{worst}: {disk['arithmetic']}")
