# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages and programs are there and which units run, asked of dpkg, rpm and systemd without their larger tools."""

from __future__ import annotations

from typing import Any, Sequence

from ._host import ENVIRONMENT, Host

NAMED = "${Package} ${db:Status-Status}\n"  # dpkg-query(1)


def missing(host: Host, packages: Sequence[str]) -> list[str]:
    """Those that are not installed, or where nobody can tell, in their order."""
    if not packages:
        return []
    if host.stat("/var/lib/dpkg/status"):  # 1: some of them are not known
        out = host.run("dpkg-query", "--show", f"--showformat={NAMED}", *packages, ok=(0, 1)).out
        there = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    elif host.stat("/usr/bin/rpm"):  # its exit code counts those that are not installed
        there = set(host.run("rpm", "--query", "--queryformat=%{NAME}\n", *packages, ok=None).out.split("\n"))
    else:
        there = set()
    return [name for name in packages if name not in there]


def missing_programs(host: Host, names: Sequence[str]) -> list[str]:
    """Those that are nowhere where programs are run from, in their order."""
    places = ENVIRONMENT["PATH"].split(":")
    return [name for name in names if not any(host.stat(f"{place}/{name}") for place in places)]


def units(host: Host, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Whether each unit is there, starts at boot and runs now; a host without systemd has none (systemctl(1), show)."""
    if not names or not host.stat("/run/systemd/system"):  # sd_booted(3)
        return {}
    told = host.run("systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", *names).out
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in told.strip().split("\n\n")]
    return {
        name: {
            "found": block.get("LoadState", "not-found") != "not-found",
            "enabled": block.get("UnitFileState") == "enabled",
            "active": block.get("ActiveState") == "active",
        }
        for name, block in zip(names, blocks)
    }
