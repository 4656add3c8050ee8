# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of settings: what storage software takes is data of its own; how that is checked and said is the same."""

from __future__ import annotations

import re
from typing import Mapping, Union

from .._host import Problem

Values = Union[str, range]  # what fits a pattern, or a number of a range


def check_values(
    software: str, whose: str, what: str, asked: Mapping[str, str], taken: Mapping[str, Values]
) -> None:
    """Raise a Problem for a setting that the software does not have, or a value that it does not take."""
    for key, value in asked.items():
        if key not in taken:
            raise Problem(f"{whose}: {software} has no {what} '{key}'. It has {', '.join(sorted(taken))}.")
        if not fits(value, taken[key]):
            raise Problem(
                f"{whose}: '{value}' is not a value for the {what} '{key}' (it must be {said(taken[key])})."
            )


def fits(value: str, taken: Values) -> bool:
    """Whether a value is one of those that are taken."""
    if isinstance(taken, range):
        return bool(re.fullmatch(r"[0-9]{1,20}", value)) and int(value) in taken
    return bool(re.fullmatch(taken, value))


def said(taken: Values) -> str:
    """The values that are taken, for people."""
    return f"{taken[0]} to {taken[-1]}" if isinstance(taken, range) else taken
