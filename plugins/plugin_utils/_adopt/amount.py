# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as the options of the modules take them."""

from __future__ import annotations

UNITS = (("t", 1 << 40), ("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10))


def size_text(count: int) -> str:
    """A number of bytes in the largest unit that is exact."""
    return next((f"{count // unit}{name}" for name, unit in UNITS if count and count % unit == 0), str(count))
