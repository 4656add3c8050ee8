# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many logins in one call: portals that hang or stay away hold up nobody, and the result says what became of each."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    given,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import succeeded
from ansible_collections.lunworks.iscsi.tests.integration.stalling import ALWAYS, AT_LOGIN, stalling

STATES = "/sys/class/iscsi_session/*/state"
# Seconds for a login: all begin at once, and a small host takes a minute for a hundred of them.
FEW, MANY = 20, 120


@pytest.fixture(scope="module")
def first(storage):
    return portals_of(storage)[0]


def named(number):
    return [f"many{n}" for n in range(number)]


def absent(compute, names):
    succeeded(
        compute, compute.module("nodes", nodes=[{"target": f"{IQN}:{n}", "state": "absent"} for n in names])
    )


@pytest.fixture(scope="module")
def hung(storage, first):
    """A portal that hangs at logins; beside it is one that says nothing at all."""
    with stalling(storage, first):
        yield f"{first}:{AT_LOGIN}"


@pytest.fixture(scope="module")
def few(storage, compute, hung):
    names = named(4)
    with given(storage, compute, *(target(n, storage, compute) for n in names)):
        yield names


@pytest.fixture(scope="module")
def many(long_story, storage, compute, hung):
    names = named(32)
    with given(storage, compute, *(target(n, storage, compute) for n in names)):
        yield names


def nodes(names, portals, seconds=FEW):
    hasty = {"node.session.initial_login_retry_max": 1, "node.conn[0].timeo.login_timeout": seconds}
    return [{"target": f"{IQN}:{n}", "portals": portals, "settings": hasty, "logged_in": True} for n in names]


def all_but_those_that_hang(storage, compute, names, hung, seconds):
    """Every target over two portals that work, the first four over one more that hangs at its login."""
    good, stuck, results = portals_of(storage), names[:4], []
    asked = nodes(names, good, seconds) + nodes(stuck, [hung], seconds)
    run = threading.Thread(target=lambda: results.append(compute.module("nodes", nodes=asked)))
    run.start()
    # A cheap question, asked on the host itself: many logins of ssh and iscsiadm would hold up those that are waited for.
    reached = f"test $(cat {STATES} 2>/dev/null | grep -c LOGGED_IN) = {len(good) * len(names)}"
    while (
        run.is_alive()
        and compute.run(f"timeout 20 sh -c 'until {reached}; do sleep 1; done'", check=False).rc
    ):
        pass
    stood_first = run.is_alive()
    run.join()
    result = results[0]
    hanging = sorted(f"Log in to '{IQN}:{name}' at {hung}" for name in stuck)
    assert result["failed"] and result.get("changed"), result
    assert sorted(result["steps_left"]) == hanging, result["problems"]
    assert sorted(problem.rpartition(": ")[0] for problem in result["problems"]) == hanging
    assert len([step for step in result["steps"] if step.startswith("Log in")]) == len(good) * len(names)
    there = compute.module("initiator_info")["sessions"]  # where iscsid goes on trying, that one too
    found = [(one["target"], one["portal"]) for one in there if one["portal"] != hung]
    assert sorted(found) == sorted((f"{IQN}:{name}", f"{portal}:3260") for name in names for portal in good)
    assert stood_first, "the logins that work waited for those that hang"
    return result["problems"]


def test_a_login_that_hangs_holds_up_no_other_and_is_named(few, storage, compute, hung):
    problems = all_but_those_that_hang(storage, compute, few, hung, FEW)
    assert all("did not answer in time. The new record was deleted again" in each for each in problems), (
        problems
    )
    for name in few:
        assert hung not in records(compute, name)
    rest = nodes(few, portals_of(storage))
    assert not succeeded(compute, compute.module("nodes", nodes=rest))["changed"]
    absent(compute, few)


def test_a_portal_that_says_nothing_may_stay_away(few, compute, first):
    silent = f"{first}:{ALWAYS}"
    ran = succeeded(
        compute, compute.module("nodes", nodes=nodes(few[:1], [first, silent]), unreachable="skip")
    )
    assert ran["steps"] == [
        f"Record '{IQN}:{few[0]}' at {first}:3260",
        f"Record '{IQN}:{few[0]}' at {silent}",
        f"Log in to '{IQN}:{few[0]}' at {first}:3260",
    ]
    assert "not logged in" in str(ran["warnings"])
    assert sessions(compute, few[0]) == [f"{first}:3260"]
    assert sorted(records(compute, few[0])) == [f"{first}:3260", silent]
    told = {node["portal"]: node for node in ran["state"]["nodes"]}
    assert told[silent]["login_blocked_by"].startswith("does not answer") and not told[silent]["logged_in"]
    assert told[f"{first}:3260"]["login_blocked_by"] is None and told[f"{first}:3260"]["logged_in"]
    absent(compute, few)


def test_thirty_two_targets_with_two_portals_each_in_one_call(many, storage, compute, hung):
    # iscsid's patience or ours, whichever ends first
    for each in all_but_those_that_hang(storage, compute, many, hung, MANY):
        assert "did not answer in time" in each or "iscsid keeps trying" in each
    rest = nodes(many, portals_of(storage), MANY)
    assert not succeeded(compute, compute.module("nodes", nodes=rest))["changed"]
    absent(compute, many)
    assert compute.module("initiator_info")["sessions"] == []
