# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.blank_disk import device_path
from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.filesystem import (
    Filesystem,
    GrowFilesystem,
    MakeFilesystem,
    look_filesystem,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm import info as lvm_info
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group import membership as lvm_membership
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group import ownership as lvm_ownership
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group.ownership import (
    Deactivate,
    Export,
    HandOver,
    MarkGroup,
    TakeOver,
    guarded,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group.plan import (
    ORDER,
    Groups,
    plan_group,
    plan_groups,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.info import parse_dump, parse_health
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.model import (
    LogicalVolume,
    Lvm,
    PhysicalVolume,
    VolumeGroup,
    show_group,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.names import (
    extent_size,
    group_name,
    tag,
    volume_name,
    volume_size,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.planned import Planned
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.report import (
    QUIET,
    SEQNOS,
    parse_copies,
    parse_report,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.volume import allocation as lvm_allocation
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.volume.plan import (
    Request,
    Volume,
    Volumes,
    plan_volumes,
    want_volumes,
)
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

FIXTURES = RECORDED_OUTPUT / "lvm"
MIB = 1 << 20


def recorded(name):
    return (FIXTURES / name).read_text().partition("\n")[2]


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_report_of_lvm_becomes_volume_groups(suite):
    found = parse_report(recorded(f"fullreport-{suite}.json"))
    groups = {group.name: group for group in found.groups}
    assert sorted(groups) == ["vg_away", "vg_db", "vg_far", "vg_part"]
    database = groups["vg_db"]
    assert (database.extent_size, database.extents, database.free) == (4 * MIB, 196, 60)
    assert database.tags == {"db", "san"} and database.autoactivation is True
    assert [one.extents for one in database.physical] == [98, 98] == [one.fits for one in database.physical]
    volumes = {one.name: one for one in database.logical}
    assert sorted(volumes) == ["data", "off", "pool", "snap", "thin"]
    assert volumes["data"].plain and volumes["data"].size == 500 * MIB
    assert not volumes["thin"].plain and volumes["thin"].pool == "pool" and volumes["snap"].origin == "off"
    assert groups["vg_away"].exported and groups["vg_away"].autoactivation is False
    assert groups["vg_far"].system_id == "db-b"
    assert [one.device for one in groups["vg_part"].physical].count("[missing]") == 1
    assert [one.device for one in found.orphans] == ["/dev/ubdb"]


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_copies_of_physical_volumes_are_known_by_uuid(suite):
    original = {group.name: group for group in parse_report(recorded(f"fullreport-{suite}.json")).groups}[
        "vg_away"
    ]
    copies = parse_copies(recorded(f"copies-{suite}.json"))
    assert copies == {original.physical[0].uuid: ["/dev/mapper/360014055555555522223333444455555"]}


def test_the_metadata_on_a_disk_is_cut_out_of_the_dump():
    said = "  metadata text at 9216 crc 0x78b381c7 # vgname vg seqno 4\n  ---\nvg {\nseqno = 4\n}\n# made\n\n  ---\n"
    assert parse_dump(said) == "vg {\nseqno = 4\n}\n# made\n"
    assert parse_dump("  No metadata\n") is None


def test_metadata_is_looked_for_on_each_disk_until_one_has_it():
    told = {
        "pvck --config backup { backup=0 archive=0 } --dump metadata " + device: answer
        for device, answer in ANSWERS.items()
    }
    group = VolumeGroup("vg", physical=tuple(PhysicalVolume(one, "sda", uuid=one) for one in ANSWERS))
    assert lvm_info._metadata(ScriptedHost(runs=told), group) == "vg {\n}\n"
    bad = replace(group, physical=group.physical[:2])
    with pytest.raises(
        Problem, match="No disk of 'vg' shows its metadata to 'pvck --dump metadata': bad mda"
    ):
        lvm_info._metadata(ScriptedHost(runs=told), bad)
    assert lvm_info._metadata(ScriptedHost(), replace(group, physical=())) is None


ANSWERS = {
    "/dev/a": "  no text\n",
    "/dev/b": {"rc": 5, "err": "  bad mda\n"},
    "/dev/c": "  ---\nvg {\n}\n  ---\n",
}


def test_a_group_is_shown_in_one_word():
    group = VolumeGroup("vg", uuid="u", physical=(PhysicalVolume("/dev/a", kernel="sda", uuid="p"),))
    assert show_group(group)["state"] == "inactive"
    assert show_group(replace(group, tables=("dm-1",)))["state"] == "active"
    assert show_group(replace(group, exported=True))["state"] == "exported"
    assert show_group(replace(group, exported=True, foreign=True))["state"] == "foreign"
    assert show_group(replace(group, physical=(PhysicalVolume("[missing]", uuid="p"),)))["state"] == "partial"
    assert show_group(replace(group, copies=("/dev/b",), exported=True))["state"] == "duplicate"


@pytest.mark.parametrize(
    "check, good, bad",
    [
        (group_name, ["vg_db", "a+b.c-d", "x" * 127], ["", "-vg", ".", "..", "a b", "a/b", "x" * 128, "ü"]),
        (
            lambda name: volume_name("vg", name),
            ["data", "data.1", "my_snapshot"],
            ["snapshot1", "pvmove0", "x_tdata", "a_rmeta_0", "-x", "a b", "..", "a" * 127],
        ),
        (tag, ["db", "move:a:b", "a/b=c!&#"], ["", "-x", "a b", "a,b", "x" * 1025]),
        (
            device_path,
            ["/dev/mapper/x", "/dev/disk/by-id/x"],
            ["sdb", "/dev", "/etc/x", "/dev/../etc/x", "/dev/a b", "/dev/a\0b", "/dev/" + "x" * 256],
        ),
        (
            extent_size,
            ["1k", "4m", "384k", "8192"],
            ["3m1", "512", "96k", "0", "-4m", "1.00001m", "2t", "9" * 400],
        ),
        (
            volume_size,
            ["40g", "100%FREE", "1%vg", "1.5t", 4096],
            ["0", "101%FREE", "0%VG", "50%", "50%PVS", "-1g", "x", "9" * 400, "٥%VG"],
        ),
    ],
    ids=["group", "volume", "tag", "device", "extent", "size"],
)
def test_what_users_write_is_checked_by_lvms_rules(check, good, bad):
    for text in good:
        check(text)
    for text in bad:
        with pytest.raises(Problem):
            check(text)


@pytest.mark.parametrize(
    "text, own, wanted",
    [
        ("5m", 0, 2),  # rounded up to whole extents
        ("8m", 2, 2),
        ("100%FREE", 0, 60),
        ("100%FREE", 10, 70),
        ("50%FREE", 0, 30),
        ("50%FREE", 60, 60),  # never smaller
        ("25%VG", 0, 25),
        ("25%VG", 40, 40),
    ],
)
def test_a_size_is_a_number_of_extents(text, own, wanted):
    assert volume_size(text).extents(4 * MIB, 100, 60, own) == wanted


@pytest.mark.parametrize("percents", [(60, 60), (50, 100), (33, 33, 33), (100,), (1, 99)])
@pytest.mark.parametrize("free", [1, 7, 60, 997])
def test_percentages_of_what_is_free_find_nothing_to_do_the_second_time(percents, free):
    requests = [Request("vg", f"v{n}", volume_size(f"{percent}%FREE")) for n, percent in enumerate(percents)]
    group = VolumeGroup("vg", extent_size=4 * MIB, extents=1000, free=free)
    first = want_volumes(
        requests, Volumes({request.path: None for request in requests}, {"vg": group}, {}, Lvm())
    )
    taken = sum(volume.extents for volume in first.volumes.values())
    assert taken <= free
    after = replace(first, groups={"vg": replace(group, free=free - taken)})
    assert plan_volumes(requests, after, want_volumes(requests, after)) == []


# ---- the two laws: from every small state to every other ----


def group_states():
    physical = [
        (PhysicalVolume("/dev/a", "sda", extents=10, fits=10),),
        (
            PhysicalVolume("/dev/a", "sda", extents=12, fits=12),
            PhysicalVolume("/dev/b", "sdb", extents=10, fits=10),
        ),
    ]
    yield None
    for pvs, tags, auto, exported, active in product(
        physical, [frozenset(), frozenset({"t"})], [True, False], [True, False], [True, False]
    ):
        if exported and active:
            continue
        lv = LogicalVolume("data", kernel="dm-1" if active else "")
        tables = ("dm-1",) if active else ()
        yield VolumeGroup(
            "vg",
            tags=tags,
            autoactivation=auto,
            exported=exported,
            physical=pvs,
            logical=(lv,),
            tables=tables,
        )


def taken(group, step, want):
    """The model of a volume group after a step."""
    if isinstance(step, lvm_membership.CreateGroup):
        return replace(
            want,
            logical=(),
            tables=(),
            tags=frozenset(step.tags),
            autoactivation=step.autoactivation,
            exported=False,
        )
    if isinstance(step, lvm_membership.RemoveGroup):
        assert not group.tables and not group.exported
        return None
    if isinstance(step, lvm_membership.RemoveLabels):
        assert group is None
        return None
    if isinstance(step, lvm_membership.ExtendGroup):
        assert not group.exported
        return replace(
            group, physical=group.physical + tuple(pv for pv in want.physical if pv.device in step.devices)
        )
    if isinstance(step, lvm_membership.GrowPhysical):
        grown = [
            replace(pv, extents=pv.extents + step.extents) if pv.device == step.device else pv
            for pv in group.physical
        ]
        return replace(group, physical=tuple(grown))
    if isinstance(step, lvm_ownership.MarkGroup):
        auto = group.autoactivation if step.autoactivation is None else step.autoactivation
        return replace(group, tags=group.tags - set(step.drop) | set(step.add), autoactivation=auto)
    if isinstance(step, lvm_ownership.Import):
        assert group.exported
        return replace(group, exported=False)
    if isinstance(step, lvm_ownership.Export):
        assert not group.tables
        return replace(group, exported=True)
    active = isinstance(step, lvm_ownership.Activate)
    assert active or isinstance(step, lvm_ownership.Deactivate)
    assert not group.exported
    kernel = "dm-1" if active else ""
    return replace(
        group,
        tables=(kernel,) if active else (),
        logical=tuple(replace(one, kernel=kernel) for one in group.logical),
    )


def test_a_group_that_is_as_wanted_has_nothing_to_do():
    assert [state for state in group_states() if plan_group(state, state)] == []


def test_the_steps_of_a_plan_lead_from_every_group_to_every_other():
    walks = 0
    for seen, want in product(group_states(), group_states()):
        if seen and want and len(seen.physical) > len(want.physical):
            continue  # no disk leaves a group here
        if seen is None and want and (want.exported or want.logical):
            want = replace(want, exported=False, logical=(), tables=())
        state = seen
        if seen and seen.exported and (want is None or want.exported and want != seen):
            continue  # refused
        for step in plan_group(seen, want):
            state = taken(state, step, want)
        shown = (
            None if state is None else (state.tags, state.autoactivation, state.exported, bool(state.tables))
        )
        wanted = None if want is None else (want.tags, want.autoactivation, want.exported, bool(want.tables))
        assert shown == wanted, f"{seen} -> {want}: {plan_group(seen, want)}"
        assert [pv.device for pv in (state.physical if state else ())] == [
            pv.device for pv in (want.physical if want else ())
        ]
        walks += 1
    assert walks > 400


def test_the_steps_of_one_kind_are_neighbours_and_each_group_keeps_its_own_order():
    for seen, want in product(group_states(), group_states()):
        own = plan_group(seen, want)
        assert [ORDER.index(type(step)) for step in own] == sorted(ORDER.index(type(step)) for step in own)
    away = VolumeGroup("a", exported=True, logical=(LogicalVolume("data"),))
    here = replace(away, exported=False, logical=(LogicalVolume("data", kernel="dm-1"),), tables=("dm-1",))
    seen = Groups({name: replace(away, name=name) for name in "ab"})
    want = Groups({name: replace(here, name=name) for name in "ab"})
    assert [f"{type(step).__name__} {step.name}" for step in plan_groups(seen, want)] == [
        "Import a",
        "Import b",
        "Activate a",
        "Activate b",
    ]


EXPORTED = "vgs --noheadings -o vg_name -S vg_exported=1"


def outcomes(runs, kind=lvm_ownership.Export):
    """What taking this step for three groups at once came to, and what was run."""
    host = ScriptedHost(runs={EXPORTED: "", **runs}, changing=["vg"])
    return [problem and str(problem) for problem in kind.together(list(map(kind, "abc")), host)], host.did


def test_one_command_of_lvm_takes_many_groups():
    assert outcomes({}) == ([None] * 3, ["run vgexport a b c"])


def test_a_group_that_failed_beside_others_is_asked_alone_and_tells_why():
    refused = {"rc": 5, "err": 'Volume group "b" has active logical volumes'}
    told, did = outcomes({"vgexport a b c": refused, "vgexport b": refused, EXPORTED: "  a\n  c\n"})
    assert [bool(problem) for problem in told] == [False, True, False]
    assert "'vgexport b' failed with exit code 5" in told[1]
    assert did == ["run vgexport a b c", f"run {EXPORTED}", "run vgexport b"]


def test_activation_can_be_tried_again_for_each():
    told, did = outcomes({"vgchange --activate y a b c": {"rc": 5}}, lvm_ownership.Activate)
    assert told == [None] * 3
    assert did[1:] == [f"run vgchange --activate y {name}" for name in "abc"]


def marked(*marks):
    """What marking groups a, b ... with (added, dropped, autoactivation, tags afterwards) each runs."""
    host = ScriptedHost(changing=["vgchange"])
    steps = [lvm_ownership.MarkGroup(name, *mark[:3], frozenset(mark[3])) for name, mark in zip("abc", marks)]
    assert lvm_ownership.MarkGroup.together(steps, host) == [None] * len(steps)
    return [line.partition("run vgchange ")[2] for line in host.did]


def test_marks_that_are_right_for_every_group_are_one_command():
    assert marked(((), ("x",), True, ["own"]), ((), ("x", "y"), True, [])) == [
        "--deltag=x --deltag=y --setautoactivation=y a b"
    ]
    assert marked((("new",), (), None, ["new"]), (("new",), (), None, ["new", "own"])) == ["--addtag=new a b"]


@pytest.mark.parametrize(
    "marks, did",
    [
        ([((), ("x",), None, []), ((), ("y",), None, ["x"])], ["--deltag=x a", "--deltag=y b"]),  # b keeps x
        ([(("x",), (), None, ["x"]), (("y",), (), None, ["y"])], ["--addtag=x a", "--addtag=y b"]),
        (
            [(("x",), (), True, ["x"]), (("x",), (), None, ["x"])],
            ["--addtag=x --setautoactivation=y a", "--addtag=x b"],
        ),
    ],
)
def test_marks_that_another_group_must_not_get_are_commands_of_their_own(marks, did):
    assert marked(*marks) == did


@pytest.mark.parametrize("answer", [{"late": True}, {"rc": 3, "err": "no such option"}])
def test_a_command_that_did_not_end_or_cannot_be_is_not_tried_for_each(answer):
    told, did = outcomes({"vgexport a b c": answer})
    assert all("vgexport a b c" in problem for problem in told)
    assert did == ["run vgexport a b c"]


class Changing(ScriptedHost):
    """What wipefs says of a disk changes with the commands that are run."""

    def run(self, *argv, **more):
        ran = any(line.startswith("run vg") for line in self.did)
        for device in ("/dev/mapper/a", "/dev/mapper/b"):
            found = [{"type": "LVM2_member"}] if ran and device in self.labelled else []
            self.runs[f"wipefs --json --no-act {device}"] = json.dumps({"signatures": found})
        return super().run(*argv, **more)


@pytest.mark.parametrize("labelled", [["/dev/mapper/a"], []])
@pytest.mark.parametrize(
    "step, command",
    [(lvm_membership.CreateGroup, "vgcreate"), (lvm_membership.ExtendGroup, "vgextend")],
)
def test_a_group_that_could_not_be_made_leaves_no_labels(step, command, labelled):
    devices = ("/dev/mapper/a", "/dev/mapper/b")
    host = Changing(
        files={device: {"kind": "block"} for device in devices},
        runs={f"{command} vg {' '.join(devices)}": {"rc": 5, "err": "no"}, "pvremove /dev/mapper/a": ""},
        changing=[command, "pvremove"],
    )
    host.labelled = labelled
    with pytest.raises(
        Problem, match=f"'{command} vg /dev/mapper/a /dev/mapper/b' failed with exit code 5: no"
    ):
        step("vg", devices).take(host)
    assert host.did[1:] == [f"run pvremove {device}" for device in labelled]


TOO_SMALL = "size 2560 of data section is too small, minimum 4096 blocks\nUsage: mkfs.xfs\n/* blocksize */ [-b size=num]\n"


@pytest.mark.parametrize("by_now, did", [("", ["run lvremove --yes vg/new"]), ("xfs", [])])
def test_a_volume_on_which_mkfs_failed_goes_again_unless_something_is_on_it(by_now, did):
    found = [{"type": by_now}] if by_now else []
    wipefs = iter([{"signatures": []}, {"signatures": found}])

    class Failing(ScriptedHost):
        def run(self, *argv, **more):
            self.runs["wipefs --json --no-act /dev/vg/new"] = (
                json.dumps(next(wipefs)) if argv[0] == "wipefs" else ""
            )
            return super().run(*argv, **more)

    host = Failing(
        runs={"mkfs.xfs -q /dev/vg/new": {"rc": 1, "err": TOO_SMALL}}, changing=["mkfs.xfs", "lvremove"]
    )
    with pytest.raises(Problem) as failed:
        lvm_allocation.MakeFilesystemOfNew("xfs", "/dev/vg/new").take(host)
    assert str(failed.value).startswith(
        "'mkfs.xfs -q /dev/vg/new' failed with exit code 1: size 2560 of data section is too small, minimum 4096 blocks"
    )
    assert "Usage" not in str(failed.value) and host.did[1:] == did
    assert ("is removed again" in str(failed.value)) is not bool(by_now)


def volume_states():
    yield None
    for extents, active, filesystem in product(
        [2, 5], [True, False], [None, Filesystem("xfs"), Filesystem("xfs", full=False)]
    ):
        yield Volume("/dev/vg/data", extents, active, filesystem, LogicalVolume("data"))


def walked(volume, step, want):
    if isinstance(step, lvm_allocation.CreateVolume):
        return Volume("/dev/vg/data", want.extents, True, None, LogicalVolume("data"))
    if isinstance(step, lvm_allocation.RemoveVolume):
        return None
    if isinstance(step, lvm_allocation.ExtendVolume):
        there = volume.filesystem and replace(volume.filesystem, full=False)
        return replace(volume, extents=step.extents, filesystem=there)
    if isinstance(step, MakeFilesystem):
        assert volume.active and volume.filesystem is None
        return replace(volume, filesystem=Filesystem(step.kind))
    if isinstance(step, GrowFilesystem):
        assert volume.active
        return replace(volume, filesystem=Filesystem(step.kind))
    return replace(volume, active=isinstance(step, lvm_allocation.ActivateVolume))


def test_the_steps_of_a_plan_lead_from_every_volume_to_every_other():
    group = VolumeGroup("vg", extent_size=4 * MIB, extents=100, free=50)
    walks = 0
    for seen, want in product(volume_states(), volume_states()):
        if want and want.filesystem and not want.filesystem.full:
            continue  # nobody wants that
        if seen and want and (seen.extents > want.extents or seen.filesystem and not want.filesystem):
            continue  # refused
        if seen and not seen.active and want and want.filesystem and not want.active:
            continue  # refused: nobody can see what is on it
        request = Request(
            "vg", "data", volume_size("8m"), want.filesystem.kind if want and want.filesystem else None
        )
        states = [Volumes({request.path: state}, {"vg": group}) for state in (seen, want)]
        state = seen
        for step in plan_volumes([request], *states):
            state = walked(state, step, want)
        assert state == want
        assert plan_volumes([request], states[1], states[1]) == []
        walks += 1
    assert walks > 40


EXT4 = """\
Filesystem volume name:   <none>
Filesystem features:      has_journal ext_attr
Block count:              {blocks}
Reserved GDT blocks:      256
Overhead clusters:        4361
First block:              0
Block size:               4096
Blocks per group:         32768
Inode blocks per group:   512
Journal size:             4096k
"""
XFS = """\
meta-data=/dev/vg_db/data        isize=512    agcount=4, agsize=19968 blks
         =                       sectsz=512   attr=2, projid32bit=1
data     =                       bsize=4096   blocks={blocks}, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1
log      =internal log           bsize=4096   blocks=16384, version=2
"""


@pytest.mark.parametrize(
    "kind, command, text, blocks, size, full",
    [
        ("ext4", "dumpe2fs -h", EXT4, 32768, 128 * MIB, True),
        ("ext4", "dumpe2fs -h", EXT4, 32768, 130 * MIB, True),  # a rest too small for the tables of a group
        ("ext4", "dumpe2fs -h", EXT4, 32768, 192 * MIB, False),
        ("ext4", "dumpe2fs -h", EXT4, 24576, 128 * MIB, False),
        ("xfs", "xfs_info", XFS, 79872, 312 * MIB, True),
        ("xfs", "xfs_info", XFS, 79872, 320 * MIB, True),  # a rest too small for an allocation group
        ("xfs", "xfs_info", XFS, 79872, 352 * MIB, False),
        ("xfs", "xfs_info", XFS, 77000, 312 * MIB, False),
    ],
)
def test_a_file_system_fills_its_device_or_does_not(kind, command, text, blocks, size, full):
    host = ScriptedHost(
        runs={
            "wipefs --json --no-act /dev/vg_db/data": f'{{"signatures": [{{"type": "{kind}"}}]}}',
            f"{command} /dev/vg_db/data": text.format(blocks=blocks),
        }
    )
    assert look_filesystem(host, "/dev/vg_db/data", size) == Filesystem(kind, full)


def test_what_is_not_well_is_told_in_lvms_own_words():
    rows = [
        {"lv_uuid": "well", "lv_health_status": "", "lv_check_needed": "unknown", "lv_snapshot_invalid": "0"},
        {
            "lv_uuid": "full",
            "lv_health_status": "",
            "lv_check_needed": "",
            "lv_snapshot_invalid": "snapshot invalid",
        },
        {"lv_uuid": "pool", "lv_health_status": "out_of_data", "lv_check_needed": "check needed"},
    ]
    assert parse_health(json.dumps({"report": [{"lv": rows}]})) == {
        "full": "snapshot invalid",
        "pool": "out_of_data, check needed",
    }


def test_a_group_that_was_handed_over_is_settled():
    given = VolumeGroup("vg_t", system_id="db-b")
    assert plan_group(replace(given, foreign=True), given) == []


def test_a_disk_that_lvm_calls_otherwise_meanwhile_is_the_same_and_one_that_is_missing_is_not():
    def group(*physical):
        return VolumeGroup("vg_db", physical=physical)

    want = group(PhysicalVolume("/dev/mapper/3600", kernel="dm-0", uuid="a"))
    assert plan_group(group(PhysicalVolume("/dev/dm-0", kernel="dm-0", uuid="a")), want) == []
    (step,) = plan_group(group(PhysicalVolume("[missing]", uuid="a")), want)
    assert "/dev/mapper/3600" in str(step)


def rows(*groups):
    names = ("vg_name", "vg_uuid", "vg_seqno", "vg_exported", "vg_tags")
    return json.dumps({"report": [{"vg": [dict(zip(names, group)) for group in groups]}]})


AFTERWARDS = " ".join(["vgs", "--config", QUIET, *SEQNOS[1:]])
LATER = "lunworks.run:anna#40ctl:2026-01-02T03.04.05Z:b:a"


@pytest.mark.parametrize(
    "tags, said",
    [
        (
            "db",
            "sequence number 7 of its metadata, found 8: somebody else changed it in the meantime. Nothing was done. Run "
            "again",
        ),
        (
            f"db,{LATER}",
            "A move of it was begun by 'anna@ctl' at 2026-01-02T03:04:05Z from 'b' to 'a': ask that person first.",
        ),
    ],
)
def test_what_somebody_else_changed_meanwhile_is_passed_over_and_said(tags, said):
    """One command changes those that are as planned; LVM says nothing of the others."""
    steps = [
        MarkGroup(name, ("x",), tags=frozenset({"db", "x"}), planned=Planned(f"uuid-{name}", 7))
        for name in ("vg_a", "vg_b")
    ]
    host = ScriptedHost(
        runs={AFTERWARDS: rows(("vg_a", "uuid-vg_a", "8", "", "db,x"), ("vg_b", "uuid-vg_b", "8", "", tags))},
        changing=["vgchange"],
    )
    well, problem = MarkGroup.together(steps, host)
    assert well is None and said in str(problem)
    selection = "vg_uuid=uuid-vg_a && vg_seqno=7 || vg_uuid=uuid-vg_b && vg_seqno=7"
    assert host.did == [f"run vgchange --addtag=x --select {selection} vg_a vg_b"]


def test_a_group_that_is_gone_was_not_changed():
    host = ScriptedHost(runs={AFTERWARDS: rows()}, changing=["vgexport"])
    with pytest.raises(Problem, match="number 7 of its metadata, it is not on this host any more"):
        Export("vg_a", planned=Planned("uuid", 7)).take(host)


ON_7 = Planned("uuid", 7)
UNSELECTED = [
    TakeOver("vg_a", "db-b", "db-a", planned=ON_7),
    HandOver("vg_a", "db-b", planned=ON_7),
    lvm_membership.ExtendGroup("vg_a", ("/dev/mapper/new",), planned=ON_7),
    lvm_membership.GrowPhysical("vg_a", "/dev/mapper/a", 5, planned=ON_7),
    lvm_membership.ListDisks("vg_a", planned=ON_7),
]


@pytest.mark.parametrize("step", UNSELECTED, ids=lambda step: type(step).__name__)
@pytest.mark.parametrize(
    "found, said",
    [
        ([("vg_a", "uuid", "8", "", "db")], "with the sequence number 7 of its metadata, found 8"),
        ([("vg_a", "another", "7", "", "db")], "number 7 of its metadata, it is not on this host any more"),
    ],
    ids=["changed", "another of that name"],
)
def test_what_lvm_cannot_compare_is_compared_right_before_and_not_touched_when_somebody_was_there(
    step, found, said
):
    host = ScriptedHost(runs={AFTERWARDS: rows(*found)}, changing=["vgc", "vge", "pv", "lvm vgimportdevices"])
    with pytest.raises(Problem) as problem:
        step.take(host)
    assert said in str(problem.value) and "Nothing was done" in str(problem.value)
    assert host.did == []


def test_a_group_that_somebody_else_changed_is_not_removed():
    """LVM compares under its own lock, and says nothing of what it passes over."""
    host = ScriptedHost(runs={AFTERWARDS: rows(("vg_a", "uuid", "8", "", "db"))}, changing=["vgremove"])
    with pytest.raises(Problem, match="number 7 of its metadata, found 8"):
        lvm_membership.RemoveGroup("vg_a", ("data",), planned=ON_7).take(host)
    assert host.did == ["run vgremove --yes --select vg_uuid=uuid && vg_seqno=7 vg_a"]


@pytest.mark.parametrize(
    "step",
    [
        lvm_membership.CreateGroup("vg", ("/dev/mapper/a",)),
        lvm_membership.ExtendGroup("vg", ("/dev/mapper/a",)),
    ],
)
def test_a_disk_on_which_something_is_by_now_is_not_written_over(step):
    host = ScriptedHost(
        files={"/dev/mapper/a": {"kind": "block"}},
        runs={"wipefs --json --no-act /dev/mapper/a": '{"signatures": [{"type": "LVM2_member"}]}'},
        changing=["vg"],
    )
    with pytest.raises(Problem) as problem:
        step.take(host)
    assert "'/dev/mapper/a' was empty and unused when this was planned" in str(problem.value)
    assert "it is not blank (LVM2_member)" in str(problem.value)
    assert host.did == []


def test_the_first_step_that_writes_metadata_and_those_before_it_carry_what_they_were_planned_on():
    steps = [
        Deactivate("vg_a"),
        HandOver("vg_a", "db-b"),
        lvm_membership.GrowPhysical("vg_a", "/dev/mapper/a", 5),
    ]
    planned = guarded(VolumeGroup("vg_a", uuid="uuid", seqno=7), steps)
    assert [step.planned for step in planned] == [ON_7, ON_7, None]
    assert [step.planned for step in steps] == [None, None, None], "what was given stays as it is"
    assert guarded(None, steps) == steps
