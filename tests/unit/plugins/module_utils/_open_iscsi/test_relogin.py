# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session logged in again: what is done to the host, and what is left where it goes wrong."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.dm_multipath import parse_status
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import (
    PLANS,
    host_of,
    planned,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

STORY = yaml.safe_load((PLANS / "relogin.yml").read_text())
DISK1 = "iqn.2026-01.com.example:disk1"
ASKED = {"options": {"targets": [DISK1], "portals": ["10.0.1.1"], "timeout": 1, "verify_old_secret": True}}
LOGIN = f"iscsiadm -m node -T {DISK1} -p 10.0.1.1:3260,1 -I default -l"
LOGOUT = "iscsiadm -m session -r 1 -u"
RECORD = f"/etc/iscsi/nodes/{DISK1}/10.0.1.1,3260,1/default"


class LivingHost(ScriptedHost):
    """A host whose sessions come and go with iscsiadm; 'wwid' and 'number' are its disk's after the next login."""

    wwid = "naa.6001405aaaaaaaaaaaaaaaaaaaaaaaaa"
    number = "8:16"
    logins = ()  # the exit codes of the next logins

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        line = " ".join(argv)
        if line == LOGOUT:
            gone = [path for path in self.files if "session1/" in path or "connection1:0/" in path]
            self.parked = {path: self.files.pop(path) for path in gone}
            self.files = {path: text for path, text in self.files.items() if "/block/sdb/" not in path}
        if line == LOGIN:
            code, self.logins = (self.logins or (0,))[0], self.logins[1:]
            self.runs[LOGIN] = {"rc": code}
            self._log_in() if not code else None
        return super().run(*argv, ok=ok, timeout=timeout, stdin=stdin)

    def _log_in(self):
        for path, text in self.parked.items():
            self.files[path.replace("session1/", "session9/").replace("connection1:0", "connection9:0")] = (
                text
            )
        secret = next(line for line in self.read(RECORD).splitlines() if "auth.password =" in line)
        self.files["/sys/class/iscsi_session/session9/password"] = secret.split(" = ")[1] + "\n"
        self.files["/sys/class/iscsi_session/session9/device/target2:0:0/2:0:0:0/block/sdb/size"] = "1\n"
        for name, text in {
            "dev": self.number,
            "device/state": "running",
            "device/wwid": self.wwid,
            "holders/dm-0": "",
        }.items():
            self.files[f"/sys/class/block/sdb/{name}"] = text


@pytest.fixture
def host():
    told = host_of(STORY, ASKED)
    return LivingHost(told.files, told.runs, told.changing, scsi=told.luns, portals=told.portals)


def step(host):
    [found], _warned = planned("relogin", ASKED, host)
    return found


def logged_in(host):
    return host.list("/sys/class/iscsi_session")


def test_one_logout_one_login_and_nothing_else(host):
    step(host).take(host)
    assert host.did == [f"run {LOGOUT}", f"run {LOGIN}"]
    assert logged_in(host) == ["session2", "session3", "session9"]
    assert planned("relogin", ASKED, host)[0] == []


def test_what_has_changed_since_the_plan_stops_it_before_the_logout(host):
    taken = step(host)
    host.runs["dmsetup status --noflush mpatha"] = "0 1 multipath 1 0 0 0 1 1 A 0 1 2 8:16 A 0\n"
    with pytest.raises(Problem, match=r"0 other path\(s\) of it work.*The session continues as it was"):
        taken.take(host)
    host.runs.update(host_of(STORY, ASKED).runs)
    host.portals = {}
    with pytest.raises(Problem, match="does not answer"):
        taken.take(host)
    assert host.did == []


def test_a_login_that_fails_is_taken_back_and_the_record_stays(host):
    before, taken = host.read(RECORD), step(host)
    host.logins = (24, 0)
    with pytest.raises(Problem, match="rejects the CHAP.*It is logged in with its old settings again"):
        taken.take(host)
    assert host.read("/sys/class/iscsi_session/session9/password") == "the-old-secret\n"
    assert host.read(RECORD) == before
    assert sum(one.startswith(f"write {RECORD}") for one in host.did) == 2


def test_a_login_that_cannot_be_taken_back_says_so_and_the_record_stays(host):
    before, taken = host.read(RECORD), step(host)
    host.logins = (24, 24)
    with pytest.raises(Problem, match="With its old settings it cannot log in either"):
        taken.take(host)
    assert host.read(RECORD) == before and logged_in(host) == ["session2", "session3"]


def test_another_lun_behind_the_same_number_is_named(host):
    host.wwid = "naa.6001405bbbbbbbbbbbbbbbbbbbbbbbbb"
    with pytest.raises(Problem, match="answers as 'naa.6001405b.*given its number to another LUN"):
        step(host).take(host)


def test_a_path_that_does_not_come_back_into_its_map_is_named(host):
    host.number = "8:64"
    with pytest.raises(Problem, match="is not an active path of the map 'mpatha'"):
        step(host).take(host)


def test_an_old_secret_that_still_works_is_told(host, monkeypatch):
    from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.relogin import (
        step as relogin_step,
    )

    taken = step(host)
    monkeypatch.setattr(relogin_step, "probe_login", lambda _host, _probe: "")
    with pytest.raises(Problem, match="the target still lets this host in with the old one"):
        taken.take(host)


def test_status_lines_of_maps():
    text = (
        "36001405a: 0 131072 multipath 2 0 0 0 2 1 A 0 1 2 8:16 A 0 0 1 E 0 1 2 8:32 F 3 0 1\n"
        "name with: colon: 0 8 multipath 2 1 0 0 1 1 E 0 1 0 65:160 A 0\n"
        "queueing: 0 8 multipath 2 1 0 0 0 0\n"
    )
    assert parse_status(text) == {
        "36001405a": {"8:16"},
        "name with: colon": {"65:160"},
        "queueing": frozenset(),
    }
    assert parse_status("No devices found\n") == {}
