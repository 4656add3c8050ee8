# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a host's storage as monitoring runs it, on the files of a host as a tree; and the alerts on its numbers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "roles/monitoring/files/check_san.py"
RULES = ROOT / "roles/monitoring/files/lunworks_iscsi.rules.yml"
spec = importlib.util.spec_from_file_location("check_san", CHECK)
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)
PROMTOOL = ROOT / ".cache/bin/promtool"
TARGET = "iqn.2026-01.com.example:store1.db"
SERIAL, WWID = "00e0247a-1964-592d-a511-314e22f0e162", "3600140500e0247a1964592da511314e2"
PV, OTHER = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa", "bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
VG = "v" * 32
BACKUP = """\
contents = "Text Format Volume Group"
vg_db {{
    id = "vvvvvv-vvvv"
    seqno = 3
    physical_volumes {{
        pv0 {{
            id = "{0}"
            device = "/dev/mapper/db0"
        }}
{1}    }}
    logical_volumes {{
        data {{
            id = "dddddd-dddd"
        }}
    }}
}}
""".replace("    ", "\t")
WANTED = {
    "sessions": [
        {"target": TARGET, "portal": "10.77.1.11:3260", "iface": "default"},
        {"target": TARGET, "portal": "[fd00::2]:3260", "iface": "default"},
    ],
    "luns": [{"name": "db0", "serial": SERIAL, "paths": 2}],
    "groups": [{"name": "vg_db", "volumes": ["data", "log-2"]}],
    "nics": [{"nic": "eth1", "mtu": 9000}],
    "settings": [],
}


LUN = "/sys/class/iscsi_session/session{0}/device/target{0}:0:0/{0}:0:0:0"


def session(number, address, disk, state="LOGGED_IN", device="running"):
    """The files of a session with one disk."""
    lun = LUN.format(number)
    return {
        f"/sys/class/iscsi_session/session{number}/targetname": f"{TARGET}\n",
        f"/sys/class/iscsi_session/session{number}/ifacename": "default\n",
        f"/sys/class/iscsi_session/session{number}/state": f"{state}\n",
        f"/sys/class/iscsi_connection/connection{number}:0/persistent_address": f"{address}\n",
        f"/sys/class/iscsi_connection/connection{number}:0/persistent_port": "3260\n",
        f"{lun}/state": f"{device}\n",
        f"{lun}/wwid": f"naa.{WWID[1:]}\n",
        f"{lun}/vpd_pg80": b"\0\x80\0\x24" + SERIAL.encode(),
        f"{lun}/block/{disk}/size": "1\n",
        f"/sys/class/block/{disk}/dev": f"8:{number}\n",
        f"/sys/class/block/{disk}/ro": "0\n",
        f"/run/udev/data/b8:{number}": "E:ID_FS_TYPE=mpath_member\n",
    }


def volume(number, name, suffix="", below="dm-0"):
    """The files of an active logical volume."""
    where = f"/sys/class/block/dm-{number}"
    return {
        f"{where}/dev": f"253:{number}\n",
        f"{where}/dm/uuid": f"LVM-{VG}{'l' * 32}{suffix}\n",
        f"{where}/dm/name": f"{name}\n",
        f"{where}/slaves/{below}": "",
    }


HEALTHY = {
    "/sys/class/net/eth1/mtu": "9000\n",
    **session(1, "10.77.1.11", "sda"),
    **session(2, "fd00::2", "sdb"),
    "/sys/class/block/dm-0/dev": "253:0\n",
    "/sys/class/block/dm-0/ro": "0\n",
    "/sys/class/block/dm-0/dm/uuid": f"mpath-{WWID}\n",
    "/sys/class/block/dm-0/dm/name": "db0\n",
    "/sys/class/block/dm-0/slaves/sda": "",
    "/sys/class/block/dm-0/slaves/sdb": "",
    **volume(1, "vg_db-data"),
    **volume(2, "vg_db-log--2"),
    "/run/udev/data/b253:0": f"S:mapper/db0\nE:ID_FS_TYPE=LVM2_member\nE:ID_FS_UUID={PV}\n",
    "/etc/lvm/backup/vg_db": BACKUP.format(PV, ""),
    "/etc/lunworks/check_san.json": json.dumps(WANTED),
}
GONE = {
    **session(1, "10.77.1.11", "sda", "FAILED", "transport-offline"),
    **session(2, "fd00::2", "sdb", "FREE", "offline"),
}


def made(tmp_path, *parts):
    """A tree of these files; the later ones win, and None takes one away."""
    merged = {}
    for part in parts:
        merged.update(part)
    for path, text in merged.items():
        if text is not None:
            file = tmp_path / "tree" / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / "tree"


def run(tree, *options):
    """The exit status of the check, and what it says."""
    given = check.arguments(["--root", str(tree), "--wanted", "/etc/lunworks/check_san.json", *options])
    return check.answer(given)


def started(tree, *options):
    """The same as a program of its own."""
    argv = [
        sys.executable,
        str(CHECK),
        "--root",
        str(tree),
        "--wanted",
        "/etc/lunworks/check_san.json",
        *options,
    ]
    ran = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    return ran.returncode, ran.stdout.decode()


def records(addresses, **more):
    """The files of records that differ from iscsid.conf in one setting, and in what each record has for itself."""
    record = (
        "# BEGIN RECORD 2.1.8\nnode.name = x\nnode.startup = automatic\nnode.session.auth.password = verysecret99\n"
        "node.session.initial_login_retry_max = 60\nnode.session.cmds_max = 128\nnode.session.queue_depth = 32\n"
    )
    conf = (
        "# node.session.queue_depth = 64\nnode.session.queue_depth=64\nnode.session.cmds_max = 128\n"
        "node.session.queue_depth = 032 \nnode.session.cmds_max = 256\nnode.startup = manual\n"
        "node.session.auth.password = othersecret99\nnode.session.initial_login_retry_max = 8\nnode.unheard.of = 1\n"
    )
    places = {f"/etc/iscsi/nodes/{TARGET}/{address},3260,1/default": record for address in addresses}
    return {"/etc/iscsi/iscsid.conf": conf, **places, **more}


CASES = [
    ("all is there", [], 0, "SAN OK - 2 of 2 sessions, 2 of 2 paths |", []),
    (
        "a cut cable",
        [session(1, "10.77.1.11", "sda", "FAILED", "transport-offline")],
        1,
        f"SAN WARNING - 1 of 2 sessions, 1 of 2 paths; the session with '{TARGET}' at 10.77.1.11:3260 is down (FAILED); the "
        "LUN 'db0' "
        f"(db0) has 1 of 2 paths |",
        ["IscsiLunPathsMissing", "IscsiSessionDown"],
    ),
    (
        "all paths gone",
        [GONE],
        2,
        "SAN CRITICAL - 0 of 2 sessions, 0 of 2 paths; the LUN 'db0' (db0) has no path of 2;",
        ["IscsiLunUnreachable", "IscsiSessionDown"],
    ),
    (
        "a path that is up and not in the map carries nothing",
        [{"/sys/class/block/dm-0/slaves/sdb": None}],
        1,
        "the LUN 'db0' (db0) has 1 of 2 paths |",
        ["IscsiLunPathsMissing"],
    ),
    (
        "a map that is read-only",
        [{"/sys/class/block/dm-0/ro": "1\n"}],
        2,
        "SAN CRITICAL - 2 of 2 sessions, 2 of 2 paths; the LUN 'db0' (db0) is read-only |",
        ["IscsiLunReadOnly"],
    ),
    (
        "a volume on a single path beside the map",
        [volume(3, "vg_log-log", below="sdb")],
        1,
        "2 of 2 paths; 'vg_log/log' is on sdb, one of 2 paths of its LUN: move it to the map (module disks) |",
        [],
    ),
    (
        "a volume on a disk whose WWID cannot be read, as that of another disk",
        [
            volume(3, "vg_log-log", below="sdb"),
            *({f"{LUN.format(number)}/wwid": None} for number in (1, 2)),
        ],
        0,
        "SAN OK - 2 of 2 sessions, 2 of 2 paths |",
        [],
    ),
    (
        "a NIC with another MTU, which may be why a path is lost",
        [
            {"/sys/class/net/eth1/mtu": "1500\n"},
            session(1, "10.77.1.11", "sda", "FAILED", "transport-offline"),
        ],
        1,
        "SAN WARNING - 1 of 2 sessions, 1 of 2 paths; the NIC 'eth1' has the MTU 1500 and must have 9000: run "
        "lunworks.iscsi.site or boot this host; the session with",
        ["IscsiLunPathsMissing", "IscsiNicMtu", "IscsiSessionDown"],
    ),
    (
        "a NIC that is not there",
        [{"/sys/class/net/eth1/mtu": None}],
        1,
        "; there is no NIC 'eth1' |",
        ["IscsiNicMtu"],
    ),
    (
        "a PV that is not there",
        [{"/etc/lvm/backup/vg_db": BACKUP.format(PV, f'\t\tpv1 {{\n\t\t\tid = "{OTHER}"\n\t\t}}\n')}],
        2,
        "; the volume group 'vg_db' lacks 1 of its PVs |",
        ["IscsiVolumeGroupPartial"],
    ),
    (
        "a volume that LVM activated without one of its PVs",
        [volume(3, "vg_db-big-missing_0_0", "-missing_0_0")],
        2,
        "; the volume group 'vg_db' lacks some of its PVs |",
        ["IscsiVolumeGroupPartial"],
    ),
    (
        "a volume that is not active",
        [dict.fromkeys(volume(2, "x"))],
        2,
        "; not active: 'vg_db/log-2' |",
        ["IscsiVolumeInactive"],
    ),
    (
        "a PV of a volume group that nobody here knows",
        [
            {
                path: None
                for path in HEALTHY
                if path.startswith(("/sys/class/block/dm-1", "/sys/class/block/dm-2", "/etc/lvm"))
            }
        ],
        2,
        "; PVs of which this host knows no volume group, perhaps another host's: dm-0 |",
        ["IscsiForeignVolumeGroup", "IscsiVolumeInactive"],
    ),
    (
        "what LVM noted when it saw the disks is enough",
        [
            {path: None for path in HEALTHY if path.startswith("/etc/lvm")},
            {f"/run/lvm/pvs_online/{PV.replace('-', '')}": "253:0\nvg:vg_db\ndev:/dev/dm-0\n"},
        ],
        0,
        "SAN OK",
        [],
    ),
    (
        "records that differ from iscsid.conf",
        [records(("10.77.1.11", "fd00::2"))],
        1,
        f"2 of 2 paths; 'node.session.cmds_max' is '128' in the record of '{TARGET}' at 10.77.1.11:3260 and 1 more and '256' in "
        "iscsid.conf: set both to the same value (initiator_settings, or the settings of initiator_nodes) |",
        ["IscsiRecordDiffers"],
    ),
    (
        "records whose target has settings of its own",
        [
            records(("10.77.1.11", "fd00::2")),
            {
                "/etc/lunworks/check_san.json": json.dumps(
                    {**WANTED, "settings": [{"target": TARGET.upper(), "names": ["node.session.cmds_max"]}]}
                )
            },
        ],
        0,
        "SAN OK",
        [],
    ),
    (
        "a session that nobody declared is lost",
        [session(3, "10.77.3.11", "sdc", "FAILED")],
        1,
        f"; the session with '{TARGET}' at 10.77.3.11:3260 is down (FAILED) |",
        ["IscsiSessionStalled"],
    ),
    (
        "no SAN at all",
        [dict.fromkeys(path for path in HEALTHY if not path.startswith(("/etc/lunworks", "/sys/class/net")))],
        2,
        "SAN CRITICAL - 0 of 2 sessions, 0 of 2 paths; the LUN 'db0' is not there; not active: 'vg_db/data', 'vg_db/log-2'; "
        f"no session with '{TARGET}' at 10.77.1.11:3260 (iface default);",
        ["IscsiLunUnreachable", "IscsiSessionDown", "IscsiVolumeInactive"],
    ),
]
each_case = pytest.mark.parametrize(
    "name, parts, status, says, alerts", CASES, ids=[case[0] for case in CASES]
)


@each_case
def test_the_line_says_what_is_wrong_and_so_does_the_exit_status(tmp_path, name, parts, status, says, alerts):
    rc, said = run(made(tmp_path, HEALTHY, *parts))
    assert says in said, said
    assert rc == status and "\n" not in said


def test_performance_data_has_what_is_wanted_as_its_limit(tmp_path):
    _rc, said = run(made(tmp_path, HEALTHY))
    assert said.endswith(
        "| sessions=2;2:;;0 paths=2;2:;;0 stalled=0;0;;0 read_only=0;0;;0 foreign_pvs=0;0;;0"
    )


def test_checkmk_gets_its_own_line(tmp_path):
    rc, said = run(made(tmp_path, HEALTHY, GONE), "--checkmk")
    assert rc == 2 and said.startswith(
        '2 "iSCSI SAN" sessions=0|paths=0|stalled=2|read_only=0|foreign_pvs=0 0 of 2 sessions'
    )


def test_many_faults_are_one_line(tmp_path):
    luns = [{"name": f"gone|{number}", "wwid": f"3600{number}", "paths": 2} for number in range(9)]
    wanted = {"/etc/lunworks/check_san.json": json.dumps({**WANTED, "luns": luns})}
    rc, said = run(made(tmp_path, HEALTHY, wanted))
    assert rc == 2 and "; and 4 more | sessions=" in said and said.count("|") == 1


@pytest.mark.parametrize("place", ["/etc/iscsi/nodes", "/var/lib/iscsi/nodes"])
def test_without_data_the_records_that_are_logged_in_at_boot_are_wanted(tmp_path, place):
    record = "node.name = x\nnode.startup = {}\nnode.session.auth.password = verysecret99\n"
    records = {
        "/etc/lunworks/check_san.json": None,
        f"{place}/{TARGET}/10.77.1.11,3260,1/default": record.format("automatic"),
        f"{place}/{TARGET}/fd00::2,3260,1/default": record.format("onboot"),
        f"{place}/{TARGET}/10.77.9.9,3260,1/default": record.format("manual"),
    }
    assert run(made(tmp_path, HEALTHY, records))[1].startswith("SAN OK - 2 of 2 sessions, 2 paths |")
    old = record.format("automatic") + "iface.iscsi_ifacename = san2\n"
    away = {**records, f"{place}/{TARGET}/10.77.8.8,3260": old}
    rc, said = run(made(tmp_path, HEALTHY, away))
    assert rc == 1 and f"no session with '{TARGET}' at 10.77.8.8:3260 (iface san2)" in said
    assert "verysecret99" not in said


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"luns": 5}', '{"luns": [{"paths": 1}]}', '{"sessions": [{}]}', "\udcff"]
)
def test_data_that_is_none_is_no_answer(tmp_path, text):
    data = {"/etc/lunworks/check_san.json": text.encode(errors="surrogateescape")}
    tree = made(tmp_path, HEALTHY, data)
    rc, said = run(tree)
    assert rc == 3 and said.startswith("SAN UNKNOWN - '/etc/lunworks/check_san.json' is not what the role")
    assert said.endswith("Run the role again.")
    assert run(tree, "--textfile", str(tmp_path / "x.prom"))[0] == 3
    assert (tmp_path / "x.prom").read_text().endswith("lunworks_iscsi_check_answered 0\n")


def test_a_read_that_never_ends_is_not_waited_for(tmp_path):
    tree = made(tmp_path, HEALTHY)
    state = tree / "sys/class/iscsi_session/session1/state"
    state.unlink()
    os.mkfifo(state)
    begun = time.monotonic()
    rc, said = started(tree, "--seconds", "0.5")
    assert rc == 3 and said == "SAN UNKNOWN - no answer within 0.5 seconds\n"
    assert time.monotonic() - begun < 10


def test_wrong_options_are_no_critical_state(tmp_path):
    assert started(made(tmp_path, HEALTHY), "--nonsense")[0] == 3


@pytest.mark.parametrize("parts, status", [([], 0), ([GONE], 2)])
def test_the_program_ends_with_the_status_and_prints_the_line(tmp_path, parts, status):
    tree = made(tmp_path, HEALTHY, *parts)
    assert started(tree) == (status, f"{run(tree)[1]}\n")


# Numbers, and the alerts on them


def numbers(tree, tmp_path, *options):
    """The rows of the file for node_exporter."""
    path = tmp_path / "lunworks_iscsi.prom"
    rc, said = (started if options else run)(tree, "--textfile", str(path), *options)
    assert said.startswith("SAN UNKNOWN") if rc else said == ""
    assert [one.name for one in tmp_path.iterdir() if "prom" in one.name] == ["lunworks_iscsi.prom"]
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def fired(tmp_path, rows, alerts):
    """Ask promtool whether exactly these alerts fire after these rows have stood for an hour."""
    series = [
        {"series": name if "{" in name else f'{name}{{instance="db-a"}}', "values": f"{value}x60"}
        for name, _blank, value in (row.rpartition(" ") for row in rows)
    ]
    mtime = 'node_textfile_mtime_seconds{file="/var/lib/prometheus/node-exporter/lunworks_iscsi.prom"}'
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [*series, {"series": mtime, "values": "0+60x60"}],
                "promql_expr_test": [
                    {
                        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "50m",
                        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in alerts],
                    }
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    argv = [str(PROMTOOL), "test", "rules", str(tmp_path / "test.yml")]
    return subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )


needs_promtool = pytest.mark.skipif(
    not (ROOT / ".cache").exists(), reason="only a checkout has promtool, which tools/setup fetches"
)


@needs_promtool
@each_case
def test_what_is_wrong_rings_its_alerts_and_no_other(tmp_path, name, parts, status, says, alerts):
    ran = fired(tmp_path, numbers(made(tmp_path, HEALTHY, *parts), tmp_path), alerts)
    assert ran.returncode == 0, ran.stdout


@needs_promtool
def test_a_check_without_an_answer_rings(tmp_path):
    tree = made(tmp_path, HEALTHY)
    state = tree / "sys/class/iscsi_session/session1/state"
    state.unlink()
    os.mkfifo(state)
    rows = numbers(tree, tmp_path, "--seconds", "0.2")
    ran = fired(tmp_path, rows, ["IscsiCheckSilent"])
    assert ran.returncode == 0, ran.stdout


@needs_promtool
def test_promtool_takes_rules_and_numbers(tmp_path):
    tree = made(tmp_path, HEALTHY)
    numbers(tree, tmp_path)
    for argv, given in (
        (["check", "rules", str(RULES)], b""),
        (["check", "metrics"], (tmp_path / "lunworks_iscsi.prom").read_bytes()),
    ):
        ran = subprocess.run(
            [str(PROMTOOL), *argv], input=given, stdout=subprocess.PIPE, check=False, timeout=60
        )
        assert ran.returncode == 0, ran.stdout


def test_the_rules_name_only_numbers_that_there_are(tmp_path):
    rows = numbers(made(tmp_path, HEALTHY), tmp_path)
    there = {re.split(r"[{ ]", row)[0] for row in rows}
    labels = {name for row in rows for name in re.findall(r'(\w+)="', row)} | {"instance"}
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 11
    for rule in rules:
        assert set(re.findall(r"lunworks_iscsi_\w+", re.sub(r"file=~\S+", "", rule["expr"]))) <= there, rule[
            "alert"
        ]
        assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= labels, rule["alert"]


@pytest.mark.parametrize("options", [[], ["--checkmk"], ["--textfile"]])
def test_no_secret_of_records_and_iscsid_conf_is_said(tmp_path, options):
    path = tmp_path / "x.prom"
    options = [*options, str(path)] if options == ["--textfile"] else options
    _rc, said = run(made(tmp_path, HEALTHY, records(("10.77.1.11",))), *options)
    said += path.read_text() if path.exists() else ""
    assert ("lunworks_iscsi_settings_differing 1" if path.exists() else "cmds_max") in said
    assert "secret" not in said and "auth" not in said


def test_records_of_targets_that_the_data_does_not_have_are_of_others(tmp_path):
    wanted = {
        **WANTED,
        "settings": [],
        "sessions": [{**WANTED["sessions"][0], "target": "iqn.2026-01.com.example:other"}],
    }
    tree = made(
        tmp_path, HEALTHY, records(("10.77.1.11",)), {"/etc/lunworks/check_san.json": json.dumps(wanted)}
    )
    assert "iscsid.conf" not in run(tree)[1]


def test_without_data_and_without_iscsid_conf_records_have_nothing_to_differ_from(tmp_path):
    away = {"/etc/lunworks/check_san.json": None, "/etc/iscsi/iscsid.conf": None}
    assert run(made(tmp_path, HEALTHY, records(("10.77.1.11",), **away)))[0] == 0


def test_odd_names_are_escaped(tmp_path):
    luns = [{"name": 'a"b\\c\nd', "serial": SERIAL, "paths": 2}]
    wanted = {"/etc/lunworks/check_san.json": json.dumps({**WANTED, "luns": luns})}
    rows = numbers(made(tmp_path, HEALTHY, wanted), tmp_path)
    assert rf'lunworks_iscsi_lun_paths_up{{lun="a\"b\\c\nd",wwid="{WWID}"}} 2' in rows


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".lunworks_iscsi.prom.new").symlink_to(victim)
    numbers(made(tmp_path, HEALTHY), tmp_path)
    assert victim.read_text() == "mine"


def test_an_ordinary_user_is_told_what_can_be_known(tmp_path, monkeypatch):
    """Active volumes and paths are for all to see; LVM's own files are root's."""
    monkeypatch.setattr(check.Tree, "readable", lambda _tree, path, *_mode: "lvm" not in path)
    tree = check.Tree(str(made(tmp_path, {**HEALTHY, "/etc/lvm/backup/vg_db": None})))
    found = check.look(tree)
    assert found["foreign"] is None and check.compare(WANTED, found) == []
    assert "foreign_pvs" not in check.metrics(WANTED, found)
    assert 'lunworks_iscsi_volume_active{vg="vg_db",lv="data"} 1\n' in check.metrics(WANTED, found)


@pytest.mark.parametrize("wanted", ["{}", None])
def test_an_ordinary_user_who_cannot_read_what_is_wanted_gets_no_answer(tmp_path, monkeypatch, wanted):
    files = {"/etc/lunworks/check_san.json": wanted, "/etc/iscsi/iscsid.conf": ""}
    tree = made(tmp_path, HEALTHY, files)
    monkeypatch.setattr(check.Tree, "readable", lambda tree, path, *_mode: not tree.there(path))
    rc, said = run(tree)
    assert rc == 3 and said.endswith("cannot be read. Run this as root.")


def test_a_map_that_has_lost_a_path_still_holds_its_pv(tmp_path):
    """LVM's udev rules keep of what was found before only the type and the encoded UUID (seen on Debian 13)."""
    after = {"/run/udev/data/b253:0": f"E:ID_FS_TYPE=LVM2_member\nE:ID_FS_UUID_ENC={PV}\n"}
    assert run(made(tmp_path, HEALTHY, after))[0] == run(made(tmp_path / "before", HEALTHY))[0] == 0
