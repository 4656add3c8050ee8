# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lies beside programs that watch a host, for as long as a test lasts."""

from __future__ import annotations


def read(path):
    """The text of a file of the kernel's; empty when it is gone, or says nothing."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""
