# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on the LUNs of tgt's targets."""

from __future__ import annotations

from dataclasses import dataclass

from ..._host import Host, Problem
from ..._san.target import Lun
from ..._step import Step
from ..tgtadm import RawTarget, find_target
from .target import Guarded, OnTarget, change

# Mode page 8 as tgt has it, with WCE (0x04) and without (tgt, usr/sbc.c, sbc_lu_init; scripts/tgt-admin, add_params).
CACHE = "mode_page=8:0:18:{}:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0"


def set_lun(host: Host, target: RawTarget, number: int, params: str) -> None:
    """Set what a LUN is like."""
    change(host, "logicalunit", "update", target, "--lun", str(number), "--params", params)


def cache(write_back: bool) -> str:
    """The parameter that says whether the host may take a write for done when the file system has it."""
    return CACHE.format("0x14" if write_back else "0x10")


@dataclass(frozen=True)
class AddLun(OnTarget):
    """Serve a device or file; it is not ready until its identity is there, which nobody must see otherwise."""

    lun: Lun

    def __str__(self) -> str:
        return f"Serve '{self.lun.path}' as the LUN '{self.lun.name}', number {self.lun.number} of '{self.target}'"

    def take(self, host: Host) -> None:
        target, lun = find_target(host, self.target), self.lun
        if host.stat(lun.path) is None:
            raise Problem(f"'{lun.path}' is not there.")
        at = ("--lun", str(lun.number))
        change(host, "logicalunit", "new", target, *at, "--blocksize", str(lun.block_size))
        try:
            params = f"removable=0,scsi_id={lun.backstore},scsi_sn={lun.serial},readonly={int(lun.read_only)}"
            set_lun(host, target, lun.number, params)
            set_lun(host, target, lun.number, cache(lun.write_back))
            set_lun(host, target, lun.number, f"path={lun.path}")
        except Problem:
            change(host, "logicalunit", "delete", target, *at)
            raise


@dataclass(frozen=True)
class RemoveLun(Guarded):
    """Stop serving a LUN. tgtd does so while it is mounted, too."""

    lun: str
    number: int

    def __str__(self) -> str:
        return f"Stop serving the LUN '{self.lun}' (number {self.number}) of '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        self.guard(target)
        change(host, "logicalunit", "delete", target, "--lun", str(self.number))


@dataclass(frozen=True)
class RemoveHalf(OnTarget):
    """A LUN that never served anything."""

    number: int

    def __str__(self) -> str:
        return f"Remove the LUN {self.number} of '{self.target}', which is empty: the run that made it was killed"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        if any(one.number == self.number and one.half for one in target.luns):
            change(host, "logicalunit", "delete", target, "--lun", str(self.number))


@dataclass(frozen=True)
class ProtectLun(Guarded):
    """Let nobody write to a LUN."""

    lun: str
    number: int

    def __str__(self) -> str:
        return f"Let all initiators only read the LUN '{self.lun}' of '{self.target}'"

    def take(self, host: Host) -> None:
        target = find_target(host, self.target)
        self.guard(target)
        set_lun(host, target, self.number, "readonly=1")


@dataclass(frozen=True)
class SetLun(OnTarget):
    """Change what can change of a LUN that is served: who may write, and when a write is done."""

    lun: str
    number: int
    params: str
    said: str

    def __str__(self) -> str:
        return f"{self.said} the LUN '{self.lun}' of '{self.target}'"

    def take(self, host: Host) -> None:
        set_lun(host, find_target(host, self.target), self.number, self.params)


def unprotect(target: str, lun: Lun) -> Step:
    """Let initiators write to a LUN."""
    return SetLun(target, lun.name, lun.number, "readonly=0", "Let all initiators write to")


def set_cache(target: str, lun: Lun) -> Step:
    """Switch the write cache of a LUN."""
    how = (
        "Use the write cache of this host for"
        if lun.write_back
        else "Have each write on disk before it is done for"
    )
    return SetLun(target, lun.name, lun.number, cache(lun.write_back), how)
