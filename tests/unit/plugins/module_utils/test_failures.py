# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever command or write fails: what was done and what was not is said, and the next run ends well.

Every plan file's case is taken again for each of its changes, and that change fails.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half, _take
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import (
    CASES,
    host_of,
    planned,
)

CHANGES = (
    "write",
    "extend",
    "poke",
    "mkdir",
    "rmdir",
    "remove",
    "symlink",
    "hard_link",
    "chmod",
)
TAKEN = [case for case in CASES if case.values[1].get("did")]


class Fault(Problem):
    """The failure that was made."""


def breaks_at(host, number):
    """Let the change with this number fail before it does anything; returns the count of changes so far, as a list."""
    made = []

    def wrapped(act, changes):
        def call(*given, **options):
            if changes(given):
                made.append(given[0])
                if len(made) - 1 == number:
                    raise Fault(f"No space left on device: {given[0]}")
            return act(*given, **options)

        return call

    for name in CHANGES:
        setattr(host, name, wrapped(getattr(host, name), lambda _given: True))
    changing = tuple(host.changing)
    host.run = wrapped(host.run, lambda given: bool(changing) and " ".join(given).startswith(changing))
    return made


def count(story, case):
    host = host_of(story, case)
    steps, _notes = planned(story["module"], case, host)
    made = breaks_at(host, -1)
    _take(steps, host)
    return len(made)


def mended(host):
    """Nothing fails any more; what was done so far stays."""
    for name in (*CHANGES, "run"):
        host.__dict__.pop(name, None)
    host.did.clear()


@pytest.mark.parametrize("story, case", TAKEN)
def test_a_change_that_fails_is_told_and_the_next_run_goes_on(story, case):
    for number in range(count(story, case)):
        host = host_of(story, case)
        steps, _notes = planned(story["module"], case, host)
        made = breaks_at(host, number)
        with pytest.raises(Half) as failed:
            _take(steps, host)
        half = failed.value
        assert "No space left" in str(half)
        assert half.left, "the step that failed is among those that are left"
        assert sorted(map(str, half.taken + half.left)) == sorted(map(str, steps))
        mended(host)
        again, _notes = planned(story["module"], case, host)
        if (
            "lock" not in made[-1]
        ):  # a lock that cannot be removed holds up the next run until somebody removes it
            _take(again, host)
