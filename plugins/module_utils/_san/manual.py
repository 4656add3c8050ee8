# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage that a person sets up by hand, for arrays without an API that can be used here: nothing of it is read or changed."""

from __future__ import annotations

from typing import Any, Mapping, NoReturn

from .._host import Problem
from .provider import Provider

NAME = "manual"
POWERVAULT = "iqn.1984-05.com.dell:powervault."  # Dell's MD3000i and its line
ACCESS_LUN = 31  # "SCSI over IP" (Leeuw, 2012): its own "Universal Xport", which every host sees


def by_hand(*_options: Any, **_scope: Any) -> NoReturn:
    raise Problem(
        "This storage is set up by hand (provider: manual), so nothing of it can be read or changed from here. What a person "
        "must do there, as the data says, is shown by the playbook lunworks.iscsi.manual and the filter "
        "lunworks.iscsi.manual_steps."
    )


def _unknown(_serial: str) -> str:
    """Only the array knows: the data has the WWID of each LUN itself."""
    return ""


def _check(target: Mapping[str, Any]) -> None:
    """A number that such an array has given away itself."""
    entries = [
        *(target.get("luns") or []),
        *(one for g in target.get("igroups") or [] for one in g.get("luns") or []),
    ]
    taken = [one for one in entries if isinstance(one, Mapping) and str(one.get("number")) == str(ACCESS_LUN)]
    if taken and str(target["name"]).lower().startswith(POWERVAULT):
        raise Problem(
            f"target '{target['name']}', LUN '{taken[0]['name']}': LUN {ACCESS_LUN} is the array's own access volume, "
            "Universal Xport. Choose another number."
        )


MANUAL = Provider(
    name=NAME, converged=by_hand, targets=by_hand, luns=by_hand, wwid=_unknown, on_host=False, check=_check
)
