# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage host on which somebody else is at work, too: nothing of his is lost, and nothing of ours."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import (
    MODULES,
    RUNNER,
    arguments,
    refused,
    result_of,
    settled,
    succeeded,
)

IQN = "iqn.2026-01.com.example"
A, B = f"{IQN}:host-a", f"{IQN}:host-b"
MOVED = f"{IQN}:moved"
CONFIGFS = "/sys/kernel/config/target"
LOCK = "/run/targetcli.lock"
SAVED = "/etc/rtslib-fb-target/saveconfig.json"
DROP_IN = "/etc/systemd/system/rtslib-fb-targetctl.service.d"
CLEAN = f"targetctl clear; rm -rf /srv/luns {SAVED} {DROP_IN}; systemctl daemon-reload"
OURS = "ansible_collections.lunworks.iscsi.plugins.module_utils"
IMPATIENT = f"""
from {OURS}._host import Host
Host.lock.__wrapped__.__defaults__ = (2,)
"""
KILLED = f"""
import os, signal
from {OURS}._lio.persistence import Save
Save.take = lambda step, host: os.kill(os.getpid(), signal.SIGKILL)
"""
MEANWHILE = f"""
from {OURS}.SYSTEM import STEP
take = STEP.take
def meanwhile(step, host):
    host.run("sh", "-c", COMMAND)
    take(step, host)
STEP.take = meanwhile
"""
SLOW = f"""
from {OURS}._host import Host
run = Host.run
def slow(host, *argv, **how):
    if argv[0] == "sync":
        run(host, "sleep", "4")
    return run(host, *argv, **how)
Host.run = slow
"""
BY_RTSLIB = "python3 -c \"from rtslib_fb import *; RDMCPStorageObject('meanwhile', size=1 << 20); RTSRoot().save_to_file()\""
VOLUME_GROUP = """
set -e
disk=$(losetup --find --show /srv/luns/moved.img)
vgcreate -qq vg_moved $disk && vgexport -qq vg_moved
losetup -d $disk
"""
IMPORTED = (
    "disk=$(losetup --find --show /srv/luns/moved.img) && vgimport -qq vg_moved; losetup -d $disk; sync"
)


@pytest.fixture(scope="module", autouse=True)
def cleared(storage):
    storage.run(CLEAN, check=False)
    yield
    storage.run(CLEAN, check=False)


def a_target(name):
    path = f"/srv/luns/{name}.img"
    return {
        "name": f"{IQN}:{name}",
        "portals": ["127.0.0.1"],
        "luns": [{"name": "disk", "path": path, "size": "1m"}],
        "igroups": [{"name": "a", "initiators": [A], "luns": ["disk"]}],
    }


def served(storage, *names):
    """Make these targets in one call."""
    return succeeded(storage, storage.module("targets", targets=[a_target(name) for name in names]))


def disturbed(storage, disturbance, **options):
    """The result of 'targets' in a process that was meddled with before."""
    source = disturbance + RUNNER.replace("MODULE", "targets")
    ran = storage.python(
        source,
        arguments("targets", False, True, options).decode(),
        timeout=120,
        imports=(f"{MODULES}targets",),
    )
    return ran if ran.rc < 0 or ran.rc > 128 else result_of(f"{storage.name}: 'targets'", ran)


def saved(storage):
    document = json.loads(storage.read(SAVED))
    return {one["wwn"] for one in document["targets"]}, {one["name"] for one in document["storage_objects"]}


def running(storage):
    return {
        name for name in storage.run(f"ls {CONFIGFS}/iscsi").out.split() if name.startswith(IQN)
    }, storage.run(f"ls {CONFIGFS}/core").out.split()


def all_there(storage, names):
    """All of them run and are saved, and no two backstores have the same number."""
    wanted = {f"{IQN}:{name}" for name in names}
    there, cores = running(storage)
    assert wanted <= there and wanted <= saved(storage)[0]
    numbers = re.findall(r"_(\d+)(?:\s|$)", " ".join(cores))
    assert len({*numbers}) == len(numbers) >= len(wanted), cores


def test_eight_pairs_at_once(storage):
    with ThreadPoolExecutor(2) as pool:
        for pair in range(8):
            list(pool.map(lambda name: served(storage, name), (f"one{pair}", f"two{pair}")))
    all_there(storage, [f"{which}{pair}" for which in ("one", "two") for pair in range(8)])


def test_targetcli_saves_all_the_time(storage):
    storage.run("touch /run/meddling")
    loop = "while [ -e /run/meddling ]; do targetcli saveconfig; done"
    storage.run(f"systemd-run --quiet --collect --unit=meddling sh -c '{loop}'")
    try:
        names = [f"beside{number}" for number in range(4)]
        for name in names:
            served(storage, name)
    finally:
        storage.run("rm /run/meddling")
        settled(storage, "! systemctl is-active -q meddling")
    all_there(storage, names)


def test_an_open_shell_is_named_in_time(storage):
    storage.run("systemd-run --quiet --collect --unit=idle sh -c 'sleep 600 | targetcli'")
    try:
        settled(storage, f"! flock --nonblock {LOCK} true")
        told = disturbed(storage, IMPATIENT, targets=[a_target("waiting")])
        checked = storage.module("targets", check=True, targets=[a_target("waiting")])
    finally:
        storage.run("systemctl stop idle")
    assert told["failed"] and not told.get("changed")
    assert f"'{LOCK}' has been locked for 2 seconds by 'targetcli' (process " in told["msg"]
    assert "if it is a shell that somebody left open, exit that shell" in told["msg"]
    assert succeeded(storage, checked)["changed"], "a check run needs no lock"
    served(storage, "waiting")


def test_killed_while_it_holds_the_lock(storage):
    ran = disturbed(storage, KILLED, targets=[a_target("killed")])
    assert ran.rc in (137, -9), ran
    assert f"{IQN}:killed" in running(storage)[0] and f"{IQN}:killed" not in saved(storage)[0]
    begun = time.monotonic()
    served(storage, "killed")
    assert time.monotonic() - begun < 30
    all_there(storage, ["killed"])


def test_what_rtslib_saves_before_we_save_stays(storage):
    command = MEANWHILE.replace("SYSTEM", "_lio.persistence").replace("STEP", "Save")
    told = disturbed(storage, f"COMMAND = {BY_RTSLIB!r}\n{command}", targets=[a_target("meanwhile")])
    succeeded(storage, told)
    assert "meanwhile" in saved(storage)[1]
    all_there(storage, ["meanwhile", "killed", "one0"])
    again = succeeded(storage, storage.module("targets", targets=[a_target("meanwhile")]))
    assert not again["changed"]


def switch(to_b):
    """The LUN of the group, for A to write or for B."""
    return [
        {
            "name": MOVED,
            "portals": ["127.0.0.1"],
            "luns": [{"name": "disk", "path": "/srv/luns/moved.img", "size": "32m"}],
            "igroups": [
                {
                    "name": "a",
                    "initiators": [A],
                    "luns": [{"name": "disk", "read_only": to_b, "shared": True}],
                },
                {
                    "name": "b",
                    "initiators": [B],
                    "luns": [{"name": "disk", "read_only": not to_b, "shared": True}],
                },
            ],
        }
    ]


def label_of(storage):
    told = succeeded(storage, storage.module("lun_info"))
    return next(lun for lun in told["luns"] if lun["target"] == MOVED)


def expected(label, **other):
    return [
        {
            "target": MOVED,
            "lun": "disk",
            "group_uuid": label["uuid"],
            "exported": True,
            "seqno": label["seqno"],
            **other,
        }
    ]


def writers(storage):
    """Who may write now, and who after a boot."""
    lun = label_of(storage)
    return [
        sorted({*lun[f"{prefix}initiators"]} - {*lun[f"{prefix}read_only_initiators"]})
        for prefix in ("", "saved_")
    ]


@pytest.fixture(scope="module")
def group(storage):
    """An exported volume group on a LUN that A may write to."""
    succeeded(storage, storage.module("targets", targets=switch(False)))
    storage.run(VOLUME_GROUP)
    return label_of(storage)["label"]


def test_a_switch_is_refused_where_the_label_is_another(storage, group):
    said = f"found: exported, with the sequence number {group['seqno']}, of the volume group {group['uuid']}"
    refused(
        storage, "targets", said, targets=switch(True), expected=expected(group, seqno=group["seqno"] - 1)
    )
    refused(storage, "targets", said, targets=switch(True), expected=expected(group, exported=False))
    assert writers(storage) == [[A], [A]]


def test_a_label_that_changes_between_cut_and_grant_puts_back(storage, group):
    meddling = MEANWHILE.replace("SYSTEM", "_san.expected").replace("STEP", "ProveLabel")
    told = disturbed(
        storage,
        f"COMMAND = {IMPORTED!r}\n{meddling}",
        targets=switch(True),
        expected=expected(group),
    )
    assert told["failed"] and "found: not exported" in told["msg"], told
    assert "What was served before is served again." in told["msg"]
    assert writers(storage) == [[A], [A]]


def test_the_fence_holds_after_a_power_cut_beside_a_slow_call(lab, storage, group):
    found = label_of(storage)["label"]
    results = []
    slow = threading.Thread(
        target=lambda: results.append(disturbed(storage, SLOW, targets=[a_target("slow")]))
    )
    slow.start()
    settled(storage, f"test -d {CONFIGFS}/iscsi/{IQN}:slow")
    now = expected(found, exported=False)
    told = succeeded(storage, storage.module("targets", targets=switch(True), expected=now))
    assert [step for step in told["steps"] if step.startswith("Make sure that the PV on the LUN 'disk'")]
    slow.join()
    succeeded(storage, results[0])
    assert writers(storage) == [[B], [B]]
    lab.power_cut(storage)
    lab.boot(storage)
    settled(storage, f"test -d {CONFIGFS}/iscsi/{IQN}:slow")
    assert writers(storage) == [[B], [B]]
