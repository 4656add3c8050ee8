# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LVM as any host may have written it, made up by the hundred: metadata texts, labels on disks, reports, words for mkfs.

Laws: nothing ever ends in a traceback; what is valid is read right, by a reference that does not parse but knows what it wrote;
what is not named is not planned to change.
"""

from __future__ import annotations

import getopt
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import size
from ansible_collections.lunworks.iscsi.plugins.module_utils._block.pv_label import (
    RING,
    Damaged,
    Label,
    look_label,
    parse_config,
    parse_metadata,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.mkfs_options import TAKEN, mkfs_options
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group.membership import GrowPhysical
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.group.resource import GroupsResource
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.report import (
    COPIES,
    FULL,
    MISSING,
    QUIET,
    parse_report,
)
from ansible_collections.lunworks.iscsi.tests.unit.documents import many
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import AREA, pv_bytes
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

NAMES = st.text("abcXYZ019+_.", min_size=1, max_size=8)
WORDS = st.text('ab 19{}[]=,#"\\\n\tß', max_size=10)
IDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789", min_size=32, max_size=32)
KINDS = (
    "linear striped thin thin-pool cache cache-pool raid1 raid5_ls raid10 mirror snapshot vdo vdo-pool writecache error zero "
    "striped+FUTURE quantum quantum-pool"
).split()
VG_FLAGS = ["READ", "WRITE", "RESIZEABLE", "EXPORTED", "CLUSTERED", "PARTIAL"]
LV_FLAGS = ["READ", "WRITE", "VISIBLE", "LOCKED", "PVMOVE", "HISTORICAL"]
# What a later LVM may write anywhere: numbers, texts, lists, sections.
VALUES = st.one_of(
    st.integers(-5, 1 << 64),
    st.floats(0, 9),
    WORDS,
    st.lists(st.one_of(WORDS, st.integers(0, 9)), max_size=3),
)
UNKNOWN = st.dictionaries(
    NAMES.map("x_{}".format), st.one_of(VALUES, st.dictionaries(NAMES, VALUES, max_size=2)), max_size=2
)


def some(words):
    return st.lists(st.sampled_from(words), unique=True, max_size=4)


def optional(**fields):
    return st.fixed_dictionaries({}, optional=fields)


def merged(*parts):
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


SEGMENT = merged(
    st.fixed_dictionaries({"start_extent": st.integers(0, 9), "type": st.sampled_from(KINDS)}),
    optional(stripes=st.just(["pv0", 0]), tags=st.lists(WORDS, max_size=2)),
    UNKNOWN,
)
VOLUME = merged(
    st.fixed_dictionaries({"id": IDS, "status": some(LV_FLAGS)}),
    optional(flags=some(["ACTIVATION_SKIP", "ERROR_WHEN_FULL"]), tags=st.lists(NAMES, max_size=2)),
    st.lists(SEGMENT, max_size=3).map(lambda found: {f"segment{n}": one for n, one in enumerate(found)}),
    UNKNOWN,
)
PHYSICAL = merged(
    st.fixed_dictionaries({"id": IDS}),
    optional(
        device=WORDS, flags=some(["MISSING", "USED"]), status=some(["ALLOCATABLE"]), pe_start=st.integers(0)
    ),
    UNKNOWN,
)
GROUP = merged(
    st.fixed_dictionaries({"id": IDS, "seqno": st.integers(0, (1 << 32) - 1), "status": some(VG_FLAGS)}),
    optional(
        flags=some(["EXPORTED"]),
        tags=st.lists(NAMES, max_size=3, unique=True),
        system_id=NAMES,
        lock_type=st.sampled_from(["none", "clvm", "sanlock", "dlm"]),
        physical_volumes=st.lists(PHYSICAL, max_size=3).map(
            lambda found: {f"pv{n}": one for n, one in enumerate(found)}
        ),
        logical_volumes=st.dictionaries(NAMES, VOLUME, max_size=3),
    ),
    UNKNOWN,
)
MAKER = optional(
    contents=st.just("Text Format Volume Group"),
    version=st.just(1),
    creation_host=WORDS,
    creation_time=st.integers(0),
)


def written(section, depth=0):
    """As LVM writes it (lib/format_text/export.c), with comments."""
    tabs = "\t" * depth
    for name, value in section.items():
        if isinstance(value, dict):
            yield f'\n{tabs}{name} {{\t# "{name}" {{\n' + "".join(written(value, depth + 1)) + f"{tabs}}}\n"
        else:
            yield f"{tabs}{name} = {literal(value)}\t# {value!r}\n".replace("\\n", " ")


def literal(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


@st.composite
def texts(draw):
    """A metadata text, the name of its group, and the group."""
    name, group = draw(NAMES), draw(GROUP)
    ours = "".join(written({name: group}))
    made = "".join(written({key: value for key, value in draw(MAKER).items() if key != name}))
    return (ours + made if draw(st.booleans()) else made + ours), name, group


def expected(name, group, text, pv=""):
    """What the group is, said by the one who has written it."""
    volumes = group.get("logical_volumes", {})
    pvs = group.get("physical_volumes", {}).values()
    flags = set(group["status"]) | set(group.get("flags", []))
    kinds, readable = set(), []
    for volume, one in volumes.items():
        own = [part["type"] for key, part in one.items() if key.startswith("segment")]
        flags |= set(one["status"])
        kinds |= {kind.split("+")[0] for kind in own}
        if "VISIBLE" in one["status"] and "ACTIVATION_SKIP" not in one.get("flags", []):
            readable += [volume] if not [kind for kind in own if kind.endswith("-pool")] else []
    flags |= {"MISSING_PV"} if any("MISSING" in one.get("flags", []) for one in pvs) else set()
    flags |= {"SHARED"} if group.get("lock_type") in ("sanlock", "dlm") else set()
    return Label(
        pv=pv,
        group=name,
        uuid=group["id"],
        seqno=group["seqno"],
        exported="EXPORTED" in flags,
        system_id=group.get("system_id", ""),
        status=tuple(sorted(flags)),
        tags=tuple(group.get("tags", [])),
        pvs=tuple((one["id"], one.get("device", "")) for one in pvs),
        volumes=tuple(readable),
        segment_types=tuple(sorted(kinds)),
        metadata=text,
    )


def disk(data):
    return ScriptedHost(files={"/disk": {"bytes": bytes(data)}})


@many
@given(texts())
def test_every_valid_text_is_read_as_it_was_meant(document):
    text, name, group = document
    assert parse_metadata(text) == expected(name, group, text)


@many
@given(texts(), st.integers(0, 1 << 14), IDS)
def test_every_valid_disk_is_read_as_it_was_meant(document, place, pv):
    text, name, group = document
    room = len(text.encode()) + 600
    label = look_label(disk(pv_bytes(text, RING + place % room, 0, pv, RING + room)), "/disk")
    assert label == expected(name, group, text, label.pv) and label.pv.replace("-", "") == pv


DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4)


@many
@given(texts(), DAMAGE, st.one_of(st.none(), st.floats(0, 1)))
def test_a_damaged_disk_tells_the_truth_or_nothing(document, damage, end):
    text, name, group = document
    data = bytearray(pv_bytes(text, size=RING + len(text.encode()) + 600))
    used = AREA + RING + len(text.encode())
    for where, bits in damage:
        data[int(where * (used - 1))] ^= bits
    try:
        label = look_label(disk(data if end is None else data[: int(end * used)]), "/disk")
    except Problem as problem:
        assert "'/disk'" in str(problem)
        return
    assert label is None or label == expected(name, group, text, label.pv)


@many
@given(texts(), st.data())
def test_a_text_that_was_damaged_before_it_was_written_is_read_or_refused(document, data):
    """Its checksum is right: whoever has the LUN may write anything."""
    text, _name, _group = document
    for _time in range(data.draw(st.integers(1, 3))):
        first, second = sorted(data.draw(st.integers(0, len(text))) for _end in range(2))
        how = data.draw(st.sampled_from(["cut", "drop", "twice", "new"]))
        put = data.draw(st.text('{}[]="#, \n\\ax0\0', max_size=5))
        text = {
            "cut": text[:first],
            "drop": text[:first] + text[second:],
            "twice": text[:second] + text[first:],
            "new": text[:first] + put + text[first:],
        }[how]
    try:
        label = look_label(disk(pv_bytes(text, size=RING + len(text.encode()) + 600)), "/disk")
    except Problem as problem:
        assert "What LVM wrote on '/disk' is damaged" in str(problem)
        return
    assert isinstance(label, Label) and isinstance(label.seqno, int)


@many
@given(st.text('{}[]="#, \n\\ab1', max_size=60))
def test_no_text_ends_in_a_traceback(text):
    with suppress(Damaged):
        assert isinstance(parse_config(text), dict)


@pytest.mark.parametrize(
    "bracket", ["{", "a {", "[", "a = [", "a = [[", '"', '"\\', "#", "# #", "=", "}", "}{"]
)
def test_a_sign_many_times_over_is_no_text(bracket):
    for text in (bracket * 20000, f"a {{ {bracket * 20000}", f'a = ["", {bracket * 20000}'):
        try:
            parse_metadata(text)
        except Damaged:
            continue
        raise AssertionError(f"read: {text[:20]}")


# ---- reports ----

REPORTED = "vg_name vg_tags vg_systemid vg_lock_type pv_name lv_name lv_layout origin pool_lv".split()
BINARY = st.sampled_from([("", False), ("word", True), ("0", False), ("1", True), (0, False), (1, True)])
NEW = st.dictionaries(
    st.sampled_from(["vg_new", "lv_new", "pv_new"]), st.one_of(WORDS, st.integers()), max_size=2
)


def count(most=1 << 40):
    return st.integers(0, most).map(str)


@st.composite
def reports(draw):
    """What 'lvm fullreport' may print, and of each group whether it is exported, foreign and partial."""
    found, told = [], {}
    for name in draw(st.lists(NAMES.map("vg{}".format), unique=True, min_size=1, max_size=4)):
        exported, gone, owner = draw(BINARY), draw(BINARY), draw(st.sampled_from(["", "db-a", "db-b"]))
        physical = {
            "pv_name": f"/dev/mapper/{name}",
            "pv_uuid": f"pv-{name}",
            "pv_missing": gone[0],
            "dev_size": draw(count(1 << 62)),
            "pv_mda_count": draw(count(2)),
            "pv_mda_size": "1044480",
            "pe_start": "1048576",
            "pv_pe_count": "25",
            "pv_pe_alloc_count": draw(count(25)),
        }
        volume = {
            "lv_name": "data",
            "lv_uuid": f"lv-{name}",
            "lv_size": draw(count()),
            "lv_layout": draw(
                st.sampled_from(["linear", "thin,pool", "raid,raid1", "cache", "unknown", "error"])
            ),
            "lv_skip_activation": draw(BINARY)[0],
            "origin": "",
            "pool_lv": "",
        }
        group = {
            "vg_name": name,
            "vg_uuid": f"vg-{name}",
            "vg_extent_size": "4194304",
            "vg_extent_count": "25",
            "vg_free_count": draw(count(25)),
            "vg_seqno": draw(count(1 << 32)),
            "vg_tags": draw(st.sampled_from(["", "a", "a,b"])),
            "vg_systemid": owner,
            "vg_exported": exported[0],
            **draw(optional(vg_autoactivation=st.sampled_from(["", "enabled", "0", "1"]))),
        }
        rows = {
            "vg": [{**group, **draw(NEW)}],
            "pv": [{**physical, **draw(NEW)}],
            "lv": [{**volume, **draw(NEW)}],
        }
        found.append({**rows, **draw(st.sampled_from([{}, {"seg": []}, {"vdo": [{"a": 1}]}]))})
        told[name] = (exported[1], owner not in ("", "db-a"), gone[1])
    return {"report": found, **draw(st.sampled_from([{}, {"log": [{"log_seq_num": "1"}]}]))}, told


def host_of(report):
    """A host on which LVM prints this report."""

    def line(command):
        words = 2 if command[0] == "lvm" else 1
        return " ".join([*command[:words], "--config", QUIET, *command[words:]])

    names = [one["vg"][0]["vg_name"] for one in report["report"]]
    return ScriptedHost(
        files={f"/dev/mapper/{name}": {"kind": "block"} for name in names},
        runs={
            line(FULL): json.dumps(report),
            line(COPIES): '{"report": []}',
            "lvm systemid": "  system ID: db-a\n",
            "lvmconfig --mergedconfig activation/volume_list": {"rc": 5},
        },
    )


@many
@given(reports())
def test_every_report_is_read_whatever_is_new_in_it_and_what_is_only_named_stays(document):
    report, told = document
    found = {one.name: one for one in parse_report(json.dumps(report)).groups}
    assert {name: (one.exported, one.physical[0].device == MISSING) for name, one in found.items()} == {
        name: (exported, partial) for name, (exported, _foreign, partial) in told.items()
    }
    resource = asked([{"name": name} for name in told])
    seen = resource.look(host_of(report))
    assert {name: group.foreign for name, group in seen.groups.items()} == {
        name: foreign for name, (_exported, foreign, _partial) in told.items()
    }
    want = resource.want(seen)
    more = {name: want.groups[name].physical[0].extents > 25 for name in told}
    grown = {step.name: True for step in resource.plan(seen, want) if isinstance(step, GrowPhysical)}
    assert {name: grown.get(name, False) for name in told} == more, "a disk that has grown, and nothing else"
    assert len(resource.plan(seen, want)) == sum(more.values())
    assert [one["name"] for one in resource.show(seen)["groups"]] == list(told)


@many
@given(
    reports(), st.sampled_from(["active", "inactive", "exported", "imported", "absent", None]), st.booleans()
)
def test_a_request_for_one_group_is_refused_or_plans_for_it_alone(document, state, force):
    report, told = document
    name = min(told)
    resource = asked([{"name": name, "state": state, "force": force and state == "absent", "tags": ["new"]}])
    seen = resource.look(host_of(report))
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    assert all(getattr(step, "name", name) == name for step in steps)
    exported, foreign, partial = told[name]
    try:
        resource.refuse(seen, want, steps)
    except Problem as problem:
        assert name in str(problem)
        return
    assert all(device == f"/dev/mapper/{name}" for step in steps for device in getattr(step, "devices", ()))
    assert not foreign or not steps, f"a group of another host would change: {steps}"
    assert not partial or not steps or state == "inactive"
    assert not exported or not steps or state in ("imported", "exported")


def asked(groups):
    """The resource of these groups, all else left out."""
    left = dict.fromkeys(
        ["devices", "extent_size", "autoactivation", "tags", "system_id", "take_over_from", "state", "seqno"]
    )
    return GroupsResource(
        [{**left, "imported": False, "checksums": False, "force": False, **one} for one in groups], []
    )


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["report", "vg", "pv", "lv", "vg_name", "vg_uuid", "vg_extent_size"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@many
@given(
    st.one_of(JSON.map(json.dumps), st.text(max_size=20), JSON.map(lambda one: json.dumps({"report": one})))
)
def test_what_is_no_report_is_a_problem(text):
    try:
        parse_report(text)
    except Problem as problem:
        assert "'lvm fullreport' did not print the report" in str(problem)


# ---- what users write ----


@many
@given(
    st.one_of(
        st.text("0123456789.kmgtpib -+e", max_size=50), st.text(max_size=10), st.integers(), st.floats()
    )
)
def test_a_size_is_bytes_of_a_disk_or_refused(text):
    try:
        found = size(text)
    except Problem as problem:
        assert "is not a size" in str(problem) and len(str(problem)) < 250
        return
    assert isinstance(found, int) and 1 <= found < 1 << 63


@many
@given(
    st.sampled_from(sorted(TAKEN)),
    st.lists(
        st.one_of(
            st.text("-bLmOEqFnNK 4=,dx", max_size=5), st.sampled_from(["-L", "-m", "-E", "data", "-q"])
        ),
        max_size=5,
    ),
)
def test_words_for_mkfs_are_what_getopt_takes_and_nothing_else(kind, words):
    letters = TAKEN[kind]
    known = letters.alone + "".join(f"{one}:" for one in letters.valued)
    try:
        taken = mkfs_options("data", kind, words)
    except Problem as problem:
        assert str(problem).startswith("'data'")
        return
    options, left = getopt.getopt(list(taken), known)
    assert not left and not {"-F", "-f", "-n" if kind == "ext4" else "-N"} & {
        name for name, _value in options
    }
