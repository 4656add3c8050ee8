# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a move: whole, resumable at every step, empty at its end."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move import (
    Mount,
    mount_tag,
    mounts_of,
    move_tag,
    moves_of,
    quoted,
    sum_tag,
    unquoted,
)
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_plan import plan, walk
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_refuse import refuse_group
from ansible_collections.lunworks.iscsi.plugins.plugin_utils.move_standing import standing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.moving import (
    LABEL,
    MOUNTS,
    SOURCE,
    STORE,
    TARGET,
    A,
    B,
    T,
    labelled,
    lun,
    mapped,
    survey,
)

WHOLE = "mark unmount export forget unmap map attach import activate mount finish leave"
HOOKS = frozenset({"before", "after"})


def stands(seen):
    one = standing(seen, "vg_db", frozenset({"w1", "w2"}))
    refuse_group(seen, one)
    return one


def names(steps):
    return [step.step.name for step in steps]


def steps_of(seen, **options):
    return names(plan([stands(seen)], **options))


def test_a_move_takes_every_step_in_order():
    assert steps_of(survey()) == WHOLE.split()


def test_hooks_stand_around_the_time_without_service():
    steps = steps_of(survey(), hooks=HOOKS)
    assert steps[steps.index("unmount") - 1] == "before"
    assert steps[steps.index("mount") + 1] == "after"


def test_a_destination_that_never_saw_the_target_is_let_in_before_the_service_stops():
    seen = survey(
        b={"records": {}, "sessions": {}}, store={"targets": {T: replace(TARGET, igroups={"a": (A,)})}}
    )
    steps = steps_of(seen)
    assert steps.index("mark") < steps.index("admit") < steps.index("connect") < steps.index("unmount")


def test_what_has_moved_needs_nothing():
    seen = survey(
        a={"groups": (), "mounts": (), "disks": {}, "records": {}, "sessions": {}, "active": {}},
        b={
            "groups": SOURCE.groups,
            "disks": SOURCE.disks,
            "active": SOURCE.active,
            "mounts": SOURCE.mounts,
        },
        store={"luns": mapped(B)},
    )
    assert steps_of(seen) == []


@pytest.mark.parametrize("cut", range(len(WHOLE.split()) + 1))
def test_a_run_cut_off_anywhere_goes_on_with_exactly_the_rest(cut):
    standings = [stands(survey())]
    steps = plan(standings)
    for step in steps[:cut]:
        standings = walk(standings, step)
    rest = names(steps[cut:])
    # That the samples were the same is noted by the first line in fstab: until then it is proved again.
    assert names(plan(standings)) == (["activate", *rest] if rest[:1] == ["mount"] else rest)


@pytest.mark.parametrize("cut", range(1, WHOLE.split().index("finish") + 1))
def test_a_move_cut_off_anywhere_can_be_taken_back(cut):
    standings = [stands(survey())]
    for step in plan(standings)[:cut]:
        standings = walk(standings, step)
    back = [replace(one, source=one.destination, destination=one.source) for one in standings]
    for step in plan(back):
        back = walk(back, step)
    (one,) = back
    assert one.destination.host == "a"
    assert one.has_arrived() and one.has_left() and not one.exported and not one.tags
    assert one.destination.active == {"data", "log"}
    assert {mount.path for mount in one.destination.mounts} == {mount.path for mount in MOUNTS}


def small_standings():
    """Every combination of what may be true of a group between two hosts, however it came to be."""
    base = stands(survey())
    wwids, nothing = base.wwids, frozenset()
    half = frozenset({"w1"})
    tags = (
        frozenset(),
        frozenset({move_tag("a", "b"), mount_tag(MOUNTS[0])}),
        frozenset({sum_tag("data", "1")}),
    )
    for running, saved, exported, noted, active, mounts, disks, here, there in itertools.product(
        (wwids, half, nothing),
        (wwids, nothing),
        (True, False),
        tags,
        (base.volumes, nothing),
        (MOUNTS, ()),
        (wwids, nothing),
        (wwids, half, nothing),
        (True, False),
    ):
        source = replace(base.source, running=running, saved=saved, active=active, mounts=mounts, disks=disks)
        destination = replace(
            base.destination, running=here, saved=here, disks=here if there else nothing, sees=there
        )
        yield replace(base, source=source, destination=destination, exported=exported, tags=noted)


def test_from_wherever_a_group_stands_the_plan_leads_to_the_destination():
    for one in small_standings():
        after = [one]
        for step in plan(after):
            after = walk(after, step)
        (end,) = after
        assert names(plan(after)) == [], one
        assert end.has_left() and end.has_arrived() and not end.exported and not end.tags, one
        assert end.destination.active == end.volumes and not end.source.active and not end.source.mounts, one


def test_in_no_plan_both_hosts_have_access_and_none_activates_before_the_other_is_fenced():
    for one in small_standings():
        if one.source.may_write() and one.destination.may_write():
            continue  # refused: see test_move_refuse.py
        standings = [one]
        for step in plan(standings):
            standings = walk(standings, step)
            (now,) = standings
            assert not (now.source.running and now.destination.running), (one, step.step.name)
            if now.destination.active:
                assert now.has_left(), (one, step.step.name)


def test_many_groups_share_each_step():
    first = stands(survey())
    second = replace(first, group="vg_www", uuid="uuid-www")
    steps = plan([first, second])
    assert names(steps) == WHOLE.split()
    assert all(step.names() == ["vg_db", "vg_www"] for step in steps)


def test_groups_that_stand_at_different_places_meet_on_the_way():
    late = stands(survey())
    early = [replace(late, group="vg_www")]
    for step in plan(early)[:4]:
        early = walk(early, step)
    steps = {step.step.name: step.names() for step in plan([late, *early])}
    assert steps["export"] == ["vg_db"]
    assert steps["map"] == ["vg_db", "vg_www"]


def test_luns_on_two_storage_hosts_are_mapped_on_each():
    one = stands(survey())
    one = replace(one, luns=(one.luns[0], ("store2", one.luns[1][1])))
    steps = [(step.step.name, step.host) for step in plan([one])]
    assert [host for name, host in steps if name == "unmap"] == ["store", "store2"]


def test_a_dead_source_is_fenced_before_anything_else():
    seen = survey(silent=("a",), dead=True)
    steps = plan([stands(seen)])
    assert names(steps) == ["unmap", "map", "attach", "activate"]
    assert steps[0].plain()["targets"] == [
        {
            "name": T,
            "igroups": [
                {
                    "name": "a",
                    "initiators": [A],
                    "luns": [{"name": "db1", "state": "absent"}, {"name": "db2", "state": "absent"}],
                }
            ],
        }
    ]


def test_the_group_of_a_dead_owner_is_taken_over_by_its_system_id_and_only_after_the_fence():
    seen = survey(silent=("a",), dead=True, store={"labels": labelled(system_id="a")}, b={"system_id": "b"})
    steps = plan([stands(seen)])
    assert names(steps) == ["unmap", "map", "attach", "import"]
    (state,) = steps[3].plain()["states"]
    assert (state["state"], state["imported"], state["take_over_from"]) == ("active", True, "a")
    assert steps[3].say() == [
        "On 'b': take 'vg_db' over from its owner 'a', which is fenced, and activate it"
    ]


def test_a_new_igroup_is_called_as_the_data_says():
    seen = survey(
        b={"records": {}, "sessions": {}},
        store={"targets": {T: replace(TARGET, igroups={"a": (A,)})}},
        igroups={T: "www"},
    )
    steps = {step.step.name: step for step in plan([stands(seen)])}
    assert steps["admit"].plain()["targets"][0]["igroups"][0]["name"] == "www"
    assert steps["map"].plain()["targets"][0]["igroups"][0]["name"] == "www"
    assert "into the igroup 'www'" in steps["admit"].say()[0]


def test_a_source_that_returns_from_the_dead_is_cleaned():
    seen = survey(
        a={"groups": (), "active": {"vg_db": frozenset({"data"})}},
        b={"groups": SOURCE.groups, "disks": SOURCE.disks, "active": SOURCE.active},
        store={"luns": mapped(B)},
    )
    assert steps_of(seen) == ["unmount", "deactivate", "forget", "leave"]


def test_a_source_that_is_silent_but_let_go_is_not_waited_for():
    seen = survey(
        silent=("a",), store={"labels": labelled(exported=True, tags=frozenset({move_tag("a", "b")}))}
    )
    assert steps_of(seen)[0] == "unmap"


def test_a_storage_host_that_lost_maps_in_a_restart_serves_them_again_first():
    luns = (lun(1), replace(lun(2), running=frozenset()))
    group = replace(SOURCE.groups[0], missing=1, pvs={"pv-1": "w1"})
    steps = steps_of(survey(a={"groups": (group,)}, store={"luns": luns}))
    assert steps[:3] == ["serve", "reattach", "mark"]


def test_samples_are_taken_again_by_every_export():
    old = frozenset({sum_tag("data", "1"), sum_tag("log", "2"), move_tag("a", "b"), "theirs"})
    steps = plan([stands(survey(store={"labels": labelled(tags=old)}))])
    export = next(step for step in steps if step.step.name == "export").plain()
    assert not [tag for tag in export["tags"]["vg_db"] if tag.startswith("lunworks.sum")]
    assert "theirs" in export["tags"]["vg_db"]


def test_samples_are_history_once_the_destination_has_a_line_in_fstab():
    tags = frozenset({sum_tag("data", "1"), mount_tag(MOUNTS[0]), mount_tag(MOUNTS[1]), move_tag("a", "b")})
    arrived = {"groups": SOURCE.groups, "disks": SOURCE.disks, "active": SOURCE.active}
    gone = {"groups": (), "mounts": (), "disks": {}, "records": {}, "sessions": {}, "active": {}}
    store = {"luns": mapped(B), "labels": labelled(tags=tags)}
    assert steps_of(survey(a=gone, b=arrived, store=store)) == ["activate", "mount", "finish"]
    begun = {**arrived, "mounts": (("vg_db", replace(MOUNTS[0], mounted=False)),)}
    assert steps_of(survey(a=gone, b=begun, store=store)) == ["mount", "finish"]


def test_tags_of_others_stay():
    steps = plan([stands(survey(store={"labels": labelled(tags=frozenset({"theirs"}))}))])
    tags = {step.step.name: step.plain()["tags"].get("vg_db", []) for step in steps}
    assert "theirs" in tags["mark"] and tags["finish"] == ["theirs"]


def test_targets_that_the_data_declares_are_not_left():
    assert "leave" not in steps_of(survey(a={"declared": frozenset({T})}))


def test_targets_with_other_luns_are_not_left():
    luns = (*STORE.luns, replace(lun(3), name="other"))
    assert "leave" not in steps_of(survey(store={"luns": luns}))


def test_the_newest_metadata_counts():
    labels = labelled()
    labels["/srv/2.img"] = replace(labels["/srv/2.img"], seqno=8, exported=True)
    assert stands(survey(store={"labels": labels})).exported
    assert LABEL.seqno == 7


def test_every_step_says_itself_and_both_hosts_are_named():
    sentences = [sentence for step in plan([stands(survey())], HOOKS) for sentence in step.say()]
    assert all(sentence.startswith(("On 'a': ", "On 'b': ", "On 'store': ")) for sentence in sentences)
    assert not [sentence for sentence in sentences if sentence.endswith(".")]


@pytest.mark.parametrize("text", ["/srv/a b", "rw,noatime", "ä:#", "", "/srv/x\ty"])
def test_a_field_of_a_tag_comes_back_as_it_was(text):
    assert unquoted(quoted(text)) == text
    assert ":" not in quoted(text) and " " not in quoted(text) and "," not in quoted(text)


def test_the_tags_carry_mounts_and_hosts():
    mount = Mount("data", "/srv/with blank", "xfs", "rw,x-systemd.device-timeout=90")
    assert mounts_of(frozenset({mount_tag(mount)})) == (mount,)
    assert moves_of(frozenset({move_tag("a.example", "b")})) == {("a.example", "b")}
