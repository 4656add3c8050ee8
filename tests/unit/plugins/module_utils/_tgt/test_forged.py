# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgtadm prints what initiators call themselves as they say it: nobody makes targets, LUNs or rules appear that way."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.boot import LOGINS
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.kept import file_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.tgtadm import find_target, look_targets
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    CHAP,
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


@pytest.mark.parametrize("forged", [f"Target 9: {T}\n", f"Target 1: {FAKE}\n", ""])
def test_at_boot_nobody_is_let_into_a_target_that_is_forged(forged, tmp_path):
    (tmp_path / "lunworks-t.conf").write_text(made(target(chap=CHAP)).read(file_of(T)))
    text = LOGINS.replace("/etc/tgt/conf.d", str(tmp_path))
    functions, act = text.split('if "debug: on"')
    bound = []

    def ask(mode, op, tid=-1, body="", outgoing=0):
        if op == names["SHOW"]:
            return 0, f"Target 1: {T}\n{forged}" if mode == names["TARGET"] else "debug: off"
        bound.append((tid, body.partition("=")[0]))
        return 0, ""

    names = {}
    exec(functions, names)  # pylint: disable=exec-used
    names["ask"] = ask
    if forged:
        with pytest.raises(SystemExit, match="shown twice"):
            exec('if "debug: on"' + act, names)  # pylint: disable=exec-used
        assert bound == []
    else:
        exec('if "debug: on"' + act, names)  # pylint: disable=exec-used
        assert (1, "initiator-name") in bound
