# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target changes hands whole: whoever loses it is really gone before the other comes, wherever a run was killed."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.expected import found_label
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.lun_info import tell_luns
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._block.test_pv_label import GROUP
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    CHAP,
    NEXT,
    TGT,
    WHO,
    T,
    completed,
    done,
    logged_in,
    made,
    run,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import pv_bytes
from ansible_collections.lunworks.iscsi.tests.unit.tgt_host import TgtHost

HANDED = {
    "name": T,
    "igroups": [
        {"name": "g", "state": "absent", "luns": []},
        {"name": "h", "initiators": [NEXT], "luns": ["a"]},
    ],
}


def moving(chap=None, who=(WHO,)):
    """A target with one LUN that somebody uses."""
    host = logged_in(made(target(luns=("a",), chap=chap)), *who)
    host.files["/srv/luns/ta.img"]["bytes"] = pv_bytes(GROUP.format(7, ""))
    return host


def has_it(host):
    (lun,) = tell_luns(host, False)["luns"]
    return lun["initiators"], lun["saved_initiators"]


def notes(host, asked):
    """What people are told beside the steps."""
    resource = TGT.resource([completed(asked)])
    seen = resource.look(host)
    return list(resource.notes(seen, resource.plan(seen, resource.want(seen))))


def test_one_is_shut_out_and_gone_before_the_other_comes():
    host = moving()
    done(host, HANDED, force=True)
    rules = [one for one in host.did if one.startswith("run --op") and "account" not in one]
    assert [one.split(" --tid")[0] for one in rules] == [
        "run --op unbind --mode target",
        "run --op delete --mode conn",
        "run --op bind --mode target",
    ]
    assert (host.targets[1]["names"], host.targets[1]["sessions"]) == ([NEXT], {})
    assert has_it(host) == ([NEXT], [NEXT])
    assert not run(host, HANDED, force=True)["changed"]


class LateLogin(TgtHost):
    """Somebody who began to log in before he was shut out has a session after that."""

    def _target_unbind(self, options):
        self.targets[1]["sessions"][7] = WHO
        return super()._target_unbind(options)


def test_a_session_that_comes_while_its_initiator_is_shut_out_ends_too():
    host = moving(who=())
    host.__class__ = LateLogin
    done(host, HANDED, force=True)
    assert (host.targets[1]["names"], host.targets[1]["sessions"]) == ([NEXT], {})


class Stubborn(TgtHost):
    """A session that does not end: a command of it hangs in a disk."""

    def _conn_delete(self, options):
        return True


def test_nobody_comes_while_a_session_of_the_other_does_not_end():
    host = moving()
    host.__class__ = Stubborn
    said = run(host, HANDED, force=True)["msg"]
    assert "did not end within" in said
    assert host.targets[1]["names"] == []
    assert has_it(host) == ([WHO], [WHO])


def test_whoever_was_shut_out_by_a_run_that_was_killed_still_has_the_luns_until_the_next_one_ends_the_sessions():
    host = moving()
    host.targets[1]["names"] = []
    assert has_it(host) == ([WHO], [WHO])
    there = found_label(host, "/srv/luns/ta.img")
    expected = [{"target": T, "lun": "a", "group_uuid": there.uuid, "exported": None, "seqno": there.seqno}]
    told = done(host, HANDED, force=True, expected=expected)
    ended, proved, let_in = (
        next(at for at, step in enumerate(told["steps"]) if step.startswith(begin))
        for begin in ("End the sessions of", "Make sure that the PV", "Allow the initiator")
    )
    assert ended < proved < let_in
    assert has_it(host) == ([NEXT], [NEXT])


def test_sessions_that_tgtd_lets_go_on_are_told_and_end_only_where_somebody_forces_it():
    host = logged_in(made(target(luns=("a",))), WHO, NEXT)
    assert not done(host, target(luns=("a",)))["changed"]
    (told,) = notes(host, target(luns=("a",)))
    assert f"though it no longer lets them in: {NEXT}" in told
    assert host.targets[1]["sessions"] == {1: WHO, 2: NEXT}
    done(host, {"name": T, "parameters": {"InitialR2T": "No"}}, force=True)
    assert host.targets[1]["sessions"] == {1: WHO, 2: NEXT}
    done(host, target(luns=("a",)), force=True)
    assert host.targets[1]["sessions"] == {1: WHO}


def test_sessions_under_a_rule_for_addresses_are_nobodys_business():
    host = logged_in(made({"name": T, "portals": ["192.0.2.1"]}), NEXT)
    host.targets[1]["addresses"] = ["ALL"]
    asked = {"name": T, "parameters": {"InitialR2T": "No"}}
    (told,) = notes(host, asked)
    assert "lets in by address" in told
    done(host, asked, force=True)
    assert host.targets[1]["sessions"] == {1: NEXT}


@pytest.mark.parametrize("word", ["said", "silent"])
def test_the_accounts_stay_with_the_target(word):
    host = moving(chap=CHAP)
    given = {"name": T, "igroups": [HANDED["igroups"][0], {**HANDED["igroups"][1]}]}
    if word == "said":
        given["igroups"][1]["chap"] = CHAP
    done(host, given, force=True)
    assert host.targets[1]["incoming"] == [CHAP["user"]] and host.targets[1]["names"] == [NEXT]
    assert not run(host, given)["changed"]
