# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be done to mounts: nothing is mounted over anything or twice, nothing is taken from under its users."""

from __future__ import annotations

from typing import Iterator

from .._host import Problem
from .fstab import FSTAB, device_path
from .mount import Mount


def refuse_mounts(seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> None:
    """The first reason, mount by mount."""
    _refuse_twins(seen, want)
    for old, new in zip(seen, want):
        for reason in _stays(old) if new.line is None else _comes(old, new):
            raise Problem(reason)


def _refuse_twins(seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> None:
    """One place by two names, one disk in two places; of btrfs, many parts are mounted each by itself."""
    known: dict[str, str] = {}
    disks: dict[str, str] = {}
    for old, new in zip(seen, want):
        other = known.setdefault(old.place.real, old.path)
        if other != old.path:
            raise Problem(
                f"'{other}' and '{old.path}' are the same mount point, '{old.place.real}'. Name it once."
            )
        part = new.line and (new.line.filesystem == "btrfs" or "subvol" in new.line.options)
        if new.mounted and not (old.mounted or part):
            other = disks.setdefault(new.mounted, new.path)
            if other != new.path:
                raise Problem(
                    f"'{new.mounted}' would be mounted on '{other}' and on '{new.path}'. Mount it once."
                )


def _stays(old: Mount) -> Iterator[str]:
    if old.users:
        yield f"Cannot unmount '{old.path}': {'; '.join(old.users)}. Stop them first."


def _comes(old: Mount, new: Mount) -> Iterator[str]:
    place, line = old.place, new.line
    if len(place.entries) > 1:
        yield (
            f"{FSTAB} has {len(place.entries)} lines for '{old.path}': {', '.join(map(str, place.entries))}. mount and "
            f"systemd take the first one. Delete those that are wrong; nothing was changed."
        )
    if old.mounted and new.mounted and old.mounted != new.mounted:
        yield f"Cannot mount '{new.mounted}' on '{new.path}': '{old.mounted}' is mounted there. Unmount it first."
    unfounded = sorted(place.unfounded.intersection(line.filesystem.split(","))) if line else []
    if line and unfounded:
        correct = f", or correct {FSTAB}, {place.entries[0]}" if place.entries else ""
        yield (
            f"'{line.device}' on '{new.path}' would be mounted as '{unfounded[0]}', which uses no device: what is written "
            f"there would not be on it. Give the file system that it has{correct}."
        )
    if line and line != old.line:
        yield from _writes(old, new)
    if new.mounted and not old.mounted:
        yield from _mounts(new)
    if new.mounted and not (old.mounted and old.line) and place.elsewhere:
        yield (
            f"Cannot mount '{new.mounted}' on '{new.path}': it {place.elsewhere[0]}. To move it, make that mount point "
            f"absent in the same call (lunworks.iscsi.mounts)."
        )


def _writes(old: Mount, new: Mount) -> Iterator[str]:
    place, line = old.place, new.line
    if line is None:
        return
    kinds = line.filesystem.split(",")
    changed = old.line is None or old.line.filesystem != line.filesystem
    if changed and place.filesystem and "auto" not in kinds and place.filesystem not in kinds:
        yield (
            f"'{new.path}' must have the file system '{line.filesystem}', and '{old.mounted}' with "
            f"'{place.filesystem}' is mounted there: the next boot could not mount it."
        )
    if old.line and old.line.device != line.device and not device_path(old.line.device).startswith("/dev/"):
        yield (
            f"{FSTAB}, {place.entries[0]}, has '{old.line.filesystem}' for '{new.path}', which is not a disk; it must "
            f"be '{line.device}'. Use another mount point, or delete that line first."
        )
    if place.unit:
        yield (
            f"systemd has a unit for '{new.path}', '{place.unit}', which takes precedence over {FSTAB}. Leave the mount to it, "
            "or remove it first."
        )


def _mounts(new: Mount) -> Iterator[str]:
    place, doing = new.place, f"Cannot mount '{new.mounted}' on '{new.path}'"
    if not place.block:
        yield f"{doing}: it is not a block device."
    if place.holders:
        yield f"{doing}: {'; '.join(place.holders[:4])}. Mount what is built on it, or take that apart first."
    if place.within:
        yield f"{doing}: '{place.within[0]}' is mounted below and would be hidden. Unmount it first."
