# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.dm_multipath import (
    running as multipathd_runs,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.alias import (
    Aliases,
    format_aliases,
    plan_aliases,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.conf.plan import (
    Conf,
    Reconfigure,
    WriteConf,
    WriteMain,
    format_conf,
    plan_conf,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.attach import (
    Arrival,
    AwaitDisks,
    GrowDisk,
    MakeMaps,
    ScanHost,
    await_all,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.detach import (
    ForgetWwid,
    RemoveMap,
    RemovePaths,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.luns import parse_luns
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.path import (
    QUESTIONS,
    answered,
    parse_identification,
    wwid_of_kernel,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.path import (
    Path as DiskPath,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.disk.plan import (
    Disk,
    Disks,
    Request,
    plan_disks,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.files import aliases_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.multipathd import parse_maps
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.presets import PRESETS, with_presets
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.sections import parse_sections
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT / "multipath"
WWID = "360014057c2b9765b98754f180cac1e6e"  # of the recorded disk
SUITES = pytest.mark.parametrize("suite", ["bookworm", "trixie"])
RUNS = {
    "systemctl show -p ActiveState multipathd.service": "ActiveState=active\n",
    "udevadm settle --timeout=5": "",
}


def recorded(name):
    return (FIXTURES / name).read_text().split("\n", 1)[1]


def answers(name):
    return [bytes.fromhex(line) for line in recorded(name).splitlines()]


PATH = DiskPath(device="sda", hctl="0:0:0:0", state="running", known=WWID, size=64 << 20)


# ---- what disks and the daemon say ----


@SUITES
def test_a_disk_says_who_it_is_and_how_large(suite):
    path = answered(PATH, answers(f"answers-{suite}.txt"))
    assert path.wwids[0] == WWID == path.known
    assert (path.good, path.serial[:8], path.product, path.capacity) == (True, "7c2b9765", "IBLOCK", 64 << 20)


@SUITES
def test_a_lun_that_was_taken_away_answers_that_nothing_is_there(suite):
    path = answered(PATH, answers(f"answers-unmapped-{suite}.txt"))
    assert (path.state, path.wwids, path.capacity) == ("unmapped", (), 0)


def test_a_refused_inquiry_says_that_nothing_is_there_and_silence_says_nothing():
    assert answered(PATH, [b""] * len(QUESTIONS)).state == "unmapped"
    assert answered(PATH, [None] * len(QUESTIONS)).state == "silent"


@SUITES
def test_the_daemon_tells_its_maps_and_failed_paths(suite):
    maps = {one.wwid: one for one in parse_maps(recorded(f"maps-{suite}.json"))}
    assert maps[WWID].name == WWID
    assert [one.failed for one in maps.values()] == [frozenset(), frozenset()]
    cut = parse_maps(recorded(f"maps-cut-{suite}.json"))
    assert [len(one.failed) for one in cut] == [1, 1]


def designator(kind, value, association=0):
    return bytes([1, association << 4 | kind, 0, len(value)]) + value


def page(*designators):
    body = b"".join(designators)
    return bytes([0, 0x83]) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    "told, wwids",
    [
        (page(designator(3, bytes.fromhex("5" + "0" * 15))), ["3" + "5" + "0" * 15]),
        (
            page(designator(3, bytes.fromhex("5" + "0" * 15)), designator(3, bytes.fromhex("6" + "0" * 31))),
            ["36" + "0" * 31, "35" + "0" * 15],
        ),
        (page(designator(2, bytes.fromhex("0025385b71b006cd"))), ["20025385b71b006cd"]),
        (page(designator(1, b"IET     00010001")), ["1IET_00010001"]),
        (page(designator(8, b"iqn.2026-01.com.example:x\0\0\0")), ["8iqn.2026-01.com.example:x"]),
        (
            page(designator(3, bytes.fromhex("5" + "0" * 15), association=1)),
            [],
        ),  # of the port, not of the LUN
        (page(designator(4, b"\0\0\0\1")), []),
        (page(designator(3, b"\x60\1"))[:6], []),  # cut off
        (b"", []),
    ],
)
def test_the_wwids_of_a_page(told, wwids):
    assert parse_identification(told) == wwids


@pytest.mark.parametrize(
    "kernel, wwid",
    [
        ("naa.600140500e0247a1964592da511314e2", "3600140500e0247a1964592da511314e2"),
        ("eui.0025385b71b006cd", "20025385b71b006cd"),
        ("t10.IET     00010001", "1IET_00010001"),
        ("", ""),
    ],
)
def test_the_wwid_that_the_kernel_keeps(kernel, wwid):
    assert wwid_of_kernel(kernel) == wwid


def test_a_disk_without_identification_is_known_by_its_serial():
    inquiry = bytes(8) + b"QNAP    " + b"iSCSI Storage   " + bytes(64)
    path = answered(PATH, [inquiry, b"", bytes([0, 0x80, 0, 4]) + b"ab12", b""])
    assert (path.wwids, path.capacity) == (("SQNAP_iSCSI_Storage_ab12",), 0)


def test_what_is_no_disk_does_not_answer():
    questions = [(device, *QUESTIONS[0]) for device in ("/dev/null", "/dev/none")]
    assert list(Host().scsi(questions, seconds=10)) == [None, None]


# ---- steps on a scripted host ----


def test_maps_are_made_and_missing_paths_added_in_one_go():
    host = ScriptedHost(
        files={"/sys/class/scsi_disk/0:0:0:0/device/block/sda/dev": "8:0\n"},
        runs=RUNS,
        changing=["multipathd"],
    )
    arrivals = (Arrival("one", "3600140500e0247a1964592da511314e2", 1),)
    with pytest.raises(Problem, match="multipathd made no map with enough paths of one on 1 path"):
        MakeMaps(arrivals, 5).take(host)
    assert host.did == ["run multipathd -k"]


def test_multipathd_is_told_nothing_of_a_map_that_only_its_name_is_missing_of():
    here, block = "/sys/class/scsi_disk/0:0:0:0/device", "/sys/class/block"
    host = ScriptedHost(
        files={
            f"{here}/block/sda/dev": "8:0\n",
            f"{here}/wwid": f"naa.{WWID[1:]}\n",
            f"{here}/state": "running\n",
            f"{block}/sda/holders/dm-0/dev": "254:0\n",
            f"{block}/dm-0/dm/uuid": f"mpath-{WWID}\n",
        },
        runs={**RUNS, "multipathd show maps json": '{"maps": []}'},
        scsi={"/dev/sda": {"wwid": WWID, "size": 512}},
        changing=["multipathd -k"],
    )
    with pytest.raises(Problem, match="made no map with enough paths of one on 1 path"):
        MakeMaps((Arrival("one", WWID, 1),), 5).take(host)
    assert host.did == []


def test_no_map_without_the_daemon():
    host = ScriptedHost(
        runs={**RUNS, "systemctl show -p ActiveState multipathd.service": "ActiveState=inactive\n"}
    )
    with pytest.raises(Problem, match="multipathd is not running"):
        MakeMaps((Arrival("one", WWID, 1),), 5).take(host)


def test_a_disk_that_does_not_come_says_why():
    step = AwaitDisks((Arrival("one", WWID, 2, target="iqn.2026-01.com.example:x"),), False, 1)
    with pytest.raises(Problem, match="there must be one on 2 paths; found: no iSCSI session to its target"):
        step.take(ScriptedHost())


def test_many_are_waited_for_as_long_as_one_more_comes():
    class Clock(ScriptedHost):
        def until(self, test, seconds, every=0.2):
            return next((True for _second in range(seconds) if test()), False)

    def come(*late):
        """How much is late after each look, and what is waited for in vain, 3 looks long."""
        looks = iter(late)
        return await_all(Clock(), 3, lambda: ["disk"] * next(looks), 3)

    assert come(3, 3, 2, 2, 2, 1, 1, 1, 0) == []
    assert come(3, 3, 2, 2, 2, 2) == ["disk"] * 2
    assert come(3, 3, 3) == ["disk"] * 3
    assert await_all(Clock(), 0, list, 3) == ()


def test_a_device_that_became_another_is_not_deleted():
    host = ScriptedHost(
        files={"/sys/class/scsi_disk/0:0:0:0/device/wwid": "naa.6001405fffffffffffffffffffffffff\n"},
        changing=["tee", "blockdev"],
    )
    with pytest.raises(Problem, match=f"was '{WWID}' a moment ago"):
        RemovePaths("test", (PATH,), 5).take(host)
    assert host.did == []


def test_a_map_that_stays_in_use_says_what_multipath_said():
    host = ScriptedHost(
        files={"/sys/class/block/dm-0/dm/uuid": f"mpath-{WWID}\n"},
        runs={**RUNS, f"multipath -f {WWID}": {"rc": 1, "err": "map in use"}},
        changing=["multipathd -k", "blockdev", "multipath -f"],
    )
    with pytest.raises(Problem, match="the map 'dm-0' is still there after 1 seconds: map in use"):
        RemoveMap("one", WWID, "dm-0", 1).take(host)
    assert host.did == [
        "run multipathd -k",
        f"run blockdev --flushbufs /dev/disk/by-id/dm-uuid-mpath-{WWID}",
        f"run multipath -f {WWID}",
    ]


def test_multipathd_is_told_once_of_all_maps_that_go():
    host = ScriptedHost(
        files={"/sys/class/block/dm-1/dm/uuid": "mpath-two\n"},
        runs={**RUNS, "multipath -f two": {"rc": 1, "err": "map in use"}},
        changing=["multipathd -k", "blockdev", "multipath -f"],
    )
    maps = [RemoveMap("one", "one", "dm-0", 1, flush=False), RemoveMap("two", "two", "dm-1", 1, flush=False)]
    gone, stays = RemoveMap.together(maps, host)
    assert gone is None and "the map 'dm-1' is still there" in str(stays)
    assert host.did[0] == "run multipathd -k"
    assert sorted(host.did[1:]) == ["run multipath -f one", "run multipath -f two"]


@pytest.mark.parametrize("known", ["", "sdb\n"])
def test_multipathd_is_asked_once_whether_it_has_forgotten_all_paths(known):
    host = ScriptedHost(runs=RUNS, changing=["multipathd -k"])
    host.runs["multipathd -k"] = known
    paths = [replace(PATH, device=name, hctl=f"0:0:0:{name}") for name in ("sda", "sdb")]
    outcomes = RemovePaths.together([RemovePaths("test", (path,), 5) for path in paths], host)
    assert [str(problem) for problem in outcomes if problem] == (
        ["multipathd still has the paths sdb."] * 2 if known else []
    )
    assert host.did == ["run multipathd -k"]


def test_a_wwid_that_stays_listed_is_a_problem():
    host = ScriptedHost(files={"/etc/multipath/wwids": f"/{WWID}/\n"}, changing=["multipath -w"])
    with pytest.raises(Problem, match="is still listed"):
        ForgetWwid(WWID).take(host)


# ---- the laws ----

REQUESTS = [Request("36001405a000000000000000000000000", paths=2)]
HEALTHY = DiskPath(
    device="sda", hctl="0:0:0:0", state="running", known=REQUESTS[0].wwid, wwids=(REQUESTS[0].wwid,)
)


def disk_states():
    for good, mapped, size in itertools.product((0, 1, 2), (False, True), (0, 512, 1024)):
        paths = (HEALTHY,) * good
        yield Disk(REQUESTS[0].wwid, good, mapped, named=bool(good), size=size if good else 0, paths=paths)
    yield Disk(REQUESTS[0].wwid, registered=True)
    yield None


def walk_disk(disk, steps):
    """What the steps make of a disk, by what each says that it does."""
    for step in steps:
        if isinstance(step, AwaitDisks):
            (one,) = step.disks
            disk = replace(
                disk or Disk(one.wwid),
                good=one.paths,
                named=True,
                paths=(HEALTHY,) * one.paths,
                size=max(one.size, disk.size if disk else 0),
            )
        elif isinstance(step, MakeMaps):
            disk = replace(
                disk or Disk(step.disks[0].wwid), mapped=True, named=True, good=step.disks[0].paths
            )
        elif isinstance(step, GrowDisk):
            disk = replace(disk, size=step.size)
        elif isinstance(step, RemoveMap):
            disk = replace(disk, mapped=False)
        elif isinstance(step, (ForgetWwid, RemovePaths)):
            disk = None
        else:
            assert isinstance(step, ScanHost)
    return disk


@pytest.mark.parametrize("seen", list(disk_states()), ids=str)
def test_disks_obey_the_laws(seen):
    wwid = REQUESTS[0].wwid
    for want in disk_states():
        reachable = want is None or (want.named and not want.registered)
        smaller = want and seen and want.size < seen.size
        shrinks = want and seen and (want.good < seen.good or (seen.mapped and not want.mapped))
        if not reachable or smaller or shrinks:
            continue
        before, after = Disks({wwid: seen}), Disks({wwid: want})
        walked = walk_disk(seen, plan_disks(REQUESTS, before, after))
        assert plan_disks(REQUESTS, after, after) == []
        assert plan_disks(REQUESTS, Disks({wwid: walked}), after) == []


def conf_states():
    for text, loaded, running, main in itertools.product(
        (None, "a", "b"), (True, False), (True, False), (True, False)
    ):
        if loaded or running:
            yield Conf("/etc/multipath/conf.d/x.conf", text, loaded, running, main)


@pytest.mark.parametrize("seen", list(conf_states()), ids=str)
def test_drop_ins_obey_the_laws(seen):
    for want in conf_states():
        if want.running != seen.running or not want.loaded or want.main < seen.main:
            continue
        state = seen
        for step in plan_conf(seen, want):
            if isinstance(step, WriteConf):
                state = replace(state, text=step.text)
            elif isinstance(step, WriteMain):
                state = replace(state, main=True)
            else:
                state = replace(state, loaded=True)
        assert plan_conf(want, want) == []
        assert state == want


def alias_states():
    for first, second in itertools.product((None, "a", "b"), (None, "c")):
        own = {wwid: name for wwid, name in (("3one", first), ("3two", second)) if name}
        yield Aliases(own, {}, maps={"3one": first or "3one"}, names={})


@pytest.mark.parametrize("seen", list(alias_states()), ids=str)
def test_aliases_obey_the_laws(seen):
    for want in alias_states():
        state = seen
        for step in plan_aliases(seen, want):
            if isinstance(step, WriteConf):
                state = replace(state, own=aliases_of(parse_sections(step.text or "")))
            else:
                assert isinstance(step, Reconfigure)
                state = replace(state, maps={wwid: state.own.get(wwid, wwid) for wwid in state.maps})
        assert plan_aliases(want, want) == []
        assert state == want


# ---- the text of drop-ins ----


def test_the_text_of_a_drop_in():
    text = format_conf(
        "a test",
        {
            "defaults": {"user_friendly_names": False, "polling_interval": 7},
            "blacklist": {"wwid": ["a", "b"], "device": [{"vendor": 'A"B', "product": "# !"}]},
            "devices": [],
            "overrides": {"protocol": {"type": "scsi:iscsi"}},
        },
    )
    assert text.splitlines() == [
        "# Written by a test: changes here are lost.",
        "defaults {",
        '\tuser_friendly_names "no"',
        '\tpolling_interval "7"',
        "}",
        "blacklist {",
        '\twwid "a"',
        '\twwid "b"',
        "\tdevice {",
        '\t\tvendor "A""B"',
        '\t\tproduct "# !"',
        "\t}",
        "}",
        "overrides {",
        "\tprotocol {",
        '\t\ttype "scsi:iscsi"',
        "\t}",
        "}",
    ]


def test_aliases_are_read_back_as_written_and_others_files_too():
    aliases = {"36001405a": "db0", "36001405b": "log.2"}
    assert aliases_of(parse_sections(format_aliases(aliases) or "")) == aliases
    assert format_aliases({}) is None
    by_hand = """
blacklist {
  wwid x
}
multipaths {
  multipath {
    wwid 3600 # mine
    alias   mine
    prio alua
  }
  multipath {
    wwid 3601
  }
}
"""
    assert aliases_of(parse_sections(by_hand)) == {"3600": "mine"}


def test_what_a_user_says_comes_after_the_presets_and_wins():
    own = {"vendor": "LIO-ORG", "product": "x", "no_path_retry": 3}
    sections = {"devices": [own], "blacklist": {"device": [{"vendor": "ATA", "product": ".*"}]}}
    merged = with_presets(["iet", "tgt", "md3000i"], sections)
    assert merged["devices"][-1] == own
    assert len(merged["devices"]) == 3, "iet and tgt are one entry"
    assert [one["vendor"] for one in merged["blacklist"]["device"]] == [".*", "ATA"]
    assert sections["blacklist"] == {"device": [{"vendor": "ATA", "product": ".*"}]}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_no_preset_holds_io_for_ever(name):
    assert all(isinstance(one["no_path_retry"], int) for one in PRESETS[name].get("devices", []))


def test_lun_numbers_are_read_as_the_kernel_counts_them():
    listed = [bytes(8), bytes([0, 3, *[0] * 6]), bytes([0x41, 0, *[0] * 6]), bytes([0, 1, 0, 2, *[0] * 4])]
    head = (len(listed) * 8).to_bytes(4, "big") + bytes(4)
    assert parse_luns(head + b"".join(listed)) == {0, 3, 0x4100, 1 | 2 << 16}
    assert parse_luns(head + b"".join(listed[:2])) == {0, 3}, "an answer that was cut"
    assert parse_luns(bytes(8)) == frozenset()


@pytest.mark.parametrize("comm, asked", [("multipathd\n", False), ("bash\n", True)])
def test_a_look_at_its_process_tells_that_multipathd_runs_and_an_old_number_does_not(comm, asked):
    runs = {"systemctl show -p ActiveState multipathd.service": "ActiveState=inactive\n"} if asked else {}
    host = ScriptedHost(files={"/run/multipathd.pid": "77\n", "/proc/77/comm": comm}, runs=runs)
    assert multipathd_runs(host) is not asked
