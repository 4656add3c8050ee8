# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run with --diff shows: the steps as sentences, then each text file that they write, before and after.

Callbacks print 'prepared' as it is, and what differs between the texts 'before' and 'after' (developing_plugins of Ansible,
callback plugins; CallbackBase._get_diff). They fail at a list in either.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping


def told_diff(
    steps: Iterable[str], before: Mapping[str, str], after: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One sentence for each step, in their order, and the files that differ."""
    lines = "".join(f"- {step}\n" for step in steps)
    paths = [path for path in {**before, **after} if before.get(path, "") != after.get(path, "")]
    files = [
        {
            "before_header": path,
            "after_header": path,
            "before": before.get(path, ""),
            "after": after.get(path, ""),
        }
        for path in paths
    ]
    return ([{"prepared": lines}] if lines else []) + files


def states_diff(before: Any, after: Any) -> dict[str, Any]:
    """Both states whole, for those who ask for more than sentences."""
    return {"before": _readable(before), "after": _readable(after)}


def _readable(state: Any) -> Any:
    return state if isinstance(state, dict) else json.dumps(state, indent=4) + "\n"
