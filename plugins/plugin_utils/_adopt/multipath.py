# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a compute host's multipath is configured, in the words of the role multipath."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .document import Entry, Findings, Variable

Data = Mapping[str, Any]
MADE_UP = re.compile(r"mpath[a-z]+")  # what user_friendly_names gives away by itself
TEXTS = ("wwid", "alias", "vendor", "product", "revision")


def multipath(host: str, answer: Data) -> Findings:
    """The data of a host's multipath: the settings of its files, and the names that they give."""
    found = Findings()
    others = [one["path"] for one in answer["files"] if not one["own"]]
    where = ", ".join(others)
    found.variables += [
        Variable("multipath_presets", [], "No entry for an array beside those of this host"),
        Variable("multipath_fallbacks", {}, "No keyword of the role's own"),
    ]
    settings = {name: _typed(value) for name, value in answer["settings"].items()}
    named = [one for one in settings.pop("multipaths") if set(one) == {"wwid", "alias"}]
    entries = [one for one in _typed(answer["settings"]["multipaths"]) if one not in named]
    settings["multipaths"] = [one for one in entries if one.get("wwid")]
    for name, value in settings.items():
        if value:
            listed = tuple(map(Entry, value)) if isinstance(value, list) else value
            found.variables.append(Variable(f"multipath_{name}", listed, where))
    aliases = {one["wwid"]: one["alias"] for one in named}
    for file in answer["files"]:
        aliases.update(file["aliases"] if file["own"] else {})
    if aliases:
        listed = tuple(Entry({"wwid": wwid, "alias": aliases[wwid]}) for wwid in sorted(aliases))
        found.variables.append(Variable("multipath_aliases", listed, where))
    for path in others:
        found.decisions.append(
            f"'{host}': '{path}' is kept as it is, and all that it says is written down. If the host shall be made from the data "
            "alone, move the file away and run site.yml: the role's own drop-in then says it."
        )
    for one in answer["maps"]:
        if MADE_UP.fullmatch(one["name"]) and one["wwid"] not in aliases:
            found.decisions.append(
                f"'{host}': the map '{one['name']}' ({one['wwid']}) has a name that multipath made up, which is another one on "
                "another host. Give it an alias (multipath_aliases) while nothing uses it."
            )
    return found


def _typed(value: Any, key: str = "") -> Any:
    """Values as people write them in YAML: numbers, true and false."""
    if isinstance(value, Mapping):
        return {name: _typed(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_typed(inner, key) for inner in value]
    if key in TEXTS or not isinstance(value, str):
        return value
    if re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
        return int(value)
    return {"yes": True, "no": False}.get(value, value)
