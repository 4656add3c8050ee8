# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the timers, and what contradicts what: all pure, all as tables."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.queueing import (
    in_force,
    look_queues,
    parse_queues,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.sections import parse_sections
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.presets import (
    NOOP_INTERVAL,
    NOOP_TIMEOUT,
    PRESETS,
    REPLACEMENT,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.conf.settings import NODE, setting
from ansible_collections.lunworks.iscsi.plugins.module_utils._timers.conflicts import Timer, faults
from ansible_collections.lunworks.iscsi.plugins.module_utils._timers.stall import (
    Disk,
    Path,
    Queue,
    arithmetic,
    longer,
    show_disk,
)
from ansible_collections.lunworks.iscsi.plugins.modules import timers_info
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT
HERE, THERE = (
    "'iqn.2026-01.com.example:db' at 10.77.1.11:3260",
    "'iqn.2026-01.com.example:db' at 10.77.2.11:3260",
)
FAST = Path("sda", HERE, 5, 5, 5, 15, 30)
OTHER = replace(FAST, device="sdb", session=THERE)
QUEUE = Queue("db0", "36001405", 12, 5, 5)
MAP = Disk("naa.6001405", (FAST, OTHER), "db0", QUEUE)


def timed(interval, timeout, replacement, path=FAST):
    return replace(
        path, noop_out_interval=interval, noop_out_timeout=timeout, replacement_timeout=replacement
    )


def mapped(path, other=None, **queue):
    return replace(MAP, paths=(path, other or OTHER), queue=replace(QUEUE, **queue))


def alone(interval, timeout, replacement, root=False):
    return Disk("naa.6001405", (timed(interval, timeout, replacement),), root=root)


STALLS = [
    # disk, seconds when one path fails, seconds when all fail, a part of the sentence
    (MAP, 15, 75, "fast_io_fail_tmo 5 s until its I/O is given back to multipath: 15 s when one path fails; "
                  "no_path_retry 12 x polling_interval 5 = 60 s more when all fail: 75 s."),
    (mapped(timed(10, 15, 5)), 30, 90, "noop_out_interval 10 + noop_out_timeout 15 = 25 s until"),
    (mapped(timed(5, 5, 120), fast_io_fail=None), 130, 190, "replacement_timeout 120 s until its I/O is given back"),
    (mapped(timed(0, 0, 5)), 50, 110, "no pings, so SCSI command timer 30 + abort_timeout 15 = 45 s until"),
    (mapped(FAST, retries=0), 15, 15, "15 s when one path fails, and when all fail, since no_path_retry is fail."),
    (mapped(FAST, retries=None), 15, None, "no_path_retry queue: forever when all fail."),
    (mapped(timed(5, 5, -1)), None, None, "replacement_timeout -1: its I/O waits forever."),
    (mapped(FAST, polling_interval=30), 15, 375, "12 x polling_interval 30 = 360 s more"),
    (replace(MAP, queue=None), 15, 15, "multipathd does not run"),
    (alone(5, 5, 120), 130, 130, "replacement_timeout 120 s until its I/O fails: 130 s."),
    (alone(0, 0, 86400), 86445, 86445, "no pings"),
    (alone(5, 5, -1), None, None, "forever"),
    (alone(5, 5, 0), 10, 10, "replacement_timeout 0 s until its I/O fails: 10 s."),
]  # fmt: skip


@pytest.mark.parametrize(
    "timer, retries, seconds, said",
    [
        (30, 5, 180, "SCSI command timer 30 s x (max_retries 5 + 1) = 180 s until they fail."),
        (60, 0, 60, "SCSI command timer 60 s x (max_retries 0 + 1) = 60 s until they fail."),
        (30, -1, None, "SCSI command timer 30 s, again and again (max_retries -1): forever."),
    ],
)
def test_a_lun_that_is_silent_beside_pings_is_added_up_by_itself(timer, retries, seconds, said):
    slow = replace(OTHER, command_timeout=timer, max_retries=retries)
    told = show_disk(replace(MAP, paths=(replace(FAST, command_timeout=1, max_retries=0), slow)))
    assert told["lun_stall"] == seconds and told["arithmetic"].endswith(said)


@pytest.mark.parametrize("disk, one, every, said", STALLS)
def test_the_worst_stall_is_the_sum_of_its_timers(disk, one, every, said):
    assert (disk.path_stall, disk.all_paths) == (one, every)
    assert said in arithmetic(disk)


PRESET_STALLS = {
    "multipath": (10, 15),
    "direct": (10, 130),
    "root_on_iscsi": (45, 86445),
    "md3000i": (25, 30),
    "ontap": (10, 15),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_holds_settings_that_records_take_and_stalls_as_documented(name):
    preset = PRESETS[name]
    assert {key: setting(key, value, NODE) for key, value in preset.items()} == preset
    path = timed(*(int(preset[key]) for key in (NOOP_INTERVAL, NOOP_TIMEOUT, REPLACEMENT)))
    assert (path.notice, path.stall) == PRESET_STALLS[name]
    single = replace(alone(0, 0, 0), paths=(path,), root=name == "root_on_iscsi")
    assert faults([single if name in ("direct", "root_on_iscsi") else mapped(path)], []) == []


def timer(setting_, conf, record, session, node=HERE):
    return Timer(node, setting_, conf, record, session)


FAULTS = [
    # name, disks, timers, the beginning of each fault
    (
        "commands without end beside another path",
        [mapped(replace(FAST, max_retries=-1))],
        [],
        ["max_retries -1 of the paths of the map 'db0': a LUN that answers no commands on one path holds their I/O forever"],
    ),
    (
        "commands without end where nothing else is",
        [Disk("naa.6001405", (replace(FAST, replacement_timeout=120, max_retries=-1),))],
        [],
        [],
    ),
    (
        "an iscsid that gives up",
        [],
        [timer("node.session.reopen_max", 5, 5, None)],
        [f"reopen_max 5 in the record of {HERE}: after a loss iscsid gives up after 5 tries, which can be over in 5 x 2 = 10 s"],
    ),
    ("an iscsid that does not", [], [timer("node.session.reopen_max", 0, 0, None)], []),
    ("nothing", [], [], []),
    ("a map with the preset", [MAP], [timer(REPLACEMENT, 5, 5, 5)], []),
    ("one path with the preset", [alone(5, 5, 120)], [], []),
    ("root on one path with its preset", [alone(0, 0, 86400, root=True)], [], []),
    (
        "a path of a map that keeps its I/O",
        [mapped(timed(5, 5, 120), fast_io_fail=None)],
        [],
        [f"replacement_timeout 120 of the session of {HERE} keeps the I/O of '/dev/sda' back for 120 s, although the map "
         "'db0' has another path. Set 5 to 15 (preset 'multipath')."],
    ),
    ("forever", [mapped(timed(5, 5, -1), fast_io_fail=None)], [], [f"replacement_timeout -1 of the session of {HERE} keeps "
     "the I/O of '/dev/sda' back forever"]),
    ("multipath's own timer", [mapped(timed(5, 5, 60), fast_io_fail=60)], [], [f"fast_io_fail_tmo 60 of the session of {HERE}"]),
    (
        "the timers of root on a path of a map",
        [mapped(timed(0, 0, 86400), fast_io_fail=None)],
        [],
        [f"replacement_timeout 86400 of the session of {HERE} keeps", f"noop_out_interval 0 of the session of {HERE}: without "
         "pings the map 'db0' learns of the dead path '/dev/sda' from a command's timer only, after 45 s instead of 10."],
    ),
    ("a map with one path may be patient", [replace(MAP, paths=(timed(5, 5, 120),))], [], []),
    ("two command timers", [mapped(replace(FAST, command_timeout=60))], [], ["The paths of the map 'db0' have different SCSI "
     "command timers, 30 and 60 s."]),
    ("queueing forever", [mapped(FAST, retries=None)], [], ["no_path_retry of the map 'db0' is 'queue': when all paths"]),
    ("root that queues forever", [replace(mapped(FAST, retries=None), root=True)], [], []),
    ("root on a map that fails", [replace(MAP, root=True)], [], ["The root file system is on the map 'db0', and its I/O fails "
     "when no path has been there for 60 s. Set no_path_retry to queue for this map."]),
    ("multipathd is not running", [replace(MAP, queue=None)], [], ["There is a map 'db0', but multipathd is not running"]),
    ("root on one path that fails soon", [alone(5, 5, 120, root=True)], [], ["The root file system is on '/dev/sda', a disk "
     f"with one path, and replacement_timeout 120 of the session of {HERE} fails its I/O after 130 s. Set 86400"]),
    ("one path that fails at once", [alone(5, 5, 5)], [], [f"replacement_timeout 5 of the session of {HERE} fails the I/O of "
     "'/dev/sda' after 15 s, and no map has another path for it."]),
    (
        "two paths and no map",
        [alone(5, 5, 120), Disk("naa.6001405", (timed(5, 5, 120, OTHER),))],
        [],
        ["'/dev/sda' and '/dev/sdb' are the same LUN (naa.6001405), and no multipath map joins them"],
    ),
    (
        "a path beside its map",
        [replace(MAP, paths=(FAST,)), Disk("naa.6001405", (timed(5, 5, 120, OTHER),))],
        [],
        ["'/dev/mapper/db0' and '/dev/sdb' are the same LUN"],
    ),
    ("a volume on a path past its map", [replace(MAP, beside=("/dev/sdb holds the active logical volume 'vg/data'",))], [],
     ["/dev/sdb holds the active logical volume 'vg/data', a single path of the LUN"]),
    ("disks that do not say who they are", [replace(alone(5, 5, 120), wwid="")] * 2, [], []),
    ("multipath overrules the record, as it does everywhere", [MAP], [timer(REPLACEMENT, 120, 120, 5)], []),
    ("multipath leaves it alone", [mapped(FAST, fast_io_fail=None)], [timer(REPLACEMENT, 120, 120, 5)], [f"The session of {HERE} "
     "has replacement_timeout 5, its record says 120: that takes effect at the next login."]),
    ("the session is older than the record", [], [timer(NOOP_TIMEOUT, 10, 10, 5)], [f"The session of {HERE} has "
     "noop_out_timeout 5, its record says 10: that takes effect at the next login."]),
    ("records are older than iscsid.conf", [], [timer(NOOP_TIMEOUT, 10, 5, None), timer(NOOP_TIMEOUT, 10, 5, None, THERE)],
     [f"noop_out_timeout is 5 in the record of {HERE} and 1 more, and 10 in iscsid.conf, which applies to new records only."]),
    ("a session without a record", [], [timer(NOOP_TIMEOUT, 10, None, 5)], []),
]  # fmt: skip


@pytest.mark.parametrize(
    "disks, timers, begin", [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_contradiction_is_said_with_what_to_set(disks, timers, begin):
    found = faults(disks, timers)
    assert len(found) == len(begin), found
    assert [(one, said) for one, said in zip(found, begin) if not one.startswith(said)] == []


@pytest.mark.parametrize("longest, count", [(74, 1), (75, 0)])
def test_a_stall_is_held_against_what_is_wanted(longest, count):
    said = longer([MAP], longest)
    assert len(said) == count
    assert all("'/dev/mapper/db0' can stall for 75 s, at most 74 s are allowed: noop" in one for one in said)


def test_no_length_is_long_enough_for_a_stall_without_end():
    assert "can stall forever" in longer([mapped(FAST, retries=None)], 10**6)[0]


CONFIG = """\
defaults {
    polling_interval 7
    no_path_retry "fail"
    fast_io_fail_tmo 5
}
devices {
    device {
        vendor "LIO-ORG"
        product ".*"
        no_path_retry 12
    }
    device {
        vendor "^LIO"
        product "IBLOCK"
        fast_io_fail_tmo 9
    }
    device {
        vendor "NETAPP"
        product "LUN"
        no_path_retry "queue"
    }
    device {
        vendor "LIO["
        no_path_retry 99
    }
}
overrides {
    dev_loss_tmo 60
    protocol {
        type "scsi:fcp"
        fast_io_fail_tmo 33
    }
}
multipaths {
    multipath {
        wwid "36001405b"
        no_path_retry 3
    }
}
""".replace("    ", "\t")
LIO = {"uuid": "36001405a", "vend": "LIO-ORG", "prod": "IBLOCK", "rev": "4.0"}


@pytest.mark.parametrize(
    "one, keyword, said",
    [
        (LIO, "no_path_retry", "12"),
        ({**LIO, "uuid": "36001405b"}, "no_path_retry", "3"),
        (LIO, "fast_io_fail_tmo", "9"),
        ({**LIO, "prod": "FILEIO"}, "fast_io_fail_tmo", "5"),
        ({"uuid": "x", "vend": "NETAPP", "prod": "LUN C-Mode"}, "no_path_retry", "queue"),
        ({"uuid": "x", "vend": "QNAP", "prod": "iSCSI"}, "no_path_retry", "fail"),
        (LIO, "dev_loss_tmo", "60"),
        (LIO, "polling_interval", "7"),
        (LIO, "failback", ""),
    ],
)
def test_the_section_that_counts_is_found(one, keyword, said):
    assert in_force(parse_sections(CONFIG), one, keyword, by_protocol=True) == said


def test_a_protocol_wins_over_everything():
    config = CONFIG.replace("scsi:fcp", "scsi:iscsi")
    assert in_force(parse_sections(config), LIO, "fast_io_fail_tmo", by_protocol=True) == "33"


@pytest.mark.parametrize(
    "told, paths, section, retries",
    [
        ("12 chk", 2, 12, 12),
        ("off", 2, 12, 0),  # someone said 'multipathd disablequeueing'
        ("off", 0, 12, 12),  # the retries are over
        ("45 sec", 0, 12, 12),  # they are being counted
        ("on", 2, "queue", None),
        ("off", 0, "fail", 0),
        ("-", 2, "", None),
    ],
)
def test_no_path_retry_is_that_of_the_map_also_while_its_paths_are_gone(told, paths, section, retries):
    one = {
        **LIO,
        "name": "db0",
        "sysfs": "dm-0",
        "queueing": told,
        "paths": paths,
        "features": "1 queue_if_no_path",
    }
    config = f'defaults {{\n\tno_path_retry "{section}"\n\tfast_io_fail_tmo "off"\n}}\n' if section else ""
    queue = parse_queues(json.dumps({"maps": [one]}), config)["dm-0"]
    assert (queue.retries, queue.polling_interval, queue.fast_io_fail) == (retries, 5, None)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_what_the_daemon_says_on_a_real_host_is_understood(suite):
    maps, config = (
        (FIXTURES / "multipath" / name).read_text().split("\n", 1)[1]
        for name in (f"maps-{suite}.json", f"config-{suite}.txt")
    )
    queues = parse_queues(maps, config)
    assert sorted(queues) == ["dm-0", "dm-1"]
    for queue in queues.values():
        assert (queue.retries, queue.polling_interval, queue.fast_io_fail, queue.stall) == (12, 5, 5, 60)


def test_a_question_does_not_start_multipathd():
    host = ScriptedHost(runs={"systemctl show -p ActiveState multipathd.service": "ActiveState=inactive\n"})
    assert look_queues(host) == {}


ROOT = "iqn.2026-01.com.example:root"
DATA = "iqn.2026-01.com.example:db"


def session_files(number, target, portal, disk, recovery):
    """A session in sysfs with one disk."""
    session, connection = (
        f"/sys/class/iscsi_session/session{number}",
        f"/sys/class/iscsi_connection/connection{number}:0",
    )
    told = {
        "targetname": target,
        "ifacename": "default",
        "tpgt": "1",
        "state": "LOGGED_IN",
        "recovery_tmo": recovery,
    }
    told.update(abort_tmo="15", lu_reset_tmo="30", tgt_reset_tmo="30")
    where = f"{number}:0:0:0"
    return {
        **{f"{session}/{name}": f"{text}\n" for name, text in told.items()},
        f"{session}/device/target{number}:0:0/{where}/block/{disk}/size": "1",
        f"{connection}/persistent_address": portal,
        f"{connection}/persistent_port": "3260",
        f"{connection}/recv_tmo": "5\n",
        f"{connection}/ping_tmo": "5\n",
        f"/sys/class/scsi_device/{where}/device/timeout": "30\n",
        f"/sys/class/scsi_device/{where}/device/wwid": f"naa.{target[-2:]}\n",
        f"/sys/class/block/{disk}/dev": f"8:{number}\n",
    }


def test_the_timers_of_a_host_are_gathered_from_files_sysfs_and_the_daemon():
    files = {
        "/etc/iscsi/iscsid.conf": "node.conn[0].timeo.noop_out_timeout = 7\n",
        f"/etc/iscsi/nodes/{DATA}/10.0.1.1,3260,1/default": (
            f"node.name = {DATA}\nnode.conn[0].address = 10.0.1.1\nnode.conn[0].port = 3260\n"
            "node.session.timeo.replacement_timeout = 60\n"
        ),
        **session_files(1, DATA, "10.0.1.1", "sda", "5"),
        **session_files(2, DATA, "10.0.2.1", "sdb", "5"),
        **session_files(3, ROOT, "10.0.1.1", "sdc", "off"),
        "/sys/class/block/sda/holders/dm-0": "",
        "/sys/class/block/sdb/holders/dm-0": "",
        "/sys/class/block/dm-0/dev": "254:0\n",
        "/sys/class/block/dm-0/dm/name": "db0\n",
        "/sys/class/block/dm-0/dm/uuid": "mpath-36001405a\n",
        "/proc/1/ns/mnt": {"link": "/proc/1/ns/mnt:[1]"},
        "/proc/1/mountinfo": "20 1 8:3 / / rw - ext4 /dev/root rw\n",
    }
    one = {**LIO, "name": "db0", "sysfs": "dm-0", "queueing": "12 chk", "paths": 2, "features": ""}
    runs = {
        "systemctl show -p ActiveState multipathd.service": "ActiveState=active\n",
        "multipathd show maps json": json.dumps({"maps": [one]}),
        "multipathd show config local": "defaults {\n\tfast_io_fail_tmo 5\n}\n",
        "dmesg": "[ 7.5] connection1:0: detected conn error (1022)\n",
    }
    host = ScriptedHost(files, runs)
    told = timers_info.question({"max_stall": None}, host)
    assert host.did == []
    assert [(disk["device"], disk["path_stall"], disk["worst_stall"]) for disk in told["disks"]] == [
        ("/dev/mapper/db0", 15, 75),
        ("/dev/sdc", None, None),
    ]
    assert [(one["session"], one["last"]) for one in told["connection_errors"]] == [
        (f"the session of '{DATA}' at 10.0.1.1:3260", "1970-01-01 00:16:47 UTC")
    ]
    assert [path["device"] for path in told["disks"][0]["paths"]] == ["sda", "sdb"]
    assert told["disks"][1]["users"] == ("/dev/sdc is mounted on '/'",)
    at = f"'{DATA}' at 10.0.1.1:3260"
    assert Timer(at, REPLACEMENT, 120, 60, 5) in told["timers"]
    assert Timer(f"'{ROOT}' at 10.0.1.1:3260", REPLACEMENT, 120, None, -1) in told["timers"]
    assert [fault.split(":3260")[0] for fault in told["faults"]] == [
        f"noop_out_timeout is 5 in the record of {at}"[: -len(":3260")],
        f"replacement_timeout is 60 in the record of {at}"[: -len(":3260")],
    ]


def test_what_stands_on_a_path_past_its_map_is_the_first_fault():
    files = {
        **session_files(1, DATA, "10.0.1.1", "sda", "5"),
        "/sys/class/block/sda/holders/dm-0": "",
        "/sys/class/block/sda/holders/dm-1": "",
        "/sys/class/block/dm-0/dm/name": "db0\n",
        "/sys/class/block/dm-0/dm/uuid": "mpath-36001405a\n",
        "/sys/class/block/dm-1/dm/name": "vg-data\n",
        "/sys/class/block/dm-1/dm/uuid": "LVM-x\n",
    }
    runs = {"systemctl show -p ActiveState multipathd.service": "ActiveState=inactive\n", "dmesg": ""}
    told = timers_info.question({"max_stall": None}, ScriptedHost(files, runs))
    assert told["faults"][0].startswith(
        "/dev/sda holds the active logical volume 'vg/data', a single path of the LUN naa.db, although that has the map 'db0'"
    )


@pytest.mark.parametrize("longest", [0, -5])
def test_a_length_that_is_none_is_refused_before_the_host_is_asked(longest):
    with pytest.raises(Problem, match="it must be a number of seconds, 1 or more"):
        timers_info.question({"max_stall": longest}, ScriptedHost())
