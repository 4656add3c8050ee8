# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on what stands behind LUNs: the kernel's modules, and LIO's backstores in configfs."""

from __future__ import annotations

from dataclasses import dataclass

from ..._arguments import in_units
from ..._host import Host, Problem
from ..._san.target import Lun
from ..._step import Step
from ..alua import drop_groups
from ..configfs_node import CORE, ISCSI, ROOT

MODULES = ("target_core_mod", "iscsi_target_mod", "target_core_file", "target_core_iblock")


@dataclass(frozen=True)
class LoadTarget(Step):
    """Have the kernel's target and its backstores at hand, and its own notes beside the saved file."""

    directory: str

    def __str__(self) -> str:
        return "Load the kernel's iSCSI target (" + ", ".join(MODULES) + ")"

    def take(self, host: Host) -> None:
        ran = host.run("modprobe", "--all", *MODULES, ok=None)
        if ran.rc or host.stat(ROOT) is None:
            raise Problem(
                f"This kernel has no iSCSI target: {(ran.err or 'configfs is not mounted').strip()}. It needs the modules "
                f"{', '.join(MODULES)} of the running kernel (containers and minimal kernels have none) and configfs "
                "mounted on /sys/kernel/config."
            )
        if host.stat(self.directory) and not [hba for hba in host.list(CORE) if hba != "alua"]:
            host.poke(f"{ROOT}/dbroot", self.directory)
        host.mkdir(ISCSI)


@dataclass(frozen=True)
class MakeBackstore(Step):
    """Open the device or file behind a LUN; its serial and settings are there before anybody sees it.

    A setting that was saved under another kernel and is not there is left out, as rtslib does; one of a backstore that is
    recreated goes over where this device takes it.
    """

    place: str
    lun: Lun

    def __str__(self) -> str:
        kind = "file" if self.lun.backstore.startswith("fileio/") else "block device"
        return f"Make the LUN '{self.lun.name}' of the {kind} '{self.lun.path}' with the serial '{self.lun.serial}'"

    def take(self, host: Host) -> None:
        base = f"{CORE}/{self.place}"
        host.mkdir(base)
        try:
            self._fill(host, base)
        except Problem:
            close(host, base)
            raise

    def _fill(self, host: Host, base: str) -> None:
        lun = self.lun
        if lun.backstore.startswith("fileio/"):
            size = "" if lun.size is None else f",fd_dev_size={lun.size}"
            host.poke(f"{base}/control", f"fd_dev_name={lun.path}{size}")
            for option, wanted in (("fd_buffered_io=1", lun.write_back), ("fd_async_io=1", lun.asynchronous)):
                if wanted:
                    host.poke(f"{base}/control", option)
        else:
            host.poke(f"{base}/control", f"udev_path={lun.path},readonly={int(lun.read_only)}")
        host.poke(f"{base}/udev_path", lun.path)
        host.poke(f"{base}/enable", "1")
        host.poke(f"{base}/wwn/vpd_unit_serial", lun.serial)
        for key, value in backstore_settings(lun).items():
            _set(host, f"{base}/attrib/{key}", value, key in lun.lacking)
        for key, value in lun.settings.items():
            if key.rpartition("/")[2] not in backstore_settings(lun):
                try:
                    _set(host, f"{base}/{key}", value, True)
                except Problem:  # read only, or not for this device
                    continue


def _set(host: Host, path: str, value: str, may_lack: bool) -> None:
    now = host.read(path)
    if (now or "").strip() != value and not (may_lack and now is None):
        host.poke(path, value)


def backstore_settings(lun: Lun) -> dict[str, str]:
    """All settings of a backstore that we rely on. The write cache of a file was said when it was opened, and the one of a
    block device is its own (Linux, target_core_configfs.c, emulate_write_cache_store)."""
    return {**lun.attributes, "block_size": str(lun.block_size)}


@dataclass(frozen=True)
class GrowBackstore(Step):
    """Tell the kernel the new size of a file, online: fileio takes it at any time (Linux, target_core_file.c)."""

    place: str
    lun: str
    size: int

    def __str__(self) -> str:
        return f"Grow the LUN '{self.lun}' to {in_units(self.size)}, online"

    def take(self, host: Host) -> None:
        host.poke(f"{CORE}/{self.place}/control", f"fd_dev_size={self.size}")


@dataclass(frozen=True)
class SetBackstore(Step):
    """Change a setting of a LUN that may change while it is served."""

    place: str
    lun: str
    key: str
    value: str

    def __str__(self) -> str:
        return f"Set {self.key} of the LUN '{self.lun}' to {self.value}"

    def take(self, host: Host) -> None:
        host.poke(f"{CORE}/{self.place}/attrib/{self.key}", self.value)


@dataclass(frozen=True)
class RemoveBackstore(Step):
    """Close the device or file behind a LUN; what is in it stays."""

    place: str

    def __str__(self) -> str:
        return f"Close the backstore '{self.place.partition('/')[2]}' (its device or file stays as it is)"

    def take(self, host: Host) -> None:
        close(host, f"{CORE}/{self.place}")


def close(host: Host, base: str) -> None:
    """Remove a backstore, and its HBA when no other backstore is in it."""
    drop_groups(host, base)
    host.rmdir(base)
    hba = base.rpartition("/")[0]
    if not set(host.list(hba)) - {"hba_info", "hba_mode"}:
        host.rmdir(hba)
