# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume group on tgt, whose targets change hands whole: it moves there and back, whatever fails on the way.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import Journey, planned
from ansible_collections.lunworks.iscsi.tests.integration.harness import same
from ansible_collections.lunworks.iscsi.tests.integration.moving import TARGET, Group, San, do, initiator
from ansible_collections.lunworks.iscsi.tests.integration.test_move_dead import DEAD, WRITER, WRITTEN

GROUP = Group("vg_db")
STEPS = "mark record export forget logout switch connect await start finish leave".split()


class TgtSan(San):
    """The same with tgt, where the destination has no igroup before a move."""

    provider = "tgt"


@pytest.fixture(scope="module")
def san(lab, storage, compute, spare):
    standing = TgtSan.standing(lab, storage, compute, spare, GROUP)
    yield standing
    standing.clear()


def fingerprints(san):
    seen = {host.name: host.fingerprint() for host in san.hosts}
    return {name: {key: text for key, text in one.items() if key != "luns"} for name, one in seen.items()}


def has_it(san):
    """The initiators that have any of its LUNs, running or saved."""
    return {name for lun in san.luns() for name in (*lun["initiators"], *lun["saved_initiators"])}


def moved(san, source, destination, **more):
    told = san.move(vg=GROUP.name, source=source, destination=destination, **more)
    assert told.rc == 0, told.messages()
    return told


def test_a_target_with_a_lun_that_stays_does_not_change_hands(san):
    lun = {"provider": "tgt", "target": TARGET, "name": "beside"}
    path = "/srv/luns/beside.img"
    igroup = {"name": san.first.name, "luns": ["beside"]}
    luns = [{"name": "beside", "path": path, "size": "64m"}]
    do(san.storage, "targets", provider="tgt", targets=[{"name": TARGET, "luns": luns, "igroups": [igroup]}])
    before = fingerprints(san)
    told = san.move(vg=GROUP.name, source=san.first, destination=san.second)
    assert told.rc != 0 and "'beside' too, which would go with it" in told.messages()
    for host in san.hosts:
        same(before[host.name], host.fingerprint(), f"The refused move on {host.name}")
    do(san.storage, "lun", **lun, state="absent", force=True)
    san.storage.run(f"rm {path}")
    do(san.first, "rescan", targets=[TARGET])


def test_a_check_shows_the_plan_and_touches_nothing(san):
    before = fingerprints(san)
    told = san.move("--check", "--diff", vg=GROUP.name, source=san.first, destination=san.second)
    assert told.rc == 0, told.messages()
    for host in san.hosts:
        same(before[host.name], host.fingerprint(), f"The check on {host.name}")


def test_a_group_moves_there_and_back_and_a_second_run_changes_nothing(san):
    for source, destination in ((san.first, san.second), (san.second, san.first)):
        san.add_files(GROUP, source)
        steps = planned(san, source, destination)
        assert [step for step in steps if step not in ("before", "after")] == STEPS
        moved(san, source, destination)
        san.owned(GROUP, destination, source)
        assert has_it(san) == {initiator(destination)}
        assert source.run("iscsiadm -m session", check=False).rc != 0
        assert source.run("iscsiadm -m node", check=False).rc != 0
        assert moved(san, source, destination).changed() == {}
        assert san.storage.module("target_info", provider="tgt")["drift"] == []


@pytest.mark.parametrize(
    "machine, steps",
    [
        ("source", ["export", "switch"]),
        ("storage", ["switch", "connect"]),
        ("destination", ["connect"]),
        ("controller", ["logout", "switch", "connect"]),
    ],
)
def test_it_survives_the_loss_of_a_machine_in_the_middle(long_story, san, machine, steps):
    journey = Journey(san, machine)
    san.add_files(GROUP, journey.source)
    journey.go(steps)
    assert sorted(cut.step for cut in journey.cuts) == sorted(steps)
    san.first, san.second = journey.source, journey.destination


def test_a_source_that_seems_dead_is_stopped_by_the_fence_and_cleaned_when_it_returns(long_story, san):
    """It is cut off from its management only: it writes on until the fence, and not a line of that is lost."""
    source, destination = san.sides(GROUP)
    node = {"target": TARGET, "portals": san.portals, "startup": "manual"}
    do(destination, "nodes", nodes=[node])  # which portals it uses, the source cannot be asked
    source.write("/run/writer", WRITER)
    source.run(
        "setsid sh /run/writer </dev/null >/dev/null 2>&1 & until [ -e /run/counted ]; do sleep 0.2; done"
    )
    san.lab.link(source, "management", up=False)
    try:
        moved(san, source, destination, **DEAD)
        assert has_it(san) == {initiator(destination)}
    finally:
        san.lab.link(source, "management", up=True)
    source.run("until [ -e /run/stopped ]; do sleep 0.2; done", timeout=180)
    san.mount(GROUP, destination)
    lines = destination.read(WRITTEN).splitlines()
    assert lines == [f"{number:08}" for number in range(len(lines))]
    assert len(lines) >= int(source.read("/run/counted")) > 0
    destination.run(f"rm {WRITTEN}")
    moved(san, source, destination)
    san.owned(GROUP, destination, source)
    assert source.run("iscsiadm -m session", check=False).rc != 0
