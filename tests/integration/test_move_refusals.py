# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a move, as real kernels show it: each refused, named, and nothing is touched.

The rest of the refusals is data: tests/unit/plans/move/cases.yml.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.lunworks.iscsi.plugins.filter.move_plan import move_plan
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.moving import (
    TARGET,
    Filled,
    Group,
    San,
    do,
    initiator,
)

GROUP = Group(
    "vg_refused",
    size="128m",
    volumes=(Filled("data", "-L 64m {group}", "ext4"), Filled("log", "-L 32m {group}", "ext4")),
)
VG, (DATA, LOG) = GROUP.name, GROUP.mounts
LV = f"/dev/{VG}/data"
LOOP = "truncate -s 64m /var/tmp/refused.img && losetup -f --show /var/tmp/refused.img"
UNLOOP = "for l in $(losetup -j /var/tmp/refused.img -n -O NAME); do losetup -d $l; done; rm -f /var/tmp/refused.img"
SPARE_LV = f"lvcreate -qy -n extra -L 8m {VG}"
NO_EXTRA = f"lvremove -qy {VG}/extra"
CONFIGFS = "/sys/kernel/config/target/core/iblock_77"


@dataclass(frozen=True)
class Case:
    """What is done on a host, how it is undone, and what the refusal says."""

    where: str  # 'first', 'second', 'storage'
    setup: str
    undo: str
    said: str


CASES = {
    "a process has a volume open": Case(
        "first",
        f"(exec sleep 600 <{LV}) >/dev/null 2>&1 & echo $! >/run/refused.pid; sleep 0.3",
        "kill $(cat /run/refused.pid)",
        "is open in the process",
    ),
    "mounted in another namespace": Case(
        "first",
        f"mkdir -p /mnt/elsewhere; (exec unshare -m sh -c 'mount {LV} /mnt/elsewhere && exec sleep 600') >/dev/null 2>&1 & "
        "echo $! >/run/refused.pid; for n in $(seq 50); do grep -q elsewhere /proc/$(cat /run/refused.pid)/mountinfo && break;"
        " sleep 0.1; done",
        "kill $(cat /run/refused.pid)",
        "is mounted on '/mnt/elsewhere'",
    ),
    "swap on a volume": Case(
        "first",
        f"{SPARE_LV} && mkswap -q /dev/{VG}/extra && swapon /dev/{VG}/extra",
        f"swapoff /dev/{VG}/extra; {NO_EXTRA}",
        "is used as swap",
    ),
    "a loop device on a volume": Case(
        "first", f"losetup /dev/loop7 {LV}", "losetup -d /dev/loop7", "is behind the loop device 'loop7'"
    ),
    "another device on a volume": Case(
        "first",
        f"{SPARE_LV} && echo 0 8192 linear /dev/{VG}/extra 0 | dmsetup create refused",
        f"dmsetup remove --retry refused; {NO_EXTRA}",
        "holds the device 'refused'",
    ),
    "a volume that the host itself exports": Case(
        "first",
        f"modprobe target_core_iblock; {SPARE_LV} && mkdir -p {CONFIGFS}/x && echo udev_path=/dev/{VG}/extra"
        f" >{CONFIGFS}/x/control && echo -n /dev/{VG}/extra >{CONFIGFS}/x/udev_path && echo 1 >{CONFIGFS}/x/enable",
        f"rmdir {CONFIGFS}/x; {NO_EXTRA}",
        "is exported by the backstore",
    ),
    "a part of it mounted a second time": Case(
        "first",
        f"mkdir -p /mnt/part && mount --bind {DATA}/tree /mnt/part",
        "umount /mnt/part",
        "mounted a second time",
    ),
    "swap in fstab": Case(
        "first",
        f"cp /etc/fstab /run/fstab && echo '/dev/{VG}/data none swap sw 0 0' >>/etc/fstab",
        "cat /run/fstab >/etc/fstab",
        "is swap space in the fstab",
    ),
    "a PV on a disk that is no LUN": Case(
        "first",
        f"vgextend -qy {VG} $({LOOP})",
        f"vgreduce -q {VG} $(losetup -j /var/tmp/refused.img -n -O NAME); {UNLOOP}",
        "is on no LUN",
    ),
    "a full snapshot": Case(
        "first",
        f"modprobe dm_snapshot; lvcreate -qy -s -n extra -L 4m {VG}/log && dd if=/dev/urandom of={LOG}/fill bs=1M count=12"
        f" conv=fsync 2>/dev/null; rm {LOG}/fill; sync",
        NO_EXTRA,
        "is not healthy",
    ),
    "owned by a third host": Case(
        "first",
        f'vgchange -qy --config \'local {{ system_id="db-c" }} global {{ system_id_source="lvmlocal" }}\' --systemid db-c {VG}',
        f"vgchange -qy --config 'local {{ system_id=\"db-c\" }} global {{ system_id_source=\"lvmlocal\" }}' --systemid '' {VG}",
        "belongs to the system ID 'db-c'",
    ),
    "another move": Case(
        "first",
        f"vgchange -q --addtag lunworks.move:db-x:db-y {VG}",
        f"vgchange -q --deltag lunworks.move:db-x:db-y {VG}",
        "in the middle of a move from 'db-x' to 'db-y'",
    ),
    "the name is taken on the destination": Case(
        "second",
        f"vgcreate -qy {VG} $({LOOP})",
        f"vgremove -qy {VG}; {UNLOOP}",
        f"has another volume group with the name '{VG}'",
    ),
    "the mount point is taken on the destination": Case(
        "second", f"mkdir -p {DATA} && mount -t tmpfs none {DATA}", f"umount {DATA}", f"'{DATA}', where"
    ),
    "leftovers on the destination": Case(
        "second",
        f"echo 0 8192 zero | dmsetup create -u LVM-leftover {VG}-data",
        f"dmsetup remove --retry {VG}-data",
        "leftovers of earlier use",
    ),
    "no room on the destination": Case(
        "second",
        "mount -t tmpfs -o size=4k none /etc/lvm",
        "umount /etc/lvm",
        "LVM keeps a copy of the metadata",
    ),
    "a copy of a LUN": Case(
        "storage",
        "cp --sparse=always /srv/luns/{lun}.img /srv/luns/copy.img && cd /sys/kernel/config/target && modprobe target_core_file;"
        " mkdir -p core/fileio_77/copy && echo fd_dev_name=/srv/luns/copy.img,fd_dev_size=134217728 >core/fileio_77/copy/control"
        " && echo -n /srv/luns/copy.img >core/fileio_77/copy/udev_path && echo 1 >core/fileio_77/copy/enable &&"
        " mkdir iscsi/{target}/tpgt_1/lun/lun_77 && ln -s $PWD/core/fileio_77/copy iscsi/{target}/tpgt_1/lun/lun_77/copy",
        "cd /sys/kernel/config/target; rm iscsi/{target}/tpgt_1/lun/lun_77/copy; rmdir iscsi/{target}/tpgt_1/lun/lun_77"
        " core/fileio_77/copy; rm /srv/luns/copy.img",
        "is on 2 LUNs",
    ),
    "mapped to both": Case("storage", "second", "", "nothing would stop two writers"),
    "mapped to a third host": Case("storage", "third", "", "also mapped to 'iqn.2026-01.com.example:third'"),
}


@pytest.fixture(scope="module")
def san(lab, long_story, storage, compute, spare):
    made = San(lab, storage, compute, spare)
    made.build(GROUP)
    return made


def refusal(san: San) -> str:
    """What the planner says to a move, from a survey as the role makes it."""
    questions = {
        "initiator": ("initiator_info", {}),
        "use": ("volume_use_info", {}),
        "groups": ("volume_group_info", {}),
    }

    def asked(host: Host) -> dict[str, Any]:
        if host is san.storage:
            return {"luns": do(host, "lun_info", metadata=True)}
        return {key: do(host, module, **options) for key, (module, options) in questions.items()}

    with ThreadPoolExecutor() as pool:
        answers = dict(zip((host.name for host in san.hosts), pool.map(asked, san.hosts)))
    survey = {"source": san.first.name, "destination": san.second.name, "storage": [san.storage.name]}
    told = move_plan({**survey, "groups": [VG], "answers": answers})
    assert bool(told["refused"]) != bool(told["steps"])
    return str(told["refused"])


def fingerprints(san: San) -> dict[Host, dict[str, str]]:
    return {
        host: {key: text for key, text in host.fingerprint().items() if key != "luns"} for host in san.hosts
    }


def mapped(san: San, kind: str, state: str) -> None:
    """Another initiator has the LUNs too."""
    names = {"second": initiator(san.second), "third": "iqn.2026-01.com.example:third"}
    luns = [{"name": lun, "shared": True} for lun in GROUP.luns]
    igroup = {"name": f"refused-{kind}", "state": state}
    igroup.update({"initiators": [names[kind]], "luns": GROUP.luns} if state == "present" else {})
    do(san.storage, "targets", targets=[{"name": TARGET, "luns": luns, "igroups": [igroup]}], force=True)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_move_is_refused_and_says_why(san, case):
    host = getattr(san, case.where)
    given = {"target": TARGET, "lun": GROUP.luns[0]}
    if not case.undo:
        mapped(san, case.setup, "present")
    else:
        host.run(case.setup.replace("{target}", TARGET).replace("{lun}", given["lun"]))
    try:
        assert case.said in refusal(san)
    finally:
        if not case.undo:
            mapped(san, case.setup, "absent")
        else:
            host.run(case.undo.replace("{target}", TARGET), check=False)


def test_once_nothing_speaks_against_it_the_same_move_is_planned_and_nothing_was_touched(san):
    before = fingerprints(san)
    assert refusal(san) == ""
    for host, seen in before.items():
        same(seen, host.fingerprint(), f"The survey on {host.name}")


def test_the_playbook_touches_nothing_when_it_refuses(san):
    before = fingerprints(san)
    san.first.run(f"(exec sleep 600 <{LV}) >/dev/null 2>&1 & echo $! >/run/refused.pid")
    try:
        told = san.move(vg=VG, source=san.first, destination=san.second)
    finally:
        san.first.run("kill $(cat /run/refused.pid)")
    assert told.rc != 0 and "is open in the process" in told.messages()
    for host, seen in before.items():
        same(seen, host.fingerprint(), f"The refused move on {host.name}")
    assert not succeeded(san.first, san.first.module("volume_group_info", names=[VG]))["groups"][0]["tags"]
