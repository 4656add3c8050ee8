# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restart of IET does beside what it is for: ietd serves what its file says, of all targets."""

from __future__ import annotations

import re
from typing import Collection, Iterator

from .._host import Problem
from .conf import Account, section_of, sections_of
from .keys import LIVE, OUTGOING, fits, runs_as
from .request import TYPES
from .running import Running
from .state import Serving
from .steps import Restart


def check_restart(seen: Serving, want: Serving, step: Restart) -> None:
    """Raise a Problem where a restart would do more than the call asks for."""
    if not step.command:
        raise Problem(
            "IET reads CHAP accounts only when it starts, and this host has no unit and no init script of it that is known. Stop "
            "it, run again, and start it."
        )
    lost = sorted(_only_running(seen, want))
    if lost:
        raise Problem(
            f"IET must be restarted for its CHAP accounts, and would lose what runs without being in '{seen.conf.path}': "
            f"{', '.join(lost)}. Write that to the file first."
        )
    others = sorted(name for name in {*want.saved, *(want.running or {})} if _switches(want, name))
    if others:
        named = ", ".join(f"'{name}'" for name in others)
        raise Problem(
            f"Refused: IET must be restarted for its CHAP accounts, and that would change how {named} is served: what runs "
            f"there is not what '{seen.conf.path}' says (lunworks.iscsi.target_info: drift). Make them agree first."
        )


def _only_running(seen: Serving, want: Serving) -> Iterator[str]:
    for name, one in (seen.running or {}).items():
        if name not in want.saved and name in (want.running or {}):
            yield f"the target '{name}'"
        elif name in want.saved:
            yield from (
                f"the LUN number {number} of '{name}'"
                for number in one.luns
                if number not in want.saved[name].luns and number in (want.running or {})[name].luns
            )


def _switches(want: Serving, name: str) -> bool:
    """Whether a target as its file will be is not as it shall run; what ietd cannot serve is no difference."""
    saved, running = want.saved.get(name), (want.running or {}).get(name)
    if saved is None or running is None:
        return True
    return _luns_switch(want, name, running) or _keys_switch(want, name, running)


def _luns_switch(want: Serving, name: str, running: Running) -> bool:
    for number, lun in want.saved[name].luns.items():
        kind, mode = (
            lun.attributes.get("Type", "fileio"),
            "ro" if lun.read_only else "wb" if lun.write_back else "wt",
        )
        volume = running.luns.get(number)
        there = lun.path in want.backing and want.backing[lun.path].size is not None
        if volume is None and there and re.fullmatch(TYPES, kind) and not _faulty(want, name):
            return True
        if volume and (lun.path, kind, mode) != (volume.path, volume.kind, volume.mode):
            return True
    return False


def _faulty(want: Serving, name: str) -> bool:
    section = want.sections.get(name)
    return bool(section and section.faults)


def _keys_switch(want: Serving, name: str, running: Running) -> bool:
    section = section_of(sections_of(want.conf.text or ""), name)
    if section is None:
        return True
    for key, value in section.keys.items():
        known = key in running.keys and (isinstance(LIVE[key], range) or fits(value, LIVE[key]))
        if known and running.keys[key] != runs_as(key, value):
            return True
    return running.accounts is not None and _counted(section.accounts) != _counted(running.accounts)


def _counted(accounts: Collection[Account]) -> set[Account]:
    """The accounts that count: of those that IET proves itself with the last one."""
    last = [one for one in accounts if one.key == OUTGOING][-1:]
    return {one for one in accounts if one.key != OUTGOING or one in last}
