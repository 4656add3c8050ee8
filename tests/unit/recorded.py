# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the output of real hosts is kept that parsers are tested on."""

from __future__ import annotations

from pathlib import Path

RECORDED_OUTPUT = Path(__file__).resolve().parent / "fixtures"
