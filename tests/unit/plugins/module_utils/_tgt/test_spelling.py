# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgtd compares the names of initiators byte by byte: they stay as they are written."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.info import tell_targets
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    T,
    TgtHost,
    done,
    logged_in,
    made,
    run,
    target,
)

CAPITALS = "iqn.2026-01.com.example:DB-A"
ALONE = {"name": CAPITALS, "initiators": [CAPITALS], "luns": ["a", "b"]}


def by_hand():
    lun = {"path": "/srv/luns/x.img", "size": 64 << 20}
    given = {"name": T, "luns": {1: lun}, "names": [CAPITALS]}
    return TgtHost(files={"/srv/luns/x.img": {"size": 64 << 20}}, targets={1: given})


@pytest.mark.parametrize("igroups", [target(who=(CAPITALS,))["igroups"], [ALONE]], ids=["named", "alone"])
def test_an_initiator_is_allowed_as_it_is_written(igroups):
    asked = target(igroups=igroups)
    host = made(asked)
    assert host.targets[1]["names"] == [CAPITALS]
    assert not done(host, asked, purge=True)["changed"] and tell_targets(host, None)["drift"] == []
    logged_in(host, CAPITALS)
    assert "Logged in is" in run(host, {"name": T, "igroups": [{**igroups[0], "state": "absent"}]})["msg"]


@pytest.mark.parametrize("name", ["g", CAPITALS])
def test_one_that_is_allowed_already_stays(name):
    host = logged_in(by_hand(), CAPITALS)
    for asked in (
        {"name": T},
        {"name": T, "igroups": [{"name": name, "initiators": [CAPITALS], "luns": ["lun1"]}]},
    ):
        done(host, asked, purge=True)
        assert host.targets[1]["names"] == [CAPITALS]
        assert not done(host, asked, purge=True)["changed"]
    done(host, {"name": T, "igroups": [{"name": name, "luns": ["lun1"]}]}, purge=True)
    assert host.targets[1]["names"] == [CAPITALS]
