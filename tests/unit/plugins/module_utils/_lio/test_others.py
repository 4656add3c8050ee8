# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others made on a storage host, case by case: each was once lost, opened, closed or refused by the way."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.device_name import is_stable
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import CORE, ISCSI
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.lun_info import tell_luns
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.persistence import restore_order
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import V, W
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED, LioHost, running
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_foreign_lio import (
    converged,
    group_of,
    saved,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

WHO = "iqn.2026-01.com.example:i"
TPG = f"{ISCSI}/{W}/tpgt_1"
CHAP = {"user": "u", "secret": "a secret of 18 b."}
A = {"plugin": "block", "name": "a", "dev": "/dev/vg/a", "wwn": "0000000a-0000-0000-0000-00000000000a"}
F = {
    "plugin": "fileio",
    "name": "f",
    "dev": "/srv/f.img",
    "size": 1 << 20,
    "wwn": "0000000f-0000-0000-0000-00000000000f",
}
RAM = {"plugin": "ramdisk", "name": "m", "size": 1 << 20, "wwn": "0000000c-0000-0000-0000-00000000000c"}


def document(*stores, maps=((0, 0),), name=W, **changes):
    """A target with these storage objects as its LUNs, and an ACL with maps of them."""
    luns = [
        {"index": at, "storage_object": f"/backstores/{one['plugin']}/{one['name']}"}
        for at, one in enumerate(stores)
    ]
    mapped = [
        {"index": own, "tpg_lun": lun, "write_protect": False} for own, lun in maps if lun < len(stores)
    ]
    group = {
        "tag": 1,
        "enable": True,
        "attributes": {"authentication": 0, "generate_node_acls": 0},
        "parameters": {"AuthMethod": "CHAP,None"},
        "portals": [{"ip_address": "192.0.2.1", "port": 3260}],
        "luns": luns,
        "node_acls": [{"node_wwn": WHO, "mapped_luns": mapped}],
        **changes,
    }
    return {
        "storage_objects": copy.deepcopy(list(stores)),
        "targets": [{"fabric": "iscsi", "wwn": name, "tpgs": [group]}],
    }


def host_of(described, **files):
    return LioHost({**running(described), **files})


def planned(host, door, **options):
    (resource,) = resources_of(door, options)
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    return [str(step) for step in steps], list(resource.notes(seen, steps))


def refused(host, door, **options):
    before = host.configfs()
    with pytest.raises(Problem) as problem:
        planned(host, door, **options)
    assert host.configfs() == before
    return str(problem.value)


def session(tag=1, who=WHO, dynamic=False):
    base = f"{ISCSI}/{W}/tpgt_{tag}"
    if dynamic:
        return {f"{base}/dynamic_sessions": f"{who}\0"}
    return {f"{base}/acls/{who}/info": f"InitiatorName: {who}\n   Address 192.0.2.9 TCP\n"}


# -- One name for two things ------------------------------------------------------------------------------------------


def test_two_luns_of_one_name_are_refused_by_name_and_taken_by_number():
    host = host_of(document({**A, "name": "data"}, {**F, "name": "data"}))
    said = refused(host, "lun", target=W, name="data", state="absent")
    assert "number 0 is 'block/data', number 1 is 'fileio/data'" in said
    assert "number 0 is 'block/data'" in refused(
        host, "igroup", target=W, name="g", initiators=[WHO], luns=["data"]
    )
    steps = converged(host, "lun", {"target": W, "name": "data", "number": 1, "state": "absent"})
    assert steps[0] == f"Stop serving the LUN 'data' (number 1) of '{W}'"
    assert [one["plugin"] for one in saved(host)["storage_objects"]] == ["block"]


def test_a_lun_that_shall_go_by_its_number_is_not_another_one_of_that_name():
    host = host_of(document(A))
    assert planned(host, "lun", target=W, name="a", number=5, state="absent") == ([], [])


def test_several_maps_of_one_lun_are_one_declared_lun_and_go_together():
    host = host_of(document(A, maps=((0, 0), (7, 0))))
    named = {"target": W, "name": "g", "initiators": [WHO]}
    assert (
        planned(host, "igroup", **named, luns=["a"])[0][0]
        == f"Put the initiator '{WHO}' into the igroup 'g' of '{W}'"
    )
    assert "sees the LUN 'a'" in refused(host, "igroup", **named, luns=[{"name": "a", "number": 3}])
    steps = converged(host, "igroup", {**named, "luns": [{"name": "a", "state": "absent"}]})
    assert sum(step.startswith("Unmap") for step in steps) == 2


def test_the_same_disk_by_another_name_is_no_other_disk():
    host = host_of(document(A), **{"/dev/mapper/vg-a": {"link": "/dev/vg/a"}})
    assert planned(host, "lun", target=W, name="a", path="/dev/mapper/vg-a") == ([], [])
    assert planned(host, "lun", target=W, name="a", path="/dev//vg/./a") == ([], [])


def test_two_entries_of_one_name_in_the_file_are_left_alone_and_told():
    described = document(A)
    group_of(described)["node_acls"] += [{"node_wwn": "iqn.1991-05.com.microsoft:WIN", "mapped_luns": []}]
    host = host_of(described)
    group_of(described)["node_acls"] += [{"node_wwn": "iqn.1991-05.com.microsoft:win", "mapped_luns": []}]
    host.files[SAVED] = {"text": json.dumps(described), "mode": 0o600}
    assert "has the initiator 'iqn.1991-05.com.microsoft:win' twice" in refused(
        host, "target", name=W, alias="x"
    )
    assert any("twice" in said for said in tell_targets(host, None)["drift"])


# -- What is not asked for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "store",
    [
        {**F, "dev": "/dev/vg/a", "write_back": True},
        {**F, "dev": "/srv/my luns/f.img"},
        {**A, "dev": "/dev/sdb"},
        {**A, "readonly": True, "write_back": True},
        {"plugin": "pscsi", "name": "p", "dev": "/dev/sg3", "wwn": "00000001-0000"},
        {"plugin": "user", "name": "u", "config": "rbd/pool/image", "wwn": "00000002-0000"},
        RAM,
    ],
    ids=lambda store: f"{store['plugin']} {store.get('dev', '')}",
)
def test_a_backstore_is_the_kind_that_it_is_and_stays(store):
    described = document(store)
    host = host_of(described, **session())
    converged(host, "target", {"name": W, "alias": "x"})
    group_of(described)["parameters"]["TargetAlias"] = "x"
    assert saved(host) == described


def test_who_may_log_in_stays_unless_igroups_are_named():
    attributes = {"generate_node_acls": 1, "cache_dynamic_acls": 1, "authentication": 0}
    host = host_of(document(A, node_acls=[], attributes=attributes))
    new = {"target": W, "name": "n", "path": "/srv/n.img", "size": "1m"}
    steps, notes = planned(host, "lun", **new)
    assert not [step for step in steps if step.startswith("Set")]
    assert "is in demo mode: every initiator that logs in sees the LUN 'n'" in notes[0]
    steps = converged(host, "igroup", {"target": W, "name": "g", "initiators": [WHO]})
    assert steps[:2] == [
        f"Set the attribute generate_node_acls of '{W}' to '0'",
        f"Set the attribute cache_dynamic_acls of '{W}' to '0'",
    ]


def test_credentials_that_nobody_asks_for_are_not_asked_for_by_the_way():
    acl = {"node_wwn": WHO, "chap_userid": "u", "chap_password": "a secret of 18 b.", "mapped_luns": []}
    host = host_of(document(A, node_acls=[acl]), **session())
    steps, _notes = planned(host, "lun", target=W, name="n", path="/srv/n.img", size="1m")
    assert not [step for step in steps if step.startswith("Set")]
    named = {"target": W, "name": "g", "initiators": [WHO]}
    assert f"Logged in without it: '{WHO}'" in refused(host, "igroup", **named)
    assert planned(host, "igroup", **named, force=True)[0]


def test_demo_mode_is_not_switched_off_under_a_session_that_would_lose_its_luns():
    attributes = {"generate_node_acls": 1, "authentication": 0}
    host = host_of(document(A, F, node_acls=[], attributes=attributes), **session(dynamic=True))
    other = {"target": W, "name": "g", "initiators": ["iqn.2026-01.com.example:j"]}
    assert f"Logged in without an ACL: '{WHO}'" in refused(host, "igroup", **other)
    own = {"target": W, "name": "g", "initiators": [WHO]}
    assert f"Logged in without an ACL: '{WHO}'" in refused(host, "igroup", **own, luns=["a"])
    assert planned(host, "igroup", **own, luns=["a", "f"])[0]
    for options in ({"name": "f", "state": "absent"}, {"name": "f", "block_size": 4096}):
        assert f"Logged in: '{WHO}'" in refused(host, "lun", target=W, **options)


def test_a_secret_changes_under_a_session():
    acl = {
        "node_wwn": WHO,
        "tag": "g",
        "chap_userid": "u",
        "chap_password": "an older secret",
        "mapped_luns": [],
    }
    host = host_of(document(A, node_acls=[acl], attributes={"authentication": 1}), **session())
    assert "Set the CHAP credentials" in " ".join(planned(host, "igroup", target=W, name="g", chap=CHAP)[0])


# -- What is lost ----------------------------------------------------------------------------------------------------


def without_stores(described):
    """A host on which the target runs, and none of its LUNs."""
    files = running(described)
    gone = (f"{CORE}/", f"{TPG}/lun/lun_", f"{TPG}/acls/{WHO}/lun_")
    return LioHost({path: value for path, value in files.items() if not path.startswith(gone)})


def test_what_comes_back_is_as_it_was_saved():
    ro = {**A, "readonly": True, "attributes": {"emulate_older": 1, "is_nonrot": 1}}
    aio = {**F, "aio": True, "write_back": True}
    host = without_stores(document(ro, aio))
    before = saved(host)
    converged(host, "target", {"name": W})
    infos = [
        host.read(path) for path in sorted(host.files) if path.endswith("/info") and path.startswith(CORE)
    ]
    assert "Mode: Buffered-WCE Async: 1" in infos[0] and "readonly: 1" in infos[1]
    assert host.read(f"{CORE}/iblock_0/a/attrib/is_nonrot") == "1\n"
    assert saved(host) == before


@pytest.mark.parametrize(
    "store, why",
    [
        (RAM, "is of the kind 'ramdisk'"),
        ({"plugin": "pscsi", "name": "p", "dev": "/dev/sg3", "wwn": "1"}, "is of the kind 'pscsi'"),
        ({**A, "dev": "/dev/sdb"}, "is on '/dev/sdb', which may be a different disk since the boot"),
        ({**A, "wwn": None}, "has no path or no serial"),
        ({**A, "exclusive": False}, "has 'exclusive' in the file"),
        ({**F, "of_next_year": 7}, "has 'of_next_year' in the file"),
        (
            {**A, "alua_tpgs": [{"name": "standby", "tg_pt_gp_id": 3}]},
            "has settings of the ALUA group 'standby'",
        ),
    ],
)
def test_what_cannot_be_made_as_it_was_is_left_and_told(store, why):
    host = without_stores(document(store))
    before = saved(host)
    steps, notes = planned(host, "target", name=W)
    assert steps == []
    assert why in notes[0] and "targetctl restore" in notes[0]
    assert why in refused(host, "lun", target=W, name=store["name"], attributes={"is_nonrot": 1})
    assert why in refused(host, "igroup", target=W, name="g", initiators=[WHO], luns=[store["name"]])
    converged(host, "target", {"name": W, "alias": "x"})
    assert saved(host)["storage_objects"] == before["storage_objects"]
    assert group_of(saved(host))["luns"] == group_of(before)["luns"]
    converged(host, "lun", {"target": W, "name": store["name"], "state": "absent"})
    assert group_of(saved(host))["luns"] == []


@pytest.mark.parametrize(
    "key, why", [("iser", "this host has no RDMA device"), ("offload", "is saved with offload")]
)
def test_a_portal_that_cannot_be_made_as_it_was_is_left_as_it_is_saved(key, why):
    described = document(A, portals=[{"ip_address": "192.0.2.1", "port": 3260, key: True}])
    host = host_of(described)
    del host.files[f"{TPG}/np/192.0.2.1:3260/iser"]
    steps, notes = planned(host, "target", name=W)
    assert (steps, why in notes[0]) == ([], True)
    assert why in refused(host, "target", name=W, portals=["192.0.2.1"])
    converged(host, "target", {"name": W, "alias": "x"})
    assert group_of(saved(host))["portals"] == group_of(described)["portals"]


def test_a_lost_group_is_not_taken_for_another_one():
    described = document(A)
    described["targets"][0]["tpgs"].append({"tag": 2, "luns": []})
    files = {
        path: value
        for path, value in running(described).items()
        if not path.startswith(f"{TPG}/") and path != TPG
    }
    assert "its portal group 1 is saved but not running" in refused(
        LioHost(files), "target", name=W, alias="x"
    )


def test_a_group_that_is_not_saved_is_not_taken_for_a_saved_one():
    described = document(A)
    host = host_of(described)
    group_of(described)["tag"] = 2
    host.files[SAVED] = {"text": json.dumps(described), "mode": 0o600}
    converged(host, "target", {"name": W, "alias": "x"})
    first, second = sorted(saved(host)["targets"][0]["tpgs"], key=lambda one: one["tag"])
    assert second == group_of(described)
    assert (first["tag"], first["parameters"]["TargetAlias"], first["luns"][0]["index"]) == (1, "x", 0)


# -- What a step reaches ---------------------------------------------------------------------------------------------


def test_sessions_of_every_portal_group_hold_a_target():
    described = document(A)
    second = {**group_of(described), "tag": 2, "portals": []}
    described["targets"][0]["tpgs"].append(copy.deepcopy(second))
    host = host_of(described, **session(tag=2))
    assert f"Logged in: '{WHO}'" in refused(host, "target", name=W, state="absent")
    assert f"Logged in: '{WHO}'" in refused(host, "targets", targets=[], purge=True)
    (told,) = tell_targets(host, None)["targets"]
    assert [(one["initiator"], one["tag"]) for one in told["sessions"]] == [(WHO, 2)]
    assert [one["tag"] for one in told["other_portal_groups"]] == [2]
    steps, notes = planned(host, "lun", target=W, name="a", state="absent")
    assert not [step for step in steps if step.startswith("Close")]
    assert f"it is also served by '{W}' (tpg2, LUN 0)" in notes[0]


def test_a_backstore_of_two_targets_and_of_loopback_is_left_and_no_call_is_refused_for_it():
    described = document(A)
    described["targets"] += document(A, name=V)["targets"]
    described["targets"][1]["tpgs"][0]["portals"] = []
    loop = {"index": 4, "storage_object": "/backstores/block/a"}
    described["targets"].append(
        {"fabric": "loopback", "wwn": "naa.5001405000000001", "tpgs": [{"tag": 1, "luns": [loop]}]}
    )
    host = host_of(described)
    assert planned(host, "target", name=V, enabled=True) == ([], [])
    _steps, notes = planned(host, "lun", target=W, name="a", state="absent")
    assert f"'{V}' (tpg1, LUN 0), loopback 'naa.5001405000000001' (LUN 4)" in notes[0]
    said = refused(host, "lun", target=W, name="a", attributes={"queue_depth": 1})
    assert "would have to be created again, but it is also served by" in said
    assert "would be behind two LUNs" in refused(host, "lun", target=W, name="b", path="/dev/vg/a")
    converged(host, "target", {"name": W, "state": "absent"})
    assert saved(host)["storage_objects"] == described["storage_objects"]


def test_all_who_have_a_lun_are_told_whatever_group_and_number_gives_it():
    described = document(A, maps=((0, 0), (7, 0)))
    second = copy.deepcopy(group_of(described))
    second.update(
        tag=2,
        node_acls=[
            {
                "node_wwn": "iqn.2026-01.com.example:j",
                "mapped_luns": [{"index": 3, "tpg_lun": 0, "write_protect": True}],
            }
        ],
    )
    described["targets"][0]["tpgs"].append(second)
    described["storage_objects"][0]["dev"] = "/dev/nothing/a"
    host = host_of(described)
    del host.files["/dev/nothing/a"]
    (lun,) = tell_luns(host, False)["luns"]
    assert (lun["initiators"], lun["saved_initiators"]) == ([WHO, "iqn.2026-01.com.example:j"],) * 2
    assert lun["read_only_initiators"] == ["iqn.2026-01.com.example:j"]


@pytest.mark.parametrize(
    "store, files, why",
    [
        (
            {"plugin": "pscsi", "name": "t", "dev": "/dev/st0", "wwn": "1"},
            {},
            "of the kind 'pscsi' is not read",
        ),
        (A, {"/sys/class/block/a/dm/suspended": "1\n"}, "'/dev/vg/a' is suspended"),
        (
            A,
            {"/sys/class/block/a/slaves/dm-9": "", "/sys/class/block/dm-9/dm/suspended": "1\n"},
            "is suspended",
        ),
        (
            A,
            {"/dev/vg/a": {"kind": "block", "pv": "p", "dead": True}},
            "2048 bytes at 0 of '/dev/vg/a': no answer within 30 seconds",
        ),
        (F, {"/srv/f.img": {"kind": "directory"}}, "neither a block device nor a file"),
    ],
)
def test_what_must_not_be_read_is_not_read(store, files, why):
    (lun,) = tell_luns(host_of(document(store), **files), False)["luns"]
    assert lun["label"] is None
    assert why in lun["unreadable_reason"]


# -- What the kernel takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "door, options, said",
    [
        ("target", {"attributes": {"netif_timeout": 3}}, "has no attribute 'netif_timeout'"),
        ("target", {"attributes": {"fabric_prot_type": 2}}, "is not a value"),
        ("target", {"parameters": {"MaxConnections": 99999}}, "it must be 1 to 65535"),
        ("target", {"parameters": {"MaxBurstLength": 511}}, "it must be 512 to 16777215"),
        ("target", {"parameters": {"MaxRecvDataSegmentLength": 16777216}}, "is not a value"),
        ("lun", {"attributes": {"queue_depth": 129}}, "more than '/srv/f.img' supports, 128"),
        ("lun", {"attributes": {"optimal_sectors": 16385}}, "supports, 16384"),
        ("lun", {"attributes": {"max_write_same_len": 1 << 32}}, "is not a value"),
        ("lun", {"attributes": {"unmap_granularity": 1 << 32}}, "is not a value"),
        ("lun", {"attributes": {"emulate_rest_reord": 1}}, "is not a value"),
        ("lun", {"attributes": {"emulate_dpo": 0}}, "is not a value"),
        (
            "lun",
            {"attributes": {"emulate_rsoc": 0}},
            "the kernel of this host has no attribute 'emulate_rsoc'",
        ),
        ("lun", {"name": "a", "write_back": True}, "write_back is for files"),
        ("lun", {"size": "9999999p"}, "no disk or file has more than"),
        ("lun", {"size": 1048577}, "Use 1049088 or 1048576"),
        (
            "lun",
            {"name": "new", "path": "/dev/vg/nd", "attributes": {"emulate_tpu": 1}},
            "cannot discard blocks",
        ),
    ],
)
def test_what_the_kernel_would_refuse_is_refused_before(door, options, said):
    files = {
        "/dev/vg/nd": {"kind": "block", "rdev": 7},
        "/sys/class/block/nd/size": "2048\n",
        "/sys/class/block/nd/queue/discard_max_bytes": "0\n",
        "/proc/self/ns/mnt": {"link": "mnt:[1]"},
    }
    host = host_of(document(A, F), **files)
    named = {"name": W} if door == "target" else {"target": W, "name": "f"}
    assert said in refused(host, door, **{**named, **options})


@pytest.mark.parametrize(
    "fails", ["/control", "/enable", "attrib/queue_depth", "/lun_0/lunworks", "prod_mode_write_protect"]
)
def test_a_remake_that_fails_puts_the_old_one_back(fails):
    """Whatever of it fails: all that was served is served again, with settings that nobody saved."""
    described = document({**F, "name": f"{W}:f"}, maps=((5, 0),))
    group_of(described)["node_acls"][0]["mapped_luns"][0]["write_protect"] = True
    host = host_of(described, **{f"{TPG}/acls/{WHO}/lun_5/write_protect": "1\n"})
    place = f"{CORE}/fileio_0/{W}:f"
    host.files[f"{place}/attrib/is_nonrot"] = "1\n"
    (resource,) = resources_of("lun", {"target": W, "name": "f", "attributes": {"queue_depth": 64}})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    host.fails = fails
    with pytest.raises(Problem, match="What was served before is served again"):
        for step in steps:
            step.take(host)
    assert host.fails == ""
    again = resource.look(host)
    assert again.running.targets == seen.running.targets
    assert again.running.stores == seen.running.stores
    assert host.read(f"{place}/attrib/is_nonrot").strip() == "1"
    assert saved(host) == described
    converged(host, "lun", {"target": W, "name": "f", "attributes": {"queue_depth": 64}})
    assert host.read(f"{place}/attrib/is_nonrot").strip() == "1"


def test_a_new_target_that_fails_leaves_nothing():
    host = host_of(document(A))
    host.fails = "attrib/authentication"
    (resource,) = resources_of("target", {"name": V, "portals": ["192.0.2.1"]})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    before = host.configfs()
    with pytest.raises(Problem):
        steps[0].take(host)
    assert host.configfs() == before


def test_a_read_only_device_is_served_to_be_read():
    files = {
        "/dev/vg/ro": {"kind": "block", "rdev": 7},
        "/sys/class/block/ro/size": "2048\n",
        "/sys/class/block/ro/ro": "1\n",
        "/proc/self/ns/mnt": {"link": "mnt:[1]"},
    }
    host = host_of(document(A), **files)
    entry = {
        "name": W,
        "luns": [{"name": "ro", "path": "/dev/vg/ro"}],
        "igroups": [{"name": "g", "initiators": [WHO], "luns": ["ro"]}],
    }
    converged(host, "targets", {"targets": [entry]})
    assert "readonly: 1" in host.read(f"{CORE}/iblock_1/{W}:ro/info")
    assert saved(host)["storage_objects"][-1]["readonly"] is True
    entry["igroups"][0]["luns"] = [{"name": "ro", "read_only": False}]
    assert "is a read-only device, or its" in refused(host, "targets", targets=[entry])


def test_a_file_that_may_outgrow_its_file_system_is_told():
    host = host_of(document(A), **{"/srv": {"kind": "directory", "room": 1 << 20}})
    _steps, notes = planned(host, "lun", target=W, name="n", path="/srv/luns/n.img", size="2m")
    assert "may take 2 MiB more, and its file system has 1 MiB left" in notes[0]
    assert planned(host, "lun", target=W, name="n", path="/srv/luns/n.img", size="1m")[1] == []


def test_a_target_without_portals_can_be_filled():
    host = host_of(document(A, portals=[]))
    converged(host, "lun", {"target": W, "name": "n", "path": "/srv/n.img", "size": "1m"})
    converged(
        host,
        "igroup",
        {
            "target": W,
            "name": "g",
            "initiators": [WHO],
            "luns": [{"name": "n", "read_only": None, "shared": None}],
        },
    )
    assert "has no portal" in refused(host, "target", name=W, portals=[], purge=True)


def test_a_portal_for_every_address_can_be_declared_and_given_up():
    host = host_of(document(A, portals=[{"ip_address": "0.0.0.0", "port": 3260}]))
    assert planned(host, "target", name=W, portals=["0.0.0.0"]) == ([], [])
    said = refused(host, "target", name=W, portals=["192.0.2.1"])
    assert "Declare 0.0.0.0:3260 itself" in said
    converged(host, "target", {"name": W, "portals": ["192.0.2.1"], "purge": True})
    host = host_of(document(A, portals=[{"ip_address": "::0", "port": 3260}]))
    assert planned(host, "target", name=W, portals=["[::]"]) == ([], [])


# -- Names that stay --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    "sda sda1 dm-0 nvme0n1p2 md127 md_d0 loop0 zd0 vda xvda rbd0 rbd0p1 nbd0 bcache0 mmcblk0p1 ram0 zram0 sr0 pmem0 hda dasda"
    " cciss/c0d0 block/8:0 ubdb sg3 scd0 fd0 dasda1 drbd".split(),
)
def test_a_name_that_the_kernel_counts_is_not_stable(path):
    assert not is_stable(f"/dev/{path}")


@pytest.mark.parametrize(
    "path",
    "mapper/vg-a vg/a disk/by-id/wwn-0x5 disk/by-path/pci-0000:00 md/store zvol/tank/a rbd/pool/image drbd0 drbd/by-res/r0/0"
    " bcache/by-uuid/x disk/by-partlabel/a".split(),
)
def test_a_name_that_somebody_gave_is_stable(path):
    assert is_stable(f"/dev/{path}")


def test_the_restore_waits_for_block_devices_and_for_mounts_alone():
    stores = [A, {**F, "dev": "/srv/my luns/f.img"}, {**F, "dev": "/dev/.hidden/x"}, RAM]
    stores += [{"plugin": "pscsi", "name": "p", "dev": "/dev/sg3"}, {**F, "dev": '/srv/a"\nExecStart=x/f'}]
    lines = restore_order({"storage_objects": stores}).splitlines()[2:]
    assert lines == [
        "Wants=network-online.target",
        "After=network-online.target",
        "Wants=dev-.hidden-x.device",
        "After=dev-.hidden-x.device",
        "Wants=dev-vg-a.device",
        "After=dev-vg-a.device",
        'RequiresMountsFor="/srv/my luns"',
    ]


def test_what_is_served_and_not_made_here_is_named():
    described = document(A, RAM)
    described["targets"][0]["tpgs"].append(
        {"tag": 4, "enable": True, "portals": [], "luns": [], "node_acls": []}
    )
    host = host_of(
        described,
        **{
            f"{TPG}/np/192.0.2.1:3260/cxgbit": "1\n",
            f"{CORE}/iblock_0/a/alua/slow/alua_access_state": "1\n",
        },
    )
    assert tell_targets(host, None)["unmanaged"] == [
        f"The target '{W}' has more than one portal group: 1 is worked on, 4 left alone.",
        f"The portal 192.0.2.1:3260 of '{W}' (tpg1) uses offload to a Chelsio card, which is not set up here.",
        "The backstore 'block/a' has the ALUA group 'slow', which is not made here; it is never created again.",
        "The backstore 'ramdisk/m' is of the kind 'ramdisk', which is not made here. It can be mapped.",
    ]
    assert tell_targets(host, W)["unmanaged"] == []


def test_chap_at_discovery_that_runs_otherwise_than_it_is_saved_is_drift():
    described = {
        **document(A),
        "fabric_modules": [{"name": "iscsi", "discovery_userid": "scout", "discovery_password": "a secret"}],
    }
    base = f"{ISCSI}/discovery_auth"
    host = host_of(described)
    told = tell_targets(host, None)
    assert told["drift"] == [] and told["discovery_chap"] == {
        "user": "scout",
        "mutual_user": "",
        "enforced": False,
    }
    host = host_of(described, **{f"{base}/enforce_discovery_auth": "1\n", f"{base}/password": "another\n"})
    told = tell_targets(host, None)
    assert told["drift"] == [
        "The CHAP credentials at discovery run otherwise than they are saved.",
        "CHAP at discovery is enforced and saved as not enforced.",
    ]
    assert "a secret" not in str(told)
