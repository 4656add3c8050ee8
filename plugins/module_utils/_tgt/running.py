# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tgtd serves now, in the words that all storage systems share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Iterable, Mapping

from .._arguments import Portal
from .._chap import NO_SECRET, Chap
from .._san.backing import Backing
from .._san.target import Initiator, Lun, LunMap, Session, Target
from .identity import identity_of
from .kept import NOBODY, RULES
from .tgtadm import CONTROLLER, RawLun, RawTarget, megabytes


@dataclass(frozen=True)
class Running:
    """What tgtd serves; targets by their names in lower case, of the driver iscsi alone."""

    targets: Mapping[str, Target] = field(default_factory=dict)
    accounts: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # the CHAP users of each; the last proves the target, or ''
    halves: tuple[tuple[str, int], ...] = ()  # LUNs without anything behind them, by target and number
    portals: frozenset[Portal] = field(default=frozenset(), compare=False)
    sessions: tuple[Session, ...] = field(default=(), compare=False)
    users: frozenset[str] = field(default=frozenset(), compare=False)  # of all accounts
    discovery: tuple[str, ...] = ("",)  # the CHAP users of discovery; the last proves the target, or ''
    isns: bool = field(default=False, compare=False)
    debug: bool = field(default=False, compare=False)  # tgtd logs all that it is told
    megabytes: Mapping[tuple[str, int], int] = field(default_factory=dict, compare=False)  # of each LUN
    drivers: Mapping[str, str] = field(default_factory=dict, compare=False)  # of targets of other drivers

    def here(self, name: str, initiator: str = "") -> list[Session]:
        """Who is logged in to a target, or of them this initiator."""
        return [
            one
            for one in self.sessions
            if one.target.lower() == name.lower() and initiator in ("", one.initiator)
        ]

    def shut_out(self, name: str, then: Target) -> list[str]:
        """Who is logged in to a target though it lets in neither this initiator nor any address."""
        if then.attributes.get(RULES):
            return []
        return sorted({one.initiator for one in self.here(name)} - set(then.initiators))


def in_words(
    raw: Iterable[RawTarget],
    kept: Mapping[str, Target],
    backing: Mapping[str, Backing],
    portals: frozenset[Portal],
    names: Mapping[str, str],
) -> Running:
    """What tgtadm shows; what it cannot (names, exact sizes, secrets, the write cache) is taken from what is kept. 'names' are
    those of LUNs that are asked for, by serial: a run that was killed has kept nothing yet."""
    own = [one for one in raw if one.driver == "iscsi"]
    return Running(
        targets={
            one.name.lower(): _target(one, kept.get(one.name.lower()), backing, portals, names) for one in own
        },
        accounts={one.name.lower(): (*one.incoming, one.outgoing) for one in own},
        halves=tuple((one.name.lower(), lun.number) for one in own for lun in one.luns if lun.half),
        portals=portals,
        megabytes={(one.name.lower(), lun.number): lun.megabytes for one in own for lun in one.luns},
        sessions=tuple(session for one in own for session in one.sessions),
        drivers={one.name: one.driver for one in raw if one.driver != "iscsi"},
    )


def _target(
    raw: RawTarget,
    kept: Target | None,
    backing: Mapping[str, Backing],
    portals: frozenset[Portal],
    names: Mapping[str, str],
) -> Target:
    luns = {
        lun.number: _lun(lun, kept.luns.get(lun.number) if kept else None, backing, names)
        for lun in raw.luns
        if lun.kind != CONTROLLER and not lun.half
    }
    maps = {number: LunMap(number, number, lun.read_only) for number, lun in luns.items()}
    chap = _chap(raw, next((one.chap for one in kept.initiators.values()), None) if kept else None)
    igroups = {name: one.igroup for name, one in kept.initiators.items()} if kept else {}
    rules = [one for one in raw.addresses if one != NOBODY]
    return Target(
        name=raw.name,
        enabled=raw.ready,
        portals=portals,
        attributes={RULES: " ".join(rules)} if rules else {},
        parameters=dict(raw.parameters),
        luns=luns,
        initiators={name: Initiator(igroups.get(name, name), maps, chap) for name in raw.names},
    )


def _chap(raw: RawTarget, kept: Chap | None) -> Chap | None:
    """The credentials; secrets cannot be asked for, so they are those that are kept, or not known ('')."""
    if not raw.incoming and not raw.outgoing:
        return None
    if kept and (raw.incoming, raw.outgoing) == ((kept.user,), kept.mutual_user):
        return kept
    return Chap(", ".join(raw.incoming), NO_SECRET, raw.outgoing, NO_SECRET)


def _lun(raw: RawLun, kept: Lun | None, backing: Mapping[str, Backing], names: Mapping[str, str]) -> Lun:
    same = kept is not None and (kept.path, kept.serial) == (raw.path, raw.serial)
    found = Lun(
        name=kept.name if kept and same else names.get(raw.serial, f"lun{raw.number}"),
        number=raw.number,
        path=raw.path,
        serial=raw.serial,
        size=_size(raw, kept.size if kept and same else None, backing.get(raw.path, Backing())),
        block_size=raw.block_size,
        # Others have tgt's own choice (usr/sbc.c, mode page 8), and a run of ours that was killed the safe one.
        write_back=kept.write_back if kept and same else raw.identity != identity_of(raw.serial),
        backstore=raw.identity,
        read_only=raw.read_only,
        fixed=raw.odd,
    )
    return found if raw.online else replace(found, fixed=found.fixed or "is offline")


def _size(raw: RawLun, kept: int | None, there: Backing) -> int | None:
    """How big a file was when tgtd opened it: tgtadm tells whole megabytes alone."""
    if there.kind == "device" or raw.path.startswith("/dev/"):
        return None
    for size in (kept, there.size):
        if size is not None and megabytes(size) == raw.megabytes:
            return size
    return raw.megabytes * 1000 * 1000
