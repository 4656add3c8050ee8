# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A LUN that can only change by being taken down and recreated: where that fails, the old one is put back."""

from __future__ import annotations

from typing import Sequence

from ..._san.way_back import WithWayBack
from ..._step import Step
from ..state import Serving
from .backstore import MakeBackstore, RemoveBackstore
from .lun import AddLun, RemoveLun
from .target import MapLun, UnmapLun


def with_ways_back(seen: Serving, steps: Sequence[Step]) -> list[Step]:
    """The steps; from the first that takes down a LUN which comes again to the last that brings it, each knows its way back."""
    gone = {(step.target, step.lun) for step in steps if isinstance(step, RemoveLun)}
    come = {(step.target, step.lun) for step in steps if isinstance(step, AddLun)}
    stores = {
        lun.backstore
        for target in seen.running.targets.values()
        for lun in target.luns.values()
        if (target.name, lun.name) in gone & come
    }
    places = {seen.running.backstores[store] for store in stores}
    back = [_inverse(seen, step, gone & come, stores, places) for step in steps]
    with_back = [at for at, step in enumerate(back) if step]
    found = []
    for at, step in enumerate(steps):
        inside = with_back and with_back[0] < at <= with_back[-1]
        undo = tuple(one for one in reversed(back[:at]) if one)
        found.append(WithWayBack(step, undo) if inside else step)
    return found


def _inverse(
    seen: Serving, step: Step, remade: set[tuple[str, str]], stores: set[str], places: set[str]
) -> Step | None:
    if isinstance(step, RemoveBackstore) and step.place in places:
        store = next(one for one, place in seen.running.backstores.items() if place == step.place)
        return MakeBackstore(step.place, seen.running.stores[store])
    if isinstance(step, MakeBackstore) and step.lun.backstore in stores:
        return RemoveBackstore(step.place)
    if not (isinstance(step, (UnmapLun, RemoveLun, AddLun, MapLun)) and (step.target, step.lun) in remade):
        return None
    now = seen.running.targets[step.target.lower()]
    at = (step.target, step.tag)
    if isinstance(step, RemoveLun):
        lun = now.luns[step.number]
        return AddLun(*at, step.lun, step.number, seen.running.backstores[lun.backstore], lun.alua)
    if isinstance(step, AddLun):
        return RemoveLun(*at, step.lun, step.number)
    if isinstance(step, MapLun):
        return UnmapLun(*at, step.initiator, step.lun, step.number)
    entry = now.initiators[step.initiator].luns[step.number]
    return MapLun(*at, step.initiator, step.lun, step.number, entry.lun, entry.read_only)
