# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The twin of CHAP in module_utils/_chap.py: suboptions shared by every option named 'chap'."""

    DOCUMENTATION = r"""
options: {}
notes:
  - An empty user with an empty secret means no CHAP; existing credentials are cleared.
  - CHAP secrets never appear in a process list, a log, a diff or a result. A secret must have 12 to 255 bytes, and the two
    directions must not use the same one (RFC 7143 section 12.1.3).
"""
