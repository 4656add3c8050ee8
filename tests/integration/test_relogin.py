# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions logged in again under I/O: CHAP secrets rotated, the host renamed, and what stops in time when it would go wrong."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    each_refused,
    given,
    initiator_of,
    portals_of,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played
from ansible_collections.lunworks.iscsi.tests.integration.watching import unharmed, watched

NAME = f"{IQN}:roll"
WWID = wwid_of_lio(serial_of(NAME, "roll"))
ROTATE, RENAME = "lunworks.iscsi.rotate_chap", "lunworks.iscsi.rename_initiator"
OLD = {
    "user": "db",
    "secret": "the-first-secret",
    "mutual_user": "store",
    "mutual_secret": "the-store-proves-1",
}
NEW = {
    "user": "db",
    "secret": "the-second-secret",
    "mutual_user": "store",
    "mutual_secret": "the-store-proves-2",
}
SECRETS = tuple(chap[key] for chap in (OLD, NEW) for key in ("secret", "mutual_secret"))


@pytest.fixture(scope="module")
def san(storage, compute):
    """A target with CHAP on both networks, its disk a map of two paths."""
    before = initiator_of(compute)
    succeeded(compute, compute.module("initiator_name", name=f"{IQN}:{compute.name}"))
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd.service")
    with given(storage, compute, target("roll", storage, compute, chap=OLD)):
        succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD)]))
        succeeded(compute, compute.module("disk", wwid=WWID, paths=2))
        yield
        succeeded(compute, compute.module("disk", wwid=WWID, state="absent"))
    compute.run("systemctl stop multipathd.socket multipathd.service")
    succeeded(compute, compute.module("initiator_name", name=before))


@pytest.fixture
def standing(san, storage, compute):
    """Both paths work, with the old secret, whatever the test before has left."""
    yield from _healed(storage, compute)


def _healed(storage, compute):
    succeeded(storage, storage.module("targets", targets=[served(compute, OLD)]))
    succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD)]))
    succeeded(compute, compute.module("relogin", targets=[NAME]))
    succeeded(compute, compute.module("disk", wwid=WWID, paths=2))
    yield


def node(storage, chap, **more):
    return {"target": NAME, "portals": portals_of(storage), "chap": chap, "logged_in": True, **more}


def served(compute, chap):
    return {
        "name": NAME,
        "igroups": [{"name": "test", "initiators": [initiator_of(compute)], "chap": chap}],
    }


def numbers(compute):
    """The sessions by their kernel numbers."""
    return compute.run("ls /sys/class/iscsi_session").out.split()


def data(storage, compute, here, there):
    """The data of the SAN with these credentials on the storage side and on the host's."""
    return {
        "target_targets": [served(compute, here)],
        "initiator_name": initiator_of(compute),
        "initiator_nodes": [node(storage, there)],
        "volume_groups": [],  # those of the test SAN are on targets that these hosts do not have
        "volume_filesystems": [],
    }


def test_a_session_takes_what_its_record_says_and_one_that_agrees_is_left_alone(compute, storage, standing):
    before = numbers(compute)
    assert not compute.module("relogin")["changed"]
    settings = {"node.session.err_timeo.lu_reset_timeout": 41, "node.conn[0].timeo.noop_out_interval": 7}
    succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD, settings=settings)]))
    told = compute.module("relogin", check=True)["diff"][-1]["before"]["sessions"]
    assert [len(one["differences"]) for one in told] == [2, 2]
    assert "takes effect at the next login" in told[0]["differences"][0]["text"]
    with watched(compute, WWID) as seen:
        ran = converges(compute, "relogin", {"targets": [NAME]})
    unharmed(seen)
    assert len(ran["steps"]) == 2 and set(before).isdisjoint(numbers(compute))
    tmo = compute.run("cat /sys/class/iscsi_session/*/lu_reset_tmo").out.split()
    assert tmo == ["41", "41"]


def test_chap_secrets_are_rotated_under_io_and_nobody_sees_them(lab, storage, compute, standing):
    new = data(storage, compute, NEW, NEW)
    both = [storage, compute]
    checked = played(lab, ROTATE, "--check", "--diff", hosts=both, **new)
    with watched(compute, WWID, SECRETS) as seen:
        ran = played(lab, ROTATE, hosts=both, **new)
    unharmed(seen)
    assert seen.watcher == {"seen": [], "rounds": seen.watcher["rounds"]} and seen.watcher["rounds"] > 3
    assert set(checked.changed()) == set(ran.changed())
    steps = ran.changed()[compute.name, "The sessions have the new secrets, and the old ones are refused"]
    assert len(steps) == 2 and all("node.session.auth.password" in step for step in steps)
    for secret in SECRETS:
        assert secret not in ran.output + checked.output
    log = compute.run("journalctl --no-pager --since=-10min").out
    assert not [secret for secret in SECRETS if secret in log]


def test_a_rotation_that_was_interrupted_is_continued_by_the_same_command(
    lab, storage, compute, standing, long_story
):
    succeeded(storage, storage.module("targets", targets=[served(compute, NEW)]))
    succeeded(compute, compute.module("nodes", nodes=[node(storage, NEW)]))
    succeeded(compute, compute.module("relogin", targets=[NAME], portals=portals_of(storage)[:1]))
    ran = played(lab, ROTATE, hosts=[storage, compute], **data(storage, compute, NEW, NEW))
    [steps] = ran.changed().values()
    assert len(steps) == 1 and portals_of(storage)[1] in steps[0]
    again = data(storage, compute, NEW, NEW)
    assert played(lab, ROTATE, hosts=[storage, compute], **again).changed() == {}


def test_a_secret_that_the_target_does_not_have_costs_no_path(lab, storage, compute, standing):
    before = numbers(compute)
    succeeded(compute, compute.module("nodes", nodes=[node(storage, NEW)]))
    refused(compute, "relogin", "rejects the CHAP user or secret", targets=[NAME])
    assert numbers(compute) == before
    ran = play(lab, ROTATE, hosts=[storage, compute], **data(storage, compute, NEW, OLD))
    assert ran.rc and "do not have the same CHAP secret and mutual_secret" in ran.messages()
    assert numbers(compute) == before and sessions(compute, "roll") == [
        f"{one}:3260" for one in portals_of(storage)
    ]


def test_a_login_that_fails_stops_at_once_and_the_path_comes_back(storage, compute, standing, long_story):
    """A digest that the target does not take is found by the login itself, not by the probe of the secret."""
    storage.run(f"echo None >/sys/kernel/config/target/iscsi/{NAME}/tpgt_1/param/HeaderDigest")
    digest = {"node.conn[0].iscsi.HeaderDigest": "CRC32C"}
    try:
        succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD, settings=digest)]))
        before = numbers(compute)
        with watched(compute, WWID) as seen:
            failed = compute.module("relogin", targets=[NAME])
        unharmed(seen)
        assert failed["failed"] and "logged in with its old settings again" in failed["msg"], failed["msg"]
        assert len(failed["steps_left"]) == 2 and before[1] in numbers(compute)
        succeeded(compute, compute.module("disk", wwid=WWID, paths=2))
    finally:
        digest = {"node.conn[0].iscsi.HeaderDigest": "None"}
        succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD, settings=digest)]))
        storage.run(f"echo CRC32C,None >/sys/kernel/config/target/iscsi/{NAME}/tpgt_1/param/HeaderDigest")


def test_a_single_path_is_kept_and_the_message_says_what_it_would_take(
    compute, storage, standing, long_story
):
    first, second = portals_of(storage)
    one = {"target": NAME, "portals": [second], "logged_in": False}
    succeeded(compute, compute.module("nodes", nodes=[one]))
    everything = {"targets": [NAME], "stale_only": False}
    compute.run(f"setsid -f sh -c 'exec sleep 90 </dev/mapper/{WWID}' >&- 2>&-")
    try:
        cases = [
            (everything, "0 other path(s) of it work"),
            (everything, "is open in the process"),
            ({**everything, "force": True}, "is open in the process"),
        ]
        each_refused(compute, "relogin", cases)
    finally:
        compute.run("pkill -x -f 'sleep 90'")
    refused(compute, "relogin", "nobody uses the disk", **everything)
    before = numbers(compute)
    ran = succeeded(compute, compute.module("relogin", force=True, **everything))
    assert len(ran["steps"]) == 1 and set(before).isdisjoint(numbers(compute))
    succeeded(compute, compute.module("nodes", nodes=[node(storage, OLD)]))
    succeeded(compute, compute.module("disk", wwid=WWID, paths=2))
    each_refused(
        compute, "relogin", [({**everything, "min_paths": 2}, "1 other path(s) of it work, and 2 must")]
    )


def test_a_record_may_give_a_name_of_its_own(storage, compute, standing, long_story):
    own = f"{IQN}:own"
    files = f"$(find /etc/iscsi /var/lib/iscsi -path '*{NAME}*' -type f)"  # iscsiadm would take it from an iface alone
    compute.run(f"sed -i '/^node.tpgt/a iface.initiatorname = {own}' {files}")
    try:
        refused(compute, "relogin", "does not let this initiator in", targets=[NAME])
        allowed = {"name": "test", "initiators": [own]}
        succeeded(storage, storage.module("igroup", target=NAME, **allowed))
        succeeded(compute, compute.module("relogin", targets=[NAME]))
        assert set(compute.run("cat /sys/class/iscsi_session/*/initiatorname").out.split()) == {own}
    finally:
        compute.run(f"sed -i /iface.initiatorname/d {files}")
    succeeded(compute, compute.module("relogin", targets=[NAME]))
    only = {"name": "test", "initiators": [initiator_of(compute)], "purge": True}
    succeeded(storage, storage.module("igroup", target=NAME, **only))


def test_the_host_gets_another_name_under_io(lab, storage, compute, standing):
    old, new = initiator_of(compute), f"{IQN}:renamed-{compute.suite}"
    both = [storage, compute]
    said = {"host": compute.name, "from": old, "to": new}
    checked = played(lab, RENAME, "--check", "--diff", hosts=both, **said)
    assert initiator_of(compute) == old
    with watched(compute, WWID) as seen:
        ran = played(lab, RENAME, hosts=both, **said)
    unharmed(seen)
    assert initiator_of(compute) == new
    assert set(compute.run("cat /sys/class/iscsi_session/*/initiatorname").out.split()) == {new}
    served_now = json.dumps(storage.module("target_info")["targets"])
    assert new in served_now and old not in served_now
    assert set(checked.changed()) < set(ran.changed())
    named_by_data = {"host": compute.name, "from": old, "initiator_name": new}
    nothing_of_the_old_igroups = {"volume_groups": [], "volume_filesystems": []}
    assert played(lab, RENAME, hosts=both, **named_by_data, **nothing_of_the_old_igroups).changed() == {}


def test_a_renaming_that_was_interrupted_is_continued_or_taken_back(
    lab, storage, compute, standing, long_story
):
    old, new = initiator_of(compute), f"{IQN}:half-{compute.suite}"
    succeeded(storage, storage.module("igroup", target=NAME, name="test", initiators=[new]))
    succeeded(compute, compute.module("initiator_name", name=new, allow_active_sessions=True))
    succeeded(compute, compute.module("relogin", portals=portals_of(storage)[:1]))
    ran = played(lab, RENAME, hosts=[storage, compute], host=compute.name, **{"from": old, "to": new})
    assert len(ran.changed()[compute.name, "The sessions have the new name"]) == 1
    played(lab, RENAME, hosts=[storage, compute], host=compute.name, **{"from": new, "to": old})
    assert initiator_of(compute) == old and len(sessions(compute, "roll")) == 2


@pytest.mark.parametrize(
    "said, message",
    [
        ({"from": "", "to": ""}, "Say what to rename"),
        ({"from": f"{IQN}:a", "to": f"{IQN}:A"}, "Say what to rename"),
        ({"from": f"{IQN}:stranger", "to": f"{IQN}:new"}, "neither"),
        ({"to": "iqn.2026-13.com.example:x"}, "is not an iSCSI name"),
        ({"host": "nobody", "from": f"{IQN}:a", "to": f"{IQN}:b"}, "one host of the inventory"),
    ],
    ids=["nothing", "same", "stranger", "malformed", "nobody"],
)
def test_a_renaming_that_cannot_be_meant_changes_nothing(
    lab, storage, compute, san, long_story, said, message
):
    given_names = {"host": compute.name, "from": initiator_of(compute), **said}
    ran = play(lab, RENAME, hosts=[storage, compute], **given_names)
    assert ran.rc and message in ran.messages(), ran.messages()
    assert ran.changed() == {}
