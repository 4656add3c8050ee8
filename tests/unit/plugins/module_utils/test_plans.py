# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One runner for every planner: tests/unit/plans/*.yml hold what the host has, what is asked for, and the steps.

A case: name, options (as a user writes them), host: {files, runs, changing, silent, scsi, cards}, and either 'steps' (the
sentences), optionally with 'did' (what taking them does to the host) and 'warned', or 'refused' (a part of the message).
A file may give 'host' once for all its cases; a case's own files and runs are laid over it.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half
from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import _take as take
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.scripted import NotScripted, ScriptedHost

PLANS = Path(__file__).parents[2] / "plans"
CASES = [
    pytest.param(story, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(PLANS.glob("*.yml"))
    for story in [yaml.safe_load(path.read_text())]
    for case in story["cases"]
]


def resources_of(door, options):
    """The resources that a module would converge, its options checked and completed as Ansible does."""
    module = importlib.import_module(f"ansible_collections.lunworks.iscsi.plugins.modules.{door}")
    checked = ArgumentSpecValidator(module.SPEC, **getattr(module, "RULES", {})).validate(options)
    if checked.error_messages:
        raise Problem("; ".join(checked.error_messages))
    if hasattr(module, "resources"):  # in turn
        return list(module.resources(checked.validated_parameters).values())
    return [module.resource(checked.validated_parameters)]


def host_of(story, case):
    base, own = story.get("host", {}), case.get("host", {})
    return ScriptedHost(
        files={**base.get("files", {}), **own.get("files", {})},
        runs={**base.get("runs", {}), **own.get("runs", {})},
        changing=base.get("changing", []) + own.get("changing", []),
        silent={**base.get("silent", {}), **own.get("silent", {})},
        scsi={**base.get("scsi", {}), **own.get("scsi", {})},
        cards={**base.get("cards", {}), **own.get("cards", {})},
        portals={**base.get("portals", {}), **own.get("portals", {})},
    )


@pytest.mark.parametrize("story, case", CASES)
def test_plan(story, case):
    host = host_of(story, case)
    if "refused" in case:
        with pytest.raises(Problem) as refused:
            planned(story["module"], case, host)
        assert case["refused"] in str(refused.value)
        assert host.did == []
        return
    steps, notes = planned(story["module"], case, host)
    assert [str(step) for step in steps] == case["steps"]
    assert "warned" not in case or notes == case["warned"]
    assert host.did == [], "looking and planning changed the host"
    for step in steps if "did" in case else []:
        step.take(host)
    assert host.did == case.get("did", [])
    for path, text in case.get("then", {}).items():
        assert host.read(path) == text


HOSTS = 5  # of each file, spread over it; all of them where many documents are asked for
STORIES = sorted({case.values[0]["module"] for case in CASES})


@pytest.mark.parametrize("door", STORIES)
def test_the_laws_hold_for_what_is_asked_in_one_case_on_the_hosts_of_others(door):
    cases = [case.values for case in CASES if case.values[0]["module"] == door]
    apart = 1 if "LUNWORKS_DOCUMENTS" in os.environ else max(1, len(cases) // HOSTS)
    tried = 0
    for story, there in cases[::apart]:
        for _story, asked in cases:
            try:
                planned(door, asked, host_of(story, there))
                tried += 1
            except (Problem, NotScripted):
                continue
    assert tried


class Breaking(list):
    """What was done to a host, of which one thing fails."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def append(self, done):
        if len(self) == self.at:
            self.at = None
            raise Problem(f"no: {done}")
        super().append(done)


@pytest.mark.parametrize("story, case", [case.values for case in CASES if "did" in case.values[1]])
def test_whatever_fails_of_a_plan_is_said_and_what_was_taken_too(story, case):
    for number in range(len(case["did"])):
        host = host_of(story, case)
        steps, _notes = planned(story["module"], case, host)
        host.did = Breaking(number)
        try:
            take(steps, host)
        except Half as half:
            assert half.problems and "no: " in str(half)
            assert sorted(map(str, half.taken + half.left)) == sorted(map(str, steps))
            assert len(half.left) >= 1


def planned(door, case, host):
    """What a check run says: all resources as they are now, refused only what nothing before it may change."""
    steps, notes = [], []
    for resource in resources_of(door, case["options"]):
        seen = resource.look(host)
        want = resource.want(seen)
        own = resource.plan(seen, want)
        if not steps:
            resource.refuse(seen, want, own)
            assert own or seen == want, "a plan is empty only where all is as wanted"
        again = resource.again(want, want)
        assert again == want, "a host that is as wanted is what is wanted, asked again"
        assert resource.plan(want, again) == [], "a host that is as wanted has nothing to do"
        steps += own
        notes += resource.notes(seen, own)
    return steps, notes
