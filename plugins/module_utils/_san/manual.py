# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage that a person sets up by hand, for arrays without an API that can be used here: nothing of it is read or changed."""

from __future__ import annotations

from typing import Any, NoReturn

from .._host import Problem
from .provider import Provider

NAME = "manual"


def by_hand(*_options: Any, **_scope: Any) -> NoReturn:
    raise Problem(
        "This storage is set up by hand (provider: manual), so nothing of it can be read or changed from here. What a person "
        "must do there, as the data says, is shown by the playbook lunworks.iscsi.manual and the filter "
        "lunworks.iscsi.manual_steps."
    )


def _unknown(_serial: str) -> str:
    """Only the array knows: the data has the WWID of each LUN itself."""
    return ""


MANUAL = Provider(name=NAME, converged=by_hand, targets=by_hand, luns=by_hand, wwid=_unknown)
