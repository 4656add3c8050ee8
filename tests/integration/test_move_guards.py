# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts have the LUNs of one volume group, by mistake: what stops the second one, guard by guard.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import same
from ansible_collections.lunworks.iscsi.tests.integration.moving import TARGET, Group, San, do, initiator

GROUP = Group("vg_db")


@pytest.fixture(scope="session")
def guarded(lab, long_story, storage, compute, spare):
    """Both hosts have a system ID, and the volume group has that of the first."""
    made = San(lab, storage, compute, spare)
    made.boot(GROUP)
    for host in (made.first, made.second):
        host.run("echo 'global/system_id_source=\"uname\"' >>/etc/lvm/lvm.conf")
    made.connect(made.first)
    made.fill(GROUP)
    share(made, "present")
    made.connect(made.second)
    do(made.second, "disks", disks=[{"wwid": wwid, "paths": 2} for wwid in GROUP.wwids])
    return made


def share(san: San, state: str, read_only: bool = False) -> None:
    """Map the LUNs to the second host too, or to the first one only."""
    luns = [
        {"name": lun, "state": state, "shared": state == "present", "read_only": read_only}
        for lun in GROUP.luns
    ]
    second = {"name": san.second.name, "initiators": [initiator(san.second)], "luns": luns}
    do(san.storage, "targets", targets=[{"name": TARGET, "igroups": [second]}], force=True)


def is_stopped(host, reason: str) -> None:
    """The host cannot activate the group."""
    tried = host.run(f"vgchange --activate y {GROUP.name}", check=False)
    assert reason in tried.out + tried.err
    assert host.run(f"dmsetup ls | grep {GROUP.name}-", check=False).rc != 0


def test_the_system_id_stops_a_host_that_has_the_luns(guarded):
    is_stopped(guarded.second, "system ID")


def test_nothing_moves_while_two_hosts_have_the_luns(guarded):
    before = {host.name: host.fingerprint() for host in guarded.hosts}
    told = guarded.move(vg=GROUP.name, source=guarded.first, destination=guarded.second)
    assert told.rc != 0
    assert "nothing would stop two writers" in told.messages()
    for host in guarded.hosts:
        del before[host.name]["luns"]
        same(before[host.name], host.fingerprint(), f"The refused move on {host.name}")


def test_the_export_flag_stops_both_hosts(guarded):
    guarded.first.run(
        f"umount {' '.join(GROUP.mounts)} && vgchange -qan {GROUP.name} && vgexport -q {GROUP.name}"
    )
    try:
        for host in (guarded.first, guarded.second):
            is_stopped(host, "is exported")
    finally:
        # systemd mounts them too, as soon as their devices are there.
        mounts = " && ".join(f"{{ mount {mount} || findmnt {mount}; }}" for mount in GROUP.mounts)
        guarded.first.run(f"vgimport -q {GROUP.name} && vgchange -qay {GROUP.name} && {mounts}")


def test_the_fence_stops_what_no_flag_stops(guarded):
    """A write to the raw disk, whatever LVM thinks of it."""
    disk = f"/dev/mapper/{GROUP.wwids[0]}"
    read = f"dd if={disk} of=/run/block bs=4096 count=1 iflag=direct"
    write = f"timeout 60 dd if=/run/block of={disk} bs=4096 count=1 oflag=direct conv=notrunc"
    guarded.second.run(f"{read} && {write}")
    share(guarded, "absent")
    assert guarded.second.run(write, check=False, timeout=120).rc != 0


def test_who_may_only_read_cannot_write(guarded):
    """As the destination is before its time: it has the disks, and nothing that it tries reaches them."""
    do(guarded.second, "disks", disks=[{"wwid": wwid, "state": "absent"} for wwid in GROUP.wwids])
    share(guarded, "present", read_only=True)
    do(guarded.second, "disks", disks=[{"wwid": wwid, "paths": 2} for wwid in GROUP.wwids])
    disk = f"/dev/mapper/{GROUP.wwids[0]}"
    paths = do(guarded.second, "disk", wwid=GROUP.wwids[0])["state"]["paths"]
    guarded.second.run(f"dd if={disk} of=/run/block bs=4096 count=1 iflag=direct")
    for device in (disk, *(path["device"] for path in paths)):
        guarded.second.run(f"blockdev --setrw {device}", check=False)
        write = f"dd if=/run/block of={device} bs=4096 count=1 oflag=direct conv=notrunc"
        assert guarded.second.run(write, check=False, timeout=120).rc != 0


def test_the_move_hands_the_system_id_over(guarded):
    told = guarded.move(vg=GROUP.name, source=guarded.first, destination=guarded.second)
    assert told.rc == 0, told.messages()
    guarded.owned(GROUP, guarded.second, guarded.first)
    owner = guarded.second.run(f"vgs --noheadings -o systemid {GROUP.name}").out.strip()
    assert owner == guarded.second.name
