# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people move a group of many volumes at the same time, one there and one back: no mount and no byte is lost.

One run stands at a step while the other one runs to its end; then it goes on, and finds that somebody else was there.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import one_owner, running
from ansible_collections.lunworks.iscsi.tests.integration.moving import Filled, Group, San

HOOKS = Path(__file__).resolve().parent / "hooks"
LAST = {
    "Maps are flushed, exactly these disks are gone",
    "The source has no access, running and saved",
    "The notes of the move are gone from the metadata",
    "Sessions and records that nothing uses any more are gone",
}
MANY = tuple(Filled(f"v{number:02}", "-L 20m {group}", "ext4") for number in range(12))
GROUP = Group("vg_many", "192m", MANY)


@pytest.fixture(scope="module")
def san(lab, storage, compute, spare):
    standing = San.standing(lab, storage, compute, spare, GROUP)
    yield standing
    standing.clear()


def stands_at(run, step):
    """The one who waits there; the steps before it are taken."""
    while (call := run.called()) is not None:
        if call[0] == step:
            return call[1]
        call[1].close()
    raise AssertionError(f"The run ended before '{step}': {run.told().messages()}")


def test_a_move_the_other_way_before_the_service_stops_loses_nothing(san):
    crossed(san, "export")


@pytest.mark.parametrize("step", ["attach", "switch", "start", "unmap"])
def test_a_move_the_other_way_at_the_wrong_moment_loses_nothing(long_story, san, step):
    crossed(san, step)


def crossed(san, step):
    """One run stands before a step while one the other way runs to its end."""
    here, there = san.sides(GROUP)
    san.rests = False
    with running(san, here, there, hooks=False) as run:
        caller = stands_at(run, step)
        back = san.move(vg=GROUP.name, source=there, destination=here)
        one_owner(san)
        caller.close()
        while (call := run.called()) is not None:
            call[1].close()
        told = run.told()
    one_owner(san)
    print(f"{step}: back {back.rc} {back.messages()!r}, there {told.rc} {told.messages()!r}")
    assert (back.rc == 0) + (told.rc == 0) == 1, "exactly one of the two has ended well"
    assert san.sides(GROUP) == ((here, there) if back.rc == 0 else (there, here))
    owner, other = san.sides(GROUP)
    again = san.move(vg=GROUP.name, source=other, destination=owner)
    assert again.rc == 0, again.messages()
    san.owned(GROUP, owner, other)
    san.rests = True


def claims(host):
    """Whose runs the metadata names."""
    tags = host.run(f"vgs --noheadings -o vg_tags {GROUP.name}").out.strip().split(",")
    return [tag for tag in tags if tag.startswith("lunworks.run:")]


@pytest.mark.parametrize("step", ["start", "forget"])
def test_of_two_runs_that_go_on_with_a_move_after_the_switch_one_does(san, step):
    """The first is killed before 'start'; the second stands at a step while the third runs to its end."""
    here, there = san.sides(GROUP)
    san.rests = False
    with running(san, here, there, hooks=False) as run:
        stands_at(run, "start")
        os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()
    with running(san, here, there, hooks=False) as run:
        caller = stands_at(run, step)
        claimed = claims(there) if step == "forget" else []
        assert len(claimed) == (step == "forget"), "its own, and no other"
        last = san.move(vg=GROUP.name, source=here, destination=there)
        caller.close()
        while (call := run.called()) is not None:
            call[1].close()
        told = run.told()
    print(f"{step}: second {told.rc} {told.messages()!r}, third {last.rc} {last.messages()!r}")
    assert last.rc == 0, last.messages()
    late = {task.rpartition(" : ")[2] for _host, task in told.changed()} & LAST
    assert told.rc != 0 or not late, "one of the two is refused, or finds nothing to do any more"
    one_owner(san)
    san.owned(GROUP, there, here)
    san.rests = True


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_move_that_another_run_has_taken_while_tasks_of_a_user_ran_is_refused(san, when):
    here, there = san.sides(GROUP)
    san.rests = False
    hooks = {f"move_volume_group_hooks_{when}": [str(HOOKS / "taken.yml")]}
    told = san.move(vg=GROUP.name, source=here, destination=there, **hooks)
    assert told.rc != 0
    assert f"Another run has taken the move of {GROUP.name} meanwhile" in told.messages()
    holder = here if when == "before" else there
    assert sorted(one.split(":")[1] for one in claims(holder))[-1] == "somebody"
    mounted = holder.run(f"findmnt -rn -o TARGET | grep -c ^/srv/{GROUP.name}/").out.strip()
    assert mounted == str(len(MANY)), "nothing more was done"
    again = san.move(vg=GROUP.name, source=here, destination=there)
    assert again.rc == 0, again.messages()
    one_owner(san)
    san.owned(GROUP, there, here)
    san.rests = True
