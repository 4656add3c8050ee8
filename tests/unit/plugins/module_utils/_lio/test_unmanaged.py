# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backstores that are not made here (a tape by pscsi, an image by tcmu-runner, a RAM disk) and ALUA groups of others: named, and
never touched, neither in the kernel nor in the file, whatever is done around them."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import CORE, ROOT
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import W
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_alua import SAVED_FAR
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_foreign_lio import (
    converged,
    group_of,
    lost,
    saved,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._lio.test_others import (
    RAM,
    WHO,
    A,
    F,
    document,
    host_of,
    refused,
)

TAPE = {"plugin": "pscsi", "name": "tape", "dev": "/dev/sg3", "wwn": "0000000d-0000-0000-0000-00000000000d"}
IMAGE = {
    "plugin": "user",
    "name": "image",
    "config": "rbd/pool/image;osd_op_timeout=30",
    "hw_max_sectors": 1024,
    "size": 1 << 30,
    "wwn": "0000000e-0000-0000-0000-00000000000e",
}
SLOW = {**SAVED_FAR, "name": "slow", "tg_pt_gp_id": 3, "nonop_delay_msecs": 5}
THEIRS = ("pscsi/tape", "user/image", "ramdisk/m")
OWN = {"name": "n", "path": "/srv/n.img", "size": "1m"}
# What happens beside them; the last two take their LUNs away, and leave the backstores.
DONE = {
    "an alias": ("target", {"name": W, "alias": "x"}),
    "a LUN": ("lun", {"target": W, **OWN}),
    "an igroup": ("igroup", {"target": W, "name": "g", "initiators": [WHO], "luns": ["a"]}),
    "a purge": ("targets", {"targets": [{"name": W, "luns": [{"name": "a"}], "igroups": []}], "purge": True}),
    "no target": ("target", {"name": W, "state": "absent"}),
}


def described():
    """All of them served, the file in an ALUA group, and the tape by another fabric too."""
    whole = document({**F, "alua_tpgs": [SAVED_FAR]}, {**A, "alua_tpgs": [SLOW]}, TAPE, IMAGE, RAM)
    group = group_of(whole)
    group["luns"][0]["alua_tg_pt_gp_name"] = "far"
    group["luns"][1]["alua_tg_pt_gp_name"] = "slow"
    loop = {"tag": 1, "luns": [{"index": 0, "storage_object": "/backstores/pscsi/tape"}]}
    whole["targets"].append({"fabric": "loopback", "wwn": "naa.5001405a1b2c3d4e", "tpgs": [loop]})
    return whole


def kernel_of(host, *backstores):
    """What the kernel has of these backstores, and of what serves them beside iSCSI."""
    names = [f"/{name.rpartition('/')[2]}/" for name in backstores]
    own = {path: value for path, value in host.configfs().items() if path.startswith(f"{CORE}/")}
    found = {path: value for path, value in own.items() if any(name in path for name in names)}
    return {**found, **{path: value for path, value in host.configfs().items() if f"{ROOT}/loopback" in path}}


def entries(host):
    return [one for one in saved(host)["storage_objects"] if f"{one['plugin']}/{one['name']}" in THEIRS]


def test_they_are_named_with_their_kinds_and_the_states_of_alua_are_seen():
    told = tell_targets(host_of(described()), None)
    for name, kind in zip(THEIRS, ("pscsi", "user", "ramdisk")):
        assert (
            f"The backstore '{name}' is of the kind '{kind}', which is not made here. It can be mapped."
            in (told["unmanaged"])
        )
    assert any(
        "'pscsi/tape' is also served by loopback 'naa.5001405a1b2c3d4e'" in one for one in told["unmanaged"]
    )
    assert any("'block/a' has the ALUA group 'slow'" in one for one in told["unmanaged"])
    assert not any("'fileio/f'" in one for one in told["unmanaged"]), "what the data can say is managed"
    (target,) = told["targets"]
    alua = {lun["name"]: lun.get("alua") for lun in target["luns"]}
    assert (alua["f"]["group"], alua["f"]["state"]) == ("far", "standby")
    assert {lun["name"] for lun in target["luns"]} == {"f", "a", "tape", "image", "m"} and told["drift"] == []


@pytest.mark.parametrize("door, options", DONE.values(), ids=DONE)
def test_nothing_of_them_is_touched_in_the_kernel_or_in_the_file(door, options):
    host = host_of(described())
    before, kept = copy.deepcopy(kernel_of(host, *THEIRS)), copy.deepcopy(entries(host))
    assert len(kept) == len(THEIRS) and before
    assert converged(host, door, options)
    assert kernel_of(host, *THEIRS) == before and entries(host) == kept
    others = [one for one in saved(host)["targets"] if one["fabric"] == "loopback"]
    assert others == [one for one in described()["targets"] if one["fabric"] == "loopback"]


@pytest.mark.parametrize("door, options", list(DONE.values())[:3], ids=list(DONE)[:3])
def test_what_is_done_beside_them_loses_nothing_of_the_file(door, options):
    host, document_ = host_of(described()), described()
    slow = kernel_of(host, "block/a")
    converged(host, door, options)
    for key in ("parameters", "node_acls"):
        group_of(document_).pop(key)
    assert lost(document_, saved(host)) == [] and kernel_of(host, "block/a") == slow


@pytest.mark.parametrize("name", ["tape", "image", "m"])
def test_they_can_be_mapped_and_not_made_otherwise(name):
    host = host_of(described())
    mapped = {"target": W, "name": WHO, "initiators": [WHO], "luns": ["f", name]}
    before = kernel_of(host, *THEIRS)
    converged(host, "igroup", mapped)
    assert [lun["name"] for lun in tell_targets(host, W)["targets"][0]["igroups"][0]["luns"]] == ["f", name]
    for shape in ({"block_size": 4096}, {"write_back": True}, {"serial": "another-serial"}):
        said = refused(host, "lun", target=W, name=name, **shape, force=True)
        assert "must be changed with the tool that made it (targetcli)" in said
    assert kernel_of(host, *THEIRS) == before


def test_a_host_that_has_them_and_no_target_is_told_too():
    nothing = {"storage_objects": [TAPE, IMAGE, RAM], "targets": []}
    host = host_of(nothing)
    assert sum("not made here" in one for one in tell_targets(host, None)["unmanaged"]) == len(THEIRS)
    assert converged(host, "targets", {"targets": [], "purge": True}) == []
    assert host.configfs() == host_of(nothing).configfs()
    assert saved(host) == nothing
