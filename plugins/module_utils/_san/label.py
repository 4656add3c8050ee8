# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM wrote on the file or device behind a LUN."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import Any

from .._block.pv_label import look_label
from .._host import Host, Problem


def read_label(host: Host, path: str, metadata: bool = True) -> tuple[Any, str]:
    """The label, and why it is not known. Read are files and block devices alone: a tape is rewound by being read;
    and no device that is suspended: it holds its reader for as long as that lasts."""
    found = host.stat(path) if path else None
    if found is None:
        return None, ""
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        return None, f"'{path}' is neither a block device nor a file"
    if suspended(host, host.real(path).rpartition("/")[2]):
        return None, f"'{path}' is suspended"
    try:
        label = look_label(host, path)
    except Problem as problem:
        return None, str(problem)
    return label if metadata or label is None else replace(label, metadata=""), ""


def suspended(host: Host, kernel: str) -> bool:
    """Whether a device, or one under it, holds whoever reads it."""
    base = f"/sys/class/block/{kernel}"
    held = (host.read(f"{base}/dm/suspended") or "").strip() == "1"
    return held or any(suspended(host, below) for below in host.list(f"{base}/slaves"))
