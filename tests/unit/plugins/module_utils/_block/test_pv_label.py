# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM wrote on a disk, read without LVM."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.pv_label import (
    RING,
    Damaged,
    look_label,
    parse_config,
    parse_metadata,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import AREA, SIZE, pv_bytes
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

RECORDED = RECORDED_OUTPUT / "pv_label/bookworm.txt"
GROUP = 'vg {{\nid = "u"\nseqno = {0}\nstatus = ["READ", "WRITE"{1}]\nphysical_volumes {{\npv0 {{\nid = "p"\n}}\n}}\n}}\n'


class Disk(ScriptedHost):
    """A host with one disk."""

    def __init__(self, data):
        super().__init__(files={"/disk": {"bytes": data}})


def recorded():
    data = bytearray(2 << 20)
    for line in RECORDED.read_text().splitlines()[1:]:
        offset, text = line.split()
        piece = base64.b64decode(text)
        data[int(offset) : int(offset) + len(piece)] = piece
    return bytes(data)


def test_a_real_pv_tells_its_group():
    label = look_label(Disk(recorded()), "/disk")
    assert label.group == "vg_db"
    assert len(label.uuid) == len(label.pv) == 38
    assert label.pv in dict(label.pvs) and len(label.pvs) == 2
    assert label.volumes == ("data", "log")
    assert label.seqno >= 3
    assert 'contents = "Text Format Volume Group"' in label.metadata


def test_a_disk_without_a_label_tells_nothing():
    assert look_label(Disk(bytes(16384)), "/disk") is None


def test_a_pv_without_a_group_tells_its_uuid_alone():
    label = look_label(Disk(pv_bytes("", begin=0)), "/disk")
    assert (label.pv, label.group) == ("abcdef-1234-5678-9012-3456-7890-12abcd", "")


def test_an_area_that_is_ignored_tells_nothing():
    assert look_label(Disk(pv_bytes(GROUP.format(4, ""), flags=1)), "/disk").group == ""


@pytest.mark.parametrize("begin", [RING, 4096, SIZE - 40])
def test_a_text_may_go_around_the_ring(begin):
    label = look_label(Disk(pv_bytes(GROUP.format(7, ', "EXPORTED"'), begin)), "/disk")
    assert (label.group, label.seqno, label.exported, label.pvs) == ("vg", 7, True, (("p", ""),))


def test_the_language_of_the_metadata():
    text = '# a comment\na {\nb = 1 # one\nc = ["x", "y\\"z"]\nd = []\ne {\n}\n}\nf = "{"\n'
    assert parse_config(text) == {"a": {"b": "1", "c": ["x", 'y"z'], "d": [], "e": {}}, "f": "{"}


@pytest.mark.parametrize(
    "kind, status, flags, readable",
    [
        ("striped", '"VISIBLE"', "", True),
        ("thin", '"VISIBLE"', "", True),
        ("thin-pool", '"VISIBLE"', "", False),
        ("striped", '"READ"', "", False),
        ("thin", '"VISIBLE"', '"ACTIVATION_SKIP"', False),
    ],
)
def test_only_volumes_whose_content_can_be_read_are_told(kind, status, flags, readable):
    volume = f'v {{\nstatus = [{status}]\nflags = [{flags}]\nsegment1 {{\ntype = "{kind}"\n}}\n}}'
    text = f'vg {{\nid = "u"\nseqno = 1\nlogical_volumes {{\n{volume}\n}}\n}}\n'
    assert look_label(Disk(pv_bytes(text)), "/disk").volumes == (("v",) if readable else ())


def test_a_backup_tells_the_same_as_the_disk_and_the_kinds_of_its_segments():
    label = look_label(Disk(recorded()), "/disk")
    backup = parse_metadata(label.metadata)
    assert (backup.group, backup.uuid, backup.seqno, backup.pvs) == (
        label.group,
        label.uuid,
        label.seqno,
        label.pvs,
    )
    assert backup.segment_types == ("striped",)


@pytest.mark.parametrize(
    "text, why",
    [
        ("no metadata", "'no' is in the wrong place"),
        ("a = 1\n", "it is the metadata of no volume group"),
        ('v {\nid = "u"\nseqno = "x"\n}', "'seqno' is not a number"),
        ('v {\nid = "u"\nseqno = [1]\n}', "'seqno' is not a single value"),
        ("v {\nseqno = 1\n}", "there is no 'id'"),
        ('v {\nid = "u"\nseqno = 1\nlogical_volumes = 3\n}', "'logical_volumes' is not a list of sections"),
        ('v {\nid = "u"\nseqno = 1\nphysical_volumes = [1]\n}', "'physical_volumes' is not a list"),
        ('v {\nid = "u"\nseqno = 1\nlogical_volumes {\nlv0 = 3\n}\n}', "'logical_volumes' is not a list"),
        ('v {\nid = "u"\nseqno = 1\nphysical_volumes {\npv0 {\n}\n}\n}', "there is no 'id'"),
        ('v {\nid = "u"\nseqno = 1\nstatus = [["READ"]]\n}', "'status' is not a list of words"),
        ("a {" * 3000 + "}" * 3000, "'a' is in the wrong place"),
        ("a = " + "[" * 3000, "a value is missing, or is nested too deep"),
        ('v {\nid = "u"\nseqno = 1\n', "it ends in the middle of a section"),
        ('v {\nid = "u', "a quoted string has no end"),
        ('v {\nid = "u"\nid = "w"\nseqno = 1\n}', "'id' is in the wrong place"),
        ("#" * 5000 + "\n" + "# " * 5000 + '\n"', "a quoted string has no end"),
    ],
)
def test_a_text_that_lvm_would_not_write_is_no_metadata(text, why):
    with pytest.raises(Damaged) as damaged:
        parse_metadata(text)
    assert why in str(damaged.value)


@pytest.mark.parametrize(
    "place, what",
    [
        (600, "the checksum of the label is wrong"),
        (AREA + 30, "the header of a metadata area is not one, or its checksum is wrong"),
        (AREA + 300, "the header of a metadata area is not one, or its checksum is wrong"),
        (AREA + RING + 20, "the checksum of the metadata is wrong"),
    ],
)
def test_a_bit_that_has_flipped_is_seen(place, what):
    data = bytearray(pv_bytes(GROUP.format(4, "")))
    data[place] ^= 1
    with pytest.raises(Problem) as damaged:
        look_label(Disk(bytes(data)), "/disk")
    assert what in str(damaged.value) and "'/disk'" in str(damaged.value)


def test_a_pv_that_lvm_went_on_without_is_told():
    text = 'vg {\nid = "u"\nseqno = 2\nphysical_volumes {\npv0 {\nid = "p"\nflags = ["MISSING"]\n}\n}\n}\n'
    assert "MISSING_PV" in parse_metadata(text).status
