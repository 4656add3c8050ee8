# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that is broken off tells what the target thinks of it."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._chap import Chap
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.relogin.login_probe import (
    LoginProbe,
    probe_login,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

ME, TARGET, PORTAL = (
    "iqn.2026-01.com.example:me",
    "iqn.2026-01.com.example:disk",
    Portal("10.0.1.1"),
)
GIVEN = {"user": "db", "secret": "twelve-bytes", "mutual_user": "store", "mutual_secret": "twelve-other"}
ONE_WAY = Chap("db", Secret("twelve-bytes"))
MUTUAL = Chap("db", Secret("twelve-bytes"), "store", Secret("twelve-other"))


def tried(target, **probe):
    host = ScriptedHost(portals={"10.0.1.1:3260": {TARGET: target} if target else {}})
    return probe_login(host, LoginProbe(**{"initiator": ME, "target": TARGET, "portal": PORTAL, **probe}))


@pytest.mark.parametrize(
    "target, probe",
    [
        ({"initiators": [ME]}, {}),
        ({"initiators": [ME]}, {"chap": ONE_WAY}),
        ({"initiators": [ME], "chap": GIVEN}, {"chap": ONE_WAY}),
        ({"initiators": [ME], "chap": GIVEN}, {"chap": MUTUAL}),
        ({"initiators": [ME], "chap": GIVEN}, {"chap": ONE_WAY, "insist": True}),
        ({"initiators": [ME], "chap": GIVEN, "hashes": "7"}, {"chap": MUTUAL, "hashes": "SHA256,MD5"}),
        ({"initiators": [ME], "chap": GIVEN, "hashes": "8"}, {"chap": MUTUAL, "hashes": "SHA3-256"}),
    ],
)
def test_who_is_right_is_let_in(target, probe):
    assert tried(target, **probe) == ""


@pytest.mark.parametrize(
    "target, probe, said",
    [
        (None, {}, "is not there, or does not let this initiator in"),
        ({"initiators": ["iqn.2026-01.com.example:other"]}, {}, "does not let this initiator in"),
        ({"initiators": [ME], "chap": GIVEN}, {}, "requires CHAP and got none"),
        (
            {"initiators": [ME], "chap": GIVEN},
            {"chap": Chap("db", Secret("wrong-secret"))},
            "rejects the CHAP",
        ),
        (
            {"initiators": [ME], "chap": GIVEN},
            {"chap": Chap("x", Secret("twelve-bytes"))},
            "rejects the CHAP",
        ),
        (
            {"initiators": [ME], "chap": GIVEN},
            {"chap": Chap("db", Secret("twelve-bytes"), "store", Secret("wrong-secret"))},
            "does not prove itself",
        ),
        (
            {"initiators": [ME], "chap": GIVEN},
            {"chap": MUTUAL, "hashes": "SHA256"},
            "none of the CHAP algorithms",
        ),
        ({"initiators": [ME]}, {"chap": ONE_WAY, "insist": True}, "does not accept CHAP"),
        ("busy", {}, "is not being served at the moment"),
        ({"initiators": [ME]}, {"portal": Portal("10.0.9.9")}, "at 10.0.9.9:3260 does not answer"),
    ],
)
def test_the_refusal_says_why_and_no_secret(target, probe, said):
    refusal = tried(target, **probe)
    assert said in refusal and TARGET in refusal
    assert "secret'" not in refusal and "twelve" not in refusal and "wrong" not in refusal
