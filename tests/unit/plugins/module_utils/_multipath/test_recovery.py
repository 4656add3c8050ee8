# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that lost all their paths: who brings these back."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.recovery import Revive
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import PLANS
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

STORY = yaml.safe_load((PLANS / "multipath_paths.yml").read_text())["host"]
STATUS = "dmsetup status --noflush db0"
ALIVE = "0 131072 multipath 2 0 1 0 1 1 A 0 2 2 8:0 A 0 0 1 8:16 A 0 0 1\n"
ASKED = "multipathd show paths format %d"
TOLD = [f"run dmsetup message db0 0 reinstate_path {number}" for number in ("8:0", "8:16")]
STEP = Revive("db0", ("sda", "sdb"), 60)
MUTE = {"rc": 1, "out": "timeout\n"}
STATE = "systemctl show -p ActiveState multipathd.service"


class Stuck(ScriptedHost):
    """The map carries I/O when the kernel was told so often, or, with 'heals', when it is looked at for the second time."""

    def __init__(self, multipathd, state="active", heals=False, after=1):
        runs = {**STORY["runs"], ASKED: multipathd, STATE: f"ActiveState={state}\n"}
        super().__init__(STORY["files"], runs, ["dmsetup message"], scsi=dict(STORY["scsi"]))
        self.heals, self.after, self.waited = heals, after, []

    def run(self, *argv, **options):
        ran = super().run(*argv, **options)
        if self.did.count(TOLD[-1]) == self.after:
            self.runs[STATUS] = ALIVE
        return ran

    def until(self, test, seconds, every=0.2):
        self.waited.append(seconds)
        answer = test()
        if not answer and seconds == STEP.timeout:
            if self.heals:
                self.runs[STATUS] = ALIVE
            answer = test()
        return answer


@pytest.mark.parametrize("host", [Stuck(MUTE), Stuck("", state="inactive")], ids=["hangs", "is off"])
def test_where_multipathd_does_not_answer_the_kernel_is_told(host):
    STEP.take(host)
    assert host.did == TOLD


def test_a_multipathd_that_answers_does_it_itself():
    host = Stuck("sda\nsdb\n", heals=True)
    STEP.take(host)
    assert host.did == []


def test_what_multipathd_does_not_take_back_is_left_alone():
    host = Stuck("sda\nsdb\n")
    with pytest.raises(
        Problem, match="within 60 seconds multipathd took none of them back into the map 'db0'"
    ):
        STEP.take(host)
    assert host.did == []


def test_paths_that_fail_again_are_taken_back_again_and_then_told():
    host = Stuck(MUTE, after=2)
    STEP.take(host)
    assert host.did == TOLD * 2
    host = Stuck(MUTE, after=3)
    with pytest.raises(Problem, match="each that the kernel took back into the map 'db0' failed again"):
        STEP.take(host)


def test_a_path_that_became_another_disk_meanwhile_is_left_out():
    host = Stuck(MUTE)
    host.luns["/dev/sdb"] = {"wwid": "36001405" + "b" * 25, "serial": "bbbb", "size": 67108864}
    with pytest.raises(Problem, match="failed again"):
        STEP.take(host)
    assert set(host.did) == {TOLD[0]}
