# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on the LUNs of LIO's targets in configfs: their numbers, and the ALUA groups that they are in."""

from __future__ import annotations

from dataclasses import dataclass

from ..._host import Host
from ..._san.target import Alua
from ..alua import arrange
from ..configfs_node import CORE
from .remove import drop
from .target import LINK, OnTarget


@dataclass(frozen=True)
class AddLun(OnTarget):
    """Give a backstore a number in the target."""

    lun: str
    number: int
    place: str
    alua: Alua | None = None

    def __str__(self) -> str:
        group = f", in the ALUA group '{self.alua.group}' ({self.alua.state})" if self.alua else ""
        return f"Serve the LUN '{self.lun}' as number {self.number} of '{self.target}'{group}"

    def take(self, host: Host) -> None:
        here = f"{self.base}/lun/lun_{self.number}"
        host.mkdir(here)
        host.symlink(f"{CORE}/{self.place}", f"{here}/{LINK}")
        if self.alua:
            arrange(host, f"{CORE}/{self.place}", here, self.alua)


@dataclass(frozen=True)
class SetAlua(OnTarget):
    """Change what hosts are told of the paths to a LUN, live."""

    lun: str
    number: int
    place: str
    alua: Alua | None

    def __str__(self) -> str:
        if self.alua is None:
            return f"Take the LUN '{self.lun}' of '{self.target}' out of its ALUA group"
        one = self.alua
        preferred = ", preferred" if one.preferred else ""
        return (
            f"Put the LUN '{self.lun}' of '{self.target}' into the ALUA group '{one.group}' (number {one.number}, {one.state}, "
            f"access type {one.access_type}{preferred})"
        )

    def take(self, host: Host) -> None:
        arrange(host, f"{CORE}/{self.place}", f"{self.base}/lun/lun_{self.number}", self.alua)


@dataclass(frozen=True)
class RemoveLun(OnTarget):
    """Take a LUN out of the target."""

    lun: str
    number: int

    def __str__(self) -> str:
        return f"Stop serving the LUN '{self.lun}' (number {self.number}) of '{self.target}'"

    def take(self, host: Host) -> None:
        drop(host, f"{self.base}/lun/lun_{self.number}")
