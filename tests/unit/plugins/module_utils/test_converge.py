# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one sentence, told once with a toy: a shelf of boxes that can be full."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import (
    Resource,
    converge,
    converge_in_turn,
    plain,
    tell,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Secret, Step


class Ended(Exception):
    """The module ended with this result."""


class Module:
    def __init__(self, check_mode=False, **params):
        self.params, self.check_mode, self._diff, self.warnings = params, check_mode, True, []

    def warn(self, text):
        self.warnings.append(text)

    def exit_json(self, **result):
        raise Ended(result)

    def fail_json(self, **result):
        raise Ended({"failed": True, **result})


@dataclass(frozen=True)
class Put(Step):
    box: str

    def __str__(self):
        return f"Put the box '{self.box}'"

    def take(self, host):
        if self.box == "heavy":
            raise Problem("too heavy")
        if self.box != "slippery":
            host.append(self.box)


@dataclass(frozen=True)
class PutFast(Put):
    side_by_side = True


class Shelf(Resource):
    def __init__(self, options):
        if "" in options["boxes"]:
            raise Problem("A box must have a name.")
        self.boxes, self.step = options["boxes"], options.get("step", Put)

    def look(self, host):
        return tuple(host)

    def want(self, seen):
        return seen + tuple(box for box in self.boxes if box not in seen)

    def plan(self, seen, want):
        return [self.step(box) for box in want if box not in seen]

    def refuse(self, seen, steps):
        if any(step.box == "bomb" for step in steps):
            raise Problem("No bombs.")

    def notes(self, seen, steps):
        return ["The shelf is old."] if steps else ()


def ended(host, check_mode=False, **params):
    module = Module(check_mode, **params)
    with pytest.raises(Ended) as end:
        converge(module, Shelf, host)
    return {**end.value.args[0], "warnings": module.warnings}


def test_steps_are_taken_and_the_second_look_is_the_state():
    host = ["a"]
    result = ended(host, boxes=["a", "b"])
    assert host == ["a", "b"]
    assert result == {
        "changed": True,
        "steps": ["Put the box 'b'"],
        "state": ["a", "b"],
        "diff": {"before": ["a"], "after": ["a", "b"]},
        "warnings": ["The shelf is old."],
    }


def test_a_check_run_says_the_same_and_takes_nothing():
    host = ["a"]
    checked = ended(host, check_mode=True, boxes=["a", "b"])
    assert host == ["a"]
    assert checked == ended(host, boxes=["a", "b"])


def test_nothing_to_do_is_not_changed():
    assert ended(["a"], boxes=["a"]) == {
        "changed": False,
        "steps": [],
        "state": ["a"],
        "diff": {"before": ["a"], "after": ["a"]},
        "warnings": [],
    }


@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_input_and_refusals_fail_before_anything_is_touched(check_mode):
    host = []
    assert ended(host, check_mode, boxes=[""])["msg"] == "A box must have a name."
    assert ended(host, check_mode, boxes=["a", "bomb"])["msg"] == "No bombs."
    assert host == []


def test_half_a_plan_says_what_was_taken_and_what_was_not():
    result = ended([], boxes=["a", "heavy", "c"])
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"] == "Put the box 'heavy': too heavy"
    assert result["steps"] == ["Put the box 'a'"]
    assert result["steps_left"] == ["Put the box 'heavy'", "Put the box 'c'"]


def test_a_first_step_that_fails_has_changed_nothing():
    assert ended([], boxes=["heavy"])["changed"] is False


def test_side_by_side_steps_are_all_tried_before_the_plan_stops():
    host = []
    result = ended(host, boxes=["a", "heavy", "c"], step=PutFast)
    assert sorted(host) == ["a", "c"]
    assert result["steps_left"] == ["Put the box 'heavy'"]


def test_a_step_without_effect_is_found_by_the_second_look():
    result = ended([], boxes=["slippery"])
    assert result["failed"] is True
    assert "the host still differs" in result["msg"]
    assert "Put the box 'slippery'" in result["msg"]


class Guess(Shelf):
    """It tries boxes of which nobody knows beforehand whether they are there to be put."""

    def plan(self, seen, want):
        tried, self.tried = getattr(self, "tried", False), True
        return [] if tried else super().plan(seen, want)

    def changed(self, seen, after, steps):
        return seen != after


@pytest.mark.parametrize(
    "check_mode, box, changed", [(True, "slippery", True), (False, "slippery", False), (False, "b", True)]
)
def test_a_resource_whose_steps_may_find_nothing_says_itself_whether_anything_changed(
    check_mode, box, changed
):
    with pytest.raises(Ended) as end:
        converge(Module(check_mode, boxes=[box]), Guess, ["a"])
    assert end.value.args[0]["steps"] == [f"Put the box '{box}'"]
    assert end.value.args[0]["changed"] is changed


def test_a_question_is_answered_without_a_change():
    with pytest.raises(Ended) as end:
        tell(Module(), lambda params, host: {"secret": Secret("opensesame!!")}, Host())
    assert end.value.args[0] == {"changed": False, "secret": "(secret)"}


def test_states_are_shown_plain_and_secrets_are_not():
    @dataclass(frozen=True)
    class Door:
        names: tuple
        key: Secret
        colours: frozenset

    assert plain({1: Door(("a",), Secret("k"), frozenset({"red", "blue"}))}) == {
        "1": {"names": ["a"], "key": "(secret)", "colours": ["blue", "red"]}
    }
    assert "k" not in repr(Secret("k"))


def shelves(options):
    return {name: Shelf({"boxes": boxes}) for name, boxes in options.items()}


def ended_in_turn(host, check_mode=False, **params):
    with pytest.raises(Ended) as end:
        converge_in_turn(Module(check_mode, **params), shelves, host)
    return end.value.args[0]


def test_resources_in_turn_are_told_by_name_and_each_sees_what_the_one_before_did():
    host = []
    told = ended_in_turn(host, low=["a"], high=["a", "b"])
    assert host == ["a", "b"]
    assert told["steps"] == ["Put the box 'a'", "Put the box 'b'"]
    assert told["changed"] and told["state"] == {"low": ["a"], "high": ["a", "b"]}
    assert told["diff"] == {"before": {"low": [], "high": ["a"]}, "after": told["state"]}


def test_a_fault_in_what_was_asked_of_a_later_resource_is_found_before_the_first_step():
    host = []
    assert ended_in_turn(host, low=["a"], high=[""]) == {"failed": True, "msg": "A box must have a name."}
    assert host == []


@pytest.mark.parametrize("box, left", [("bomb", None), ("heavy", ["Put the box 'heavy'"])])
def test_where_a_later_resource_fails_what_the_earlier_ones_did_is_told(box, left):
    host = []
    told = ended_in_turn(host, low=["a"], high=[box])
    assert host == ["a"]
    assert told["failed"] and told["changed"] and told["steps"] == ["Put the box 'a'"]
    assert told.get("steps_left") == left


def test_a_check_run_in_turn_asks_for_refusals_only_until_something_would_change():
    host = []
    assert ended_in_turn(host, check_mode=True, low=["a"], high=["bomb"])["steps"] == [
        "Put the box 'a'",
        "Put the box 'bomb'",
    ]
    assert ended_in_turn(host, check_mode=True, low=[], high=["bomb"])["msg"] == "No bombs."
    assert host == []
