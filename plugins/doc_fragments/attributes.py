# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection promises."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: A check run looks, plans and refuses as a real run does, and changes nothing.
  diff_mode:
    support: full
    description: >-
      The diff is the steps as sentences and the text files that they change, without secrets; with C(-vv) the states too.
  idempotent:
    support: full
    description: A second run finds nothing to do. Every run ends with a second look that verifies this.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The module only asks questions; it never changes anything.
  diff_mode:
    support: N/A
    description: Nothing is changed, so there is no difference to show.
  idempotent:
    support: full
    description: Nothing is changed.
"""
