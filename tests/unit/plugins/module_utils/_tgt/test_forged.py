# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgtadm prints what initiators call themselves as they say it: nobody makes targets, LUNs or rules appear that way."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.tgtadm import find_target, look_targets
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    NEXT,
    WHO,
    T,
    U,
    done,
    made,
    run,
    served,
    target,
)

FAKE = "iqn.2026-01.com.example:fake"
SYSTEM = "    System information:\n        Driver: iscsi\n        State: ready\n"
REST = "    LUN information:\n    Account information:\n    ACL information:\n"
NEXUS = "    I_T nexus information:\n        I_T nexus: 1\n            Initiator: iqn.2026-01.com.example:x"
IP = "            Connection: 0\n                IP Address: 192.0.2.7\n"
# What an initiator of U (its number is 2) says as its alias; tgtadm prints ' alias: host' behind it.
ALIASES = {
    "a target of a number that is there": f"h\n{REST}Target 1: {FAKE}\n{SYSTEM}Target 99: soak\n{SYSTEM}    X information:\n ",
    "a whole target of a new number": f"h\n{IP}{REST}Target 9: {FAKE}\n{SYSTEM}{NEXUS}",
    "a whole target of another driver": f"h\n{IP}{REST}Target 9: {FAKE}\n{SYSTEM.replace('iscsi', 'iser')}{NEXUS}",
    "a whole target of its own number": f"h\n{IP}{REST}Target 2: {FAKE}\n{SYSTEM}{NEXUS}",
    "the name of a target that is there": f"h\n{IP}{REST}Target 9: {T}\n{SYSTEM}{NEXUS}",
    "no nexus": f"h\n{IP}{REST}Target 9: {FAKE}\n{SYSTEM}    I_T nexus information:\n ",
    "a section twice": f"h\n{REST}",
    "a section that is none": "h\n    X information:\n",
    "half a target": f"h\nTarget 9: {FAKE}\n",
    "a session twice": "h\n        I_T nexus: 1\n            Initiator: x",
}


@pytest.mark.parametrize("alias", ALIASES.values(), ids=ALIASES)
@pytest.mark.parametrize("asked", ["all of them", "one more LUN", "the forged one"])
def test_what_an_initiator_calls_itself_makes_no_target(alias, asked):
    host = made(target(), target(U, who=(NEXT,)))
    host.targets[2]["sessions"] = {1: f"{NEXT} alias: {alias}"}
    before = served(host)
    what, scope = {
        "all of them": ([target(), target(U, who=(NEXT,))], {"purge": True, "purge_targets": True}),
        "one more LUN": ([target(luns=("a", "b", "c"))], {}),
        "the forged one": ([{"name": FAKE, "state": "absent"}], {}),
    }[asked]
    result = run(host, *what, **scope)
    assert "what an initiator calls itself" in result.get("msg", ""), result
    assert served(host) == before
    with pytest.raises(Problem, match="what an initiator calls itself"):
        find_target(host, U)


def test_a_line_break_that_forges_nothing_hides_nobody_and_targets_below_sessions_are_proved():
    host = made(target(), target(U, who=(NEXT,)))
    host.targets[1]["sessions"] = {1: f"{WHO} alias: h\n            Initiator: {NEXT}\n   x: y"}
    host.targets[2]["sessions"] = {2: NEXT}
    assert [[one.initiator for one in found.sessions] for found in look_targets(host)] == [[WHO], [NEXT]]
    assert done(host, target(), target(U, who=(NEXT,)))["steps"] == []
    done(host, target(luns=("a", "b", "c")))
