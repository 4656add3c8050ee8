# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of all modules for storage hosts: which software serves the targets."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The storage software of this host. V(lio) is the target of the Linux kernel, V(tgt) the daemon
        tgtd (STGT).
      - A request that it cannot enforce is refused with the reason, in check mode too; nothing is approximated.
    type: str
    choices: [lio, tgt]
    default: lio
"""
