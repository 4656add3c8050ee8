# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what LIO serves to what it shall serve: first what has to go, then what comes, at last the saved file."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Collection, Iterator

from ansible_collections.lunworks.iscsi.plugins.module_utils.lio import Serving
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_backstore import (
    GrowBackstore,
    LoadTarget,
    MakeBackstore,
    MakeFile,
    RemoveBackstore,
    SetBackstore,
    backstore_settings,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_saved import plan_saved
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_target import (
    AddLun,
    AddPortal,
    AllowInitiator,
    Disable,
    Enable,
    ForbidInitiator,
    MakeTarget,
    MapLun,
    ProtectLun,
    RemoveLun,
    RemovePortal,
    RemoveTarget,
    SetChap,
    SetIgroup,
    SetTarget,
    UnmapLun,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Initiator, Lun, Target, without_luns
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

# Settings that the kernel does not change while a LUN is served (EINVAL; Linux, target_core_configfs.c).
FROZEN = (
    "queue_depth",
    "optimal_sectors",
    "hw_pi_prot_type",
    "pi_prot_type",
    "pi_prot_format",
    "alua_support",
)


def plan_serving(seen: Serving, want: Serving, full: Collection[str] = ()) -> list[Step]:
    """The steps; 'full' names the files that get all their blocks."""
    cuts: list[Step] = []
    builds: list[Step] = []
    names = sorted({*seen.running.targets, *want.running.targets})
    stays = {name: _stays(seen.running.targets.get(name), want.running.targets.get(name)) for name in names}
    closed = _closed(seen, want, stays)
    places = _places(seen, want, closed)
    for name in names:
        now, then = seen.running.targets.get(name), want.running.targets.get(name)
        if now and not then:
            cuts.append(RemoveTarget(now))
        elif now and then:
            cuts += _cut(now, stays[name] or now, then)
        if then:
            builds += _build(stays[name], then, places)
    cuts += [RemoveBackstore(seen.running.backstores[one]) for one in closed]
    files = _files(seen, want, full)
    made = {os.path.dirname(step.path) or "/" for step in files}
    loads = [] if seen.loaded or not builds else [LoadTarget(os.path.dirname(want.saved.path))]
    return [*loads, *cuts, *files, *builds, *plan_saved(seen.saved, want.saved, made)]


def same_disk(now: Lun, then: Lun) -> bool:
    """Whether a LUN can become the other one while it is served."""
    frozen = ("path", "serial", "block_size", "backstore", *(("write_back",) if now.size is not None else ()))
    return all(getattr(now, key) == getattr(then, key) for key in frozen) and all(
        now.attributes.get(key) == then.attributes.get(key) for key in FROZEN if key in then.attributes
    )


def _stays(now: Target | None, then: Target | None) -> Target | None:
    """What of a target needs no remaking."""
    if now is None or then is None:
        return None
    gone = {
        name
        for name, lun in now.luns.items()
        if name not in then.luns
        or lun.number != then.luns[name].number
        or not same_disk(lun, then.luns[name])
    }
    left = without_luns(now, gone)
    initiators = {}
    for name, one in left.initiators.items():
        if name in then.initiators:
            wanted = then.initiators[name].luns
            kept = {
                lun: entry
                for lun, entry in one.luns.items()
                if lun in wanted and wanted[lun].number == entry.number
            }
            initiators[name] = replace(one, luns=kept)
    return replace(left, portals=now.portals & then.portals, initiators=initiators)


def _closed(seen: Serving, want: Serving, stays: dict[str, Target | None]) -> list[str]:
    """The backstores to close: of LUNs that go, and what an interrupted run left behind under a name that is needed."""
    kept = {lun.backstore for target in stays.values() if target for lun in target.luns.values()}
    asked = {lun.backstore for target in want.running.targets.values() for lun in target.luns.values()}
    served = {lun.backstore for target in seen.running.targets.values() for lun in target.luns.values()}
    return [one for one in sorted(seen.running.backstores) if one in served | asked and one not in kept]


def _places(seen: Serving, want: Serving, closed: Collection[str]) -> dict[str, str]:
    """Where each backstore is or will be under core/: each has an HBA directory of its own, as rtslib has it."""
    places = {one: place for one, place in seen.running.backstores.items() if one not in closed}
    used = {int(place.partition("/")[0].rpartition("_")[2]) for place in places.values()}
    free = (number for number in itertools.count() if number not in used)
    for target in want.running.targets.values():
        for lun in target.luns.values():
            if lun.backstore not in places:
                plugin, _slash, name = lun.backstore.partition("/")
                places[lun.backstore] = f"{'iblock' if plugin == 'block' else plugin}_{next(free)}/{name}"
    return places


def _cut(now: Target, left: Target, then: Target) -> Iterator[Step]:
    at = (now.name, now.tag)
    if now.enabled and not then.enabled:
        yield Disable(*at)
    for name, one in sorted(now.initiators.items()):
        stays = left.initiators.get(name)
        for lun, entry in one.luns.items():
            if stays is None or lun not in stays.luns:
                yield UnmapLun(*at, name, lun, entry.number)
            elif not entry.read_only and then.initiators[name].luns[lun].read_only:
                yield ProtectLun(*at, name, lun, entry.number, True)
        if stays is None:
            yield ForbidInitiator(*at, name)
    for served in now.luns.values():
        if served.name not in left.luns:
            yield RemoveLun(*at, served.name, served.number)
    for portal in sorted(now.portals - left.portals):
        yield RemovePortal(*at, portal)


def _files(seen: Serving, want: Serving, full: Collection[str]) -> list[MakeFile]:
    files = []
    for path in sorted(
        {lun.path for target in want.running.targets.values() for lun in target.luns.values()}
    ):
        now, then = seen.backing.get(path), want.backing.get(path)
        size = now.size if now else None
        if then and then.kind == "file" and then.size is not None and (size or 0) < then.size:
            files.append(MakeFile(path, then.size, path in full, size is None))
    return files


def _build(left: Target | None, then: Target, places: dict[str, str]) -> Iterator[Step]:
    at = (then.name, then.tag)
    for lun in then.luns.values():
        yield from _lun(left.luns.get(lun.name) if left else None, lun, places)
    if left is None:
        yield MakeTarget(*at, then.attributes, then.parameters)
    else:
        for kind, now, wanted in (
            ("attrib", left.attributes, then.attributes),
            ("param", left.parameters, then.parameters),
        ):
            yield from (
                SetTarget(*at, kind, key, wanted[key]) for key in wanted if now.get(key) != wanted[key]
            )
    for lun in then.luns.values():
        if left is None or lun.name not in left.luns:
            yield AddLun(*at, lun.name, lun.number, places[lun.backstore])
    for name, one in sorted(then.initiators.items()):
        yield from _initiator(at, name, left.initiators.get(name) if left else None, one, then)
    for portal in sorted(then.portals - (left.portals if left else frozenset())):
        yield AddPortal(*at, portal)
    if then.enabled and not (left and left.enabled):
        yield Enable(*at)


def _lun(now: Lun | None, then: Lun, places: dict[str, str]) -> Iterator[Step]:
    place = places[then.backstore]
    if now is None:
        yield MakeBackstore(place, then)
        return
    if then.size is not None and then.size != now.size:
        yield GrowBackstore(place, then.name, then.size)
    old = backstore_settings(now)
    for key, value in backstore_settings(then).items():
        if old.get(key) != value:
            yield SetBackstore(place, then.name, key, value)


def _initiator(
    at: tuple[str, int], name: str, now: Initiator | None, then: Initiator, target: Target
) -> Iterator[Step]:
    if now is None:
        yield AllowInitiator(*at, name)
    before = now or Initiator(name)
    if before.igroup != then.igroup:
        yield SetIgroup(*at, name, then.igroup)
    if before.chap != then.chap:
        yield SetChap(*at, name, then.chap)
    for lun, entry in sorted(then.luns.items(), key=lambda item: item[1].number):
        old = before.luns.get(lun)
        if old is None:
            yield MapLun(*at, name, lun, entry.number, target.luns[lun].number, entry.read_only)
        elif old.read_only and not entry.read_only:
            yield ProtectLun(*at, name, lun, entry.number, False)
