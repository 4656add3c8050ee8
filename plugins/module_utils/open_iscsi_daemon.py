# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iscsid, which reads its files only when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

SHOW = ("systemctl", "show", "-p", "ActiveState,ActiveEnterTimestampMonotonic", "iscsid.service")


def behind(host: Host, path: str) -> bool:
    """Whether a running iscsid has not read this file since it last changed. A stopped one reads it at its start."""
    shown = parse(host.run(*SHOW).out)
    stat = host.stat(path)
    if shown.get("ActiveState") != "active" or stat is None:
        return False
    started = host.booted() + int(shown["ActiveEnterTimestampMonotonic"]) / 1e6
    return stat.st_mtime > started


@dataclass(frozen=True)
class RestartIscsid(Step):
    """Restart the daemon alone: sessions live in the kernel and go on. iscsi.service would log them out."""

    def __str__(self) -> str:
        return "Restart iscsid, which reads the file only at its start (sessions go on)"

    def take(self, host: Host) -> None:
        host.run("systemctl", "restart", "iscsid.service")
