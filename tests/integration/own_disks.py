# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCSI disks with WWIDs that a host has all by itself: LIO's loopback fabric (tcm_loop) over loop devices.

They are to LVM what LUNs behind sessions are, and come, grow and go in a moment. A disk has as many paths as asked for.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Tuple

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, same, succeeded

SCRIPT = r"""
import glob, json, os, subprocess, sys
a = json.loads(INPUT)
root, images = "/sys/kernel/config/target", "/var/tmp/own-disks"
store, image = f"{root}/core/iblock_{90 + a['number']}/{a['name']}", f"{images}/{a['name']}.img"
fabrics = [f"{root}/loopback/naa.500140500000000{path}/tpgt_1" for path in range(a["paths"])]
serial = a["serial"].replace("-", "")[:25]
devices = [path for path in glob.glob("/sys/class/scsi_disk/*/device") if serial in open(path + "/wwid").read()]
config = "/etc/lvm/lvmlocal.conf"  # LVM shall not see the same blocks below the loop devices too

def run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()

def put(path, text):
    with open(path, "w") as file:
        file.write(text)

def size():
    with open(image, "ab") as file:
        file.truncate(a["size"])

def make():
    run("modprobe", "-a", "target_core_iblock", "tcm_loop", "sd_mod")
    os.makedirs(images, exist_ok=True)
    if not os.path.exists(config + ".kept"):
        os.rename(config, config + ".kept")
        put(config, 'devices { global_filter = [ "r|^/dev/loop|" ] }')
    size()
    loop = run("losetup", "-f", "--show", image)
    os.makedirs(store)
    put(f"{store}/control", f"udev_path={loop}")
    put(f"{store}/udev_path", loop)
    put(f"{store}/enable", "1")
    put(f"{store}/wwn/vpd_unit_serial", a["serial"])
    for fabric in fabrics:
        if not os.path.isdir(fabric):
            os.makedirs(fabric)
            put(f"{fabric}/nexus", fabric.split("/")[-2])
        os.makedirs(f"{fabric}/lun/lun_{a['number']}")
        os.symlink(store, f"{fabric}/lun/lun_{a['number']}/store")

def grow():
    size()
    run("losetup", "-c", open(f"{store}/udev_path").read().strip())
    for device in devices:
        put(f"{device}/rescan", "1")

def hide():
    for device in devices:
        put(f"{device}/delete", "1")

def show():
    for fabric in fabrics:
        os.unlink(f"{fabric}/lun/lun_{a['number']}/store")
        os.symlink(store, f"{fabric}/lun/lun_{a['number']}/store")

def drop():
    hide()
    for fabric in glob.glob(f"{root}/loopback/*/tpgt_1/lun/lun_{a['number']}"):
        os.unlink(f"{fabric}/store")
        os.rmdir(fabric)
    if os.path.isdir(store):
        loop = open(f"{store}/udev_path").read().strip()
        os.rmdir(store)
        run("losetup", "-d", loop)
    if os.path.exists(image):
        os.unlink(image)

def close():
    for fabric in glob.glob(f"{root}/loopback/*/tpgt_1"):
        os.rmdir(fabric)
        os.rmdir(os.path.dirname(fabric))
    if os.path.exists(config + ".kept"):
        os.rename(config + ".kept", config)

globals()[a["verb"]]()
run("udevadm", "settle")
"""


class OwnDisks:
    """The disks of a host, by name; sizes in MiB."""

    def __init__(self, host: Host, paths: int = 1) -> None:
        self.host, self.paths = host, paths
        self.names: list[str] = []

    def make(self, name: str, size: int) -> str:
        """A new empty disk; its stable name."""
        if name not in self.names:
            self.names.append(name)
        self._do("make", name, size=size << 20)
        return self.path(name)

    def grow(self, name: str, size: int) -> None:
        self._do("grow", name, size=size << 20)

    def hide(self, name: str) -> None:
        """The host loses sight of it."""
        self._do("hide", name)

    def show(self, name: str) -> None:
        self._do("show", name)

    def close(self) -> None:
        for name in self.names:
            self._do("drop", name)
        self._do("close", "none")
        self.names = []

    def wwid(self, name: str) -> str:
        return wwid_of_lio(serial_of("own", name))

    def path(self, name: str) -> str:
        kind = "scsi" if self.paths == 1 else "dm-uuid-mpath"
        return f"/dev/disk/by-id/{kind}-{self.wwid(name)}"

    def _do(self, verb: str, name: str, **more: Any) -> None:
        number = self.names.index(name) if name in self.names else 99
        told = {
            "verb": verb,
            "name": name,
            "number": number,
            "paths": self.paths,
            "serial": serial_of("own", name),
        }
        ran = self.host.python(SCRIPT, json.dumps({**told, **more}), timeout=60)
        assert ran.rc == 0, f"{self.host.name}: {verb} {name}: {ran.out}{ran.err}"


Case = Tuple[str, str, Dict[str, Any]]


def left_alone(host: Host, *cases: Case) -> None:
    """Each (module, part of the message, options) is refused, and nothing has changed."""
    before = host.fingerprint()
    says_no(host, *cases)
    same(before, host.fingerprint(), "One of the refusals")


def says_no(host: Host, *cases: Case) -> None:
    """Each case is refused, every other one in check mode."""
    for number, (module, part, options) in enumerate(cases):
        result = host.module(module, check=bool(number % 2), **options)
        assert result.get("failed") and not result.get("changed"), (
            f"{module} {options} was not refused: {result}"
        )
        assert part in result["msg"], f"{module} {options} says: {result['msg']}"


def converged(host: Host, module: str, options: dict[str, Any], check: bool = False) -> list[str]:
    """A run takes steps, with 'check' those that a check run says, and a second one none; the steps."""
    checked = succeeded(host, host.module(module, check=True, **options)) if check else {}
    ran = succeeded(host, host.module(module, **options))
    assert ran["changed"] and checked.get("steps", ran["steps"]) == ran["steps"], f"{checked}, then {ran}"
    again = succeeded(host, host.module(module, **options))
    assert not again["changed"], f"a second run: {again['steps']}"
    return list(ran["steps"])
