# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that make what is missing of a target, once what had to go has gone."""

from __future__ import annotations

from typing import Collection, Iterator, Mapping

from ..._san.target import Initiator, Lun, Target
from ..._step import Step
from ..saveconfig import CLOSED
from .backstore import GrowBackstore, MakeBackstore, SetBackstore, backstore_settings
from .lun import AddLun, SetAlua
from .target import (
    AddPortal,
    AllowInitiator,
    Enable,
    MakeTarget,
    MapLun,
    ProtectLun,
    SetChap,
    SetIgroup,
    SetIser,
    SetTarget,
)


def build(
    left: Target | None,
    then: Target,
    places: Mapping[str, str],
    stores: Mapping[str, Lun],
    open_now: Collection[str],
) -> Iterator[Step]:
    """From what stays of a target (None: nothing) to all of it."""
    at = (then.name, then.tag)
    made: set[str] = set()
    for number, lun in then.luns.items():
        now = left.luns.get(number) if left else None
        if now is None and lun.backstore in open_now:
            now = stores.get(lun.backstore)
        if lun.backstore not in made:
            yield from _store(now, lun, places[lun.backstore])
        made.add(lun.backstore)
    yield from _settings(at, left, then)
    for number, lun in then.luns.items():
        if left is None or number not in left.luns:
            yield AddLun(*at, lun.name, number, places[lun.backstore], lun.alua)
        elif left.luns[number].alua != lun.alua:
            yield SetAlua(*at, lun.name, number, places[lun.backstore], lun.alua)
    for name, one in sorted(then.initiators.items()):
        yield from _initiator(at, name, left.initiators.get(name) if left else None, one, then)
    yield from _portals(at, left or Target(then.name), then)
    if then.enabled and not (left and left.enabled):
        yield Enable(*at)


def _portals(at: tuple[str, int], left: Target, then: Target) -> Iterator[Step]:
    for portal in sorted(then.portals - left.portals):
        yield AddPortal(*at, portal, portal in then.iser)
    for portal in sorted(then.portals & left.portals & (left.iser ^ then.iser)):
        yield SetIser(*at, portal, portal in then.iser)


def _settings(at: tuple[str, int], left: Target | None, then: Target) -> Iterator[Step]:
    """What the kernel does not have of what was saved is no difference; it is refused where it was asked for."""
    if left is None:
        attributes = {key: then.attributes[key] for key in _in_order(then.attributes)}
        yield MakeTarget(*at, attributes, then.parameters, then.lacking)
        return
    for kind, now, wanted in (
        ("attrib", left.attributes, then.attributes),
        ("param", left.parameters, then.parameters),
    ):
        for key in _in_order(wanted):
            if key not in now and key in then.lacking:
                continue
            if now.get(key) != wanted[key]:
                yield SetTarget(*at, kind, key, wanted[key])


def _in_order(settings: Mapping[str, str]) -> list[str]:
    """Demo mode goes first: the kernel takes other settings only once it is off."""
    return [*(key for key in CLOSED if key in settings), *(key for key in settings if key not in CLOSED)]


def _store(now: Lun | None, then: Lun, place: str) -> Iterator[Step]:
    if now is None:
        yield MakeBackstore(place, then)
        return
    if then.size is not None and then.size != now.size:
        yield GrowBackstore(place, then.name, then.size)
    old = backstore_settings(now)
    for key, value in backstore_settings(then).items():
        if old.get(key) != value and not (key not in old and key in then.lacking):
            yield SetBackstore(place, then.name, key, value)


def _initiator(
    at: tuple[str, int], name: str, now: Initiator | None, then: Initiator, target: Target
) -> Iterator[Step]:
    if now is None:
        yield AllowInitiator(*at, name, then.attributes)
    before = now or Initiator(name)
    if before.chap != then.chap:
        yield SetChap(*at, name, then.chap)
    for number, entry in sorted(then.luns.items()):
        old = before.luns.get(number)
        lun = target.luns[entry.lun].name
        if old is None:
            yield MapLun(*at, name, lun, number, entry.lun, entry.read_only)
        elif old.read_only and not entry.read_only:
            yield ProtectLun(*at, name, lun, number, False)
    if before.igroup != then.igroup:  # last: who is in it has what it has
        yield SetIgroup(*at, name, then.igroup)
