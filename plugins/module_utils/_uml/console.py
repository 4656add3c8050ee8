# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab host's kernel and systemd said, as a part of messages to people."""

from __future__ import annotations

from .._host import Host
from .controller import Lab


def obituary(controller: Host, lab: Lab, name: str, kernel: str) -> str:
    """Why a host's kernel ended while it booted, in its own words, and what to do."""
    log = f"{lab.host_directory(name)}/console.log"
    said = [line.strip() for line in (controller.read(log) or "").splitlines() if line.strip()]
    panics = [line for line in said if "Kernel panic" in line]
    last = panics[0] if panics else (said or ["(nothing)"])[-1]
    why = f"panicked: '{last}'." if panics else f"ended; the last it said is: '{last}'."
    if any("ptrace set fp regs failed" in line for line in said):
        why += (
            f" The cause is the line before it, 'ptrace set fp regs failed': '{kernel}' is too "
            "old for this machine's CPU. Make the host with 'kernel: current'."
        )
    return f"The kernel of the host '{name}' of the lab '{lab.name}' {why} Its whole console is in {log}."


def console(controller: Host, lab: Lab, name: str, lines: int = 20) -> str:
    """The end of what the kernel and systemd said, as a part of a message."""
    log = f"{lab.host_directory(name)}/console.log"
    said = (controller.read(log) or "(nothing)").splitlines()[-lines:]
    return f" The last lines of its console ({log}):\n" + "\n".join(said)
