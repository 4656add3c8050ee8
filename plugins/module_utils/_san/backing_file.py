# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files behind LUNs: made and extended, and whether there is room for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterable, Iterator, Mapping

from .._arguments import in_units
from .._host import Host, Problem
from .._step import Step
from .backing import Backing
from .target import Lun


@dataclass(frozen=True)
class MakeFile(Step):
    """Make or extend the file behind a LUN."""

    path: str
    size: int
    full: bool
    new: bool

    def __str__(self) -> str:
        how = "with all its blocks" if self.full else "sparse"
        size = in_units(self.size)
        if not self.new:
            return f"Extend the file '{self.path}' to {size}, {how}"
        return f"Make the file '{self.path}' of {size}, {how}"

    def take(self, host: Host) -> None:
        directory = self.path.rpartition("/")[0] or "/"
        if host.stat(directory) is None:
            host.mkdir(directory, 0o700)
        host.extend(self.path, self.size, self.full)


def files(
    luns: Iterable[Lun], seen: Mapping[str, Backing], want: Mapping[str, Backing], full: Collection[str]
) -> list[MakeFile]:
    """The files of these LUNs that are not there or too small; 'full' names those that get all their blocks."""
    found = []
    for path in sorted({lun.path for lun in luns}):
        now, then = seen.get(path), want.get(path)
        size = now.size if now else None
        if then and then.kind == "file" and then.size is not None and (size or 0) < then.size:
            found.append(MakeFile(path, then.size, path in full, size is None))
    return found


def check_room(step: MakeFile, backing: Backing) -> None:
    """All blocks of a file must find room."""
    wanted = step.size - (backing.size or 0)
    if backing.room is not None and backing.room < wanted:
        raise Problem(
            f"'{step.path}' would be given {in_units(wanted)} more, all allocated, but its file system has "
            f"{in_units(backing.room)} left. Make room, or choose allocation: sparse."
        )


def sparse_notes(steps: Iterable[Step], backing: Mapping[str, Backing]) -> Iterator[str]:
    """Sparse files that their file system cannot hold once they are full, each alone or together."""
    by_room: dict[int, list[MakeFile]] = {}  # free bytes tell file systems apart well enough for a warning
    for step in steps:
        room = backing[step.path].room if isinstance(step, MakeFile) else None
        if isinstance(step, MakeFile) and room is not None:
            by_room.setdefault(room, []).append(step)
    for room, files_there in by_room.items():
        wanted = sum(step.size - (backing[step.path].size or 0) for step in files_there)
        if wanted > room and not all(step.full for step in files_there):
            names = " and ".join(f"'{step.path}'" for step in files_there)
            owner = "its" if len(files_there) == 1 else "their"
            yield (
                f"{names} may take {in_units(wanted)} more, and {owner} file system has {in_units(room)} left: writes of the "
                "initiators fail once that is full."
            )
