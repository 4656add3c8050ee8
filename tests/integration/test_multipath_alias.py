# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.loop_target import LoopTarget

TARGET = "iqn.2026-01.com.example:alias.test"


def named(lun, alias, **more):
    return {"target": TARGET, "lun": lun, "alias": alias, **more}


@pytest.fixture(scope="module")
def target(storage, compute):
    """Two LUNs, each with a map."""
    compute.run(
        "systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath;"
        " systemctl reset-failed multipathd; systemctl start multipathd"
    )
    made = LoopTarget(storage, compute, TARGET)
    made.serve(db0=64, db1=64)
    made.log_in()
    disks = [{"target": TARGET, "lun": lun, "paths": 2} for lun in ("db0", "db1")]
    succeeded(compute, compute.module("disks", disks=disks))
    yield made
    compute.run("umount /mnt/alias-test; vgchange -qqan vg_alias", check=False)
    succeeded(compute, compute.module("disks", disks=[{**disk, "state": "absent"} for disk in disks]))
    made.log_out()
    made.close()
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath", check=False)


def test_a_map_in_use_gets_its_name_and_another(target, compute):
    stable = f"/dev/disk/by-id/dm-uuid-mpath-{target.wwid('db0')}"
    compute.run(f"vgcreate -qy vg_alias {stable} && lvcreate -qy -L 32M -n data vg_alias")
    compute.run(
        "mkfs.ext4 -q /dev/vg_alias/data && mkdir -p /mnt/alias-test && mount /dev/vg_alias/data /mnt/alias-test"
    )
    kernel = compute.run(f"readlink -f {stable}").out
    ran = converges(compute, "multipath_alias", {"aliases": [named("db0", "database"), named("db1", "log")]})
    assert sorted(entry["map"] for entry in ran["state"]["aliases"]) == ["database", "log"]
    assert compute.run("readlink -f /dev/mapper/database").out == kernel
    succeeded(compute, compute.module("multipath_alias", aliases=[named("db0", "data.2")]))
    assert compute.run("readlink -f /dev/mapper/data.2").out == kernel
    assert compute.run("readlink -f /dev/mapper/log").out.startswith("/dev/dm-"), "the other alias stays"
    compute.run(
        "echo kept > /mnt/alias-test/file && sync && umount /mnt/alias-test && vgremove -qqy vg_alias"
    )
    disk = compute.module("disk", target=TARGET, lun="db0", paths=2)
    assert (disk["changed"], disk["state"]["name"]) == (False, "data.2")
    assert disk["state"]["device"] == stable
    twice = compute.module("multipath_alias", aliases=[named("db1", "data.2")])
    assert f"gives it to '{target.wwid('db0')}'" in twice["msg"]
    converges(compute, "multipath_alias", {"aliases": [], "purge": True})
    assert compute.run("ls /dev/mapper").out.split() == sorted(
        ["control", target.wwid("db0"), target.wwid("db1")]
    )


def test_the_name_of_another_device_is_refused(target, compute):
    message = "is the name of another device"
    refused(compute, "multipath_alias", message, aliases=[named("db0", target.wwid("db1"))])


def test_another_files_alias_is_not_fought_with(target, compute):
    other = "/etc/multipath/conf.d/by-hand.conf"
    text = f'multipaths {{\n\tmultipath {{\n\t\twwid "{target.wwid("db1")}"\n\t\talias "mine"\n\t}}\n}}\n'
    compute.write(other, text)
    compute.run("multipathd reconfigure")
    try:
        message = f"'{other}' gives the alias 'mine' to '{target.wwid('db1')}'"
        refused(compute, "multipath_alias", message, aliases=[named("db1", "ours")])
    finally:
        compute.run(f"rm {other} && multipathd reconfigure")
