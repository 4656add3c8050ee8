# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target on a storage host for tests of what a compute host does: LUNs on loop devices, on both storage networks.

It writes configfs by itself, so that a LUN can also be taken, exchanged and grown behind the host's back.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host

DIRECTORY = "/var/tmp/loop-target"
SCRIPT = """
import errno, json, os, subprocess, sys, time
C = "/sys/kernel/config/target"
verb, a = json.loads(sys.argv[1])
tpg, acl = f"{C}/iscsi/{a['target']}/tpgt_1", f"{C}/iscsi/{a['target']}/tpgt_1/acls/{a['initiator']}"

def put(path, text):
    with open(path, "w") as file:
        file.write(text)

def store(name):
    return f"{C}/core/iblock_{77 + a['names'].index(name)}/{name}"

def serve():
    for module in ("target_core_iblock", "iscsi_target_mod"):
        subprocess.run(["modprobe", module], check=True)
    os.makedirs(acl)
    for portal in a["portals"]:
        os.makedirs(f"{tpg}/np/{portal}")
    put(f"{tpg}/attrib/authentication", "0")
    put(f"{tpg}/attrib/generate_node_acls", "0")
    put(f"{tpg}/enable", "1")

def create():
    image = f"{a['directory']}/{a['name']}.img"
    os.makedirs(a["directory"], exist_ok=True)
    subprocess.run(["truncate", "-s", str(a["size"]), image], check=True)
    loop = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True).stdout.strip()
    os.makedirs(store(a["name"]))
    put(f"{store(a['name'])}/control", f"udev_path={loop}")
    put(f"{store(a['name'])}/udev_path", loop)
    put(f"{store(a['name'])}/enable", "1")
    put(f"{store(a['name'])}/wwn/vpd_unit_serial", a["serial"])

def map():
    lun, mapped = f"{tpg}/lun/lun_{a['number']}", f"{acl}/lun_{a['number']}"
    os.makedirs(lun)
    os.symlink(store(a["name"]), f"{lun}/store")
    os.makedirs(mapped)
    os.symlink(lun, f"{mapped}/lun")

def unmap():
    lun, mapped = f"{tpg}/lun/lun_{a['number']}", f"{acl}/lun_{a['number']}"
    if os.path.exists(mapped):
        os.unlink(f"{mapped}/lun")
        os.rmdir(mapped)
        os.unlink(f"{lun}/store")
        os.rmdir(lun)

def replace():
    unmap()
    map()

def grow():
    subprocess.run(["truncate", "-s", str(a["size"]), f"{a['directory']}/{a['name']}.img"], check=True)
    with open(f"{store(a['name'])}/udev_path") as file:
        subprocess.run(["losetup", "-c", file.read().strip()], check=True)

def switch():
    put(f"{tpg}/enable", "1" if a["on"] else "0")

def removed(path):
    # A command that an initiator sent last may still hold it for a moment (XCOPY does).
    for left in reversed(range(50)):
        try:
            return os.rmdir(path)
        except OSError as error:
            if error.errno != errno.EBUSY or not left:
                raise
        time.sleep(0.2)

def close():
    if os.path.exists(tpg):
        for number in range(8):
            a["number"] = number
            unmap()
        put(f"{tpg}/enable", "0")
        os.rmdir(acl)
        for portal in os.listdir(f"{tpg}/np"):
            os.rmdir(f"{tpg}/np/{portal}")
        os.rmdir(tpg)
        os.rmdir(os.path.dirname(tpg))
    for name in a["names"]:
        if os.path.exists(store(name)):
            with open(f"{store(name)}/udev_path") as file:
                loop = file.read().strip()
            removed(store(name))
            subprocess.run(["losetup", "-d", loop], check=True)
    subprocess.run(["rm", "-rf", a["directory"]], check=True)

globals()[verb]()
"""


class LoopTarget:
    """A target and the verbs of its storage side."""

    names = ("db0", "db1", "db2", "db3", "db4", "db5", "db6", "db7")

    def __init__(self, storage: Host, compute: Host, name: str) -> None:
        self.storage, self.compute, self.name = storage, compute, name
        self.portals = [f"{storage.address(network)}:3260" for network in ("san1", "san2")]
        self.initiator = compute.run(". /etc/iscsi/initiatorname.iscsi; echo $InitiatorName").out.strip()

    def serve(self, **luns: int) -> None:
        """The target with these LUNs (sizes in MiB), numbered from 0."""
        self._do("close")
        self._do("serve")
        for number, (lun, size) in enumerate(luns.items()):
            self.create(lun, size)
            self.map(lun, number)

    def create(self, lun: str, size: int) -> None:
        self._do("create", name=lun, size=size << 20, serial=serial_of(self.name, lun))

    def map(self, lun: str, number: int) -> None:
        self._do("map", name=lun, number=number)

    def unmap(self, number: int) -> None:
        self._do("unmap", number=number)

    def replace(self, number: int, lun: str) -> None:
        """Give a LUN number to another LUN, at once."""
        self._do("replace", name=lun, number=number)

    def grow(self, lun: str, size: int) -> None:
        self._do("grow", name=lun, size=size << 20)

    def switch(self, on: bool) -> None:
        """The target vanishes with its sessions, or comes back."""
        self._do("switch", on=on)

    def image(self, lun: str) -> str:
        """A digest of what is on a LUN, read on the storage host."""
        return self.storage.run(f"sync; sha256sum <{DIRECTORY}/{lun}.img").out

    def close(self) -> None:
        self._do("close")

    def log_in(self) -> None:
        """The compute host logs in on both networks."""
        self.log_out()
        for portal in self.portals:
            self.compute.run(f"iscsiadm -m node -T {self.name} -p {portal} -o new")
        self.compute.run(f"iscsiadm -m node -T {self.name} --login && udevadm settle")

    def log_out(self) -> None:
        self.compute.run(
            f"iscsiadm -m node -T {self.name} --logout; iscsiadm -m node -T {self.name} -o delete",
            check=False,
        )

    def wwid(self, lun: str) -> str:
        return wwid_of_lio(serial_of(self.name, lun))

    def _do(self, verb: str, **given: Any) -> None:
        told = {
            "target": self.name,
            "initiator": self.initiator,
            "portals": self.portals,
            "directory": DIRECTORY,
            "names": self.names,
            **given,
        }
        self.storage.run(f"python3 - '{json.dumps([verb, told])}'", stdin=SCRIPT)
