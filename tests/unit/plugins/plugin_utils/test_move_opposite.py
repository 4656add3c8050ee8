# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of a move, one there and one back or the same way twice, interleaved at every step of both.

Each goes by its own plan. What the modules compare right before they act is compared here, too: the sequence number that
the run knows, what is written on the LUNs at a switch, that nobody uses disks that shall go, and that a host whose access
was taken away cannot write to the metadata.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.model import mounts_of, ours, run_tag
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.plan import plan
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.position import standing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.moving import (
    MOUNTS,
    survey,
    whole_survey,
)

HOOKS = frozenset({"before", "after"})
OURS_ALONE = {
    *HOOKS,
    "forget",
    "unmap",
    "leave",
}  # what only the run that has the move does, beside what LVM writes down
NOTED = ("mark", "export", "start", "finish")  # what LVM writes down
PATHS = {mount.path for mount in MOUNTS}


def turned(one):
    return replace(one, source=one.destination, destination=one.source)


class World:
    """What is true of the group, seen as its move from 'a' to 'b', and how often its metadata was written."""

    def __init__(self, seen=survey):
        self.one, self.seqno = standing(seen(), "vg_db", frozenset({"w1", "w2"})), 7

    def change(self, one):
        self.seqno += (one.tags, one.exported, one.still) != (
            self.one.tags,
            self.one.exported,
            self.one.still,
        )
        self.one = one
        source, destination = one.source, one.destination
        assert not source.running & destination.running, "two may write"
        assert not source.saved & destination.saved, "two might write after a boot"
        assert not (source.active and destination.active), "active on both"
        assert {mount.path for mount in (*source.mounts, *destination.mounts, *mounts_of(one.tags))} == PATHS


class Run:
    """One run: its plan, and the sequence number that it knows."""

    def __init__(self, world, who, back, hooks=frozenset()):
        self.world, self.back, self.known, self.refused = world, back, world.seqno, ""
        seen = self.seen()
        tag = run_tag(who, "2026-01-02T03:04:05Z", seen.source.host, seen.destination.host)
        self.run = tag
        self.left = plan([self.seen()], hooks)

    def seen(self):
        one = turned(self.world.one) if self.back else self.world.one
        return replace(one, run=getattr(self, "run", ""))

    def step(self):
        """Take the next step, or be refused."""
        one, planned = self.seen(), self.left.pop(0)
        name = planned.stage.name
        other = self.known != self.world.seqno
        writer = one.source if name in ("mark", "export") else one.destination
        ill = {
            "switch": other or not one.exported,
            "unmap": other or one.exported,
            "forget": bool(one.source.active or one.source.mounts),
            "logout": bool(one.source.active or one.source.mounts),
        }.get(name, name in NOTED and (other or writer.running != one.wwids))
        if ill:
            self.refused, self.left = name, []
            return
        then = planned.stage.taken(one, planned.host)
        self.world.change(turned(then) if self.back else then)
        self.known = self.world.seqno if name in NOTED else self.known

    def go(self, count=99):
        while self.left and count:
            self.step()
            count -= 1


def steps(seen=survey):
    return range(len(plan([World(seen).one])) + 1)


CUTS = [(seen, cut) for seen in (survey, whole_survey) for cut in steps(seen)]


@pytest.mark.parametrize("back", [True, False], ids=["back", "there"])
@pytest.mark.parametrize("seen, cut", CUTS)
def test_of_two_runs_one_goes_on_and_no_mount_is_lost(seen, cut, back):
    for other in steps(seen):
        world = World(seen)
        first = Run(world, "anna", False)
        first.go(cut)
        second = Run(world, "bert", back)
        second.go(other)
        first.go()
        second.go()
        last = Run(world, "carl", back)
        last.go()
        assert not last.refused
        (one,) = [last.seen()]
        assert one.has_arrived() and one.has_left() and not one.exported and not one.tags, (cut, other)
        assert {mount.path for mount in one.destination.mounts} == PATHS


def test_an_earlier_run_is_refused_at_its_next_step_once_a_later_one_has_claimed_the_move():
    world = World()
    first = Run(world, "anna", False)
    first.go(2)
    second = Run(world, "bert", False)
    second.go(1)
    first.go()
    second.go()
    assert (first.refused, second.refused) == ("export", "")


def cut_off(cut, seen=survey):
    """Where a run leaves the group that is killed after so many steps."""
    world = World(seen)
    Run(world, "anna", False).go(cut)
    return world


@pytest.mark.parametrize("cut", steps())
def test_a_run_that_goes_on_claims_the_move_before_it_does_what_only_one_may_do(cut):
    world = cut_off(cut)
    run = Run(world, "bert", False, HOOKS)
    while run.left:
        name, moving = run.left[0].stage.name, bool(ours(world.one.tags))
        claims = run.left[0].plain().get("runs")
        run.step()
        if moving and name in OURS_ALONE:
            assert run.run in world.one.tags, name
            assert claims in (None, [run.run]), "an earlier run is not expected any more"
    assert not run.refused and not ours(world.one.tags)


@pytest.mark.parametrize("seen, cut", CUTS)
def test_of_two_runs_that_go_on_with_the_same_move_one_does_and_the_other_is_refused(seen, cut):
    for other in range(len(Run(cut_off(cut, seen), "bert", False, HOOKS).left) + 1):
        world = cut_off(cut, seen)
        moving = bool(ours(world.one.tags)) or not world.one.has_left()
        first, second = Run(world, "bert", False, HOOKS), Run(world, "carl", False, HOOKS)
        first.go(other)
        second.go()
        first.go()
        assert [bool(run.refused) for run in (first, second)].count(True) == moving, (cut, other)
        assert world.one.has_arrived() and world.one.has_left() and not ours(world.one.tags)


@pytest.mark.parametrize("step", ["export", "switch"])
def test_a_group_that_is_exported_is_claimed_as_soon_as_it_is_imported(step):
    names = [planned.stage.name for planned in plan([World().one])]
    run = Run(cut_off(names.index(step) + 1), "bert", False)
    start = next(planned for planned in run.left if planned.stage.name == "start")
    (state,) = start.plain()["states"]
    assert run.run in state["tags"] and not [tag for tag in state["tags"] if "anna" in tag]
    assert start.say()[0].startswith(
        "On 'b': import 'vg_db', then note in the metadata of 'vg_db' that this run now owns the move, then activate"
    )


def test_a_run_that_moves_from_the_beginning_has_nothing_to_claim_on_the_destination():
    """Nothing more is written in the time without service."""
    start = next(planned for planned in Run(World(), "anna", False).left if planned.stage.name == "start")
    assert "tags" not in start.plain()["states"][0] and "this run" not in start.say()[0]
