# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same for IET and NetBSD's target: a check run says what the run then does, and neither is repeated."""

from __future__ import annotations

import copy
import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import converge
from ansible_collections.lunworks.iscsi.plugins.modules import targets
from ansible_collections.lunworks.iscsi.tests.unit.iet_host import ALLOW, CONF, PORTALS, IetHost
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._iet.test_iet import OLD, SECRET, T
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._netbsd.test_netbsd import (
    SEED,
    NetbsdHost,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_converge import Ended, Module

A = "iqn.2026-01.com.example:a"
CHAP = {"user": "db", "secret": SECRET, "mutual_user": "store", "mutual_secret": SECRET[::-1]}
LUN = {"name": "a", "path": "/srv/a.img", "size": "1m"}


def iet():
    text = {CONF: OLD, ALLOW: "ALL ALL\n", PORTALS: "ALL ALL\n", "/srv/old.img": {"size": 1 << 20}}
    group = {"name": "db", "initiators": [A], "luns": ["a"]}
    target = {"name": T, "portals": ["192.0.2.1"], "luns": [LUN], "parameters": {"MaxConnections": 2}}
    return IetHost(text), [
        [{**target, "igroups": [group]}],
        [
            {
                **target,
                "luns": [{**LUN, "size": "2m", "read_only": True}],
                "igroups": [{**group, "chap": CHAP}],
            }
        ],
        [{"name": T, "state": "absent"}],
    ]


def netbsd():
    target = {"name": T, "portals": ["::"], "luns": [LUN]}
    return NetbsdHost(SEED, runs=True), [
        [target],
        [{**target, "luns": [{**LUN, "size": "2m", "read_only": True}]}],
        [{"name": T, "state": "absent"}],
    ]


def ended(host, provider, asked, check_mode):
    checked = ArgumentSpecValidator(targets.SPEC).validate(
        {"provider": provider, "targets": copy.deepcopy(asked), "force": True}
    )
    assert not checked.error_messages
    with pytest.raises(Ended) as end:
        converge(Module(check_mode, **checked.validated_parameters), targets.resource, host)
    result = end.value.args[0]
    assert SECRET not in json.dumps(result) and SECRET[::-1] not in json.dumps(result)
    return result


@pytest.mark.parametrize("make", [iet, netbsd], ids=lambda make: make.__name__)
def test_a_check_run_says_what_the_run_does_and_changes_nothing(make):
    host, stories = make()
    for asked in stories:
        host.did, before = [], copy.deepcopy(host.files)
        check = ended(host, make.__name__, asked, True)
        assert check["changed"] and host.did == [] and host.files == before
        run = ended(host, make.__name__, asked, False)
        assert run == check, "steps, state and diff"
        host.did = []
        assert not ended(host, make.__name__, asked, True)["changed"]
        assert not ended(host, make.__name__, asked, False)["changed"]
        assert host.did == []
