# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgtadm prints what initiators call themselves as they say it: nobody makes targets, LUNs or rules appear that way."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._chap import Chap
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.boot import LOGINS
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.discovery import render_discovery
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


class Boot:
    """The program that tgt's service runs at a boot, with one of our targets, and what it asks of tgtd."""

    def __init__(self, tmp_path, given=None, shown=f"Target 1: {T}\n", debug=False, fails=()):
        text = made(given or target(chap=CHAP)).read(file_of(T))
        (tmp_path / "lunworks-t.conf").write_text(text)
        self.discovery = tmp_path / "discovery.json"
        program = LOGINS.replace("/etc/tgt/conf.d", str(tmp_path)).replace("@DISCOVERY@", str(self.discovery))
        functions, act = program.split("LOGGED =")
        self.did, self.names, self.act = [], {}, "LOGGED =" + act
        self.shown, self.debug, self.fails = shown, debug, fails
        exec(functions, self.names)  # pylint: disable=exec-used
        self.names["ask"] = self.ask

    def ask(self, mode, op, tid=-1, body="", outgoing=0):
        if op == self.names["SHOW"]:
            return 0, self.shown if mode == self.names[
                "TARGET"
            ] else f"debug: {'on' if self.debug else 'off'}"
        self.did.append((op, tid, body, outgoing))
        return 14 if (op, tid) in [(self.names[name], where) for name, where in self.fails] else 0, ""

    def run(self):
        exec(self.act, self.names)  # pylint: disable=exec-used


@pytest.mark.parametrize("forged", [f"Target 9: {T}\n", f"Target 1: {FAKE}\n", ""])
def test_at_boot_nobody_is_let_into_a_target_that_is_forged(forged, tmp_path):
    boot = Boot(tmp_path, shown=f"Target 1: {T}\n{forged}")
    if forged:
        with pytest.raises(SystemExit, match="shown twice"):
            boot.run()
        assert boot.did == []
    else:
        boot.run()
        assert (1, "initiator-name") in [(tid, body.partition("=")[0]) for _op, tid, body, _way in boot.did]


@pytest.mark.parametrize("debug", [False, True])
def test_at_boot_discovery_asks_before_anybody_is_let_in(debug, tmp_path):
    boot = Boot(tmp_path, debug=debug)
    boot.discovery.write_text(render_discovery(Chap("scout", Secret("a secret"), "array", Secret("another"))))
    new, bind = boot.names["NEW"], boot.names["BIND"]
    if debug:
        with pytest.raises(SystemExit, match="debug: on"):
            boot.run()
        assert boot.did == []
        return
    boot.run()
    assert boot.did[:4] == [
        (new, -1, "user=scout,password=a secret", 0),
        (bind, -1, "user=scout", 0),
        (new, -1, "user=array,password=another", 0),
        (bind, -1, "user=array", 1),
    ]
    assert boot.did[-1] == (bind, 1, f"initiator-name={WHO}", 0)


@pytest.mark.parametrize(
    "kept, said",
    [
        (render_discovery(Chap("scout", Secret("a secret"))), "no CHAP account (error 14)"),
        ('{"user": "scout", "secr', "JSONDecodeError"),
        ('{"user": "scout"}', "KeyError"),
        ("[]", "TypeError"),
        (None, "IsADirectoryError"),
    ],
)
def test_at_boot_targets_let_in_though_discovery_cannot_ask(kept, said, tmp_path):
    boot = Boot(tmp_path, fails=[("BIND", -1)])
    boot.discovery.mkdir() if kept is None else boot.discovery.write_text(kept)
    with pytest.raises(SystemExit) as ended:
        boot.run()
    told = str(ended.value)
    assert f"discovery may ask nobody for CHAP: {said}" in told and "a secret" not in told
    assert boot.did[-1] == (boot.names["BIND"], 1, f"initiator-name={WHO}", 0)


def test_at_boot_the_nops_of_a_target_are_set_before_its_initiators_come(tmp_path):
    given = {**target(chap=CHAP), "parameters": {"nop_interval": 10, "InitialR2T": "No"}}
    boot = Boot(tmp_path, given)
    ran = SimpleNamespace(run=lambda argv, check: boot.did.append((" ".join(argv),)))
    boot.names["subprocess"] = ran
    boot.run()
    update = ("tgtadm --lld iscsi --op update --mode target --tid 1 --name nop_interval --value 10",)
    let_in = (boot.names["BIND"], 1, f"initiator-name={WHO}", 0)
    assert [one for one in boot.did if one in (update, let_in)] == [update, let_in]
