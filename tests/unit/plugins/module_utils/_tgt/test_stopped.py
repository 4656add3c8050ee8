# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt where tgtd does not run or is not there at all: what goes is gone before a start, and needs none."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.kept import file_of
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    CHAP,
    NEXT,
    TGT,
    WHO,
    T,
    TgtHost,
    U,
    completed,
    done,
    made,
    run,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost


def stopped(*targets):
    host = made(*targets)
    host.active, host.targets, host.accounts = False, {}, {}
    return host


def ours(host):
    return [path for path in host.files if "lunworks" in path]


def test_what_shall_be_absent_is_no_longer_kept_and_tgtd_is_not_started():
    for asked, scope in (
        ([{"name": T, "state": "absent"}], {}),
        ([], {"purge": True, "purge_targets": True}),
    ):
        host = stopped(target(chap=CHAP))
        done(host, *asked, **scope)
        assert (host.active, ours(host)) == (False, [])
        assert not done(host, *asked, **scope)["changed"]


def test_without_tgt_only_files_of_ours_are_to_be_removed():
    host = stopped(target())
    for path in ("/usr/sbin/tgtadm", "/lib/systemd/system/tgt.service"):
        del host.files[path]
    done(host, {"name": T, "state": "absent"})
    assert file_of(T) not in host.files
    result = killing.run(lambda: [TGT.resource([{"name": T, "state": "absent"}])], ScriptedHost({}))
    assert (result.get("failed"), result["changed"]) == (None, False), result


class Watching(TgtHost):
    """Remembers whom its targets let in, and what they served, when tgtd had been started."""

    def _start(self):
        super()._start()
        self.first = {one["name"]: (list(one["names"]), sorted(one["luns"])) for one in self.targets.values()}


def test_what_goes_is_not_served_by_the_start():
    host = stopped(target(who=(WHO,)), target(U, who=(NEXT,)))
    host.__class__ = Watching
    done(host, target(luns=("a",), who=(NEXT,)), {"name": U, "state": "absent"}, purge=True)
    assert host.first == {T: ([], [1])}
    assert [(one["name"], one["names"]) for one in host.targets.values()] == [(T, [NEXT])]
    assert not done(host, target(luns=("a",), who=(NEXT,)), purge=True)["changed"]


def test_a_run_that_is_killed_there_is_healed():
    asked = (target(luns=("a", "c"), who=(NEXT,), chap=CHAP), {"name": U, "state": "absent"})
    for end in range(100):
        host = stopped(target(who=(WHO,), chap=CHAP), target(U, who=(NEXT,)))
        mortal = killing.Mortal(host, end)
        killing.run(lambda: [TGT.resource([completed(one) for one in asked], purge=True)], mortal)
        if not mortal.dead:
            break
        done(host, *asked, purge=True)
        assert not done(host, *asked, purge=True)["changed"]
        assert [one["names"] for one in host.targets.values()] == [[NEXT]]
    assert end > 5


def test_an_igroup_that_is_not_there_goes_without_a_change():
    for rule in ("ALL", "10.0.0.0/8"):
        host = TgtHost(
            files={"/srv/luns/x.img": {"size": 64 << 20}},
            targets={
                1: {
                    "name": T,
                    "luns": {1: {"path": "/srv/luns/x.img", "size": 64 << 20}},
                    "addresses": [rule],
                }
            },
        )
        asked = {"name": T, "igroups": [{"name": "zz", "state": "absent"}]}
        assert not done(host, asked, inside=True)["changed"] and host.did == []
        done(host, {"name": T})
        result = run(host, asked)
        assert not result["changed"] and host.targets[1]["addresses"] == [rule], result
