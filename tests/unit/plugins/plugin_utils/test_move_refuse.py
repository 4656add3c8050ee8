# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a move refuses before anything is touched, and that it says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.checks.group import refuse_group
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.checks.request import refuse_request
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.model import (
    Group,
    Mount,
    Refusal,
    Volume,
    move_tag,
)
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.position import moving_wwids, standing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.plugin_utils.moving import (
    GROUP,
    SOURCE,
    STORE,
    TARGET,
    A,
    B,
    C,
    T,
    labelled,
    lun,
    mapped,
    survey,
)

STRANGER = Group("vg_db", "uuid-other")
USED = replace(GROUP, volumes=(Volume("data", True, users=("/dev/dm-3 is open in the process 7 (dd)",)),))
BIND = (*SOURCE.mounts, ("vg_db", Mount("data", "/export", "xfs", "bind", root="/pub")))
SWAP = (("vg_db", Mount("data", "none", "swap", "sw", mounted=False)),)
OCCUPIED = (("vg_other", Mount("x", "/srv/db", "ext4", "defaults")),)
LONG = (("vg_db", Mount("data", "/srv/" + "x" * 1100, "xfs", "defaults")),)
CHAP = replace(TARGET, igroups={"a": (A,)}, chap=frozenset({"a"}))


METADATA = {"labels": labelled(metadata="x" * 1000)}


def ill(health):
    return replace(GROUP, volumes=(Volume("data", True, health=health),))


def used(sentence):
    return replace(GROUP, volumes=(Volume("data", True, users=(sentence,)),))


def kinds(*names):
    return {"labels": labelled(kinds=frozenset(names))}


def target(**changes):
    return {"targets": {T: replace(TARGET, **changes)}}


CASES = {
    "no group": (survey(), [], "No volume group is named"),
    "a name that is none": (survey(), ["vg db"], "is not the name of a volume group"),
    "a name like an option": (survey(), ["-ay"], "is not the name of a volume group"),
    "a group twice": (survey(), ["vg_db", "vg_db"], "more than once"),
    "source is destination": (survey(destination="a"), None, "both the source and the destination"),
    "no storage host": (replace(survey(), storages={}), None, "No storage host is named"),
    "silent storage host": (survey(silent=("store",)), None, "storage host 'store' does not answer"),
    "storage software without a switch of single LUNs": (
        survey(store={"provider": "tgt"}),
        None,
        "'store' serves 'vg_db' with tgt, and a move gives single LUNs",
    ),
    "silent destination": (survey(silent=("b",)), None, "destination 'b' does not answer"),
    "silent source": (survey(silent=("a",)), None, "does not answer and may still write"),
    "dead source that answers": (survey(dead=True), None, "but answers"),
    "no initiator name": (survey(b={"initiator": ""}), None, "'b' has no initiator name"),
    "one initiator name": (survey(b={"initiator": A}), None, "the same initiator name"),
    "unknown group": (survey(), ["vg_none"], "no volume group 'vg_none' on any LUN"),
    "local group": (
        survey(a={"groups": (GROUP, Group("vg_root", "u"))}),
        ["vg_root"],
        "'vg_root' of 'a' is on no LUN",
    ),
    "one name, two groups": (
        survey(
            store={"labels": {**STORE.labels, "/srv/2.img": replace(STORE.labels["/srv/2.img"], uuid="x")}}
        ),
        None,
        "There are 2 volume groups with the name 'vg_db'",
    ),
    "a PV that is on no LUN": (
        survey(store={"labels": labelled(pvs={"pv-1": "/dev/w1", "pv-9": "/dev/ubdb"})}),
        None,
        "(it was '/dev/ubdb') is on no LUN",
    ),
    "a PV on a LUN that cannot be read": (
        survey(
            store={
                "luns": (lun(1), replace(lun(2), unreadable="no answer within 30 seconds.")),
                "labels": {"/srv/1.img": STORE.labels["/srv/1.img"]},
            }
        ),
        None,
        f"move that PV to a LUN first (pvmove). 'db2' of '{T}' could not be read: no answer within 30 seconds.",
    ),
    "a PV on two LUNs": (
        survey(
            store={
                "luns": (*STORE.luns, lun(3)),
                "labels": {**STORE.labels, "/srv/3.img": STORE.labels["/srv/1.img"]},
            }
        ),
        None,
        "is on 2 LUNs",
    ),
    "another move": (
        survey(store={"labels": labelled(tags=frozenset({move_tag("a", "c")}))}),
        None,
        "in the middle of a move from 'a' to 'c'",
    ),
    "a third initiator": (survey(store={"luns": mapped(A, C)}), None, "also mapped to"),
    "only a third initiator": (survey(store={"luns": mapped(C)}), None, "neither 'a' nor 'b'"),
    "mapped to both": (survey(store={"luns": mapped(A, B)}), None, "nothing would stop two writers"),
    "saved as mapped to both": (
        survey(store={"luns": tuple(replace(one, saved=frozenset({A, B})) for one in STORE.luns)}),
        None,
        "are saved as mapped to both",
    ),
    "leftovers on the destination": (
        survey(b={"active": SOURCE.active}),
        None,
        "though it may write to none of its LUNs",
    ),
    "active on both": (
        survey(
            b={"active": SOURCE.active},
            store={
                "luns": tuple(
                    replace(one, running=frozenset({A}), saved=frozenset({B})) for one in STORE.luns
                )
            },
        ),
        None,
        "is active on both",
    ),
    "partly mapped": (
        survey(store={"luns": (lun(1), lun(2, frozenset()))}),
        None,
        "'vg_db' is partial on 'a': 'db2'",
    ),
    "mapped to nobody, never exported": (
        survey(store={"luns": mapped()}),
        None,
        "is mapped to neither 'a' nor 'b'",
    ),
    "mapped read-only": (
        survey(store={"luns": tuple(replace(one, read_only=frozenset({A})) for one in STORE.luns)}),
        None,
        "is mapped read-only to 'a'",
    ),
    "saved as mapped read-only": (
        survey(store={"luns": tuple(replace(one, saved_read_only=frozenset({A})) for one in STORE.luns)}),
        None,
        "is mapped read-only to 'a'",
    ),
    "owned by a third host": (
        survey(store={"labels": labelled(system_id="c")}, a={"system_id": "a"}, b={"system_id": "b"}),
        None,
        "belongs to the system ID 'c'",
    ),
    "owned by the dead source's system ID, and the destination has none": (
        survey(silent=("a",), dead=True, store={"labels": labelled(system_id="a")}),
        None,
        "cannot hand it over",
    ),
    "swap in fstab": (survey(a={"mounts": SWAP}), None, "is swap space in the fstab of 'a'"),
    "a pvmove": (survey(store={"labels": labelled(status=frozenset({"PVMOVE"}))}), None, "pvmove --abort"),
    "a merging snapshot": (
        survey(store={"labels": labelled(status=frozenset({"MERGING"}))}),
        None,
        "snapshot is being merged",
    ),
    "a clustered group": (
        survey(store={"labels": labelled(status=frozenset({"CLUSTERED"}))}),
        None,
        "shared by a cluster",
    ),
    "a group of lvmlockd": (
        survey(store={"labels": labelled(status=frozenset({"SHARED"}))}),
        None,
        "shared by lvmlockd",
    ),
    "the name is taken on the destination": (
        survey(b={"groups": (STRANGER,)}),
        None,
        "'b' has another volume group with the name 'vg_db'",
    ),
    "the name is there twice on the source": (
        survey(a={"groups": (GROUP, STRANGER)}),
        None,
        "'a' has another volume group with the name 'vg_db'",
    ),
    "a PV on the wrong disk": (
        survey(a={"groups": (replace(GROUP, pvs={"pv-1": "w9", "pv-2": "w2"}),)}),
        None,
        "One of the two is a copy",
    ),
    "partial on the source": (
        survey(a={"groups": (replace(GROUP, missing=1),)}),
        None,
        "1 of its PVs are not seen",
    ),
    "in use": (survey(a={"groups": (USED,)}), None, "is open in the process 7 (dd)"),
    "a bind mount": (survey(a={"mounts": BIND}), None, "mounted a second time"),
    "the mount point is taken": (survey(b={"mounts": OCCUPIED}), None, "is taken on 'b'"),
    "a mount point too long": (survey(a={"mounts": LONG}), None, "too long to be noted"),
    "others in the source's igroup": (
        survey(store=target(igroups={"db": (A, C), "b": (B,)})),
        None,
        f"The igroup 'db' of '{T}' has '{C}' in addition to 'a'",
    ),
    "others in the destination's igroup": (
        survey(store=target(igroups={"a": (A,), "www": (B, C)})),
        None,
        f"has '{C}' in addition to 'b'",
    ),
    "both in one igroup": (
        survey(store=target(igroups={"db": (A, B)})),
        None,
        f"has '{B}' in addition to 'a'",
    ),
    "an igroup of the destination's name": (
        survey(store=target(igroups={"a": (A,), "b": (C,)})),
        None,
        "has an igroup 'b' without",
    ),
    "a target that is disabled": (survey(store=target(enabled=False)), None, "is disabled"),
    "portals that nobody knows": (
        survey(
            a={"records": {}, "sessions": {}},
            b={"records": {}, "sessions": {}},
            store=target(portals=frozenset({"0.0.0.0:3260"})),
        ),
        None,
        "listens on all addresses",
    ),
    "CHAP that the destination does not have": (
        survey(store={"targets": {T: CHAP}}),
        None,
        "ask for CHAP",
    ),
    "a PV that LVM went on without": (
        survey(store={"labels": labelled(status=frozenset({"MISSING_PV"}))}),
        None,
        "vgextend --restoremissing",
    ),
    "a copy that the source sees": (
        survey(a={"groups": (replace(GROUP, copies=("/dev/sdx",)),)}),
        None,
        "'a' sees copies of PVs of 'vg_db' ('/dev/sdx')",
    ),
    "a copy that the destination sees": (
        survey(b={"groups": (replace(GROUP, copies=("/dev/sdx",)),)}),
        None,
        "'b' sees copies of PVs",
    ),
    "a clone of the group on the destination": (
        survey(b={"groups": (replace(GROUP, pvs={"pv-1": "w7", "pv-2": "w8"}),)}),
        None,
        "on the disk w7 of 'b'",
    ),
    "a snapshot that is full": (
        survey(a={"groups": (ill("snapshot invalid"),)}),
        None,
        "'vg_db/data' is not well on 'a': snapshot invalid",
    ),
    "a thin pool that must be checked": (survey(a={"groups": (ill("check needed"),)}), None, "check needed"),
    "mounted in another namespace": (
        survey(a={"groups": (used("/dev/dm-3 is mounted on '/elsewhere'"),)}),
        None,
        "is mounted on '/elsewhere'",
    ),
    "swap on a volume": (
        survey(a={"groups": (used("/dev/dm-3 is used as swap (/dev/dm-3)"),)}),
        None,
        "as swap",
    ),
    "a loop device on a volume": (
        survey(a={"groups": (used("/dev/dm-3 is behind the loop device 'loop0'"),)}),
        None,
        "behind the loop device",
    ),
    "exported by a target": (
        survey(a={"groups": (used("/dev/dm-3 is exported by the backstore 'iblock_0/x'"),)}),
        None,
        "is exported by the backstore",
    ),
    "another device on top": (
        survey(a={"groups": (used("/dev/dm-3 holds the device 'crypt'"),)}),
        None,
        "holds the device 'crypt'",
    ),
    "a kind of volume that LVM there does not know": (
        survey(store=kinds("striped", "vdo"), b={"kinds": frozenset({"striped", "thin"})}),
        None,
        "of the kind 'vdo', which LVM on 'b' does not know",
    ),
    "thin volumes without the driver": (
        survey(store=kinds("thin", "thin-pool"), b={"drivers": frozenset({"xfs", "ext4"})}),
        None,
        "it has no module 'dm_thin_pool'",
    ),
    "a cache without the driver": (
        survey(store=kinds("cache"), b={"drivers": frozenset({"xfs", "ext4"})}),
        None,
        "'dm_cache'",
    ),
    "RAID without the driver": (
        survey(store=kinds("raid1"), b={"drivers": frozenset({"xfs", "ext4"})}),
        None,
        "'dm_raid'",
    ),
    "VDO without the driver": (
        survey(store=kinds("vdo-pool"), b={"drivers": frozenset({"xfs", "ext4"})}),
        None,
        "no module 'dm_vdo' or 'kvdo'",
    ),
    "thin volumes without the tool that the source has": (
        survey(
            store=kinds("thin-pool"),
            a={"tools": frozenset({"thin_check"})},
            b={"drivers": frozenset({"xfs", "ext4", "dm_thin_pool"})},
        ),
        None,
        "with 'thin_check' when it activates them, and 'b' does not have that",
    ),
    "a file system that the destination does not know": (
        survey(b={"drivers": frozenset({"ext4"})}),
        None,
        "has the file system 'xfs', which the kernel of 'b' does not know",
    ),
    "no room on the controller": (survey(backup_room=10, store=METADATA), None, "no room on the controller"),
    "no room on the source": (survey(a={"room": 5000}, store=METADATA), None, "'/etc/lvm' on 'a' has room"),
    "no room on the destination": (
        survey(b={"room": 5000}, store=METADATA),
        None,
        "'/etc/lvm' on 'b' has room",
    ),
    "an igroup of the data's name that others have": (
        survey(store=target(igroups={"a": (A,), "www": (C,)}), igroups={T: "www"}),
        None,
        "has an igroup 'www' without",
    ),
    "a silent source of which two are possible": (
        survey(silent=("a",), store={"luns": mapped(A, C)}),
        None,
        "which initiator it is cannot be determined",
    ),
}


@pytest.mark.parametrize("seen, groups, message", CASES.values(), ids=CASES)
def test_a_move_is_refused(seen, groups, message):
    groups = ["vg_db"] if groups is None else groups
    with pytest.raises(Refusal) as refused:
        refuse_request(seen, groups)
        for group in groups:
            refuse_group(seen, standing(seen, group, moving_wwids(seen, groups)))
    assert message in str(refused.value)
    assert str(refused.value).endswith((".", ")."))


def test_a_sound_request_is_not_refused():
    seen = survey()
    refuse_request(seen, ["vg_db"])
    refuse_group(seen, standing(seen, "vg_db", moving_wwids(seen, ["vg_db"])))
