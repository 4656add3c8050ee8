# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that does not have the form that a role documents, for people."""

from __future__ import annotations


def lacking(error: Exception) -> str:
    """What is wrong with the form of data on which this error was met."""
    if isinstance(error, KeyError):
        return f"an entry has no {error}"
    return "something is no list or no dictionary"
