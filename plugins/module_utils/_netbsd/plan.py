# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what NetBSD's target serves to what it shall serve: stop, files, start."""

from __future__ import annotations

from typing import Collection

from .._san.backing_file import MakeFile
from .._san.way_back import WithWayBack
from .._step import Step
from .state import AUTHS, TARGETS, Serving
from .steps import Start, Stop, WriteFile


def plan_serving(seen: Serving, want: Serving, full: Collection[str] = ()) -> list[Step]:
    """The steps; 'full' names the files that get all their blocks."""
    steps: list[Step] = []
    for path, size in sorted(want.sizes.items()):
        now = seen.sizes.get(path)
        if size is not None and (now or 0) < size:
            steps.append(MakeFile(path, size, path in full, now is None))
    if seen.auths != want.auths and want.auths is not None:
        steps.append(WriteFile(AUTHS, seen.auths, want.auths, 0o600))
    if seen.text != want.text:
        write = WriteFile(TARGETS, seen.text, want.text)
        steps += [Stop(), WithWayBack(write, (Start(),))] if seen.running else [write]
        seen_running = False
    else:
        seen_running = seen.running
    if want.running and not seen_running:
        steps.append(Start())
    return steps
