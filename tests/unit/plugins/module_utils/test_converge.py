# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one sentence, told once with a toy: a shelf of boxes that can be full."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import (
    Resource,
    converge,
    converge_in_turn,
    plain,
    tell,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret, Step


class Ended(Exception):
    """The module ended with this result."""


class Module:
    def __init__(self, check_mode=False, **params):
        self.params, self.check_mode, self._diff, self.warnings = params, check_mode, True, []
        self._verbosity = params.pop("verbosity", 0)
        self.journal = []

    def warn(self, text):
        self.warnings.append(text)

    def log(self, msg):
        self.journal.append(msg)

    def exit_json(self, **result):
        raise Ended(result)

    def fail_json(self, **result):
        raise Ended({"failed": True, **result})


class Boxes(list):
    """A host that is a list."""

    tidied = 0

    def tidy(self):
        self.tidied += 1


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

    def refuse(self, seen, want, steps):
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
    host = Boxes(["a"])
    result = ended(host, boxes=["a", "b"])
    assert (host, host.tidied) == (["a", "b"], 1)
    assert result == {
        "changed": True,
        "steps": ["Put the box 'b'"],
        "state": ["a", "b"],
        "diff": [{"prepared": "- Put the box 'b'\n"}],
        "warnings": ["The shelf is old."],
    }


def test_a_check_run_says_the_same_and_takes_nothing():
    host = Boxes(["a"])
    checked = ended(host, check_mode=True, boxes=["a", "b"])
    assert (host, host.tidied) == (["a"], 0)
    assert checked == ended(host, boxes=["a", "b"])


def test_nothing_to_do_is_not_changed():
    assert ended(Boxes(["a"]), boxes=["a"]) == {
        "changed": False,
        "steps": [],
        "state": ["a"],
        "diff": [],
        "warnings": [],
    }


@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_input_and_refusals_fail_before_anything_is_touched(check_mode):
    host = Boxes([])
    assert ended(host, check_mode, boxes=[""])["msg"] == "A box must have a name."
    assert ended(host, check_mode, boxes=["a", "bomb"])["msg"] == "No bombs."
    assert host == []


def test_half_a_plan_says_what_was_taken_and_what_was_not():
    result = ended(Boxes([]), boxes=["a", "heavy", "c"])
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"] == "Put the box 'heavy': too heavy"
    assert result["steps"] == ["Put the box 'a'"]
    assert result["steps_left"] == ["Put the box 'heavy'", "Put the box 'c'"]


def test_a_first_step_that_fails_has_changed_nothing():
    assert ended(Boxes([]), boxes=["heavy"])["changed"] is False


def test_side_by_side_steps_are_all_tried_before_the_plan_stops():
    host = Boxes([])
    result = ended(host, boxes=["a", "heavy", "c"], step=PutFast)
    assert sorted(host) == ["a", "c"]
    assert result["steps_left"] == ["Put the box 'heavy'"]


def test_a_step_without_effect_is_found_by_the_second_look():
    result = ended(Boxes([]), boxes=["slippery"])
    assert result["failed"] is True
    assert "The host still differs" in result["msg"]
    assert "Put the box 'slippery'" in result["msg"]


@pytest.mark.parametrize("step", [Put, PutFast])
def test_the_journal_has_each_step_as_it_begins_and_what_failed(step):
    module = Module(boxes=["a", "heavy"], step=step)
    with pytest.raises(Ended):
        converge(module, Shelf, Boxes([]))
    said = ["step: Put the box 'a'", "step: Put the box 'heavy'", "failed: Put the box 'heavy': too heavy"]
    assert module.journal == [f"lunworks.iscsi {line}" for line in said]


@pytest.mark.parametrize("check_mode, boxes", [(True, ["a", "b"]), (False, ["a"])])
def test_the_journal_has_nothing_of_a_check_run_and_of_a_host_that_is_as_wanted(check_mode, boxes):
    module = Module(check_mode, boxes=boxes)
    with pytest.raises(Ended):
        converge(module, Shelf, Boxes(["a"]))
    assert module.journal == []


def test_a_line_in_the_journal_is_one_line_that_ansible_can_write():
    """AnsibleModule.log ends a run at a NUL byte and at half a character."""
    module = Module(boxes=["x\ny\0\udcffz" + "w" * 2000])
    with pytest.raises(Ended) as end:
        converge(module, Shelf, Boxes([]))
    assert end.value.args[0]["changed"] and len(module.journal[0]) == 1000
    assert module.journal[0].startswith("lunworks.iscsi step: Put the box 'x y  z")


@dataclass(frozen=True)
class Place:
    name: str
    box: str
    key: object = None


class Cupboard(Resource):
    """Places for boxes. It has a step for an empty place only, and no key."""

    def __init__(self, options):
        self.boxes, self.refused, self.key = options["boxes"], options.get("refused"), options.get("key")

    def look(self, host):
        return tuple(host)

    def want(self, seen):
        return tuple(Place(one.name, self.boxes.get(one.name, one.box), self.key or one.key) for one in seen)

    def plan(self, seen, want):
        return [PutInto(there.name, there.box) for one, there in zip(seen, want) if one.box == ""]

    def refuse(self, seen, want, steps):
        for one in seen:
            if self.refused and one.box == self.refused:
                raise Problem(f"There is '{one.box}' in '{one.name}'.")


@dataclass(frozen=True)
class PutInto(Step):
    place: str
    box: str

    def __str__(self):
        return f"Put '{self.box}' into '{self.place}'"

    def take(self, host):
        box = {"wrong": "another", "bomb": "bomb now"}.get(self.box, self.box)
        host[:] = [Place(one.name, box if one.name == self.place else one.box, one.key) for one in host]
        if self.box == "mouse":
            host.append(Place("hole", ""))
            host[0] = Place("low", "eaten")


def put(host, check_mode=False, **options):
    module = Module(check_mode, **options)
    with pytest.raises(Ended) as end:
        converge(module, Cupboard, Boxes(host))
    return {**end.value.args[0], "warnings": module.warnings}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_difference_without_a_step_fails_and_is_named(check_mode):
    told = put([Place("low", "a"), Place("high", "b")], check_mode, boxes={"high": "c"})
    assert told["failed"] and told["msg"] == (
        "The host differs from what was requested, and no step of this module changes that: 'high'.box is 'b', not 'c'."
    )


def test_a_step_that_led_elsewhere_fails_though_no_step_is_left():
    told = put([Place("low", "")], boxes={"low": "wrong"})
    assert told["failed"] and told["changed"] and told["steps"] == ["Put 'wrong' into 'low'"]
    assert (
        "All steps were taken, and then this was found: The host still differs from what was requested"
        in told["msg"]
    )
    assert "'low'.box is 'another', not 'wrong'" in told["msg"]


def test_refusals_are_asked_for_again_when_the_steps_were_taken():
    told = put([Place("low", "")], boxes={"low": "bomb"}, refused="bomb now")
    assert told["failed"] and told["changed"]
    assert told["msg"] == "All steps were taken, and then this was found: There is 'bomb now' in 'low'."


def test_a_secret_that_differs_is_named_and_not_told():
    told = put([Place("low", "a", Secret("opensesame!!"))], boxes={}, key=Secret("closesesame!"))
    assert told["failed"] and told["msg"].endswith("no step of this module changes that: 'low'.key.")
    assert "sesame" not in str(told)


def test_what_was_not_asked_for_and_has_changed_meanwhile_is_a_warning():
    class Thief(Boxes):
        def append(self, box):
            self[:] = [box]

    module = Module(boxes=["b"])
    with pytest.raises(Ended) as end:
        converge(module, Shelf, Thief(["a"]))
    assert end.value.args[0]["state"] == ["b"] and "failed" not in end.value.args[0]
    assert module.warnings[1:] == [
        "During this run somebody else changed something here that was not requested, and it was left as it is now: "
        "0 is 'b', was 'a'; 1 is None, was 'b'. No action is needed unless that change was unintended."
    ]


class Guess(Shelf):
    """It tries boxes of which nobody knows beforehand whether they are there to be put."""

    def again(self, after, want):
        return after

    def changed(self, seen, after, steps):
        return seen != after


@pytest.mark.parametrize(
    "check_mode, box, changed", [(True, "slippery", True), (False, "slippery", False), (False, "b", True)]
)
def test_a_resource_whose_steps_may_find_nothing_says_itself_whether_anything_changed(
    check_mode, box, changed
):
    with pytest.raises(Ended) as end:
        converge(Module(check_mode, boxes=[box]), Guess, Boxes(["a"]))
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
    host = Boxes([])
    told = ended_in_turn(host, low=["a"], high=["a", "b"])
    assert host == ["a", "b"]
    assert told["steps"] == ["Put the box 'a'", "Put the box 'b'"]
    assert told["changed"] and told["state"] == {"low": ["a"], "high": ["a", "b"]}
    assert told["diff"] == [{"prepared": "- Put the box 'a'\n- Put the box 'b'\n"}]
    host = Boxes([])
    told = ended_in_turn(host, low=["a"], high=["a", "b"], verbosity=2)
    assert told["diff"][1:] == [{"before": {"low": [], "high": ["a"]}, "after": told["state"]}]


class Labelled(Shelf):
    def texts(self, state):
        return {"/label": "".join(f"{box}\n" for box in state), "/same": "same\n"}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_diff_is_the_steps_and_the_text_files_that_differ(check_mode):
    with pytest.raises(Ended) as end:
        converge(Module(check_mode, boxes=["b"]), Labelled, Boxes(["a"]))
    label = {"before_header": "/label", "after_header": "/label", "before": "a\n", "after": "a\nb\n"}
    assert end.value.args[0]["diff"] == [{"prepared": "- Put the box 'b'\n"}, label]


def test_states_that_are_lists_are_shown_as_text():
    told = ended(Boxes(["a"]), boxes=["b"], verbosity=2)["diff"]
    assert told[1:] == [{"before": '[\n    "a"\n]\n', "after": '[\n    "a",\n    "b"\n]\n'}]


def test_a_fault_in_what_was_asked_of_a_later_resource_is_found_before_the_first_step():
    host = Boxes([])
    assert ended_in_turn(host, low=["a"], high=[""]) == {"failed": True, "msg": "A box must have a name."}
    assert host == []


@pytest.mark.parametrize("box, left", [("bomb", None), ("heavy", ["Put the box 'heavy'"])])
def test_where_a_later_resource_fails_what_the_earlier_ones_did_is_told(box, left):
    host = Boxes([])
    told = ended_in_turn(host, low=["a"], high=[box])
    assert host == ["a"]
    assert told["failed"] and told["changed"] and told["steps"] == ["Put the box 'a'"]
    assert told.get("steps_left") == left


def test_a_check_run_in_turn_asks_for_refusals_only_until_something_would_change():
    host = Boxes([])
    assert ended_in_turn(host, check_mode=True, low=["a"], high=["bomb"])["steps"] == [
        "Put the box 'a'",
        "Put the box 'bomb'",
    ]
    assert ended_in_turn(host, check_mode=True, low=[], high=["bomb"])["msg"] == "No bombs."
    assert host == []


class Locked(Boxes):
    """A host that notes when its locks are taken and given back."""

    def __init__(self):
        super().__init__()
        self.told = []

    @contextmanager
    def lock(self, path):
        self.told.append(f"take {path}")
        try:
            yield
        finally:
            self.told.append(f"give back {path}")


class LockedShelf(Shelf):
    locks = ("/run/shelf", "/run/another")

    def look(self, host):
        host.told.append("look")
        return tuple(host)


@pytest.mark.parametrize(
    ("check_mode", "told"),
    [
        (
            False,
            [
                "take /run/another",
                "take /run/shelf",
                "look",
                "look",
                "give back /run/shelf",
                "give back /run/another",
            ],
        ),
        (True, ["look"]),
    ],
)
def test_locks_are_held_from_the_first_look_to_the_last_and_a_check_takes_none(check_mode, told):
    host = Locked()
    with pytest.raises(Ended):
        converge(Module(check_mode, boxes=["a"]), LockedShelf, host)
    assert host.told == told


def test_locks_are_given_back_when_a_step_fails():
    host = Locked()
    with pytest.raises(Ended):
        converge(Module(boxes=["a", "heavy"]), LockedShelf, host)
    assert host.told[-2:] == ["give back /run/shelf", "give back /run/another"]
