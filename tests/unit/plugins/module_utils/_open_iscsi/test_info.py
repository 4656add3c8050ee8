# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host tells of its sessions, and where iscsid.conf, record and session disagree."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import plain
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.drift import (
    Live,
    differences,
    look_live,
    outdated,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.info import (
    look_all,
    parse_statistics,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.record import RecordId
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.session import look_sessions
from ansible_collections.lunworks.iscsi.plugins.module_utils._step import Secret
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT / "open_iscsi"
DB = RecordId("iqn.2026-01.com.example:db", Portal("10.0.1.1"))
OTHER = RecordId("iqn.2026-01.com.example:db", Portal("10.0.2.1"))
TIMEOUT = "node.session.timeo.replacement_timeout"
PASSWORD = "node.session.auth.password"
SESSION = "/sys/class/iscsi_session/session3"
CONNECTION = "/sys/class/iscsi_connection/connection3:0"
LUN = "/sys/class/scsi_device/2:0:0:1/device"
FILES = {
    "/etc/iscsi/initiatorname.iscsi": "InitiatorName=iqn.2026-01.com.example:new\n",
    "/etc/iscsi/iscsid.conf": f"{TIMEOUT} = 120\nnode.startup = manual\n",
    "/etc/iscsi/nodes/iqn.2026-01.com.example:db/10.0.1.1,3260,1/default": (
        "node.name = iqn.2026-01.com.example:db\nnode.tpgt = 1\nnode.startup = manual\n"
        f"iface.iscsi_ifacename = default\n{TIMEOUT} = 5\nnode.session.auth.authmethod = CHAP\n"
        "node.session.auth.username = db\nnode.session.auth.password = the-new-secret\n"
        "node.conn[0].address = 10.0.1.1\nnode.conn[0].port = 3260\n"
    ),
    "/etc/iscsi/isns/10.0.9.9,3205/isns_config": "discovery.isns.use_discoveryd = Yes\n",
    f"{SESSION}/targetname": "iqn.2026-01.com.example:db\n",
    f"{SESSION}/ifacename": "default\n",
    f"{SESSION}/tpgt": "1\n",
    f"{SESSION}/state": "LOGGED_IN\n",
    f"{SESSION}/initiatorname": "iqn.2026-01.com.example:old\n",
    f"{SESSION}/recovery_tmo": "120\n",
    f"{SESSION}/username": "db\n",
    f"{SESSION}/password": "the-old-secret\n",
    f"{SESSION}/device/target2:0:0/2:0:0:1/block/sdb/size": "2048\n",
    f"{CONNECTION}/persistent_address": "10.0.1.1\n",
    f"{CONNECTION}/persistent_port": "3260\n",
    f"{CONNECTION}/state": "up\n",
    f"{LUN}/wwid": "naa.6001405aaaa\n",
    f"{LUN}/vpd_pg80": "\0\udc80\0\x05abc-1",
    f"{LUN}/state": "running\n",
    "/sys/class/block/sdb/size": "2048\n",
}


def recorded(name):
    first, text = (FIXTURES / name).read_text().split("\n", 1)
    assert first.startswith("# ")
    return text


def recorded_files(name):
    return dict(part.split("\n", 1) for part in recorded(name).split("== ")[1:])


@pytest.mark.parametrize(
    "setting, said, live",
    [
        (TIMEOUT, "5", "120"),
        (TIMEOUT, "120", "-1"),
        ("node.session.iscsi.FastAbort", "No", "Yes"),
        ("node.session.iscsi.MaxBurstLength", "65536", "262144"),
        ("node.session.iscsi.ImmediateData", "No", "Yes"),
        ("node.session.iscsi.InitialR2T", "Yes", "No"),
        ("node.conn[0].iscsi.HeaderDigest", "CRC32C", "None"),
        ("node.conn[0].iscsi.MaxRecvDataSegmentLength", "131072", "262144"),
        ("iface.initiatorname", "iqn.2026-01.com.example:new", "iqn.2026-01.com.example:old"),
    ],
)
def test_what_a_new_login_would_change_is_outdated(setting, said, live):
    assert outdated({setting: said}, {setting: live}) == [setting]
    assert outdated({setting: live}, {setting: live}) == []


@pytest.mark.parametrize(
    "setting, said, live",
    [
        ("node.session.iscsi.MaxBurstLength", "16776192", "262144"),
        ("node.session.iscsi.ImmediateData", "Yes", "No"),
        ("node.session.iscsi.InitialR2T", "No", "Yes"),
        ("node.conn[0].iscsi.HeaderDigest", "CRC32C,None", "None"),
        ("node.conn[0].iscsi.MaxXmitDataSegmentLength", "0", "262144"),
        ("iface.initiatorname", "IQN.2026-01.com.example:db", "iqn.2026-01.com.example:db"),
        (TIMEOUT, "", "120"),
    ],
)
def test_what_the_target_negotiated_is_not(setting, said, live):
    assert outdated({setting: said}, {setting: live}) == []


def test_credentials_count_whatever_the_method_says_and_nobody_sees_them():
    live = {PASSWORD: Secret("old")}
    assert outdated({PASSWORD: Secret("new"), "node.session.auth.authmethod": "None"}, live) == [PASSWORD]
    assert outdated({}, live) == [PASSWORD]
    assert outdated({}, {PASSWORD: Secret("")}) == []
    (told,) = differences({}, {DB: {PASSWORD: Secret("new")}}, [Live(3, DB, live)])
    assert "old" not in repr(told) and "new" not in repr(told)


def test_three_values_stand_side_by_side_once():
    conf, record = {TIMEOUT: "120", "node.startup": "manual"}, {TIMEOUT: "5", "node.startup": "automatic"}
    told = differences(
        conf, {DB: record, OTHER: {**conf}}, [Live(3, DB, {TIMEOUT: "60"}), Live(4, OTHER, {TIMEOUT: "120"})]
    )
    assert [
        (one.name, one.session_number, one.setting, one.conf, one.record, one.session) for one in told
    ] == [
        (DB, 3, TIMEOUT, "120", "5", "60"),
        (DB, None, "node.startup", "manual", "automatic", None),
    ]
    assert "takes effect at the next login; session 3 has another value" in told[0].text
    assert [one.next_login for one in told] == [True, False]
    assert "applies to new records only" in told[1].text


def test_an_answer_tells_all_and_no_secret():
    told = plain(look_all(ScriptedHost(FILES)))
    (session,) = told["sessions"]
    assert (session["initiator"], session["connection_state"], session["statistics"]) == (
        "iqn.2026-01.com.example:old",
        "up",
        {},
    )
    (lun,) = session["disks"]
    assert (lun["lun"], lun["device"], lun["size"], lun["serial"]) == (1, "/dev/sdb", 1 << 20, "abc-1")
    assert {(one["setting"], one["session_number"]) for one in told["differences"]} == {
        ("iface.initiatorname", 3),
        (TIMEOUT, 3),
        (PASSWORD, 3),
    }
    assert told["discovery"] == [
        {
            "portal": "10.0.9.9:3205",
            "type": "isns",
            "settings": {"discovery.isns.use_discoveryd": "Yes"},
        }
    ]
    assert "secret" not in json.dumps(told).replace("(secret)", "")


def test_what_may_only_be_read_is_told_of_the_path_and_of_its_map():
    (plain_disk,) = look_all(ScriptedHost({**FILES, "/sys/class/block/sdb/ro": "1\n"}))["sessions"][0][
        "disks"
    ]
    assert (plain_disk["read_only"], plain_disk["map"], plain_disk["map_read_only"]) == (True, None, None)
    above = {
        "/sys/class/block/sdb/holders/dm-0": "",
        "/sys/class/block/dm-0/dm/name": "db0\n",
        "/sys/class/block/dm-0/dm/uuid": "mpath-36001405a\n",
        "/sys/class/block/dm-0/ro": "1\n",
    }
    (path,) = look_all(ScriptedHost({**FILES, **above}))["sessions"][0]["disks"]
    assert (path["read_only"], path["map"], path["map_read_only"]) == (False, "db0", True)


def test_a_timeout_that_multipathd_sets_waits_for_no_login():
    files = {
        **FILES,
        "/sys/class/block/sdb/holders/dm-0/size": "",
        "/sys/class/block/dm-0/dm/uuid": "mpath-36001405aaaa\n",
        "/sys/class/block/dm-0/dm/name": "db0\n",
    }
    told = {one["setting"]: one for one in look_all(ScriptedHost(files))["differences"]}
    assert told[TIMEOUT]["session_number"] == 3 and not told[TIMEOUT]["next_login"]
    assert "multipathd sets it to its own fast_io_fail_tmo" in told[TIMEOUT]["text"]
    assert told[PASSWORD]["next_login"]


def test_a_session_without_a_record_is_told_as_such():
    files = {path: text for path, text in FILES.items() if "/nodes/" not in path}
    told = look_all(ScriptedHost(files))
    assert [(one["recorded"], one["initiator"]) for one in told["sessions"]] == [
        (False, "iqn.2026-01.com.example:old")
    ]
    assert told["differences"] == []


def test_no_statistics_are_no_error():
    assert parse_statistics("") == {}


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_statistics_of_iscsiadm_are_read(suite):
    found = parse_statistics(recorded(f"statistics-{suite}.txt"))
    assert len(found) == 2
    for counters in found.values():
        assert counters["rxdata_octets"] > 0 and counters["login_pdus"] >= 0
        assert {"txdata_octets", "scsicmd_pdus", "digest_err", "timeout_err"} <= set(counters)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_session_agrees_with_the_record_that_it_was_made_from(suite):
    host = ScriptedHost(recorded_files(f"live-{suite}.txt"))
    told = look_all(host)
    assert [one for one in told["differences"] if one["session_number"] is not None] == []
    for session in look_sessions(host):
        live = look_live(host, session)
        assert live[TIMEOUT] == "120" and live["node.session.iscsi.ImmediateData"] == "Yes"


@pytest.mark.parametrize(
    "path, mode, exposed",
    [
        ("/etc/iscsi/iscsid.conf", 0o644, True),
        ("/etc/iscsi/iscsid.conf", 0o600, False),
        ("/etc/iscsi/nodes/iqn.2026-01.com.example:db/10.0.1.1,3260,1/default", 0o604, True),
    ],
)
def test_a_file_with_a_secret_that_everybody_reads_is_told(path, mode, exposed):
    private = {name: {"text": text, "mode": 0o600} for name, text in FILES.items()}
    text = FILES[path] + (f"{PASSWORD} = of-new-records\n" if path.endswith(".conf") else "")
    told = plain(look_all(ScriptedHost(files={**private, path: {"text": text, "mode": mode}})))
    assert told["exposed_files"] == ([path] if exposed else [])
    assert told["iscsid_conf"]["node.startup"] == "manual" and "of-new-records" not in json.dumps(told)


CONF4 = "/proc/sys/net/ipv4/conf"
ADDRESSES = "ip -json -details address show"
NICS = json.dumps(
    [
        {"ifname": "eth1", "addr_info": [{"local": "10.0.1.5"}]},
        {"ifname": "eth2", "addr_info": []},
        {"ifname": "tun0", "addr_info": []},
    ]
)


def filtered(**now):
    """A session through eth1, an iface on eth2, and a tunnel; 'now' is what the kernel filters."""
    values = {"all": 0, "default": 0, "lo": 0, "eth1": 1, "eth2": 1, "tun0": 1, **now}
    return {
        **FILES,
        **{f"{CONF4}/{name}/rp_filter": f"{value}\n" for name, value in values.items()},
        "/sys/class/iscsi_host/host2/ipaddress": "10.0.1.5\n",
        "/sys/class/iscsi_host/host2/device/session3/uevent": "",
        "/etc/iscsi/ifaces/san2": "iface.iscsi_ifacename = san2\niface.net_ifacename = eth2\n",
    }


@pytest.mark.parametrize(
    "now, line, told",
    [
        ({}, "", []),
        ({"eth1": 2}, "net.ipv4.conf.eth1.rp_filter = 2", [("eth1", 2, 2, "/etc/sysctl.d/60-san.conf")]),
        ({"eth2": 2}, "-net/ipv4/conf/eth2/rp_filter=2", [("eth2", 2, 2, "/etc/sysctl.d/60-san.conf")]),
        ({"eth1": 2}, "net.ipv4.conf.default.rp_filter = 1", [("eth1", 2, 1, None)]),
        ({}, "net.ipv4.conf.eth1.rp_filter = 1", [("eth1", 1, 1, "/etc/sysctl.d/60-san.conf")]),
        ({"eth1": 2, "eth2": 2}, "net.ipv4.conf.*.rp_filter = 2", []),
        ({"eth1": 2, "default": 2}, "", []),
        ({"tun0": 2}, "net.ipv4.conf.tun0.rp_filter = 2", []),
        ({}, "net.ipv4.conf.eth9.rp_filter = 2", []),
    ],
    ids=["nothing", "line", "iface", "only now", "strict", "all", "default", "no storage", "gone"],
)
def test_the_filters_of_storage_nics_that_somebody_set_are_told(now, line, told):
    host = ScriptedHost({**filtered(**now), "/etc/sysctl.d/60-san.conf": f"{line}\n"}, {ADDRESSES: NICS})
    found = look_all(host)["rp_filter"]
    assert [tuple(one.values()) for one in found] == told


def test_no_command_runs_where_nobody_set_a_filter():
    host = ScriptedHost(filtered())
    assert look_all(host)["rp_filter"] == []
