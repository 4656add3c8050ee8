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

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move import mounts_of, run_tag
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_plan import plan
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import standing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.moving import MOUNTS, survey

NOTED = ("mark", "export", "start", "finish")  # what LVM writes down
PATHS = {mount.path for mount in MOUNTS}


def turned(one):
    return replace(one, source=one.destination, destination=one.source)


class World:
    """What is true of the group, seen as its move from 'a' to 'b', and how often its metadata was written."""

    def __init__(self):
        self.one, self.seqno = standing(survey(), "vg_db", frozenset({"w1", "w2"})), 7

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

    def __init__(self, world, who, back):
        self.world, self.back, self.known, self.refused = world, back, world.seqno, ""
        seen = self.seen()
        tag = run_tag(who, "2026-01-02T03:04:05Z", seen.source.host, seen.destination.host)
        self.run = tag
        self.left = plan([self.seen()])

    def seen(self):
        one = turned(self.world.one) if self.back else self.world.one
        return replace(one, run=getattr(self, "run", ""))

    def step(self):
        """Take the next step, or be refused."""
        one, planned = self.seen(), self.left.pop(0)
        name = planned.step.name
        other = self.known != self.world.seqno
        writer = one.source if name in ("mark", "export") else one.destination
        ill = {
            "switch": other or not one.exported,
            "unmap": other or one.exported,
            "forget": bool(one.source.active or one.source.mounts),
        }.get(name, name in NOTED and (other or writer.running != one.wwids))
        if ill:
            self.refused, self.left = name, []
            return
        then = planned.step.taken(one, planned.host)
        self.world.change(turned(then) if self.back else then)
        self.known = self.world.seqno if name in NOTED else self.known

    def go(self, count=99):
        while self.left and count:
            self.step()
            count -= 1


def steps():
    return range(len(plan([World().one])) + 1)


@pytest.mark.parametrize("back", [True, False], ids=["back", "there"])
@pytest.mark.parametrize("cut", steps())
def test_of_two_runs_one_goes_on_and_no_mount_is_lost(cut, back):
    for other in steps():
        world = World()
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
