# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the kernel shows its block devices (Linux, Documentation/ABI/stable/sysfs-block)."""

from __future__ import annotations

BLOCK = "/sys/class/block"
