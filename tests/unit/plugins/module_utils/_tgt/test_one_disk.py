# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt: one file is never behind two LUNs that a run of ours makes."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    NEXT,
    T,
    TgtHost,
    U,
    done,
    made,
    run,
    served,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

SERIAL = "11111111-2222-3333-4444-555555555555"
DISK = {"path": "/srv/luns/s.img", "serial": SERIAL}


def with_disk():
    return made(target(luns=[{"name": "a", **DISK}]))


@pytest.mark.parametrize(
    "more",
    [
        target(U, luns=[{"name": "b", **DISK}], who=(NEXT,)),
        target(luns=[{"name": "a", **DISK}, {"name": "b", **DISK}]),
    ],
    ids=["another target", "the same target"],
)
def test_a_file_that_is_served_is_not_served_again_with_the_same_serial(more):
    host = with_disk()
    before = served(host)
    result = run(host, more)
    assert "'/srv/luns/s.img' would be behind two LUNs" in result.get("msg", ""), result
    assert served(host) == before


def test_nor_by_the_module_lun():
    host = with_disk()
    done(host, {"name": U, "portals": ["192.0.2.1"]})
    before = served(host)
    host.process += 1
    options = {"provider": "tgt", "target": U, "name": "b", **DISK}
    result = killing.run(lambda: resources_of("lun", options), host)
    assert "would be behind two LUNs" in result.get("msg", ""), result
    assert served(host) == before


def test_nor_where_the_file_is_kept_and_does_not_run_now():
    host = with_disk()
    host.targets[1]["luns"].clear()
    before = served(host)
    result = run(host, target(U, luns=[{"name": "b", **DISK}], who=(NEXT,)))
    assert "would be behind two LUNs" in result.get("msg", ""), result
    assert served(host) == before


def test_two_luns_of_others_on_one_file_stay_and_a_lun_changes_its_number_and_target():
    twice = {number: {"path": "/srv/luns/x.img", "size": 64 << 20, "serial": "x" * 8} for number in (1, 2)}
    host = TgtHost(
        targets={1: {"name": T, "luns": twice}},
        files={"/srv/luns/x.img": {"size": 64 << 20}},
    )
    done(host, {"name": T, "enabled": False})
    host = with_disk()
    done(host, target(luns=[{"name": "a", "number": 5, **DISK}]))
    assert list(host.targets[1]["luns"]) == [5]
    done(host, {"name": T, "state": "absent"}, target(U, luns=[{"name": "a", **DISK}], who=(NEXT,)))
    assert [one["name"] for one in host.targets.values()] == [U]


@pytest.mark.parametrize("fails", ["path=/srv/luns/ta.img", "path=/srv/luns/tb.img"])
@pytest.mark.parametrize("numbers", [(2, 1), (5, 2), (2, 5)])
def test_luns_that_change_their_numbers_are_served_as_they_were_where_one_fails(numbers, fails):
    host = made(target())
    before = served(host)
    luns = [{"name": name, "number": number} for name, number in zip("ab", numbers)]
    host.fails = fails
    result = run(host, {"name": T, "luns": luns})
    if result.get("failed"):
        assert "What was served before is served again." in result["msg"]
        assert served(host) == before
        done(host, {"name": T, "luns": luns})
    assert {lun["path"][-5]: number for number, lun in host.targets[1]["luns"].items()} == dict(
        zip("ab", numbers)
    )
