# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage host that somebody else set up, with targetcli, rtslib and an editor: what is not named stays as it is."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded

W = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.0"
V = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.1"
I = "iqn.2026-01.com.example:i"  # noqa: E741
CORE = "/sys/kernel/config/target/core"
TPG = f"/sys/kernel/config/target/iscsi/{W}/tpgt_1"
SAVED = "/etc/rtslib-fb-target/saveconfig.json"
DROP_IN = "/etc/systemd/system/rtslib-fb-targetctl.service.d"
CLEAN = (
    "dmsetup resume vg_store-a; targetctl clear; rm -rf /srv/foreign; vgremove -qffy vg_store; pvremove -qffy /dev/ubdb;"
    f" wipefs -aq /dev/ubdb; rm -rf {SAVED} /srv/saved.json {DROP_IN}; systemctl daemon-reload"
)
MADE = f"""
from rtslib_fb import *
from rtslib_fb.tcm import BlockStorageObject as Block, FileIOStorageObject as File, RDMCPStorageObject as Ram
import sys
def target(name, tag=1):
    group = TPG(Target(FabricModule("iscsi"), name), tag)
    group.set_attribute("authentication", 0)
    group.enable = True
    return group
def acl(group, maps=(), name={I!r}):
    found = NodeACL(group, name)
    for number, lun, protected in maps:
        MappedLUN(found, number, lun, write_protect=protected)
    return found
def save():
    RTSRoot().save_to_file()
"""


@pytest.fixture(scope="module", autouse=True)
def empty(storage, compute):
    """No target, and a volume group with four volumes."""
    logged_out(compute)
    storage.run(CLEAN, check=False)
    storage.run("vgcreate -q vg_store /dev/ubdb")
    for name in ("a", "b", "c", "d"):
        storage.run(f"lvcreate -qq -Wn -L 8M -n {name} vg_store")
    yield
    logged_out(compute)
    storage.run(CLEAN, check=False)


def logged_out(compute):
    compute.run("iscsiadm -m session -u; iscsiadm -m node -o delete", check=False)


def log_in(compute, address):
    compute.run(
        f"sed -i 's/^InitiatorName.*/InitiatorName={I}/' /etc/iscsi/initiatorname.iscsi; systemctl restart iscsid;"
        f" iscsiadm -m node -o new -T {W} -p {address} >/dev/null; iscsiadm -m node -T {W} -p {address} -l && udevadm settle"
    )


def make(storage, script):
    """A host as others leave it, saved; in place of what was there."""
    storage.run(f"targetctl clear; rm -rf /srv/foreign {SAVED}; mkdir -p '/srv/foreign/my luns'", check=False)
    storage.run("python3 -", stdin=MADE + script)


def saved(storage):
    return json.loads(storage.read(SAVED))


def with_alias(document, text="x"):
    """The document with nothing but the alias of W changed."""
    new = copy.deepcopy(document)
    entry = next(one for one in new["targets"] if one["wwn"].lower() == W)
    entry["tpgs"][0].setdefault("parameters", {})["TargetAlias"] = text
    return new


def value(storage, path):
    return storage.run(f"cat '{path}'").out.strip()


def test_what_is_not_named_stays_in_the_kernel_and_in_the_file(storage):
    """One name in two plugins, one backstore under two numbers, one LUN mapped twice, kinds that we do not make, a file over a
    block device and one whose path has a blank; another target and another fabric on two of the backstores; every address."""
    make(
        storage,
        f"""
data, twin = Block("data", "/dev/vg_store/a"), File("data", "/srv/foreign/d.img", 8 << 20)
cached, blank = File("cached", "/dev/vg_store/b", write_back=True), File("f", "/srv/foreign/my luns/f.img", 8 << 20)
ram = Ram("mem", 4 << 20)
group = target({W!r})
luns = [LUN(group, number, store) for number, store in enumerate([data, twin, cached, blank, ram, twin])]
acl(group, [(0, luns[0], False), (7, luns[0], True), (1, luns[1], False), (2, luns[5], False)])
LUN(target({V!r}), 0, data)
LUN(TPG(Target(FabricModule("loopback")), 1), 0, cached)
NetworkPortal(group, "0.0.0.0", 3260)
save()
""",
    )
    before, kernel = saved(storage), storage.run(f"find {CORE} {TPG} | grep -v TargetAlias | sort").out
    converges(storage, "target", {"name": W, "alias": "x"})
    assert saved(storage) == with_alias(before)
    assert storage.run(f"find {CORE} {TPG} | grep -v TargetAlias | sort").out == kernel
    new = {"target": W, "name": "n", "path": "/srv/foreign/n.img", "size": "1m"}
    ran = succeeded(storage, storage.module("lun", **new))
    assert f"Serve the LUN 'n' as number 6 of '{W}'" in ran["steps"]
    refused(storage, "lun", "number 0 is 'block/data'", target=W, name="data", state="absent")
    refused(storage, "lun", "would be behind two LUNs", target=W, name="m", path="/dev/mapper/vg_store-b")
    fifth = {"target": W, "name": "data", "number": 5, "state": "absent"}
    assert succeeded(storage, storage.module("lun", **fifth))["changed"]
    assert not succeeded(storage, storage.module("lun", **fifth))["changed"]
    ran = succeeded(storage, storage.module("lun", target=W, name="data", number=0, state="absent"))
    assert f"'{V}' (tpg1, LUN 0)" in " ".join(map(str, ran["warnings"]))
    assert value(storage, f"{CORE}/iblock_0/data/enable") == "1"
    ran = succeeded(storage, storage.module("lun", target=W, name="cached", state="absent"))
    assert "also served by loopback" in " ".join(map(str, ran["warnings"]))
    assert succeeded(storage, storage.module("target", name=W, portals=["0.0.0.0"]))["steps"] == []
    one = storage.module("target", name=W, portals=[storage.address("san1")])
    assert "Declare 0.0.0.0:3260 itself" in one["msg"]
    succeeded(storage, storage.module("lun", target=W, name="mem", state="absent"))
    assert [one["plugin"] for one in saved(storage)["storage_objects"] if one["name"] == "mem"] == ["ramdisk"]
    storage.run(f"targetctl restore {SAVED}")
    assert succeeded(storage, storage.module("target_info"))["drift"] == []


def test_what_was_lost_comes_back_as_it_was_or_not_at_all(storage):
    """A read-only block backstore, an asynchronous file, a ramdisk; attributes of another kernel; names in upper case."""
    make(
        storage,
        f"""
ro, aio = Block("ro", "/dev/vg_store/b", readonly=True), File("aio", "/srv/foreign/a.img", 8 << 20, aio=True)
group = target({W!r})
luns = [LUN(group, number, store) for number, store in enumerate([ro, aio, Ram("mem", 4 << 20)])]
acl(group, [(0, luns[0], True)]).set_attribute("dataout_timeout", 7)
save()
""",
    )
    document = saved(storage)
    group = document["targets"][0]["tpgs"][0]
    group["attributes"]["netif_timeout"] = 2
    document["storage_objects"][0]["attributes"]["emulate_older"] = 1
    group["node_acls"].append({"node_wwn": "iqn.1991-05.com.microsoft:WIN-ABC", "mapped_luns": []})
    document["targets"][0]["wwn"] = W.replace("store", "Store")
    storage.write(SAVED, json.dumps(document), 0o600)
    storage.run(f"targetctl restore {SAVED}", check=False)
    converges(storage, "target", {"name": W, "alias": "x"})
    assert saved(storage) == with_alias(document)
    assert storage.run("ls -d /sys/kernel/config/target/iscsi/iqn*").out.split() == [TPG.rpartition("/")[0]]
    assert "WIN" not in storage.run(f"ls {TPG}/acls").out
    refused(storage, "target", "has no attribute 'netif_timeout'", name=W, attributes={"netif_timeout": 3})
    storage.run(
        "python3 -",
        stdin=f"{MADE}\nTarget(FabricModule('iscsi'), {W!r}).delete()\n"
        "for one in list(RTSRoot().storage_objects): one.delete()\n",
    )
    ran = succeeded(storage, storage.module("target", name=W))
    said = " ".join(map(str, ran["warnings"]))
    assert (
        "are brought back: LUN 'ro'" in said or "LUN 'aio', LUN 'ro'" in said or "LUN 'ro', LUN 'aio'" in said
    )
    assert "'ramdisk/mem' is of the kind 'ramdisk'" in said
    assert saved(storage) == with_alias(document)
    infos = storage.run(f"cat {CORE}/*/*/info").out
    assert "readonly: 1" in infos and "Async: 1" in infos
    assert value(storage, f"{TPG}/acls/{I}/attrib/dataout_timeout") == "7"
    assert succeeded(storage, storage.module("target", name=W))["steps"] == []
    storage.run("targetcli ls >/dev/null")
    refused(storage, "lun", "is of the kind 'ramdisk'", target=W, name="mem", attributes={"is_nonrot": 0})


def test_who_is_logged_in_is_seen_wherever_he_is(storage, compute):
    """In a second portal group, and in demo mode, where there are no maps; nobody is shut out by the way."""
    here = storage.address("san1")
    make(
        storage,
        f"""
store = Block("data", "/dev/vg_store/a")
first, second = target({W!r}), target({W!r}, 2)
LUN(first, 0, store)
acl(second, [(0, LUN(second, 0, store), False)])
NetworkPortal(second, {here!r}, 3260)
save()
""",
    )
    log_in(compute, here)
    refused(storage, "target", f"Logged in: '{I}'", name=W, state="absent")
    refused(storage, "targets", f"Logged in: '{I}'", targets=[], purge=True)
    told = succeeded(storage, storage.module("target_info", name=W))["targets"][0]
    assert [(one["initiator"], one["tag"]) for one in told["sessions"]] == [(I, 2)]
    assert [one["initiators"] for one in storage.module("lun_info")["luns"]] == [[I]]
    logged_out(compute)
    make(
        storage,
        f"""
group = target({W!r})
group.set_attribute("generate_node_acls", 1)
group.set_attribute("cache_dynamic_acls", 1)
LUN(group, 0, Block("data", "/dev/vg_store/a"))
LUN(group, 1, Block("b", "/dev/vg_store/b"))
NetworkPortal(group, {here!r}, 3260)
save()
""",
    )
    log_in(compute, here)
    refused(storage, "lun", f"Logged in: '{I}'", target=W, name="b", state="absent")
    succeeded(storage, storage.module("target", name=W, alias="x"))
    assert value(storage, f"{TPG}/attrib/generate_node_acls") == "1"
    other = {"target": W, "name": "g", "initiators": ["iqn.2026-01.com.example:other"]}
    refused(storage, "igroup", f"Logged in without an ACL: '{I}'", **other)
    logged_out(compute)
    storage.run(f"until [ -z \"$(tr -d '\\0' < {TPG}/dynamic_sessions)\" ]; do sleep 0.1; done")
    converges(storage, "igroup", other)
    assert value(storage, f"{TPG}/attrib/cache_dynamic_acls") == "0"


def test_chap_is_not_switched_on_under_a_session(storage, compute):
    here = storage.address("san1")
    make(
        storage,
        f"""
group = target({W!r})
one = acl(group, [(0, LUN(group, 0, Block("data", "/dev/vg_store/a")), False)])
one.chap_userid, one.chap_password = "u", "a secret of 18 b."
NetworkPortal(group, {here!r}, 3260)
save()
""",
    )
    log_in(compute, here)
    new = {"target": W, "name": "n", "path": "/srv/foreign/n.img", "size": "1m"}
    succeeded(storage, storage.module("lun", **new))
    assert value(storage, f"{TPG}/attrib/authentication") == "0"
    refused(
        storage,
        "igroup",
        f"Logged in without it: '{I}'",
        target=W,
        name="h",
        initiators=["iqn.2026-01.com.example:j"],
        chap={"user": "u", "secret": "a secret of 18 b."},
    )
    logged_out(compute)


def test_what_fails_leaves_a_lun_served_as_it_was(storage):
    """It is another file under the same name, by force, which cannot be made: that shows when the old one has gone."""
    make(
        storage,
        f"""
store = Block("b", "/dev/vg_store/b")
group = target({W!r})
acl(group, [(3, LUN(group, 0, store), True)])
store.set_attribute("is_nonrot", 0)
save()
""",
    )
    for bad, attributes in (
        ("more than '/dev/vg_store/b' supports", {"queue_depth": 99999}),
        ("is not a value", {"unmap_granularity": 1 << 33}),
    ):
        refused(storage, "lun", bad, target=W, name="b", attributes=attributes)
    refused(storage, "lun", "write_back is for files", target=W, name="b", write_back=True)
    refused(storage, "target", "is not a value", name=W, parameters={"MaxBurstLength": 511})
    before, kernel = (
        saved(storage),
        storage.run(f"find {CORE} {TPG} | grep -v -e lun_0/ -e lun_3/ | sort").out,
    )
    other = {"path": "/proc/nothing/b.img", "size": "8m", "force": True}
    failed = storage.module("lun", target=W, name="b", **other)
    assert "What was served before is served again" in failed["msg"], failed
    assert saved(storage) == before
    assert storage.run(f"find {CORE} {TPG} | grep -v -e lun_0/ -e lun_3/ | sort").out == kernel
    assert value(storage, f"{TPG}/acls/{I}/lun_3/write_protect") == "1"
    assert value(storage, f"{CORE}/iblock_0/b/attrib/is_nonrot") == "0"
    converges(storage, "lun", {"target": W, "name": "b", "attributes": {"queue_depth": 16}})
    assert value(storage, f"{CORE}/iblock_0/b/attrib/is_nonrot") == "0"


def test_a_staging_target_a_read_only_volume_a_suspended_one_and_a_linked_file(storage):
    make(storage, f"target({W!r})\nsave()\n")
    storage.run(f"mv {SAVED} /srv/saved.json && ln -s /srv/saved.json {SAVED} && lvchange -pr vg_store/c")
    succeeded(storage, storage.module("lun", target=W, name="a", path="/dev/vg_store/a"))
    assert storage.run(f"readlink {SAVED}").out.strip() == "/srv/saved.json"
    converges(
        storage,
        "igroup",
        {"target": W, "name": "g", "initiators": [I], "luns": [{"name": "a", "read_only": None}]},
    )
    both = {
        "name": W,
        "luns": [{"name": "c", "path": "/dev/vg_store/c"}],
        "igroups": [{"name": "g", "luns": [{"name": "c", "read_only": False}]}],
    }
    refused(storage, "targets", "is a read-only device, or its", targets=[both])
    both["igroups"][0]["luns"] = ["c"]
    converges(storage, "targets", {"targets": [both]})
    assert [one["read_only_initiators"] for one in storage.module("lun_info")["luns"]] == [[], [I]]
    storage.run("dmsetup suspend vg_store-a")
    told = succeeded(storage, storage.module("lun_info"))
    storage.run("dmsetup resume vg_store-a")
    assert [one["unreadable_reason"] for one in told["luns"]] == ["'/dev/vg_store/a' is suspended", None]
    storage.run("lvchange -prw vg_store/c", check=False)
