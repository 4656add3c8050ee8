# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many documents of others a law is held against: as many as LUNWORKS_DOCUMENTS says, else some hundreds.

On the oldest Python, which is slow, fewer show that the code runs there.
"""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

COUNT = int(os.environ.get("LUNWORKS_DOCUMENTS") or (300 if sys.version_info >= (3, 9) else 50))
# The same documents at every run: a failure is seen again, and the gate does not depend on luck.
many = settings(
    max_examples=COUNT,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
few = settings(many, max_examples=max(1, COUNT // 3))
