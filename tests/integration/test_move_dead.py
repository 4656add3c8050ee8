# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that is dead, or only seems so: it is fenced before anything is taken over, and harmless when it returns.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import one_owner
from ansible_collections.lunworks.iscsi.tests.integration.moving import THIN, Group, San, initiator

GROUP = Group("vg_db", volumes=THIN)
DEAD = {"move_volume_group_source_is_dead": True}
WRITTEN = "/srv/vg_db/data/written"
# Writes a line after the other, each one on the disk before it is counted, until it cannot.
WRITER = f"""
n=0
while printf '%08d\\n' $n >>{WRITTEN} && sync {WRITTEN}; do
  n=$((n + 1)); echo $n >/run/counted; sleep 0.2
done 2>/dev/null
echo >/run/stopped
"""


@pytest.fixture(scope="session")
def mortal(lab, long_story, storage, compute, spare):
    made = San.standing(lab, storage, compute, spare, GROUP)
    made.source, made.destination = made.sides(GROUP)
    return made


def mapped(san: San) -> set[str]:
    """The initiators that have any of its LUNs, running or saved."""
    luns = san.storage.module("lun_info")["luns"]
    return {name for lun in luns for name in (*lun["initiators"], *lun["saved_initiators"])}


def cleaned(san: San) -> None:
    """The next run, without a word of death, leaves nothing on the source."""
    told = san.move(vg=GROUP.name, source=san.source, destination=san.destination)
    assert told.rc == 0, told.messages()
    san.owned(GROUP, san.destination, san.source)
    assert san.source.run("iscsiadm -m session", check=False).rc != 0


def test_a_source_that_answers_is_not_dead(mortal):
    told = mortal.move(vg=GROUP.name, source=mortal.source, destination=mortal.destination, **DEAD)
    assert told.rc != 0
    assert "was declared dead, but answers" in told.messages()


def test_a_silent_source_is_not_taken_for_dead(mortal):
    mortal.lab.power_cut(mortal.source)
    told = mortal.move(vg=GROUP.name, source=mortal.source, destination=mortal.destination)
    assert told.rc != 0
    assert "does not answer and may still write" in told.messages()
    assert mapped(mortal) == {initiator(mortal.source)}


def test_a_dead_source_is_fenced_and_its_group_taken_over(mortal):
    told = mortal.move(vg=GROUP.name, source=mortal.source, destination=mortal.destination, **DEAD)
    assert told.rc == 0, told.messages()
    assert mapped(mortal) == {initiator(mortal.destination)}
    mortal.mount(GROUP, mortal.destination)
    assert mortal.sums(mortal.destination, GROUP) == mortal.kept[GROUP.name]


def test_the_dead_returns_and_is_harmless_and_the_next_run_cleans_it(mortal):
    mortal.lab.boot(mortal.source)
    one_owner(mortal)
    assert GROUP.name in mortal.source.read("/etc/fstab")
    cleaned(mortal)


def test_of_two_writers_the_first_is_stopped_by_the_fence(mortal):
    """The source is cut off from its management only: it writes on until the fence, and not a line of that is lost."""
    mortal.source, mortal.destination = mortal.sides(GROUP)
    mortal.source.write("/run/writer", WRITER)
    mortal.source.run(
        "setsid sh /run/writer </dev/null >/dev/null 2>&1 & until [ -e /run/counted ]; do sleep 0.2; done"
    )
    mortal.lab.link(mortal.source, "management", up=False)
    try:
        told = mortal.move(vg=GROUP.name, source=mortal.source, destination=mortal.destination, **DEAD)
    finally:
        mortal.lab.link(mortal.source, "management", up=True)
    assert told.rc == 0, told.messages()
    mortal.source.run("until [ -e /run/stopped ]; do sleep 0.2; done", timeout=120)
    mortal.mount(GROUP, mortal.destination)
    lines = mortal.destination.read(WRITTEN).splitlines()
    assert lines == [f"{number:08}" for number in range(len(lines))]
    assert len(lines) >= int(mortal.source.read("/run/counted")) > 0
    mortal.destination.run(f"rm {WRITTEN}")
    cleaned(mortal)
