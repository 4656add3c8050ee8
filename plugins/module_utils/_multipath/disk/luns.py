# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LUNs of sessions: what the targets report now, what the kernel has, and where the two differ.

REPORT LUNS (SPC-4 section 6.33) is sent to a device of each session; it only reads. A session without a device cannot be
asked: the kernel has no way to its target before a scan has found one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Iterable, Mapping, Sequence

from ..._block.holders import Holders, look_holders
from ..._block.sysfs import BLOCK
from ..._host import Host, Problem
from ..multipathd import registered
from .path import Path, Session, look_paths, look_sessions

DEVICES = "/sys/class/scsi_device"
LONGEST = 16384  # bytes of an answer: 2047 LUNs
REPORT_LUNS = bytes([0xA0, *[0] * 5, *LONGEST.to_bytes(4, "big"), 0, 0])
ASKED = 2  # devices of a session; one whose LUN is gone may refuse
NO_DISK = ""  # what a LUN is taken for that is no disk, or not known yet


@dataclass(frozen=True)
class Reach:
    """One session. 'offered' are the LUN numbers that its target reports (None: it could not be asked); 'luns' those
    that the kernel has, with the WWID that this host takes each for.
    """

    session: Session
    offered: frozenset[int] | None
    luns: Mapping[int, str]

    @property
    def blank(self) -> bool:
        """Whether only a scan can tell what is offered."""
        return self.offered is None and self.session.state == "LOGGED_IN"


@dataclass(frozen=True)
class Reaches:
    """The sessions by number, the disks that they bring, the maps over these, and what this run has done already."""

    reaches: dict[int, Reach]
    paths: dict[tuple[int, int], Path] = field(default_factory=dict)  # by session and LUN number
    slaves: dict[str, tuple[str, ...]] = field(default_factory=dict)  # maps: the devices under each
    registered: frozenset[str] = frozenset()
    holders: Holders | None = None
    # Of this run, not of the host: whether it has scanned (what has not come is not there), what shall go, and whether a
    # scan may find more than is known yet.
    scanned: bool = field(default=False, compare=False)
    leaving: tuple[Path, ...] = field(default=(), compare=False)
    guessed: bool = field(default=False, compare=False)

    def gone(self) -> list[Path]:
        """Devices whose LUN the target no longer maps."""
        return [path for path in self.paths.values() if path.state == "unmapped"]

    def reused(self) -> list[Path]:
        """Devices behind which another LUN answers."""
        return [path for path in self.paths.values() if path.other]

    def resized(self) -> list[Path]:
        """Devices whose LUN has another size than the kernel knows."""
        return [
            path
            for path in self.paths.values()
            if path.good and not path.other and path.capacity and path.capacity != path.size
        ]


def look_reaches(
    host: Host,
    targets: Sequence[str] = (),
    portals: Sequence[str] = (),
    only: Sequence[int] = (),
    scanned: bool = False,
) -> Reaches:
    """The sessions to these targets and portals (left empty: all), and of their LUNs these numbers (left empty: all)."""
    sessions = chosen(look_sessions(host), targets, portals)
    hctls = _hctls(host, sessions)
    found = look_paths(host, sessions)
    reported = _reported(host, sessions, hctls, found)
    paths = {
        (path.session.number, _lun(path.hctl)): path
        for path in found
        if path.session and _within(_lun(path.hctl), only)
    }
    reaches = {}
    for session in sessions:
        number, answer = session.number, reported.get(session.number)
        have = {_lun(hctl) for hctl in hctls[number] if _within(_lun(hctl), only)}
        luns = {lun: paths[number, lun].taken_for if (number, lun) in paths else NO_DISK for lun in have}
        within = None if answer is None else frozenset(lun for lun in answer if _within(lun, only))
        reaches[number] = Reach(session, within, luns)
    seen = Reaches(
        reaches=reaches,
        paths=paths,
        slaves={
            path.map: tuple(host.list(f"{BLOCK}/{path.map}/slaves")) for path in paths.values() if path.map
        },
        registered=registered(host),
        scanned=scanned,
    )
    return replace(seen, holders=look_holders(host, opened=True)) if seen.gone() or seen.reused() else seen


def logged_in(host: Host, targets: Sequence[str], portals: Sequence[str]) -> bool:
    """Whether all sessions to these targets and portals are."""
    return all(one.state == "LOGGED_IN" for one in chosen(look_sessions(host), targets, portals))


def chosen(sessions: Iterable[Session], targets: Sequence[str], portals: Sequence[str]) -> list[Session]:
    """The sessions that were asked for; a Problem where one of the names has none."""
    found = list(sessions)
    for what, wanted, has in (
        ("target", targets, [session.target.lower() for session in found]),
        ("portal", portals, [session.portal for session in found]),
    ):
        missing = [one for one in wanted if one not in has]
        if missing:
            there = ", ".join(f"'{one}'" for one in sorted(set(has))) or "none"
            raise Problem(
                f"There is no session to the {what} '{missing[0]}' (there are: {there}). Log in first "
                f"(lunworks.iscsi.nodes)."
            )
    return [
        session
        for session in found
        if (not targets or session.target.lower() in targets) and (not portals or session.portal in portals)
    ]


def _within(lun: int, only: Sequence[int]) -> bool:
    return not only or lun in only


def _lun(hctl: str) -> int:
    return int(hctl.rpartition(":")[2])


def _hctls(host: Host, sessions: Iterable[Session]) -> dict[int, list[str]]:
    """The SCSI devices of each session, also those that are no disks."""
    found: dict[int, list[str]] = {session.number: [] for session in sessions}
    for hctl in host.list(DEVICES):
        match = re.search(r"/session(\d+)/", host.real(f"{DEVICES}/{hctl}/device"))
        if match and int(match[1]) in found:
            found[int(match[1])].append(hctl)
    return found


def _reported(
    host: Host, sessions: Iterable[Session], hctls: Mapping[int, list[str]], paths: Iterable[Path]
) -> dict[int, frozenset[int]]:
    """What the target of each session reports, where a device of it answers."""
    states = {path.hctl: path for path in paths}
    asked = []
    for session in sessions:
        ranked = sorted(
            (not (hctl in states and states[hctl].good), _lun(hctl), hctl) for hctl in hctls[session.number]
        )
        devices = [_device(host, hctl, states.get(hctl)) for _rank, _number, hctl in ranked]
        asked += [(session.number, device) for device in [one for one in devices if one][:ASKED]]
    answers = host.scsi([(device, REPORT_LUNS, LONGEST) for _number, device in asked]) if asked else []
    return {
        number: parse_luns(answer)
        for (number, _device), answer in reversed(list(zip(asked, answers)))
        if answer
    }


def _device(host: Host, hctl: str, path: Path | None) -> str:
    """Where a command for this device goes: its disk, unless that does not answer; else its generic device."""
    if path:
        return f"/dev/{path.device}" if path.state in ("running", "failed", "unmapped") else ""
    generic = host.list(f"{DEVICES}/{hctl}/device/scsi_generic")
    return f"/dev/{generic[0]}" if generic else ""


def parse_luns(answer: bytes) -> frozenset[int]:
    """The LUN numbers in an answer to REPORT LUNS, as the kernel numbers them (drivers/scsi/scsi_common.c).

    It reads the eight bytes of each as four numbers of two bytes, the first the least: flat addressing shows.
    """
    end = min(len(answer), 8 + int.from_bytes(answer[:4], "big"))
    return frozenset(
        sum(int.from_bytes(answer[at + part : at + part + 2], "big") << part * 8 for part in range(0, 8, 2))
        for at in range(8, end - 7, 8)
    )
