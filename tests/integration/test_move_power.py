# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of each machine fails at each step of a move: no byte is lost, there are never two owners, and the same command
run again ends well.

The steps come from the plan itself. One journey cuts the same machine at one step after the other, each run beginning where
the cut has left things. By default a small part is run; --every-step runs all machines at all steps.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import cut, one_owner
from ansible_collections.lunworks.iscsi.tests.integration.moving import Group, San

GROUP = Group("vg_db")
MACHINES = ("source", "destination", "storage", "controller")
SOME = {
    "source": ["export"],
    "storage": ["map"],
    "controller": ["unmount", "activate"],
    "destination": ["mount"],
}
INSIDE = 1.0  # seconds after the begin of a step


@pytest.fixture(scope="session")
def cutting(lab, long_story, storage, compute, spare):
    made = San(lab, storage, compute, spare)
    made.build(GROUP)
    return made


def planned(san, source, destination):
    """The names of the steps that a move would take now."""
    told = san.move("--check", vg=GROUP.name, source=source, destination=destination)
    assert told.rc == 0, told.messages()
    (plan,) = [result for _host, task, result in told.results if task.endswith("Plan what is left")]
    return [step["name"] for step in plan["ansible_facts"]["move_volume_group_plan"]["steps"]]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_move_survives_the_loss_of_a_machine_at_its_steps(cutting, request, machine):
    san = cutting
    there = san.owner(GROUP)
    source, destination = (san.first, san.second) if there is san.first else (san.second, san.first)
    victim = {"source": source, "destination": destination, "storage": san.storage, "controller": None}[
        machine
    ]
    every = request.config.getoption("--every-step")
    steps = [step for step in planned(san, source, destination) if every or step in SOME[machine]]
    cuts = []
    for number, step in enumerate(steps):
        if cut(san, source, destination, step, victim, after=INSIDE if number % 2 else 0):
            cuts.append(step)
            one_owner(san)
    told = san.move(vg=GROUP.name, source=source, destination=destination)
    assert told.rc == 0, told.messages()
    san.owned(GROUP, destination, source)
    one_owner(san)
    request.node.add_report_section("call", "cuts", f"{machine}: {len(cuts)} steps: {' '.join(cuts)}")
    print(f"{machine}: cut at {len(cuts)} of {len(steps)} steps: {' '.join(cuts)}")
    assert cuts, f"No run came to any of {steps}."
