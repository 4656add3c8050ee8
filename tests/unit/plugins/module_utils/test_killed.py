# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change that a module makes to a host is the last one once: the process is killed, and the next run heals.

All plans of tests/unit/plans are tried whose steps lead on a scripted host to what was asked for; killed.yml says what
commands lead to. The points come from what is called on the host: see killing.py.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._host_file import PLACES
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.lock import DATABASES
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import LioHost
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import (
    CASES,
    host_of,
    resources_of,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import NotScripted

UNIT = Path(__file__).parents[2]
PLUGINS = UNIT.parents[1] / "plugins"
EFFECTS = {
    (one["plan"], one["case"]): one["effects"] for one in yaml.safe_load((UNIT / "killed.yml").read_text())
}
# Whatever converges changes something.
DOORS = [
    path.stem
    for path in sorted((PLUGINS / "modules").glob("*.py"))
    if "converge(" in path.read_text() or "converge_in_turn(" in path.read_text()
]
TRIED = [case for case in CASES if "refused" not in case.values[1] and case.values[1]["steps"]]
LIO = {"target", "targets", "igroup", "lun"}
# What need not be done again, since the next look sees whether it was done, or nobody waits for it.
SEEN = {
    "run multipathd reconfigure": "the look asks the daemon what it has loaded",
    "run systemctl restart iscsid.service": "the look compares when the daemon began with when the file was written",
    "run systemctl daemon-reload": "what is written is for the next boot, at which systemd reads it",
    "run nmcli general reload conf": "what is written is for the next boot, at which NetworkManager reads it",
    "run vgcfgrestore": "LVM itself writes to a PV that is back, at its next change",
    "run udevadm control --reload": "udev looks for newer rules itself",
}
ELSEWHERE = {
    **dict.fromkeys(
        ("lab_host", "lab_image", "lab_link", "lab_network"),
        "makes machines on the controller, 'destroy' takes them away",
    ),
    "disks": "is 'disk' for many",
    "logical_volume": "is 'logical_volumes' for one",
    "volume_groups": "is 'volume_group' for many",
    "multipath_paths": "says something to multipathd, and that is all",
    "relogin": "a session that was ended and is not begun again yet is one that 'nodes' brings back",
}


def plan_of(param):
    return param.id.partition(": ")[0]


def scripted(plan, story, case):
    host = host_of(story, case)
    if story["module"] in LIO:
        served = LioHost(host.files)
        served.runs, served.changing = host.runs, (*host.changing, *served.changing)
        host = served
    host.effects = [{**as_in(story, one), **one} for one in EFFECTS.get((plan, case["name"]), ())]
    return host


def as_in(story, effect):
    """The host of another case, which a command leads to."""
    return next((case.get("host", {}) for case in story["cases"] if case["name"] == effect.get("as")), {})


def state(host):
    """What the host is; beside what was asked for, a target that was never saved is saved whole."""
    files, runs, cards = killing.state_of(host)
    saved = files.get("/etc/target/saveconfig.json")
    if saved:
        document = json.loads(saved["text"])
        for target in document.get("targets", []):
            for group in target["tpgs"]:
                group.pop("attributes", 0), group.pop("parameters", 0)
        files["/etc/target/saveconfig.json"] = document
    return files, runs, cards


def killed(plan, story, case):
    """Kill at every point; None where the plan does not lead to what it shall on this script."""

    def resources():
        return resources_of(story["module"], case["options"])

    host = scripted(plan, story, case)
    try:
        points = killing.points_of(resources, host)
    except NotScripted:
        return None
    wanted, did = state(host), told(host.did)
    strange = [one for one in did if one.startswith("write ") and not known_place(one.split(" ")[1])]
    assert not strange, f"a killed run would leave files where no run clears: see host_file.PLACES, {strange}"
    for end in points or ():
        again = scripted(plan, story, case)
        done = told(killing.healed(resources, again, end))
        assert state(again) == wanted, f"killed before call {end}"
        missing = {one for one in did - done if one.startswith("run ") and not one.startswith(tuple(SEEN))}
        assert not missing, f"killed before call {end}, nobody did this: {missing}"
    return points


def known_place(path):
    """Whether what is written aside for a file is cleared by every run; open-iscsi's database is one place."""
    place = next((root for root in DATABASES if path.startswith(f"{root}/")), path.rpartition("/")[0])
    return any(fnmatch.fnmatchcase(place, one) for one in PLACES)


def told(did):
    """What was done; that processes have numbers is no difference."""
    return {re.sub(r"\.424\d\.", ".N.", one) for one in did}


@pytest.fixture(scope="module", autouse=True)
def one_after_the_other():
    with pytest.MonkeyPatch.context() as patched:
        for door in DOORS:
            importlib.import_module(f"ansible_collections.lunworks.iscsi.plugins.modules.{door}")
        for name, module in list(sys.modules.items()):
            if ".lunworks.iscsi.plugins." in name and hasattr(module, "ThreadPoolExecutor"):
                patched.setattr(module, "ThreadPoolExecutor", killing.InTurn)
        yield


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ELSEWHERE])
def test_what_a_killed_run_left_is_healed_by_the_next(door):
    points = {}
    for param in TRIED:
        story, case = param.values
        if story["module"] == door:
            points[plan_of(param), case["name"]] = killed(plan_of(param), story, case) or []
    assert any(points.values()), f"no plan of '{door}' is killed anywhere: write one, or say in ELSEWHERE why"
    assert [which for which in points if which in EFFECTS and not points[which]] == []


def test_what_is_killed_elsewhere_is_there():
    assert set(ELSEWHERE) <= set(DOORS)
