# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tgtd that does not run: its start serves what our files have, so what must go is taken out of them before."""

from __future__ import annotations

from dataclasses import replace

from .._san.target import Lun, Target
from .._step import Step
from .kept import RULES, file_of, parse, render
from .state import Serving, accounts_of
from .steps.boot import Drop, Keep

SHAPE = (
    "path",
    "serial",
    "size",
    "block_size",
    "backstore",
)  # what makes a LUN another one, or needs it made anew


def same_disk(now: Lun, then: Lun) -> bool:
    """Whether a LUN can become the other one while it is served."""
    return all(getattr(now, key) == getattr(then, key) for key in SHAPE)


def before_start(seen: Serving, want: Serving) -> tuple[Serving, list[Step]]:
    """What a start would serve when these steps have been taken. Where tgtd is not started, they are all that there is to do."""
    if seen.active:
        return seen, []
    files, kept = dict(seen.files), dict(seen.kept)
    steps: list[Step] = []
    for name, now in sorted(seen.kept.items()):
        path, then = file_of(name), want.kept.get(name)
        if then is None:
            del files[path], kept[name]
            steps.append(Drop(path))
            continue
        text = render(_left(now, then))
        left = parse(text)
        if left and left != now:
            files[path], kept[name] = text, left
            steps.append(Keep(path, text))
    targets = {
        name: replace(one, portals=seen.running.targets[name].portals)
        for name, one in kept.items()
        if name in seen.running.targets
    }
    accounts = {name: accounts_of(one) for name, one in targets.items()}
    users = frozenset(user for names in accounts.values() for user in names if user)
    running = replace(seen.running, targets=targets, accounts=accounts, users=users)
    return replace(seen, files=files, kept=kept, running=running), steps


def _left(now: Target, then: Target) -> Target:
    """The target without what it shall no longer have."""
    rules = [
        one for one in now.attributes.get(RULES, "").split() if one in then.attributes.get(RULES, "").split()
    ]
    return replace(
        now,
        enabled=now.enabled and then.enabled,
        attributes={RULES: " ".join(rules)} if rules else {},
        luns={
            number: replace(lun, read_only=lun.read_only or then.luns[number].read_only)
            for number, lun in now.luns.items()
            if number in then.luns and same_disk(lun, then.luns[number])
        },
        initiators={name: one for name, one in now.initiators.items() if name in then.initiators},
    )
