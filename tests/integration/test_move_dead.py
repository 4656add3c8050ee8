# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that is dead, or only seems so: it is fenced before anything is taken over, and harmless when it returns.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.cutting import one_owner
from ansible_collections.lunworks.iscsi.tests.integration.moving import Group, San, initiator

GROUP = Group("vg_db")
DEAD = {"move_volume_group_source_is_dead": True}


@pytest.fixture(scope="session")
def mortal(lab, long_story, storage, compute, spare):
    made = San(lab, storage, compute, spare)
    made.build(GROUP)
    return made


def test_a_source_that_answers_is_not_dead(mortal):
    told = mortal.move(vg=GROUP.name, source=mortal.first, destination=mortal.second, **DEAD)
    assert told.rc != 0
    assert "is said to be dead, but it answers" in told.messages()


def test_a_silent_source_is_not_taken_for_dead(mortal):
    mortal.lab.power_cut(mortal.first)
    told = mortal.move(vg=GROUP.name, source=mortal.first, destination=mortal.second)
    assert told.rc != 0
    assert "does not answer and may still write" in told.messages()
    luns = mortal.storage.module("lun_info")["luns"]
    assert {tuple(lun["running"]) for lun in luns} == {(initiator(mortal.first),)}


def test_a_dead_source_is_fenced_and_its_group_taken_over(mortal):
    told = mortal.move(vg=GROUP.name, source=mortal.first, destination=mortal.second, **DEAD)
    assert told.rc == 0, told.messages()
    luns = mortal.storage.module("lun_info")["luns"]
    assert {(*lun["running"], *lun["saved"]) for lun in luns} == {(initiator(mortal.second),) * 2}
    for volume, mount in zip(("data", "log"), GROUP.mounts):
        mortal.second.run(f"mkdir -p {mount} && mount /dev/{GROUP.name}/{volume} {mount}")
    assert mortal.sums(mortal.second, GROUP) == GROUP.sums


def test_the_dead_returns_and_is_harmless_and_the_next_run_cleans_it(mortal):
    mortal.lab.boot(mortal.first)
    one_owner(mortal)
    assert GROUP.name in mortal.first.read("/etc/fstab")
    told = mortal.move(vg=GROUP.name, source=mortal.first, destination=mortal.second)
    assert told.rc == 0, told.messages()
    assert GROUP.name not in mortal.first.read("/etc/fstab")
    assert mortal.first.run("iscsiadm -m session", check=False).rc != 0
    assert mortal.sums(mortal.second, GROUP) == GROUP.sums


def test_two_writers_are_stopped_by_the_fence_alone(mortal):
    """The source only lost its management network: it goes on writing until the LUNs are unmapped, and not a byte longer."""
    source, destination = mortal.second, mortal.first
    disk = f"/dev/mapper/{GROUP.wwids[0]}"
    source.run(
        f"multipathd disablequeueing map {GROUP.wwids[0]}; dd if={disk} of=/run/block bs=4096 count=1 iflag=direct"
    )
    write = f"timeout 60 dd if=/run/block of={disk} bs=4096 count=1 oflag=direct conv=notrunc"
    source.run(write)  # before: the disk takes it, whatever LVM thinks
    target = {
        "name": mortal.target,
        "igroups": [
            {
                "name": source.name,
                "initiators": [initiator(source)],
                "luns": [{"name": lun, "state": "absent"} for lun in GROUP.luns],
            }
        ],
    }
    assert not mortal.storage.module("targets", targets=[target], force=True).get("failed")
    assert source.run(write, check=False, timeout=120).rc != 0
    told = mortal.move(vg=GROUP.name, source=source, destination=destination, **DEAD)
    assert told.rc != 0, "A source that answers is not dead, though it is fenced."
