# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of systemd's units for devices and mounts, so that a service can wait for what holds its LUNs."""

from __future__ import annotations

import re


def unit_name(path: str) -> str:
    """A path as the name of its unit (systemd.unit(5), string escaping)."""
    text = path.strip("/")
    return "".join(
        "-"
        if one == "/"
        else one
        if re.match(r"[A-Za-z0-9:_.]", one) and (at or one != ".")
        else "".join(f"\\x{byte:02x}" for byte in one.encode())
        for at, one in enumerate(text)
    )
