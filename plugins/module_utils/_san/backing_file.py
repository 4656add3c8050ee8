# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files behind LUNs: made and extended, and whether there is room for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterable, Iterator, Mapping

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
        return f"{'Make' if self.new else 'Extend'} the file '{self.path}' of {self.size} bytes, {how}"

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
            f"'{step.path}' would get {wanted} more bytes with all their blocks, but its file system has {backing.room} "
            "left. Make room, or choose allocation: sparse."
        )


def sparse_notes(steps: Iterable[Step], backing: Mapping[str, Backing]) -> Iterator[str]:
    """A file without its blocks may grow larger than its file system."""
    for step in steps:
        if isinstance(step, MakeFile) and not step.full:
            there = backing[step.path]
            wanted = step.size - (there.size or 0)
            if there.room is not None and there.room < wanted:
                yield (
                    f"'{step.path}' may take {wanted} more bytes, and its file system has {there.room} left: writes of the "
                    "initiators fail once that is full."
                )
