# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cable is pulled at each step of a move: nothing hangs, no byte is lost, there are never two owners, and the same command run
again ends well. The steps come from the plan itself.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import Journey, planned
from ansible_collections.lunworks.iscsi.tests.integration.moving import THIN, Group, San

GROUP = Group("vg_db", volumes=THIN)
NETWORKS = {"path": ("san1",), "storage": ("san1", "san2"), "management": ("management",)}


@pytest.fixture
def pulled(lab, long_story, storage, compute, spare):
    return San.standing(lab, storage, compute, spare, GROUP)


@pytest.mark.parametrize("machine", ["source", "destination", "storage"])
@pytest.mark.parametrize("networks", NETWORKS.values(), ids=NETWORKS.keys())
def test_a_move_survives_the_loss_of_a_network_at_every_step(pulled, machine, networks):
    journey = Journey(pulled, machine, networks)
    pulled.stranger(journey.destination)
    pulled.add_files(GROUP, journey.source)
    steps = planned(pulled, journey.source, journey.destination)
    journey.go(steps)
    assert sorted(cut.step for cut in journey.cuts) == sorted(steps)
    print(f"{machine}, {' and '.join(networks)}: {len(journey.cuts)} steps in {journey.runs} runs")
