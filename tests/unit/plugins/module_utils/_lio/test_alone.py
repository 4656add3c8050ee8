# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage host on which somebody else is at work, too: what is locked, what is merged, what is proved before a grant."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half, _take
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import ISCSI
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.steps.target import ProtectLun
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.expected import ProveLabel
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.way_back import bare
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import W
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._block.test_pv_label import GROUP
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_foreign_lio import (
    group_of,
    saved,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_others import (
    RAM,
    WHO,
    A,
    document,
    host_of,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import pv_bytes

OTHER = "iqn.2026-01.com.example:other"
NEXT = "iqn.2026-01.com.example:next"
SESSION = {f"{ISCSI}/{W}/tpgt_1/acls/{WHO}/info": f"InitiatorName: {WHO}\n   Address 192.0.2.9 TCP\n"}
EXPECTED = {"target": W, "lun": "a", "group_uuid": "u", "exported": True, "seqno": 7}


def steps_of(host, **options):
    """The steps of a call that is not refused, and how they are asked for again."""
    (resource,) = resources_of("targets", options)
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    return steps, resource


@pytest.mark.parametrize(
    "door, options",
    [
        ("targets", {"targets": []}),
        ("target", {"name": W}),
        ("lun", {"target": W, "name": "a"}),
        ("igroup", {"target": W, "name": "g"}),
    ],
)
def test_every_storage_door_takes_the_lock_of_targetcli(door, options):
    assert [one.locks for one in resources_of(door, options)] == [("/run/targetcli.lock",)]


# -- What somebody else saves between the look and our saving ----------------------------------------------------------


def saved_meanwhile(change, **asked):
    """The file after a call that adds to a target, while somebody changes the file between its look and its saving."""
    host = host_of(document(A))
    steps, resource = steps_of(host, targets=[{"name": W, **asked}])
    theirs = saved(host)
    change(theirs)
    host.files[SAVED] = {"text": json.dumps(theirs), "mode": 0o600}
    _take(steps, host)
    after = resource.look(host)
    assert resource.plan(after, resource.want(after)) == []
    return saved(host)


def test_another_target_and_a_backstore_that_were_saved_meanwhile_stay():
    new = document(RAM, name=OTHER)

    def change(theirs):
        theirs["targets"] += new["targets"]
        theirs["storage_objects"] += new["storage_objects"]

    found = saved_meanwhile(change, portals=["192.0.2.2"])
    assert new["targets"][0] in found["targets"] and new["storage_objects"][0] in found["storage_objects"]
    assert [one["ip_address"] for one in group_of(found)["portals"]] == ["192.0.2.1", "192.0.2.2"]


def test_what_was_not_asked_for_in_the_same_target_stays_as_it_was_saved_meanwhile():
    def change(theirs):
        group_of(theirs)["node_acls"][0]["mapped_luns"][0]["write_protect"] = True
        group_of(theirs)["attributes"]["login_timeout"] = 30

    found = group_of(saved_meanwhile(change, portals=["192.0.2.2"]))
    assert found["node_acls"][0]["mapped_luns"][0]["write_protect"] is True
    assert found["attributes"]["login_timeout"] == 30
    assert len(found["portals"]) == 2


def test_a_target_that_somebody_removed_from_the_file_meanwhile_does_not_come_back():
    host = host_of({**document(A), "targets": document(A)["targets"] + document(name=OTHER)["targets"]})
    steps, _resource = steps_of(host, targets=[{"name": W, "portals": ["192.0.2.2"]}])
    theirs = saved(host)
    theirs["targets"] = theirs["targets"][:1]
    host.files[SAVED] = {"text": json.dumps(theirs), "mode": 0o600}
    _take(steps, host)
    assert [one["wwn"] for one in saved(host)["targets"]] == [W]


def test_the_restore_waits_for_the_disk_of_a_backstore_that_was_saved_meanwhile_too():
    host = host_of(document(A), **{"/lib/systemd/system/target.service": ""})
    host.runs["systemctl daemon-reload"] = ""
    _take(steps_of(host, targets=[{"name": W, "portals": ["192.0.2.2"]}])[0], host)
    steps, resource = steps_of(host, targets=[{"name": W, "portals": ["192.0.2.3"]}])
    theirs = saved(host)
    theirs["storage_objects"].append({"plugin": "block", "name": "late", "dev": "/dev/late", "wwn": "0"})
    host.files[SAVED] = {"text": json.dumps(theirs), "mode": 0o600}
    _take(steps, host)
    assert "After=dev-late.device" in host.read("/etc/systemd/system/target.service.d/50-lunworks.conf")
    after = resource.look(host)
    assert resource.plan(after, resource.want(after)) == []


@pytest.mark.parametrize("text", ["{", '{"targets": 7}'])
def test_a_file_that_became_unreadable_meanwhile_is_left_and_what_to_do_is_said(text):
    host = host_of(document(A))
    steps, _resource = steps_of(host, targets=[{"name": W, "portals": ["192.0.2.2"]}])
    host.files[SAVED] = text
    with pytest.raises(Half, match="repair it, restore a copy from '/etc/target/backup'"):
        _take(steps, host)
    assert host.read(SAVED) == text


def test_no_secret_of_the_file_is_in_what_a_step_says():
    chap = {"user": "u", "secret": "a secret of 18 b."}
    group = {"name": "g", "initiators": [WHO], "luns": ["a"], "chap": chap}
    steps, _resource = steps_of(host_of(document(A)), targets=[{"name": W, "igroups": [group]}], force=True)
    assert len(steps) > 1 and "a secret of" not in repr(steps)


# -- A LUN changes hands -----------------------------------------------------------------------------------------------


def handed(seqno=7, flags=', "EXPORTED"', **more):
    """A host whose LUN has a group, and the options that take it from WHO and give it to NEXT."""
    group = pv_bytes(GROUP.format(seqno, flags))
    host = host_of(document(A), **{"/dev/vg/a": {"kind": "block", "rdev": 7, "bytes": group}}, **SESSION)
    luns = [{"name": "a", "read_only": True, "shared": True}]
    old = {"name": "old", "luns": luns} if more.pop("protect", True) else {"name": "old", "state": "absent"}
    groups = [old, {"name": "next", "initiators": [NEXT], "luns": ["a"]}]
    return host, {"targets": [{"name": W, "igroups": groups}], "expected": [EXPECTED], "force": True, **more}


def in_old(host):
    """WHO is in an igroup that a user can name."""
    host.files[f"{ISCSI}/{W}/tpgt_1/acls/{WHO}/tag"] = "old\n"
    described = saved(host)
    group_of(described)["node_acls"][0]["tag"] = "old"
    host.files[SAVED] = {"text": json.dumps(described), "mode": 0o600}
    return host


PROOF = f"Make sure that the PV on the LUN 'a' of '{W}' is still exported, with the sequence number 7, of the volume group u"


@pytest.mark.parametrize("protect", [True, False])
def test_between_the_last_cut_and_the_first_grant_the_label_is_read_again(protect):
    host, options = handed(protect=protect)
    steps, resource = steps_of(in_old(host), **options)
    said = list(map(str, steps))
    cut = (
        f"Let '{WHO}' only read the LUN 'a' of '{W}'"
        if protect
        else f"No longer allow the initiator '{WHO}' to log in to '{W}'"
    )
    assert said.index(cut) + 1 == said.index(PROOF)
    assert said.index(PROOF) < said.index(f"Map the LUN 'a' of '{W}' to '{NEXT}' as LUN 0")
    _take(steps, host)
    after = resource.look(host)
    assert resource.plan(after, resource.want(after)) == []


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("seqno, flags", [(8, ', "EXPORTED"'), (7, "")])
def test_a_label_that_changes_after_the_cut_puts_back_what_was_cut(protect, seqno, flags):
    host, options = handed(protect=protect)
    before = copy.deepcopy(in_old(host).configfs())
    steps, _resource = steps_of(host, **options)
    at = next(at for at, step in enumerate(steps) if isinstance(bare(step), ProveLabel))
    _take(steps[:at], host)
    assert host.configfs() != before
    host.files["/dev/vg/a"]["bytes"] = pv_bytes(GROUP.format(seqno, flags))
    with pytest.raises(Half) as half:
        _take(steps[at:], host)
    how = "exported" if flags else "not exported"
    assert f"found: {how}, with the sequence number {seqno}, of the volume group u ('vg')" in str(half.value)
    assert "What was served before is served again." in str(half.value)
    (now, then) = (acl_of(host.configfs()), acl_of(before))
    assert now == then
    assert not [path for path in host.files if f"/acls/{NEXT}" in path]


def acl_of(configfs):
    """What WHO may do: its igroup, and whether it may write to the LUN."""
    base = f"{ISCSI}/{W}/tpgt_1/acls/{WHO}"
    return [str(configfs[f"{base}/{name}"]).strip() for name in ("tag", "lun_0/write_protect")]


@pytest.mark.parametrize(
    "seqno, flags, found",
    [
        (8, ', "EXPORTED"', "found: exported, with the sequence number 8, of the volume group u ('vg')"),
        (7, "", "found: not exported, with the sequence number 7"),
    ],
)
def test_another_label_than_expected_is_refused_with_both_values(seqno, flags, found):
    host, options = handed(seqno, flags)
    with pytest.raises(Problem) as problem:
        steps_of(in_old(host), **options)
    assert (
        f"The PV on the LUN 'a' of '{W}' must be exported, with the sequence number 7, of the volume group u"
        in str(problem.value)
    )
    assert found in str(problem.value) and host.did == []


@pytest.mark.parametrize(
    "changed, found",
    [
        ({"lun": "b"}, "found: no such LUN runs"),
        ({"target": OTHER}, "found: no such LUN runs"),
        ({"group_uuid": "v"}, "of the volume group u ('vg')"),
    ],
)
def test_a_lun_that_is_not_there_or_has_another_group_is_refused(changed, found):
    host, options = handed(expected=[{**EXPECTED, **changed}])
    with pytest.raises(Problem) as problem:
        steps_of(in_old(host), **options)
    assert found in str(problem.value)


def test_a_disk_without_a_pv_is_refused():
    host, options = handed()
    host.files["/dev/vg/a"]["bytes"] = bytes(4096)
    with pytest.raises(Problem, match="found: no PV"):
        steps_of(in_old(host), **options)


def test_where_nothing_is_to_do_nothing_is_expected():
    host, options = handed()
    steps, _resource = steps_of(in_old(host), **options)
    _take(steps, host)
    host.files["/dev/vg/a"]["bytes"] = pv_bytes(GROUP.format(9, ""))
    assert steps_of(host, **options)[0] == []


def test_what_is_only_cut_is_expected_before_and_needs_no_proof():
    host, options = handed()
    options["targets"][0]["igroups"].pop()
    steps, _resource = steps_of(in_old(host), **options)
    assert [type(step) for step in steps][:1] == [ProtectLun]
    assert PROOF not in list(map(str, steps))
