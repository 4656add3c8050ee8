# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.san_report import san_report

DB = "iqn.2026-01.com.example:store1.db"


def session(number, disks, target=DB):
    portal = f"10.77.{number}.11:3260"
    return {"target": target, "portal": portal, "iface": "default", "state": "LOGGED_IN", "disks": disks}


def disk(device):
    return {
        "lun": 0,
        "device": device,
        "size": 256 << 20,
        "wwid": "naa.6001405",
        "state": "running",
        "map": "db0",
        "users": ["/dev/dm-1 is mounted on '/srv/db'"],
    }


def test_a_lun_with_two_paths_is_told_once():
    answer = {
        "name": "iqn.2026-01.com.example:db-a",
        "sessions": [session(1, [disk("/dev/sda")]), session(2, [disk("/dev/sdb")])],
    }
    assert san_report({"db-a": answer}).splitlines() == [
        "db-a (iqn.2026-01.com.example:db-a)",
        f"  LUN 0 of {DB}, 256 MiB",
        "    WWID   naa.6001405",
        "    map    db0",
        "    path   /dev/sda at 10.77.1.11:3260 by iface default: LOGGED_IN, running",
        "    path   /dev/sdb at 10.77.2.11:3260 by iface default: LOGGED_IN, running",
        "    use    /dev/dm-1 is mounted on '/srv/db'",
    ]


def test_a_session_without_a_lun_is_told_too():
    told = san_report({"a": {"name": None, "sessions": []}, "b": {"name": "x", "sessions": [session(1, [])]}})
    assert told.splitlines() == [
        "a (None)",
        "  no session",
        "",
        "b (x)",
        f"  no LUN of {DB} at 10.77.1.11:3260: LOGGED_IN",
    ]


def test_what_is_no_answer_is_refused():
    with pytest.raises(AnsibleFilterError, match="must be the answers of initiator_info"):
        san_report({"a": {}})


def test_the_worst_stall_of_a_lun_stands_beside_it_and_contradictions_stand_first():
    timers = {
        "disks": [
            {"paths": [{"device": "sdb"}, {"device": "sda"}], "worst_stall": 75, "arithmetic": "5 + 5 ..."},
            {"paths": [{"device": "sdz"}], "worst_stall": None, "arithmetic": "another LUN"},
        ],
        "faults": ["One contradicts another."],
    }
    answer = {"name": "iqn.x", "sessions": [session(1, [disk("/dev/sda")])], "timers": timers}
    told = san_report({"db-a": answer}).splitlines()
    assert told[:2] == ["db-a (iqn.x)", "  fault  One contradicts another."]
    assert told[-1:] == ["    stall  75 s: 5 + 5 ..."]
    timers["disks"][0]["worst_stall"] = None
    assert "    stall  forever: 5 + 5 ..." in san_report({"db-a": answer})
