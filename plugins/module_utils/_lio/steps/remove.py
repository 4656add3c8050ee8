# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that take a whole target away."""

from __future__ import annotations

from dataclasses import dataclass

from ..._host import Host
from ..._san.target import Target
from ..._step import Step
from ..configfs_node import ISCSI


@dataclass(frozen=True)
class RemoveHalf(Step):
    """The kernel refuses where somebody has gone on with it."""

    path: str

    def __str__(self) -> str:
        return f"Remove '{self.path}', which is empty: the run that made or removed it was killed"

    def take(self, host: Host) -> None:
        host.rmdir(self.path)


@dataclass(frozen=True)
class RemoveTarget(Step):
    """Take a whole target away, in the order that configfs asks for."""

    target: Target

    def __str__(self) -> str:
        return f"Remove the target '{self.target.name}'"

    def take(self, host: Host) -> None:
        top = f"{ISCSI}/{self.target.name}"
        for group in [name for name in host.list(top) if name.startswith("tpgt_")]:
            base = f"{top}/{group}"
            host.poke(f"{base}/enable", "0")
            for acl in host.list(f"{base}/acls"):
                for entry in [name for name in host.list(f"{base}/acls/{acl}") if name.startswith("lun_")]:
                    drop(host, f"{base}/acls/{acl}/{entry}")
                host.rmdir(f"{base}/acls/{acl}")
            for lun in host.list(f"{base}/lun"):
                drop(host, f"{base}/lun/{lun}")
            for portal in host.list(f"{base}/np"):
                host.rmdir(f"{base}/np/{portal}")
            host.rmdir(base)
        host.rmdir(top)


def drop(host: Host, directory: str) -> None:
    """Remove a LUN or a map: first its link, then itself."""
    for name in host.list(directory):
        if host.link(f"{directory}/{name}") is not None:
            host.remove(f"{directory}/{name}")
    host.rmdir(directory)
