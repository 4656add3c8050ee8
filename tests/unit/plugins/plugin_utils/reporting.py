# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's SAN as its hosts answered, and changes of it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.filter.san_report import san_report
from ansible_collections.lunworks.iscsi.tests.unit.recorded import RECORDED_OUTPUT


def recorded(but: dict[str, Any] | None = None) -> dict[str, Any]:
    """What was recorded ('answers' and 'data'), with changes by their paths; '*' is each entry of a list."""
    san = json.loads((RECORDED_OUTPUT / "report/demo.json").read_text())
    for path, value in (but or {}).items():
        _change(san, path.split("/"), value)
    return san


def _change(place: Any, keys: list[str], value: Any) -> None:
    key, *below = keys
    places = range(len(place)) if key == "*" else [int(key) if isinstance(place, list) else key]
    for one in places:
        if below:
            _change(place[one], below, value)
        else:
            place[one] = value


def reported(but: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """The report of it."""
    san = recorded(but)
    return san_report(san["answers"], san["data"], **options)
