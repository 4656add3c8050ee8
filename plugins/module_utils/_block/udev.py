# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for udev (udevadm(8))."""

from __future__ import annotations

from .._host import Host


def settle(host: Host, seconds: int) -> None:
    """Wait until udev has handled all events, or for so many seconds: what it does for other devices may take longer."""
    host.run("udevadm", "settle", f"--timeout={seconds}", ok=None, timeout=seconds + 10)
