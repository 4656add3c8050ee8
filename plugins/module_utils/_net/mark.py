# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By what the module nic_mtu knows its own files, whoever reads them."""

from __future__ import annotations

MARK = "# Managed by lunworks.iscsi.nic_mtu.\n"
