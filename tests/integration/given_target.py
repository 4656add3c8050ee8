# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage host for the tests of the initiator: bare LIO targets, made in configfs, so that no module of ours is needed."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host

IQN = "iqn.2026-01.com.example"
SCRIPT = r"""
import glob, json, os, subprocess, sys
root = "/sys/kernel/config/target"
subprocess.run(["modprobe", "-a", "target_core_mod", "target_core_file", "iscsi_target_mod"], check=True)
os.makedirs(root + "/iscsi", exist_ok=True)
os.makedirs("/srv/given", exist_ok=True)

def put(path, value):
    with open(path, "w") as file:
        file.write(str(value))

def gone(target):
    base = f"{root}/iscsi/{target}/tpgt_1"
    if not os.path.isdir(base):
        return
    put(base + "/enable", 0)
    for pattern in ("acls/*/lun_*/*", "lun/lun_*/*"):
        for path in glob.glob(f"{base}/{pattern}"):
            if os.path.islink(path):
                os.unlink(path)
    for pattern in ("acls/*/lun_*", "acls/*", "np/*", "lun/lun_*"):
        for path in glob.glob(f"{base}/{pattern}"):
            os.rmdir(path)
    os.rmdir(base)
    os.rmdir(os.path.dirname(base))

def made(target, portals, luns, initiators):
    base = f"{root}/iscsi/{target}/tpgt_1"
    os.makedirs(base)
    for name, value in {"generate_node_acls": 0, "authentication": int(any(initiators.values())), "demo_mode_write_protect": 1}.items():
        put(f"{base}/attrib/{name}", value)
    for number, name in enumerate(luns):
        store, path = f"{root}/core/fileio_0/{name}", f"/srv/given/{name}"
        if not os.path.isdir(store):
            os.makedirs(store)
            with open(path, "a") as file:
                file.truncate(64 << 20)
            put(store + "/control", f"fd_dev_name={path},fd_dev_size={64 << 20}")
            put(store + "/wwn/vpd_unit_serial", name + "-serial")
            put(store + "/enable", 1)
        os.mkdir(f"{base}/lun/lun_{number}")
        os.symlink(store, f"{base}/lun/lun_{number}/store")
    for initiator, chap in initiators.items():
        acl = f"{base}/acls/{initiator}"
        os.mkdir(acl)
        for name, value in (chap or {}).items():
            put(f"{acl}/auth/{name}", value)
        for number in range(len(luns)):
            os.mkdir(f"{acl}/lun_{number}")
            os.symlink(f"{base}/lun/lun_{number}", f"{acl}/lun_{number}/lun")
    for portal in portals:
        os.mkdir(f"{base}/np/{portal}")
    put(base + "/enable", 1)

given = json.load(sys.stdin)
if given["fresh"]:
    for path in glob.glob(root + "/iscsi/iqn.*"):
        gone(os.path.basename(path))
    for path in glob.glob(root + "/core/fileio_0/*"):
        if os.path.isdir(path):
            os.rmdir(path)
for one in given["targets"]:
    gone(one["target"])
    made(one["target"], one["portals"], one["luns"], one["initiators"])
"""


def given_targets(storage: Host, *targets: dict[str, Any], fresh: bool = True) -> None:
    """Exactly these targets stand on the storage host; with fresh=False, these beside what stands there."""
    storage.write("/root/given_target.py", SCRIPT)
    storage.run(
        "systemctl stop tgt; python3 /root/given_target.py",
        stdin=json.dumps({"fresh": fresh, "targets": targets}),
    )


def target(
    name: str, storage: Host, compute: Host, chap: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A target with one LUN on both storage networks, for one initiator."""
    return {
        "target": f"{IQN}:{name}",
        "portals": more.get("portals") or [f"{storage.address(net)}:3260" for net in ("san1", "san2")],
        "luns": more.get("luns", [name]),
        "initiators": {f"{IQN}:{compute.name}": chap},
    }
