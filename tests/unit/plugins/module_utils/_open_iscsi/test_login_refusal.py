# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that fails says what the target says, where the exit code of iscsiadm points elsewhere."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import Record, RecordId
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.session import LogIn
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

ME, NAS = "iqn.2026-01.com.example:me", "iqn.2000-01.com.synology:NAS02"
LOGIN = f"iscsiadm -m node -T {NAS} -p 10.0.1.1:3260,1 -I default -l"
CHAP = {"user": "db", "secret": "twelve-bytes"}


def refused(code, targets, silent=None, **settings):
    """What a login says that iscsiadm ended with this code, at a portal that serves these targets."""
    host = ScriptedHost(
        files={"/etc/iscsi/initiatorname.iscsi": f"InitiatorName={ME}\nInitiatorName=other\n"},
        runs={LOGIN: {"rc": code}},
        portals={"10.0.1.1:3260": targets},
        silent=silent,
    )
    said = {
        "node.name": NAS,
        "node.tpgt": "1",
        "node.conn[0].address": "10.0.1.1",
        "node.conn[0].port": "3260",
    }
    with pytest.raises(Problem) as problem:
        LogIn(RecordId.of(NAS, Portal("10.0.1.1")), Record({**said, **settings}, "/x"), False, 30).take(host)
    return str(problem.value)


def test_an_initiator_without_an_igroup_is_told_so_and_by_its_name():
    said = refused(24, {NAS: {"initiators": ["iqn.2026-01.com.example:other"]}})
    assert "does not let this initiator in. Is its name in an igroup (ACL) there?" in said
    assert said.endswith(f"This host is '{ME}'.")


def test_a_wrong_secret_is_told_so():
    chap = {"node.session.auth.username": "db", "node.session.auth.password": Secret("wrong-secret")}
    assert "rejects the CHAP user or secret" in refused(24, {NAS: {"initiators": [ME], "chap": CHAP}}, **chap)


@pytest.mark.parametrize("code", [8, 11])
def test_a_target_that_is_not_there_did_not_fail_to_answer(code):
    said = refused(code, {NAS.lower(): {"initiators": [ME]}})
    assert "is not there" in said and "in time" not in said


def test_a_portal_that_is_away_did_not_answer_in_time():
    assert "did not answer in time" in refused(8, {}, {"10.0.1.1:3260": "timed out"})


def test_a_target_that_would_let_it_in_now_leaves_the_exit_code():
    assert "or has no igroup (ACL) with the name" in refused(24, {NAS: {"initiators": [ME]}})


def test_a_card_is_not_asked_through_the_kernel():
    said = refused(24, {NAS: {"initiators": []}}, **{"iface.transport_name": "qla4xxx"})
    assert "or has no igroup (ACL) with the name" in said


def test_a_target_that_talks_nonsense_is_no_traceback():
    wrong = {"initiators": [ME], "chap": CHAP, "nonsense": True}
    chap = {"node.session.auth.username": "db", "node.session.auth.password": Secret("twelve-bytes")}
    assert "something that is not a login response (RFC 7143)" in refused(24, {NAS: wrong}, **chap)
