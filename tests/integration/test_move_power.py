# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of each machine fails at each step of a move: no byte is lost, there are never two owners, and the same command
run again ends well. The steps come from the plan itself.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import Journey, planned
from ansible_collections.lunworks.iscsi.tests.integration.moving import THIN, Group, San

GROUP = Group("vg_db", volumes=THIN)


@pytest.fixture
def cutting(lab, long_story, storage, compute, spare):
    return San.standing(lab, storage, compute, spare, GROUP)


@pytest.mark.parametrize("machine", ["controller", "source", "destination", "storage"])
def test_a_move_survives_the_loss_of_a_machine_at_every_step(cutting, machine):
    journey = Journey(cutting, machine)
    cutting.stranger(journey.destination)
    cutting.add_files(GROUP, journey.source)
    steps = planned(cutting, journey.source, journey.destination)
    assert {"show", "connect", "attach", "export", "switch", "start", "leave"} <= set(steps)
    journey.go(steps)
    assert sorted(cut.step for cut in journey.cuts) == sorted(steps)
    print(f"{machine}: {len(journey.cuts)} steps in {journey.runs} runs")
