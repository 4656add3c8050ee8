# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps on tgt's service and on the files that it reads at its start."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._host import Host, Problem
from ..._step import Step
from ..discovery import KEPT
from ..tgtadm import look_targets

PATIENCE = 30  # seconds in which tgtd answers after its start


@dataclass(frozen=True)
class StartDaemon(Step):
    """Have tgtd run, now and after a boot; what conf.d has is then served, that of others too."""

    unit: str

    def __str__(self) -> str:
        return f"Start '{self.unit or 'tgt.service'}', now and at boot"

    def take(self, host: Host) -> None:
        if not self.unit:
            raise Problem(
                "tgt is not installed on this host: install the package tgt (scsi-target-utils on RHEL)."
            )
        host.run("systemctl", "enable", "--now", self.unit, timeout=180)
        if not host.until(lambda: look_targets(host) is not None, PATIENCE):
            raise Problem(
                f"tgtd does not answer after '{self.unit}' was started. See 'journalctl -u {self.unit}'."
            )


@dataclass(frozen=True)
class Prepare(Step):
    """Write what the service needs at its start, beside the targets themselves."""

    path: str
    text: str = field(repr=False)

    def __str__(self) -> str:
        return f"Write '{self.path}', so that the targets come back after a boot"

    def take(self, host: Host) -> None:
        host.write(self.path, self.text, 0o644)
        if self.path.startswith("/etc/systemd/"):
            host.run("systemctl", "daemon-reload")


@dataclass(frozen=True)
class Keep(Step):
    """Write a file with secrets, 0600, whole or not at all; the files behind new LUNs are on their disks before it."""

    path: str
    text: str = field(repr=False)  # it has secrets
    directories: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = "the credentials" if self.path == KEPT else "the target"
        return f"Keep {what} in '{self.path}', so that {'they come' if self.path == KEPT else 'it comes'} back after a boot"

    def take(self, host: Host) -> None:
        if self.directories:
            host.run("sync", "--file-system", *self.directories)
        host.write(self.path, self.text, 0o600)


@dataclass(frozen=True)
class Drop(Step):
    """Remove a file of ours."""

    path: str

    def __str__(self) -> str:
        return f"Remove '{self.path}'"

    def take(self, host: Host) -> None:
        host.remove(self.path)
        if self.path.startswith("/etc/systemd/"):
            host.run("systemctl", "daemon-reload")
