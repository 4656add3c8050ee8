# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what LIO serves to what it must serve: removals first, then additions, the saved file last."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Collection, Iterator, Mapping

from .._san.backing_file import files
from .._san.target import Lun, Target, without_luns
from .._step import Step
from .discovery import SetDiscovery
from .persistence import Saved, plan_saved
from .saved_entry import OURS, store_of
from .state import Serving
from .steps.backstore import LoadTarget, RemoveBackstore
from .steps.build import build
from .steps.lun import RemoveLun
from .steps.remake import with_ways_back
from .steps.remove import RemoveHalf, RemoveTarget
from .steps.target import Disable, ForbidInitiator, ProtectLun, RemovePortal, UnmapLun

# Settings that the kernel does not change while a LUN is served (EINVAL; Linux, target_core_configfs.c).
FROZEN = (
    "queue_depth",
    "optimal_sectors",
    "hw_pi_prot_type",
    "pi_prot_type",
    "pi_prot_format",
    "alua_support",
    "emulate_tas",
    "emulate_ua_intlck_ctrl",
    "force_pr_aptpl",
)


def plan_serving(seen: Serving, want: Serving, full: Collection[str] = ()) -> list[Step]:
    """The steps; 'full' names the files of which all blocks are allocated."""
    cuts: list[Step] = []
    builds: list[Step] = []
    names = sorted({*seen.running.targets, *want.running.targets})
    wanted = {name: feasible(seen, name, want.running.targets.get(name)) for name in names}
    stays = {name: _stays(seen.running.targets.get(name), wanted[name]) for name in names}
    closed = _closed(seen, wanted, stays, _dropped(seen.saved, want.saved))
    places = _places(seen, wanted, closed)
    open_now = {store for store in seen.running.backstores if store not in closed}
    for name in names:
        now, then = seen.running.targets.get(name), wanted[name]
        if now and not then:
            cuts.append(RemoveTarget(now))
        elif now and then:
            cuts += _cut(now, stays[name] or now, then)
        if then:
            builds += build(stays[name], then, places, seen.running.stores, open_now)
    if seen.discovery != want.discovery:
        builds.insert(0, SetDiscovery(want.discovery))  # before a new target opens
    cuts += [RemoveBackstore(seen.running.backstores[one]) for one in closed]
    luns = [lun for target in want.running.targets.values() for lun in target.luns.values()]
    grown = files(luns, seen.backing, want.backing, full)
    made = {os.path.dirname(path) or "/" for path in _unsaved_files(seen.saved, want.saved)}
    loads = [] if seen.loaded or not builds else [LoadTarget(os.path.dirname(want.saved.path))]
    saves = plan_saved(seen.saved, want.saved, made)
    halves = [RemoveHalf(path) for path in seen.running.halves if path not in want.running.halves]
    return [*loads, *halves, *with_ways_back(seen, [*cuts, *grown, *builds]), *saves]


def same_disk(now: Lun, then: Lun) -> bool:
    """Whether a LUN can become the other one while it is served."""
    cached = now.backstore.startswith("fileio/")
    frozen = (
        "path",
        "serial",
        "block_size",
        "backstore",
        "read_only",
        "asynchronous",
        *(("write_back",) if cached else ()),
    )
    return all(getattr(now, key) == getattr(then, key) for key in frozen) and all(
        now.attributes[key] == then.attributes[key]
        for key in FROZEN
        if key in then.attributes and key in now.attributes
    )


def feasible(seen: Serving, name: str, target: Target | None) -> Target | None:
    """A target without what was saved, does not run, and could not be made again as it was: the restore's to bring back."""
    now = seen.running.targets.get(name)
    if target is None:
        return None
    there = now or Target(name)
    lost = {number for number, lun in target.luns.items() if lun.fixed and number not in there.luns}
    fixed = target.fixed if seen.rdma else target.fixed | target.iser
    portals = target.portals - (fixed - there.portals)
    return replace(without_luns(target, lost), portals=portals, iser=target.iser & portals)


def _stays(now: Target | None, then: Target | None) -> Target | None:
    """What of a target needs no remaking."""
    if now is None or then is None:
        return None
    gone = {
        number
        for number, lun in now.luns.items()
        if number not in then.luns or not same_disk(lun, then.luns[number])
    }
    left = without_luns(now, gone)
    initiators = {}
    for name, one in left.initiators.items():
        if name in then.initiators:
            wanted = then.initiators[name].luns
            kept = {
                number: entry
                for number, entry in one.luns.items()
                if number in wanted and wanted[number].lun == entry.lun
            }
            initiators[name] = replace(one, luns=kept)
    return replace(left, portals=now.portals & then.portals, initiators=initiators)


def _dropped(seen: Saved, want: Saved) -> set[str]:
    """The backstores that are no longer saved."""
    then, now = (
        {store_of(one) for one in saved.document.get("storage_objects", [])} for saved in (seen, want)
    )
    return then - now


def _unsaved_files(seen: Saved, want: Saved) -> list[str]:
    """The files behind LUNs that are not saved yet as they shall be: new ones, and those that a killed run has made."""
    known = seen.document.get("storage_objects", [])
    stores = [one for one in want.document.get("storage_objects", []) if one not in known]
    return [one["dev"] for one in stores if one["plugin"] == "fileio" and one.get("dev")]


def _closed(
    seen: Serving,
    wanted: Mapping[str, Target | None],
    stays: Mapping[str, Target | None],
    dropped: Collection[str],
) -> list[str]:
    """The backstores to close: of LUNs that go, unless something else serves them; what is in memory alone stays. And what an
    interrupted run of ours left behind: under a name that is needed, or with nothing but the saved file that knows it."""
    touched = {name for name, target in wanted.items() if target != seen.running.targets.get(name)}
    served = {lun.backstore for name in touched for group in seen.groups(name) for lun in group.luns.values()}
    needed = {lun.backstore: lun for name in touched for lun in (wanted[name] or Target("")).luns.values()}
    found = []
    for one in sorted(seen.running.backstores):
        users = seen.running.users(one)
        own = any(one.partition("/")[2].startswith(f"{name}:") for name in touched)
        stale = one in needed and not users and own
        going = one in served and one.partition("/")[0] in OURS and not _kept(seen, one, users, wanted, stays)
        unlike = (
            one in needed
            and one in seen.running.stores
            and not same_disk(seen.running.stores[one], needed[one])
        )
        left = one in dropped and one.partition("/")[0] in OURS and not users
        if stale or left or (going and (one not in needed or unlike)):
            found.append(one)
    return found


def _kept(
    seen: Serving,
    backstore: str,
    users: Collection[tuple[str, int, str]],
    wanted: Mapping[str, Target | None],
    stays: Mapping[str, Target | None],
) -> bool:
    """Whether a portal group that is not worked on, or a LUN that stays, has it."""
    for name, tag, _place in users:
        now = seen.running.targets.get(name)
        if now is None or (tag != now.tag and wanted.get(name) is not None):
            return True
        left = stays.get(name)
        if left and tag == now.tag and any(lun.backstore == backstore for lun in left.luns.values()):
            return True
    return False


def _places(seen: Serving, wanted: Mapping[str, Target | None], closed: Collection[str]) -> dict[str, str]:
    """Where each backstore is or will be under core/: each has an HBA directory of its own, as rtslib has it."""
    places = {one: place for one, place in seen.running.backstores.items() if one not in closed}
    used = {int(place.partition("/")[0].rpartition("_")[2]) for place in places.values()}
    free = (number for number in itertools.count() if number not in used)
    for target in wanted.values():
        for lun in target.luns.values() if target else ():
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
        for number, entry in one.luns.items():
            lun = now.luns[entry.lun].name if entry.lun in now.luns else str(entry.lun)
            if stays is None or number not in stays.luns:
                yield UnmapLun(*at, name, lun, number)
            elif not entry.read_only and then.initiators[name].luns[number].read_only:
                yield ProtectLun(*at, name, lun, number, True)
        if stays is None:
            yield ForbidInitiator(*at, name)
    for number, served in now.luns.items():
        if number not in left.luns:
            yield RemoveLun(*at, served.name, number)
    for portal in sorted(now.portals - left.portals):
        yield RemovePortal(*at, portal)
