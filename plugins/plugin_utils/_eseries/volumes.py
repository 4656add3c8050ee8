# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: created and grown, never shrunk or moved; deleted only where that is said."""

from __future__ import annotations

from ...module_utils._arguments import in_units
from .asked import Asked, Lun
from .model import Array, Volume
from .step import Plan

# How much larger than asked for a volume can be: arrays round up to whole stripes (na_santricity_volume: size_tolerance_b).
ROUNDED = 10 << 20


def plan_volumes(plan: Plan, array: Array, asked: Asked, delete: bool) -> None:
    """The volumes of all LUNs. One that is absent keeps its volume, with its data, unless 'delete' says otherwise."""
    taken = dict.fromkeys(array.pools, 0)
    for lun in asked.luns:
        seen = array.volume(lun.volume)
        if lun.gone and not (delete and seen):
            continue
        fault = _other(lun, seen) if lun.gone and seen else _fault(array, lun, seen)
        if fault:
            plan.refuse(f"LUN '{lun.name}': {fault}")
        elif lun.gone and seen:
            say = f"Delete the volume '{seen.name}' of {in_units(seen.capacity)} with its data."
            plan.add("remove_volume", say, name=seen.name, thin=seen.thin)
        elif _more(lun, seen):
            _take(plan, array, lun, seen, taken, _more(lun, seen))


def _other(lun: Lun, seen: Volume) -> str:
    if lun.wwid and seen.wwid != lun.wwid:
        return f"the volume '{seen.name}' has the WWID {seen.wwid}, and the data has {lun.wwid}: it is another disk."
    if lun.pool and seen.pool != lun.pool:
        return f"the volume '{seen.name}' is in the storage pool '{seen.pool}', not '{lun.pool}'. Correct the path."
    return ""


def _fault(array: Array, lun: Lun, seen: Volume | None) -> str:
    if seen is None:
        return _not_created(array, lun)
    if _other(lun, seen):
        return _other(lun, seen)
    if lun.size is not None and seen.capacity > lun.size + ROUNDED:
        return (
            f"the volume '{seen.name}' has {seen.capacity} bytes and cannot shrink to {lun.size}: the data at its end would "
            "be lost."
        )
    if seen.thin and lun.size is not None and seen.capacity < lun.size:
        return f"the volume '{seen.name}' is thin; grow it on the array, with its repository."
    return ""


def _not_created(array: Array, lun: Lun) -> str:
    if lun.wwid:
        return (
            f"the data has the WWID {lun.wwid}, but the array has no volume '{lun.volume}'. A new one would be another disk; "
            "take the wwid out of the data to have it created."
        )
    if not lun.pool or lun.size is None:
        return f"the array has no volume '{lun.volume}'. Give its path, /STORAGE_POOL/VOLUME, and its size to have it created."
    if lun.pool not in array.pools:
        known = ", ".join(f"'{name}'" for name in sorted(array.pools)) or "none"
        return f"the array has no storage pool '{lun.pool}' (it has {known})."
    return ""


def _more(lun: Lun, seen: Volume | None) -> int:
    """How many bytes it must get; a volume on which the array works already is left to that."""
    if lun.size is None or (seen and seen.busy):
        return 0
    return max(0, lun.size - (seen.capacity if seen else 0))


def _take(plan: Plan, array: Array, lun: Lun, seen: Volume | None, taken: dict[str, int], more: int) -> None:
    pool, whole = seen.pool if seen else lun.pool, lun.size or 0
    taken[pool] = taken.get(pool, 0) + more
    if taken[pool] > array.pools.get(pool, 0):
        plan.refuse(
            f"LUN '{lun.name}': the storage pool '{pool}' has {in_units(array.pools.get(pool, 0))} left, and the data asks for "
            f"{in_units(taken[pool])} more."
        )
    elif seen:
        say = f"Grow the volume '{seen.name}' from {in_units(seen.capacity)} to {in_units(whole)} ({whole} bytes)."
        plan.add("grow", say, id=seen.ref, body={"sizeUnit": "bytes", "expansionSize": whole})
    else:
        say = f"Create the volume '{lun.volume}' of {in_units(whole)} ({whole} bytes) in the storage pool '{pool}'."
        plan.add("volume", say, name=lun.volume, pool=pool, bytes=whole)
