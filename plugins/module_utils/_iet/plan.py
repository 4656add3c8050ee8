# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what IET serves to what it shall serve: who may log in, what goes, what comes, the file, and accounts by a restart."""

from __future__ import annotations

from typing import Collection, Iterator

from .._san.backing_file import MakeFile
from .._step import Step
from .running import Running, Volume
from .state import Serving, Text
from .steps import (
    AddLun,
    AddTarget,
    CutSessions,
    RemoveLun,
    RemoveTarget,
    Restart,
    SetKey,
    WriteFile,
)
from .writer import options_of

IDENTITY = ("path", "serial", "attributes", "block_size")
WHO, WHERE, WHAT = "who may log in", "where targets are offered", "the targets"


def plan_serving(seen: Serving, want: Serving, full: Collection[str] = ()) -> list[Step]:
    """The steps; 'full' names the files that get all their blocks."""
    there, stay = {*seen.saved, *(seen.running or {})}, {*want.saved, *(want.running or {})}
    final = (want.initiators, want.portals)
    opened = want.opened if want.opened and there - stay else final
    before = [*_files(seen, want, full), *_written(WHO, seen.initiators, opened[0])]
    before += _written(WHERE, seen.portals, opened[1])
    after = [*_written(WHO, opened[0], want.initiators), *_written(WHERE, opened[1], want.portals)]
    conf = _written(WHAT, seen.conf, want.conf, 0o600)
    if restarts(seen, want):
        return [*before, *conf, Restart(seen.service, want.conf.path, not seen.sessions), *after]
    return [*before, *_cuts(seen, want), *conf, *_builds(seen, want), *after]


def restarts(seen: Serving, want: Serving) -> bool:
    """Whether accounts of a target must become others: ietadm would take the secrets as arguments."""
    now = seen.running or {}
    return any(
        one.accounts is not None
        and one.accounts != ((now[name].accounts if name in now else None) or frozenset())
        for name, one in (want.running or {}).items()
    )


def _written(what: str, seen: Text, want: Text, mode: int | None = None) -> list[Step]:
    return [] if seen == want else [WriteFile(what, seen, want, mode)]


def _files(seen: Serving, want: Serving, full: Collection[str]) -> Iterator[Step]:
    sizes = {
        lun.path: lun.size for one in want.saved.values() for lun in one.luns.values() if lun.size is not None
    }
    for path, size in sorted(sizes.items()):
        now = seen.backing[path].size if path in seen.backing else None
        if now is None or now < size:
            yield MakeFile(path, size, path in full, now is None)


def _cuts(seen: Serving, want: Serving) -> Iterator[Step]:
    """What goes, before the file says so: a run that is killed in between finds what is left to do by the file."""
    now, then = seen.running or {}, want.running or {}
    logged_in = {one.target for one in seen.sessions}
    for name in sorted(set(now) - set(then)):
        if name in logged_in:
            yield CutSessions(now[name].name)
        yield RemoveTarget(now[name].name)
    for name in sorted(set(now) & set(then)):
        yield from _cut(name, now[name], seen, want)


def _builds(seen: Serving, want: Serving) -> Iterator[Step]:
    """What comes, once the file says it."""
    for name in sorted(want.running or {}):
        yield from _build(name, (seen.running or {}).get(name), seen, want)


def _stays(name: str, number: int, seen: Serving, want: Serving) -> bool:
    """Whether a LUN that runs can go on: what it is does not change while it is served."""
    now, then = (seen.running or {})[name].luns[number], (want.running or {})[name].luns.get(number)
    old, new = (one.saved[name].luns.get(number) if name in one.saved else None for one in (seen, want))
    changed = old and new and any(getattr(old, key) != getattr(new, key) for key in IDENTITY)
    return then is not None and not changed and same_volume(now, then)


def same_volume(now: Volume, then: Volume) -> bool:
    """Whether a LUN runs as it shall; a size that is not said is no difference."""
    sizes = {size for size in (now.size, then.size) if size is not None}
    return (now.path, now.kind, now.mode) == (then.path, then.kind, then.mode) and len(sizes) < 2


def _cut(name: str, now: Running, seen: Serving, want: Serving) -> Iterator[Step]:
    for number in sorted(now.luns):
        if not _stays(name, number, seen, want):
            idle = all(one.target != name for one in seen.sessions)
            yield RemoveLun(now.name, number, now.luns[number], idle)


def _build(name: str, now: Running | None, seen: Serving, want: Serving) -> Iterator[Step]:
    then = (want.running or {})[name]
    saved = want.saved.get(name)
    if now is None:
        yield AddTarget(then.name)
    for key in sorted(then.keys):
        if now is None or now.keys.get(key) != then.keys[key]:
            yield SetKey(then.name, key, then.keys[key])
    for number in sorted(then.luns):
        if saved and (now is None or number not in now.luns or not _stays(name, number, seen, want)):
            lun = saved.luns[number]
            section = want.sections.get(name)
            line = section.luns.get(number) if section else None
            yield AddLun(then.name, number, lun.name, tuple(options_of(lun, line)))
