# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that lost all their paths: who brings these back."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipath_revival import Revive
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

STATUS = "dmsetup status --noflush db0"
LINE = "0 131072 multipath 2 0 1 0 1 1 A 0 2 2 8:0 {0} 0 0 1 8:16 {0} 0 0 1\n"
ASKED = "multipathd show paths format %d"
TOLD = [f"run dmsetup message db0 0 reinstate_path {number}" for number in ("8:0", "8:16")]
STEP = Revive("db0", ("sda", "sdb"), 60)


class Stuck(ScriptedHost):
    """The map carries I/O when the kernel is told, or, with 'heals', when its status is asked for the second time."""

    def __init__(self, multipathd, runs=True, heals=False, carries=True):
        super().__init__(
            files={
                "/sys/class/block/dm-0/dm/uuid": "mpath-3600140500e0247a1964592da511314e2\n",
                "/sys/class/block/dm-0/dm/name": "db0\n",
                "/sys/class/block/sda/dev": "8:0\n",
                "/sys/class/block/sdb/dev": "8:16\n",
            },
            runs={
                STATUS: LINE.format("F"),
                ASKED: multipathd,
                "systemctl show -p ActiveState multipathd.service": f"ActiveState={'active' if runs else 'inactive'}\n",
            },
            changing=["dmsetup message"],
        )
        self.heals, self.carries, self.waited = heals, carries, []

    def run(self, *argv, **options):
        ran = super().run(*argv, **options)
        if argv[:2] == ("dmsetup", "message") and self.carries:
            self.runs[STATUS] = LINE.format("A")
        return ran

    def until(self, test, seconds, every=0.2):
        self.waited.append(seconds)
        answer = test()
        if not answer and seconds and self.heals:
            self.runs[STATUS] = LINE.format("A")
            answer = test()
        return answer


@pytest.mark.parametrize(
    "host", [Stuck({"rc": 1, "out": "timeout\n"}), Stuck({"late": True}), Stuck("", runs=False)]
)
def test_where_multipathd_does_not_answer_the_kernel_is_told(host):
    STEP.take(host)
    assert host.did == TOLD


def test_a_multipathd_that_answers_does_it_itself():
    host = Stuck("sda\nsdb\n", heals=True)
    STEP.take(host)
    assert host.did == []
    assert host.waited == [60]


def test_what_multipathd_does_not_take_back_is_left_alone():
    host = Stuck("sda\nsdb\n")
    with pytest.raises(
        Problem, match="multipathd does not take them back into the map 'db0' within 60 seconds"
    ):
        STEP.take(host)
    assert host.did == []


def test_paths_that_fail_again_are_told():
    host = Stuck({"rc": 1, "out": "timeout\n"}, carries=False)
    with pytest.raises(Problem, match="took the paths of the map 'db0' back, and they failed again"):
        STEP.take(host)
    assert host.did == TOLD
