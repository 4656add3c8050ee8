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
LVM_AND_MOUNTS = (
    "vgs -o name,vg_attr,vg_tags,pv_count; lvs -o name,vg_name,lv_size,lv_active; pvs -o name,vg_name;"
    " cat /etc/fstab; findmnt -rno TARGET,FSTYPE"
)
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
    path, key = "/etc/iscsi/iscsid.conf", "node.session.timeo.replacement_timeout"
    way = Way("iscsid_conf", {"settings": {key: 77}}, {"settings": {key: 78}}, files(path))
    before = compute.read(path)
    try:
        assert heals(compute, way, every)
    finally:
        compute.write(path, before, 0o600)  # other tests judge records by it
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
    look = said(LVM_AND_MOUNTS)
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
    # The reload that a killed run has begun goes on without it. What systemd knows of a line that is gone it mounts again.
    units = said(f"sleep 3; {LVM_AND_MOUNTS}; ls /run/systemd/generator | grep srv-killed; true")
    mounts = Way(
        "mounts", {"mounts": [mount]}, {"mounts": [{"path": "/srv/killed", "state": "absent"}]}, units
    )
    assert heals(compute, mounts, every)
    moved = Way(
        "volume_group",
        {"name": "vg_k", "state": "exported"},
        {"name": "vg_k", "state": "active", "imported": True},
        look,
    )
    assert heals(compute, moved, every)


def test_filters_links_and_timers(compute, every):
    filters = "/etc/sysctl.d/90-iscsi-rp-filter.conf"

    def strict(host):
        host.run(
            f"rm -f {filters}; for net in a b; do echo 1 >/proc/sys/net/ipv4/conf/killed-$net/rp_filter; done"
        )

    compute.run("for net in a b; do ip link add killed-$net type dummy; done")
    try:
        strict(compute)
        look = files(filters, "/proc/sys/net/ipv4/conf/killed-*/rp_filter")
        rp_filter = Way("rp_filter", {"interfaces": ["killed-a", "killed-b"]}, strict, look)
        assert heals(compute, rp_filter, every)
    finally:
        compute.run(f"rm -f {filters}; for net in a b; do ip link del killed-$net; done")
    gone, rules = {"state": "absent"}, files("/etc/udev/rules.d/*iscsi*")
    assert heals(compute, Way("disk_links", {}, gone, rules), every)
    assert heals(compute, Way("disk_timers", {"command_timeout": 45, "max_retries": 2}, gone, rules), every)


def test_records_that_are_discovered_or_made_anew(storage, compute, every):
    """Killed between the record with the new portal group tag and the end of the old one, it leaves two."""
    look = said(
        "find /etc/iscsi /var/lib/iscsi -path '*killed*' -not -type d 2>/dev/null | sort;"
        " find /etc/iscsi/nodes /var/lib/iscsi/nodes -type f 2>/dev/null | sort | xargs -r tail -n +1"
    )
    first, _second = portals_of(storage)
    node = {"target": f"{IQN}:killed", "portals": [first]}
    tags = [{"nodes": [{**node, "tpg": tag}]} for tag in (2, 1)]
    assert heals(compute, Way("nodes", *tags, look), every)
    succeeded(compute, compute.module("nodes", nodes=[{"target": f"{IQN}:killed", "state": "absent"}]))
    with given(storage, compute, target("killed", storage, compute)):
        gone = {"portals": [first], "state": "absent", "prune": True}
        assert heals(compute, Way("discovery", {"portals": [first]}, gone, look), every)


def test_a_file_system_on_a_disk(compute, disks, every):
    disk = disks.make("a", 64)
    one = {"device": disk, "filesystem": "ext4", "label": "killed"}

    def blank(host):
        host.run(f"wipefs -qa {disk} && udevadm settle")

    look = said(f"blkid -p -o export -s TYPE -s LABEL {disk}; true")
    assert heals(compute, Way("filesystems", {"filesystems": [one]}, blank, look), every)


def test_metadata_that_is_restored(compute, disks, every):
    first, second = disks.make("a", 32), disks.make("b", 32)
    compute.run(
        f"vgcreate -q vg_k {first} {second} && lvcreate -q -y -n data -l 100%FREE vg_k && vgchange -qan vg_k"
    )
    (group,) = compute.module("volume_group_info", names=["vg_k"], metadata=True)["groups"]
    (label,) = [pv["uuid"] for pv in group["physical_volumes"] if pv["wwid"] == disks.wwid("b")]

    def lost(host):
        host.run(
            f"vgchange -q -an vg_k; vgremove -qffy vg_k; wipefs -qa {second}; udevadm settle", check=False
        )

    lost(compute)
    restored = {
        "name": "vg_k",
        "metadata": group["metadata"],
        "devices": [{"uuid": label, "device": second}],
    }
    look = said("vgs -o name,vg_attr,pv_count; lvs -o name,lv_size; pvs -o name,uuid,vg_name")
    assert heals(compute, Way("volume_group_restore", restored, lost, look), every)
