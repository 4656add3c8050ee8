# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a move: whole, resumable at every step, empty at its end."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.planned import unquoted
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.checks.group import refuse_group
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.model import (
    AUTO,
    STILL,
    Mount,
    mount_tag,
    mounts_of,
    move_tag,
    moves_of,
    quoted,
    sum_tag,
)
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.plan import plan, walk
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.position import standing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.moving import (
    MOUNTS,
    SOURCE,
    TARGET,
    A,
    B,
    T,
    labelled,
    mapped,
    survey,
    whole_survey,
)

WHOLE = "mark show attach export switch start forget unmap finish leave"
HANDED = "mark record export forget logout switch connect await start finish leave"  # the targets are whole
HOOKS = frozenset({"before", "after"})


def stands(seen):
    one = standing(seen, "vg_db", frozenset({"w1", "w2"}))
    refuse_group(seen, one)
    return one


def names(steps):
    return [step.stage.name for step in steps]


def steps_of(seen, **options):
    return names(plan([stands(seen)], **options))


@pytest.mark.parametrize(
    "seen, cut",
    [(survey, cut) for cut in range(len(WHOLE.split()) + 1)]
    + [(whole_survey, cut) for cut in range(len(HANDED.split()) + 1)],
)
def test_a_run_cut_off_anywhere_goes_on_with_exactly_the_rest(seen, cut):
    standings = [stands(seen())]
    steps = plan(standings)
    for step in steps[:cut]:
        standings = walk(standings, step)
    rest = names(steps[cut:])
    assert names(plan(standings)) == rest


@pytest.mark.parametrize(
    "seen, cut",
    [(survey, cut) for cut in range(1, WHOLE.split().index("finish") + 1)]
    + [(whole_survey, cut) for cut in range(1, HANDED.split().index("finish") + 1)],
)
def test_a_move_cut_off_anywhere_can_be_taken_back(seen, cut):
    standings = [stands(seen())]
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


def accesses(wwids, half, nothing):
    """What a host may do with the LUNs: to write to now and after a boot of the storage host, to see at all in the same way."""
    for running, saved in itertools.product((wwids, half, nothing), (wwids, nothing)):
        for seen, kept in dict.fromkeys([(running, saved), (wwids, wwids)]):
            yield {"running": running, "saved": saved, "mapped": seen, "kept": kept}


def small_standings(seen):
    """Every combination of what may be true of a group between two hosts, however it came to be."""
    base = stands(seen)
    wwids, half, nothing = base.wwids, frozenset({"w1"}), frozenset()
    tags = (
        frozenset(),
        frozenset({move_tag("a", "b"), mount_tag(MOUNTS[0]), sum_tag("data", "1"), AUTO}),
    )
    sides = list(accesses(wwids, half, nothing))
    for ours, theirs, exported, noted, (active, mounts, disks), there, (
        still,
        stoppable,
    ) in itertools.product(
        sides,
        sides,
        (True, False),
        tags,
        ((base.volumes, MOUNTS, wwids), (nothing, MOUNTS, nothing), (nothing, (), wwids)),
        (True, False),
        ((False, False), (False, True), (True, True)),
    ):
        if ours["running"] & theirs["running"] or ours["saved"] & theirs["saved"]:
            continue  # refused: see tests/unit/plans/move/cases.yml
        source = replace(base.source, **ours, active=active, mounts=mounts, disks=disks)
        shown = theirs["mapped"] if there else nothing
        destination = replace(base.destination, **theirs, disks=shown, sees=there)
        yield replace(
            base,
            source=source,
            destination=destination,
            exported=exported,
            tags=noted,
            still=still,
            stoppable=stoppable,
        )


def writers(one):
    """The LUNs that both hosts may write to: now, and after a boot of the storage host."""
    return one.source.running & one.destination.running, one.source.saved & one.destination.saved


@pytest.mark.parametrize("seen", [survey, whole_survey])
def test_from_wherever_a_group_stands_the_plan_leads_to_the_destination_and_never_two_hosts_may_write(seen):
    for one in small_standings(seen()):
        standings = [one]
        for step in plan(standings):
            name, (before,) = step.stage.name, standings
            # The destination sees only what no host activates by itself, and uses only what the source cannot write to.
            assert name not in ("show", "attach") or (before.still and not before.whole), one
            standings = walk(standings, step)
            (now,) = standings
            assert writers(now) == (frozenset(), frozenset()), (one, name)
            assert now.has_left() or not now.destination.active, (one, name)
        (end,) = standings
        assert names(plan(standings)) == [], one
        assert not (end.source.mapped | end.source.kept) and end.has_left(), one
        assert end.has_arrived() and not end.exported and not end.tags, one
        assert end.destination.active == end.volumes and not end.source.active and not end.source.mounts, one


@pytest.mark.parametrize("begun", [survey, whole_survey])
def test_cut_off_anywhere_and_then_taken_on_or_back_two_hosts_never_may_write(begun):
    """Every prefix of every plan, and every prefix of the plans after it, in both directions."""
    seen, waiting = set(), [stands(begun())]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        assert writers(one) == (frozenset(), frozenset()), one
        for begin in (one, replace(one, source=one.destination, destination=one.source)):
            standings = [begin]
            for step in plan(standings):
                standings = walk(standings, step)
                waiting += standings
            (end,) = standings
            assert end.has_left() and end.has_arrived() and not end.exported and not end.tags, begin
            assert end.still == one.still or AUTO in one.tags, begin
    assert len(seen) > 30


def test_what_was_said_of_autoactivation_before_holds_after_the_move():
    for status, marked, finished in (
        ((), {"autoactivation": False}, {"autoactivation": True}),
        ((STILL,), {}, {}),
    ):
        steps = {
            step.stage.name: step
            for step in plan([stands(survey(store={"labels": labelled(status=status)}))])
        }
        (mark,), (finish,) = (steps[name].plain()["states"] for name in ("mark", "finish"))
        assert {**mark, **marked} == mark and ("autoactivation" in mark) == bool(marked)
        assert {**finish, **finished} == finish and ("autoactivation" in finish) == bool(finished)


@pytest.mark.parametrize("host", ["a", "b"])
def test_where_lvm_cannot_stop_autoactivation_the_destination_gets_the_luns_when_the_service_has_stopped(
    host,
):
    seen = survey(**{host: {"version": (2, 3, 11)}})
    assert steps_of(seen) == "mark export switch await start forget unmap finish leave".split()
    (mark, *_rest) = plan([stands(seen)])
    assert "autoactivation" not in mark.plain()["states"][0]


def test_many_groups_share_each_step():
    first = stands(survey())
    second = replace(first, group="vg_www", uuid="uuid-www")
    steps = plan([first, second])
    assert names(steps) == WHOLE.split()
    assert all(step.names() == ["vg_db", "vg_www"] for step in steps)
    told = {step.stage.name: step.plain() for step in steps}
    assert [state["name"] for state in told["finish"]["states"]] == ["vg_db", "vg_www"]
    assert told["finish"]["scanned"] == [T]


def test_groups_that_stand_at_different_places_meet_on_the_way():
    late = stands(survey())
    early = [replace(late, group="vg_www")]
    for step in plan(early)[:4]:
        early = walk(early, step)
    steps = {step.stage.name: step.names() for step in plan([late, *early])}
    assert steps["export"] == ["vg_db"]
    assert steps["switch"] == ["vg_db", "vg_www"]


def test_luns_on_two_storage_hosts_are_mapped_on_each():
    one = stands(survey())
    one = replace(one, luns=(one.luns[0], ("store2", one.luns[1][1])))
    steps = [(step.stage.name, step.host) for step in plan([one])]
    for step in ("show", "switch", "unmap"):
        assert [host for name, host in steps if name == step] == ["store", "store2"]


def test_a_dead_source_is_fenced_before_anything_else():
    seen = survey(silent=("a",), dead=True)
    steps = plan([stands(seen)])
    assert names(steps) == ["switch", "await", "start"]
    assert steps[0].plain()["targets"] == [
        {
            "name": T,
            "igroups": [
                {
                    "name": "a",
                    "initiators": [A],
                    "luns": [{"name": "db1", "state": "absent"}, {"name": "db2", "state": "absent"}],
                },
                {
                    "name": "b",
                    "initiators": [B],
                    "luns": [
                        {"name": "db1", "read_only": False, "shared": True},
                        {"name": "db2", "read_only": False, "shared": True},
                    ],
                },
            ],
        }
    ]


def test_a_source_that_answers_may_still_read_until_it_has_removed_its_disks():
    steps = {step.stage.name: step for step in plan([stands(survey())])}
    (target,) = steps["switch"].plain()["targets"]
    first, second = target["igroups"]
    assert (first["name"], second["name"]) == ("a", "b")
    assert first["luns"] == [{"name": "db1", "read_only": True}, {"name": "db2", "read_only": True}]


def test_the_group_of_a_dead_owner_is_taken_over_by_its_system_id_and_only_after_the_fence():
    seen = survey(silent=("a",), dead=True, store={"labels": labelled(system_id="a")}, b={"system_id": "b"})
    steps = plan([stands(seen)])
    assert names(steps) == ["switch", "await", "start"]
    (state,) = steps[2].plain()["states"]
    assert (state["state"], state["imported"], state["take_over_from"]) == ("active", True, "a")
    assert steps[2].say() == [
        "On 'b': take 'vg_db' over from its owner 'a', which is fenced, then activate 'vg_db'"
    ]


def test_a_new_igroup_is_called_as_the_data_says():
    seen = survey(
        b={"records": {}, "sessions": {}},
        store={"targets": {T: replace(TARGET, igroups={"a": (A,)})}},
        igroups={T: "www"},
    )
    steps = {step.stage.name: step for step in plan([stands(seen)])}
    assert steps["show"].plain()["targets"][0]["igroups"][0]["name"] == "www"
    assert steps["switch"].plain()["targets"][0]["igroups"][1]["name"] == "www"


def test_samples_are_taken_again_by_every_export():
    old = frozenset({sum_tag("data", "1"), sum_tag("log", "2"), move_tag("a", "b"), "theirs"})
    steps = plan([stands(survey(store={"labels": labelled(tags=tuple(old))}))])
    export = next(step for step in steps if step.stage.name == "export").plain()
    (state,) = export["states"]
    assert not [tag for tag in state["tags"] if tag.startswith("lunworks.sum")]
    assert "theirs" in state["tags"]


def test_samples_are_history_once_the_destination_has_a_line_in_fstab():
    tags = frozenset({sum_tag("data", "1"), mount_tag(MOUNTS[0]), mount_tag(MOUNTS[1]), move_tag("a", "b")})
    arrived = {"groups": SOURCE.groups, "disks": SOURCE.disks, "active": SOURCE.active}
    gone = {"groups": (), "mounts": (), "disks": {}, "records": {}, "sessions": {}, "active": {}}
    store = {"luns": mapped(B), "labels": labelled(tags=tuple(tags))}
    assert steps_of(survey(a=gone, b=arrived, store=store)) == ["start", "finish"]
    begun = {**arrived, "mounts": (("vg_db", replace(MOUNTS[0], mounted=False)),)}
    (start, finish) = plan([stands(survey(a=gone, b=begun, store=store))])
    assert (start.stage.name, finish.stage.name) == ("start", "finish")
    assert not start.plain()["volumes"] and not start.plain()["states"][0]["checksums"]


def test_tags_of_others_stay():
    steps = plan([stands(survey(store={"labels": labelled(tags=("theirs",))}))])
    tags = {
        step.stage.name: step.plain()["states"][0]["tags"]
        for step in steps
        if step.stage.name in ("mark", "finish")
    }
    assert "theirs" in tags["mark"] and tags["finish"] == ["theirs"]


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


def test_a_whole_target_is_taken_from_the_one_and_given_to_the_other_in_one_call():
    steps = {step.stage.name: step for step in plan([stands(whole_survey())])}
    told = steps["switch"].plain()
    assert told["targets"] == [
        {
            "name": T,
            "igroups": [
                {"name": "a", "state": "absent", "luns": []},
                {"name": "b", "initiators": [B], "luns": [{"name": "db1"}, {"name": "db2"}]},
            ],
        }
    ]
    assert told["rehearsed"] == ["vg_db"] and all(one["exported"] for one in told["expected"])
    (record,) = steps["record"].plain()["nodes"]
    assert record == {"target": T, "portals": ["10.0.1.1:3260", "10.0.2.1:3260"], "startup": "manual"}
    (login,) = steps["connect"].plain()["nodes"]
    assert login == {**record, "startup": "automatic", "logged_in": True}


def test_groups_on_one_whole_target_move_together():
    first = stands(whole_survey())
    steps = {step.stage.name: step for step in plan([first, replace(first, group="vg_www", uuid="uuid-www")])}
    (target,) = steps["switch"].plain()["targets"]
    assert [one["name"] for one in target["igroups"]] == ["a", "b"]


def test_an_initiator_that_is_only_logged_in_has_the_luns_and_is_shut_out():
    """A run was killed when tgtd let it in no more, and had not ended its sessions yet."""
    store = {"luns": tuple(replace(one, saved=frozenset()) for one in mapped(A))}
    target = replace(TARGET, igroups={})
    seen = survey(silent=("a",), dead=True, store={**store, "provider": "tgt", "targets": {T: target}})
    assert steps_of(seen) == ["switch", "await", "start"]
