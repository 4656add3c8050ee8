# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules killed at every change that they make on real hosts: the next run heals. In a short run at some of them."""

from __future__ import annotations

import re

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import IQN, given, portals_of, target
from ansible_collections.lunworks.iscsi.tests.integration.harness import succeeded
from ansible_collections.lunworks.iscsi.tests.integration.killer import Way, heals

CHAP = {
    "user": "killed",
    "secret": "twelve-bytes-and-more",
    "mutual_user": "m",
    "mutual_secret": "another-secret-of-14",
}
LIO = """
import glob, json, os
def read(path):
    try:
        return open(path).read().strip()
    except OSError as error:
        return error.strerror
root, saved = "/sys/kernel/config/target", json.load(open(SAVED))
for one in saved.get("targets", []):
    for group in one["tpgs"]:
        group.pop("attributes", 0), group.pop("parameters", 0)  # of a target that was not saved all are
print(json.dumps(saved, indent=1, sort_keys=True))
for path in sorted(glob.glob(f"{root}/core/*/*") + glob.glob(f"{root}/iscsi/**", recursive=True)):
    told = os.readlink(path) if os.path.islink(path) else ""
    if path.split("/")[-2] in ("auth", "attrib", "param") or path.endswith(("/enable", "/write_protect", "/tag")):
        told = read(path)
    if os.path.isdir(path) or told:
        print(path, told)
"""


def files(*paths):
    """A look at files, and whatever else a command says of them."""
    return lambda host: (
        host.run(
            f"for file in {' '.join(paths)}; do ls -l --time-style=+ $file; cat $file; done 2>&1; true"
        ).out
    )


def said(command):
    return lambda host: host.run(command).out


def lio(host):
    place = "/etc/rtslib-fb-target/saveconfig.json"
    path = place if host.run(f"test -e {place}", check=False).rc == 0 else "/etc/target/saveconfig.json"
    ran = host.python(LIO.replace("SAVED", repr(path)), timeout=60)
    assert ran.rc == 0, ran.err
    return re.sub(r"/[0-9a-f]{10} ", "/link ", ran.out)


@pytest.fixture
def every(request):
    return request.config.getoption("--every-step")


def request(storage, **more):
    return {
        "name": f"{IQN}:killed",
        "portals": portals_of(storage),
        "luns": [
            {"name": "a", "path": "/srv/luns/killed-a.img", "size": "8m"},
            {"name": "b", "path": "/srv/luns/killed-b.img", "size": "8m"},
        ],
        "igroups": [
            {
                "name": "g",
                "initiators": [f"{IQN}:x", f"{IQN}:y"],
                "luns": ["a", {"name": "b", "read_only": True}],
                "chap": CHAP,
            }
        ],
        **more,
    }


@pytest.fixture
def images(storage):
    yield
    gone = [{"name": f"{IQN}:killed", "state": "absent"}]
    succeeded(storage, storage.module("targets", targets=gone, force=True))
    storage.run("rm -f /srv/luns/killed-*.img")


def test_targets(storage, every, images):
    gone = {"targets": [{"name": f"{IQN}:killed", "state": "absent"}]}
    assert heals(storage, Way("targets", {"targets": [request(storage)]}, gone, lio), every)


def test_an_igroup_and_a_lun(storage, every, images):
    where = {"target": f"{IQN}:killed"}
    succeeded(storage, storage.module("targets", targets=[request(storage)]))
    luns = ["a", {"name": "b", "number": 9}]
    igroup = Way(
        "igroup",
        {
            **where,
            "name": "h",
            "initiators": [f"{IQN}:z"],
            "luns": [{"name": "b", "shared": True}],
            "chap": CHAP,
        },
        {**where, "name": "h", "state": "absent"},
        lio,
    )
    assert heals(storage, igroup, every)
    renumbered = Way(
        "igroup",
        {**where, "name": "g", "luns": luns},
        {**where, "name": "g", "luns": [{"name": "b", "number": 1}]},
        lio,
    )
    assert heals(storage, renumbered, every)
    lun = Way(
        "lun",
        {**where, "name": "c", "path": "/srv/luns/killed-c.img", "size": "8m"},
        {**where, "name": "c", "state": "absent"},
        lio,
    )
    assert heals(storage, lun, every)


def test_files_of_open_iscsi(compute, every):
    conf = files("/etc/iscsi/iscsid.conf")
    key = "node.session.timeo.replacement_timeout"
    assert heals(compute, Way("iscsid_conf", {"settings": {key: 77}}, {"settings": {key: 78}}, conf), every)
    ifaces = files("/etc/iscsi/ifaces/* /var/lib/iscsi/ifaces/*")
    iface = Way("iface", {"name": "killed", "nic": "lo"}, {"name": "killed", "state": "absent"}, ifaces)
    assert heals(compute, iface, every)


def test_the_name_of_the_host(compute, every):
    name = compute.module("initiator_info")["name"]
    way = Way(
        "initiator_name", {"name": f"{IQN}:killed"}, {"name": name}, files("/etc/iscsi/initiatorname.iscsi")
    )
    assert heals(compute, way, every)


def test_the_login_unit(compute, every):
    look = files("/etc/systemd/system/*iscsi*.d/*")
    assert heals(compute, Way("login_unit", {"wait": False}, {"wait": True}, look), every)


def test_multipath(compute, every):
    look = files("/etc/multipath/conf.d/*")
    conf = Way(
        "multipath_conf",
        {"name": "killed", "defaults": {"polling_interval": 7}},
        {"name": "killed", "state": "absent"},
        look,
    )
    assert heals(compute, conf, every)
    one = {"wwid": "36001405000000000000000000000killed"[:33].replace("killed", "000000"), "alias": "killed"}
    alias = Way("multipath_alias", {"aliases": [one]}, {"aliases": [{**one, "state": "absent"}]}, look)
    assert heals(compute, alias, every)


def test_records_and_sessions(storage, compute, every):
    look = said(
        "find /etc/iscsi/nodes /var/lib/iscsi/nodes -type f 2>/dev/null | sort | xargs -r tail -n +1;"
        " cat /sys/class/iscsi_session/*/targetname /sys/class/iscsi_connection/*/persistent_address 2>/dev/null | sort"
    )
    with given(storage, compute, target("killed", storage, compute, chap=CHAP)):
        node = {"target": f"{IQN}:killed", "portals": portals_of(storage), "chap": CHAP, "logged_in": True}
        gone = {"nodes": [{"target": f"{IQN}:killed", "state": "absent"}]}
        assert heals(compute, Way("nodes", {"nodes": [node]}, gone, look), every)


def test_volumes_and_mounts(compute, disks, every):
    first, second = disks.make("a", 64), disks.make("b", 64)
    look = said(
        "vgs -o name,vg_attr,vg_tags,pv_count; lvs -o name,vg_name,lv_size,lv_active; pvs -o name,vg_name;"
        " cat /etc/fstab; findmnt -rno TARGET,FSTYPE"
    )
    # Killed after it has removed the group and before it has removed the labels, it leaves them: nobody knows whose they were.
    group = Way(
        "volume_group",
        {"name": "vg_k", "devices": [first, second], "tags": ["k"]},
        {"name": "vg_k", "state": "absent"},
        look,
        back_heals=False,
    )
    assert heals(compute, group, every)
    succeeded(compute, compute.module("volume_group", **group.there))
    volume = {"group": "vg_k", "name": "data"}
    volumes = Way(
        "logical_volumes",
        {"volumes": [{**volume, "size": "24m", "filesystem": "ext4"}]},
        {"volumes": [{**volume, "state": "absent", "force": True}]},
        look,
    )
    assert heals(compute, volumes, every)
    succeeded(compute, compute.module("logical_volumes", **volumes.there))
    mount = {"path": "/srv/killed", "device": "/dev/vg_k/data", "filesystem": "ext4"}
    mounts = Way(
        "mounts", {"mounts": [mount]}, {"mounts": [{"path": "/srv/killed", "state": "absent"}]}, look
    )
    assert heals(compute, mounts, every)
    moved = Way(
        "volume_group",
        {"name": "vg_k", "state": "exported"},
        {"name": "vg_k", "state": "active", "imported": True},
        look,
    )
    assert heals(compute, moved, every)
