# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBSD's target: what is written is what its daemon reads, what others wrote stays, and nothing of Linux is needed."""

from __future__ import annotations

import random
import subprocess
import sys
from functools import partial

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils import _host_file
from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half, _take
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem, Ran
from ansible_collections.lunworks.iscsi.plugins.module_utils._netbsd.conf import targets_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._netbsd.info import tell_luns, tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._netbsd.provider import NETBSD
from ansible_collections.lunworks.iscsi.plugins.module_utils._netbsd.state import NOTE
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.netbsd_reader import columns, read_targets
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FILE, AUTHS, RC = "/etc/iscsi/targets", "/etc/iscsi/auths", "/etc/rc.d/iscsi_target"
T = "iqn.2026-01.com.example:t"
SEED = """\
# Complex file showing 3-way RAID1 (with RAID1 components),
# also using local and (NFS) remote components

# extents
extent0	/iscsi/extents/0			0	100MB
extent1	/imports/remote1/iscsi/extents/0	0	100MB
extent2	/iscsi/extents/1			0	100MB
extent3	/imports/remote1/iscsi/extents/1	0	100MB
extent4	/iscsi/extents/2			0	100MB
extent5	/imports/remote1/iscsi/extents/2	0	100MB
extent6	/iscsi/extents/3			0	100GB

# devices
device0	RAID1		extent0 extent1
device1	RAID1		extent2 extent3
device2	RAID1		extent4 extent5
device3	RAID1		device0 device1 device2

# targets
target0	device3		10.4.0.0/16

# a target can be made from just an extent
target1	extent6		127.0.0.0/8
"""
DEFAULT = "iqn.1994-04.org.netbsd.iscsi-target:"


class NetbsdHost(ScriptedHost):
    """A host that has neither /proc nor /sys, and the daemon behind its script."""

    def __init__(self, text=None, runs=False, boots=True, **files):
        base = {RC: "#!/bin/sh\n", "/etc/rc.conf": "iscsi_target=YES\n" if boots else ""}
        super().__init__({**base, FILE: text, **files})
        self.runs_now, self.served = runs, text if runs else None

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        assert argv[0] == RC, argv
        if argv[1] == "onestatus":
            rc = 0 if self.runs_now else 1
            assert ok is None or rc in ok
            return Ran(rc, "", "")
        self.did.append(f"run {' '.join(argv)}")
        self.runs_now = argv[1] == "onestart"
        self.served = self.read(FILE) if self.runs_now else None
        assert not self.runs_now or self.files.get(AUTHS), "it would exit when an initiator offers CHAP"
        return Ran(0, "", "")


def converge(host, door="targets", **options):
    (resource,) = resources_of(door, {"provider": "netbsd", **options})
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    assert steps or seen == want
    _take(steps, host)
    after = resource.look(host)
    again = resource.again(after, want)
    assert resource.plan(after, again) == [] and after == again
    assert resource.plan(after, want) == []
    resource.show(after)
    return [str(step) for step in steps]


def whole(**more):
    return {"name": T, "portals": ["::"], "luns": [{"name": "a", "path": "/srv/a.img", "size": "1m"}], **more}


def test_a_target_is_written_with_rw_and_its_auths_and_started():
    host = NetbsdHost()
    assert converge(host, targets=[whole()]) == [
        "Make the file '/srv/a.img' of 1 MiB, sparse",
        "Write '/etc/iscsi/auths'",
        "Write '/etc/iscsi/targets'",
        "Start the iSCSI target",
    ]
    assert host.read(FILE) == f"extent0_a\t/srv/a.img\t0\t1048576\ntarget0={T}\trw\textent0_a\tany\n"
    assert host.files[AUTHS]["mode"] == 0o600
    assert converge(host, targets=[whole()]) == []


def test_a_change_stops_and_starts_it_and_so_is_refused_without_force():
    host = NetbsdHost()
    converge(host, targets=[whole()])
    host.did = []
    bigger = {"target": T, "name": "a", "size": "2m"}
    with pytest.raises(
        Problem, match="who is logged in cannot be seen here. Log out everywhere, and set force"
    ):
        converge(host, "lun", **bigger)
    assert host.did == []
    assert converge(host, "lun", **bigger, force=True) == [
        "Extend the file '/srv/a.img' to 2 MiB, sparse",
        "Stop the iSCSI target, which ends all sessions",
        "Write '/etc/iscsi/targets'",
        "Start the iSCSI target",
    ]
    assert host.served == host.read(FILE) and read_targets(host.served)[T]["disk"][3] == 2 << 20


def test_the_seeds_three_way_mirror_is_read_and_kept():
    host = NetbsdHost(SEED, runs=True)
    told = {one["name"]: one for one in tell_targets(host, None)["targets"]}
    mirror = told[f"{DEFAULT}target0"]
    assert set(mirror["members"]) == {f"device{at}" for at in range(4)} | {f"extent{at}" for at in range(6)}
    assert mirror["mask"] == "10.4.0.0/16" and mirror["luns"][0]["read_only"], "three columns mean read-only"
    assert told[f"{DEFAULT}target1"]["luns"][0]["size"] == 100 << 30
    luns = {one["target"]: one for one in tell_luns(host, False)["luns"]}
    assert "is the device 'device3'" in luns[f"{DEFAULT}target0"]["unreadable_reason"]
    converge(host, targets=[whole()], force=True)
    assert host.read(FILE).startswith(SEED)
    named = read_targets(host.read(FILE), strict=True)
    assert named[T]["disk"] == ("extent", "/srv/a.img", 0, 1 << 20)
    assert {name: one for name, one in named.items() if name != T} == read_targets(SEED, strict=True)


def test_three_columns_become_four_where_somebody_writes_to_the_target():
    host = NetbsdHost(SEED)
    luns = [{"name": "lun0", "read_only": False}]
    converge(host, targets=[{"name": f"{DEFAULT}target0", "luns": luns}])
    assert host.read(FILE) == SEED.replace(
        "target0	device3		10.4.0.0/16", "target0\trw\tdevice3\t10.4.0.0/16"
    )
    with pytest.raises(Problem, match="made of others: its path and size are not set here"):
        converge(host, targets=[{"name": f"{DEFAULT}target0", "luns": [{"name": "lun0", "size": "1g"}]}])
    converge(host, targets=[{"name": f"{DEFAULT}target0", "state": "absent"}], force=True)
    assert host.read(FILE) == SEED.replace("target0	device3		10.4.0.0/16\n", "")


def test_a_stripe_of_several_members_is_refused_and_pointed_at():
    text = "extent0 /a 0 1MB\nextent1 /b 0 1MB\ndevice0 RAID0 extent0 extent1\ntarget0 rw device0 any\n"
    host = NetbsdHost(text)
    with pytest.raises(Problem, match="destroys data"):
        converge(host, targets=[{"name": f"{DEFAULT}target0", "luns": [{"name": "lun0", "read_only": True}]}])
    (resource,) = resources_of("targets", {"provider": "netbsd", "targets": [whole()]})
    assert any("'device0' is a RAID0" in note for note in resource.notes(resource.look(host), []))


def test_a_run_that_was_killed_between_stop_and_start_is_finished():
    host = NetbsdHost()
    bigger = whole(luns=[{"name": "a", "size": "3m"}])
    converge(host, targets=[whole()])
    (resource,) = resources_of(
        "targets",
        {"provider": "netbsd", "force": True, "targets": [bigger]},
    )
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    _take(steps[:-1], host)
    assert not host.runs_now
    assert converge(host, targets=[bigger]) == ["Start the iSCSI target"]


TWO = (
    f"extent0_a\t/srv/a.img\t0\t1048576\ntarget0={T}\trw\textent0_a\tany\n"
    f"extent1_b\t/srv/b.img\t0\t1048576\ntarget1={T}b\trw\textent1_b\tany\n"
)
BEHIND = {"/srv/a.img": {"size": 1 << 20}, "/srv/b.img": {"size": 1 << 20}, AUTHS: "x\n"}
MORE = whole(name=f"{T}c", luns=[{"name": "c", "path": "/srv/c.img", "size": "1m"}])


@pytest.mark.parametrize("boots", [True, False])
@pytest.mark.parametrize(
    "request_",
    [
        {"targets": [{"name": T, "state": "absent"}]},
        {"targets": [MORE]},
        {"targets": [whole()], "purge": True},
    ],
)
@pytest.mark.parametrize("again", ["the same", "nothing"])
def test_a_run_that_was_killed_anywhere_does_not_leave_the_daemon_down(boots, request_, again):
    """Whatever the next run asks for: the same, or nothing at all."""
    killed = 0
    for end in range(60):
        host = NetbsdHost(TWO, runs=True, boots=boots, **BEHIND)
        mortal = killing.Mortal(host, end)
        killing.run(
            lambda: resources_of("targets", {"provider": "netbsd", "force": True, **request_}), mortal
        )
        if not mortal.dead:
            break
        killed += 1
        host.process += 1
        options = {"force": True, **request_} if again == "the same" else {"targets": []}
        down = not host.runs_now
        result = killing.run(partial(resources_of, "targets", {"provider": "netbsd", **options}), host)
        assert "failed" not in result and (result["changed"] or not down), (end, result)
        assert host.runs_now and host.served == host.read(FILE), (end, result)
        assert NOTE not in host.files
    assert killed > 10


def test_the_last_target_leaves_no_order_to_start_behind():
    host = NetbsdHost(TWO, runs=True, boots=False, **BEHIND)
    converge(host, targets=[{"name": T, "state": "absent"}, {"name": f"{T}b", "state": "absent"}], force=True)
    killing.run(lambda: resources_of("targets", {"provider": "netbsd", "targets": [whole()]}), host)
    assert not host.runs_now and NOTE not in host.files


def test_a_file_that_cannot_be_written_leaves_the_daemon_running():
    host = NetbsdHost(TWO, runs=True, boots=False, **BEHIND)
    (resource,) = resources_of("targets", {"provider": "netbsd", "targets": [MORE], "force": True})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    host.files[FILE] = TWO + "# and more\n"
    with pytest.raises(
        Half, match="changed by somebody else meanwhile. Run again. What was served before is served again"
    ):
        _take(steps, host)
    assert host.runs_now and host.served == host.files[FILE] and NOTE not in host.files


def test_a_file_that_somebody_changes_meanwhile_is_not_overwritten():
    host = NetbsdHost(SEED)
    (resource,) = resources_of("targets", {"provider": "netbsd", "targets": [whole()]})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    host.files[FILE] = SEED + "# and more\n"
    with pytest.raises(Half, match="changed by somebody else"):
        _take(steps, host)


def test_there_is_no_wwid_to_find_a_lun_by():
    with pytest.raises(Problem, match="changes at every start"):
        NETBSD.wwid("42424242")


LINUX = "os.listxattr os.setxattr os.getxattr os.O_DIRECT socket.AF_NETLINK socket.SO_BINDTODEVICE time.CLOCK_BOOTTIME"


def test_its_modules_are_imported_by_a_python_that_knows_nothing_of_linux():
    names = ("targets", "target", "lun", "igroup", "target_info", "lun_info")
    imports = [f"import ansible_collections.lunworks.iscsi.plugins.modules.{name}" for name in names]
    code = ["import os, socket, sys, time", f"sys.path[:] = {sys.path!r}", f"for name in {LINUX.split()!r}:"]
    code += ["    place, name = name.split('.')", "    delattr(globals()[place], name)"]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join([*code, *imports])], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_a_file_is_replaced_where_python_has_no_extended_attributes(tmp_path, monkeypatch):
    for name in ("listxattr", "setxattr", "getxattr"):
        monkeypatch.delattr(_host_file.os, name)
    path = tmp_path / "targets"
    path.write_text("old\n")
    _host_file.replace_file(str(path), "new\n", None)
    assert path.read_text() == "new\n"


# Inventories: what others may have written, and what somebody may ask for.
ODD = ("", "# a comment\n", "\n", "   # another\n", "unknown entry\n", "\t\n")


def others(random_):
    text = random_.choice(ODD)
    for number in range(random_.randrange(4)):
        blank = random_.choice((" ", "\t", "  \t "))
        path = random_.choice((f"/x/{number}", f"/x/with\\ blank{number}"))
        count = random_.choice((1, 2, 3))
        extents = [f"extent{number}{at}" for at in range(count)]
        for at, extent in enumerate(extents):
            text += (
                blank.join([extent, f"{path}-{at}", "0", random_.choice(("1MB", "1048576", "1024KB"))]) + "\n"
            )
        storage = extents[0]
        if count > 1:
            storage = f"device{number}"
            text += blank.join([storage, random_.choice(("RAID1", "RAID1", "RAID0")), *extents[:-1]])
            text += random_.choice((blank, blank, f"{blank}\\\n", f"\\\n{blank}")) + extents[-1] + "\n"
        named = (
            f"target{number}=iqn.2001-04.org.other:Disk{number}",
            f"lun{number}=iqn.2001-04.org.o:{number}",
        )
        name = random_.choice((f"target{number}", *named))
        middle = random_.choice(([], ["rw"], ["ro"], ["readonly"]))
        text += blank.join([name, *middle, storage, random_.choice(("any", "10.4.0.0/16", "none"))]) + "\n"
        text += random_.choice(ODD)
    return text[:-1] if text and random_.random() < 0.1 else text


def requested(random_):
    found = []
    for number in range(random_.randrange(1, 4)):
        lun = {"name": f"disk{number}", "path": f"/srv/{number}.img", "size": f"{random_.randrange(1, 9)}m"}
        if random_.random() < 0.5:
            lun["read_only"] = random_.random() < 0.5
        one = {"name": f"{T}{number}", "portals": [random_.choice(("::", "0.0.0.0"))], "luns": [lun]}
        found.append({"name": one["name"], "state": "absent"} if random_.random() < 0.15 else one)
    return found


@pytest.mark.parametrize("part", range(2))
def test_whatever_is_written_the_daemon_reads_as_it_was_asked_for(part):
    """2,000 inventories over files of others, each twice: made, and changed."""
    made = 0
    for seed in range(part * 1000, part * 1000 + 1000):
        random_ = random.Random(seed)
        text = others(random_)
        before = read_targets(text)
        host = NetbsdHost(text, runs=random_.random() < 0.5)
        for first, asked in ((True, requested(random_)), (False, requested(random_))):
            try:
                converge(host, targets=asked, force=True)
            except Problem as problem:
                assert not first and "cannot shrink" in str(problem), (seed, problem)
                continue
            made += 1
            holds(host, asked, before, text, seed)
    assert made > 1200


def holds(host, asked, before, text, seed):
    after = host.read(FILE) or ""
    found = read_targets(after)
    assert {name: one for name, one in found.items() if name in before} == before, seed
    assert after.startswith(text), seed
    read = targets_of(after)
    assert all(read[name.lower()].read_only == (one["flags"] == "ro") for name, one in found.items()), seed
    assert all(read[name.lower()].storage == one["on"] for name, one in found.items()), seed
    for one in asked:
        if one.get("state") == "absent":
            assert one["name"] not in found, seed
            continue
        there, (lun,) = found[one["name"]], one["luns"]
        assert there["disk"][:3] == ("extent", lun["path"], 0), seed
        assert there["disk"][3] == int(lun["size"][:-1]) << 20, seed
        assert "read_only" not in lun or there["flags"] == ("ro" if lun["read_only"] else "rw"), seed
    assert all(len(one) == 4 for one in columns(after[len(text) :])), "no three columns"
