# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main story: a bare lab, one playbook, mounted file systems, and all that may happen to them afterwards."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    disk_of,
    given,
    portals_of,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import same, settled, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played, reported

SITE = "lunworks.iscsi.site"
MOUNTS = ["/srv/db", "/srv/log", "/srv/plain"]
DISKS = "lunworks.iscsi.volume : The disks are here, proved on every path"
CHECK = "/usr/local/sbin/check_san"
MONITORING = "- hosts: compute\n  gather_facts: false\n  roles: [lunworks.iscsi.monitoring]\n"
TREE = "cd /srv/db && find . -type f -not -name stream -exec sha256sum {} + | sort"
WRITE = (
    "mkdir -p /srv/db/tree && cd /srv/db/tree && for n in $(seq 40); do head -c ${n}000 /dev/urandom >file$n; done &&"
    " head -c 1000000 /dev/urandom >/srv/log/journal && sync"
)


@pytest.fixture(scope="module", autouse=True)
def gone_afterwards(lab, storage, compute):
    """Other tests find hosts that know nothing of this SAN."""
    yield
    lab.fresh(storage, compute)


@pytest.fixture
def site(lab, storage, compute):
    """site.yml on the two hosts of a suite."""
    return lambda *options, **variables: played(lab, SITE, *options, hosts=[storage, compute], **variables)


def paths(host) -> dict[str, int]:
    """How many active paths each map has."""
    told = json.loads(host.run("multipathd show maps json").out)
    return {one["name"]: one["paths"] for one in told["maps"]}


def mounted(host) -> list[str]:
    return host.run("findmnt -ln -o TARGET -t ext4,xfs | grep ^/srv | sort", check=False).out.split()


@pytest.fixture
def standing(compute, site):
    """The SAN stands, whichever test is the first to run."""
    if mounted(compute) != MOUNTS:
        site()
    return compute


@pytest.fixture
def checked(lab, compute, standing, tmp_path):
    """What the check of the role monitoring says first; empty if it finds nothing."""
    if compute.run(f"test -x {CHECK}", check=False).rc:
        play = tmp_path / "monitoring.yml"
        play.write_text(MONITORING)
        played(lab, str(play), hosts=[compute], monitoring_textfile_directory="")

    def said():
        faults = compute.run(CHECK, check=False).out.partition(" | ")[0].split("; ")[1:]
        return faults[0] if faults else ""

    return said


def test_a_bare_lab_is_converged_in_one_run_and_the_check_has_said_how(lab, storage, compute, site):
    lab.fresh(storage, compute)
    before = {host.name: host.fingerprint() for host in (storage, compute)}
    checked = site("--check", "--diff")
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml --check on the bare host {host.name}")
    ran = site()
    announced, done = checked.changed(), ran.changed()
    # What a login brings is seen only after it: until then the check can but say what it will wait for. multipath knows the
    # WWIDs before, so that by then the maps may be there already.
    disks = (compute.name, DISKS)
    assert announced.pop(disks)
    done.pop(disks, None)
    assert announced == done
    assert mounted(compute) == MOUNTS
    assert paths(compute) and set(paths(compute).values()) == {2}
    assert len(ran.remote_tasks(compute.name)) <= 15, ran.remote_tasks(compute.name)
    for secret in ("the initiator's secret of", "the target's secret of"):
        assert secret not in ran.output + checked.output


def test_a_second_run_and_its_check_change_nothing(storage, compute, site, standing):
    before = {host.name: host.fingerprint() for host in (storage, compute)}
    for options in (["--check", "--diff"], []):
        again = site(*options)
        assert again.changed() == {}
        assert {name: counts["changed"] for name, counts in again.stats.items()}.get(compute.name) == 0
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml on the converged host {host.name}")


def test_writing_goes_on_while_a_path_is_cut(lab, storage, compute, standing, checked):
    compute.run(WRITE)
    before = compute.run(TREE).out
    compute.run(
        "cat >/tmp/writer.py <<'END'\n"
        "import hashlib, os, time\n"
        "sum = hashlib.sha256()\n"
        "with open('/srv/db/stream', 'wb') as file:\n"
        "    while not os.path.exists('/tmp/enough') and file.tell() < 40 << 20:\n"
        "        block = os.urandom(65536)\n"
        "        sum.update(block); file.write(block); file.flush(); os.fsync(file.fileno())\n"
        "        time.sleep(0.1)  # so that there is room for as long as the cut may take\n"
        "print(sum.hexdigest())\n"
        "END\n"
        "rm -f /tmp/enough; setsid python3 /tmp/writer.py >/tmp/written 2>/tmp/failed </dev/null & sleep 1"
    )
    lab.link(compute, "san1", up=False)
    try:
        settled(compute, "multipathd show paths format '%t %T' | grep -q 'failed'", 120)
        size = "stat -c %s /srv/db/stream"
        at = int(compute.run(size).out)
        settled(compute, f"[ $({size}) -gt {at} ]", 60)
        first = reported(lab, storage, compute)[1]
        assert first.startswith(f"{compute.name}: The way to 10.77.1."), first
        assert "Check the NIC, cable and switch port" in first
        said = checked()
        assert said.startswith("the session with '") and " at 10.77.1." in said and " is down (F" in said, (
            said
        )
    finally:
        lab.link(compute, "san1", up=True)
    compute.run("touch /tmp/enough")
    settled(compute, "! pgrep -f [w]riter.py", 120)
    assert compute.read("/tmp/failed") == ""
    written = compute.read("/tmp/written").strip()
    compute.run("echo 3 >/proc/sys/vm/drop_caches")
    assert compute.run("sha256sum /srv/db/stream").out.split()[0] == written
    assert compute.run(TREE).out == before
    settled(compute, "! multipathd show paths format '%t' | grep -q failed", 120)
    assert set(paths(compute).values()) == {2}


SYSTEM_ID = """--config 'global {system_id_source="lvmlocal"} local {system_id="elsewhere"}' --systemid"""
CONF = "sed -i 's/^node.session.cmds_max = .*/node.session.cmds_max = {}/' /etc/iscsi/iscsid.conf"


def test_report_and_check_say_first_what_is_wrong_and_nothing_when_all_is_well(
    lab, storage, compute, site, standing, checked
):
    assert reported(lab, storage, compute)[0] == "No faults."
    assert checked() == ""
    sessions = succeeded(compute, compute.module("initiator_info"))["sessions"]
    used = {user: disk for session in sessions for disk in session["disks"] for user in disk["users"]}
    log = next(disk for user, disk in used.items() if user.endswith("'vg_log/log'"))
    plain = next(disk for user, disk in used.items() if user.endswith("is mounted on '/srv/plain'"))

    def first(fault, heal):
        """What is said first while this is so."""
        compute.run(fault)
        try:
            return reported(lab, storage, compute)[1], checked()
        finally:
            compute.run(heal)

    said, check = first(CONF.format(256), CONF.format(128))
    assert check.startswith("'node.session.cmds_max' is '128' in the record of"), check
    assert "and '256' in iscsid.conf: set both to the same value" in check
    assert said.startswith(f"{compute.name}: 'node.session.cmds_max' is '128' in the record of"), said
    assert "-> Set both to the same value" in said
    said, _check = first(f"vgchange -qy {SYSTEM_ID} elsewhere vg_log", f"vgchange -qy {SYSTEM_ID} '' vg_log")
    assert "'vg_log' on this host's LUNs belongs to the host with the system ID 'elsewhere'" in said
    read_only = f"blockdev --{{}} /dev/mapper/{plain['map']}"
    said, check = first(read_only.format("setro"), read_only.format("setrw"))
    assert said.startswith(f"{compute.name}: The map '{plain['map']}' of the LUN 'plain', which is in use"), (
        said
    )
    assert check.startswith(f"the LUN 'plain' ({plain['map']}) is read-only"), check
    said, check = first(
        f"umount /srv/log && vgchange -qan vg_log && multipath -f {log['map']} && vgchange -qay vg_log --devices {log['device']}"
        " --config 'devices {multipath_component_detection=0}' && multipath -r",
        "true",
    )
    assert f"{log['device']} holds the active logical volume 'vg_log/log', a single path of the LUN" in said
    assert check.startswith(f"'vg_log/log' is on {log['device'].rpartition('/')[2]}, one of 2 paths"), check
    site()
    assert reported(lab, storage, compute)[0] == "No faults."
    assert checked() == ""


THEIRS = f"""
set -e
vgcreate -qy vg_theirs MAP && lvcreate -qy -n data -l 100%FREE vg_theirs && vgchange -qan vg_theirs
vgchange -qy {SYSTEM_ID} elsewhere vg_theirs
rm -f /etc/lvm/backup/vg_theirs /run/lvm/vgs_online/vg_theirs; grep -l vg:vg_theirs /run/lvm/pvs_online/* | xargs -r rm
udevadm trigger --settle --subsystem-match=block
"""  # as if another host had made it: this one has never known it


def test_report_and_check_say_first_that_another_hosts_group_is_on_a_lun(
    lab, storage, compute, standing, checked
):
    with given(storage, compute, target("theirs", storage, compute)):
        node = {"target": f"{IQN}:theirs", "portals": portals_of(storage), "logged_in": True}
        succeeded(compute, compute.module("nodes", nodes=[node]))
        disk = disk_of(compute, "theirs", portals_of(storage)[0])
        compute.run(f"multipath -a {disk} && multipathd reconfigure")
        settled(compute, f"lsblk -nro TYPE {disk} | grep -q mpath", 60)
        device = "/dev/mapper/" + compute.run(f"lsblk -nro NAME {disk}").out.split()[1]
        try:
            compute.run(THEIRS.replace("MAP", device))
            said = checked()
            assert said.startswith("PVs of which this host knows no volume group, perhaps another host's"), (
                said
            )
            first = reported(lab, storage, compute)[1]
            assert (
                "'vg_theirs' on this host's LUNs belongs to the host with the system ID 'elsewhere'" in first
            )
            took = compute.run(f"bash -c 'TIMEFORMAT=%U+%S; time {CHECK} >/dev/null'", check=False).err
            assert sum(map(float, took.split("+"))) < 1, f"the check takes {took} seconds"
        finally:
            compute.run(f"wipefs -qaf {device}; multipath -f {device}; multipath -w {disk}", check=False)
    assert checked() == ""


@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(["compute"], marks=pytest.mark.once),
        pytest.param(["storage"], marks=pytest.mark.once),
        ["storage", "compute"],
    ],
    ids="+".join,
)
def test_after_a_power_cut_everything_is_mounted_again_and_nothing_is_to_do(
    lab, storage, compute, site, standing, checked, victims
):
    hosts = [{"storage": storage, "compute": compute}[name] for name in victims]
    before = compute.run(TREE).out
    lab.power_cut(*hosts)
    if victims == ["storage"]:
        settled(compute, "! grep -q LOGGED_IN /sys/class/iscsi_session/*/state", 60)
        said = reported(lab, storage, compute)
        assert said[1].startswith(f"{storage.name}: '{storage.name}' does not answer"), said[:4]
        assert said[2].startswith(f"{compute.name}: No path is left to"), said[:4]
        assert f"It serves '{compute.name}'." in said[1]
        assert re.match(r"the LUN '\w+' \(\S+\) has no path of 2", checked())
    lab.boot(*hosts)
    settled(compute, " && ".join(f"findmnt {path}" for path in MOUNTS), 180)
    settled(compute, "! multipathd show paths format '%t' | grep -q failed", 180)
    settled(compute, "[ $(multipathd show paths format '%t' | grep -c active) = 8 ]", 180)
    assert compute.run(TREE).out == before
    assert site().changed() == {}


@pytest.mark.once
def test_a_larger_size_in_the_data_grows_the_whole_chain_online(compute, site, standing):
    before = compute.run(TREE).out
    checked = site("--check", san_db_size="320m", san_data_size="360m")
    grown = site(san_db_size="320m", san_data_size="360m")
    assert "store" in "".join(host for host, _task in checked.changed())
    assert any(host == compute.name for host, _task in grown.changed())
    size = int(compute.run("df --output=size -B1M /srv/db | tail -1").out)
    assert size > 300, f"/srv/db has {size} MiB"
    assert compute.run(TREE).out == before
    assert site(san_db_size="320m", san_data_size="360m").changed() == {}


@pytest.mark.once
@pytest.mark.parametrize(
    "change, said",
    [
        ({"san_portals": ["10.77.1.300"]}, "is not a portal"),
        ({"san_db": "iqn.2026-01.Example_com:x"}, "is not an iSCSI name"),
        ({"san_chap": {"user": "db", "secret": "short"}}, "12 to 255"),
        ({"initiator_name": "iqn.2026-01.com.example:stranger"}, "no igroup gives it to the initiator"),
    ],
    ids=["portal", "name", "secret", "stranger"],
)
def test_data_that_cannot_work_is_refused_and_nothing_is_touched(
    lab, storage, compute, standing, change: dict[str, Any], said
):
    before = {host.name: host.fingerprint() for host in (storage, compute)}
    ran = play(lab, SITE, hosts=[storage, compute], **change)
    assert ran.rc != 0
    assert said in ran.messages(), ran.messages()
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml with bad data on {host.name}")
