# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where secrets are in the variables, by the schema (writeOnly), and what can be said there without showing one."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .fault import Path, nearest

HARMLESS = (
    "password",
    "mutual_password",
    "username",
    "mutual_username",
)  # taken for an option, though none is
VARIABLE = re.compile(r"'([A-Za-z_]\w*)' is undefined")
NOT_SHOWN = (
    "its template cannot be filled in (what Ansible says of it is not shown: there may be a secret in it)"
)
NO_SPACE = "there is no white space behind '{}:'; write one, so that what follows is its value"


def without_value(name: str) -> str:
    """An option without the value that stands behind it, where only white space is missing between them."""
    return re.split(r"[:=\s]", name, maxsplit=1)[0]


def _without_template(schema: Any) -> Any:
    """What a schema describes, beside the template that each scalar may be."""
    return schema.get("else", schema) if isinstance(schema, Mapping) else {}


def items_of(schema: Any) -> Any:
    """What each entry of a list is."""
    return _without_template(schema.get("items", {}))


def _below(own: Any, key: Any) -> Any:
    """What is at a key, or at a place of a list."""
    if isinstance(key, int):
        return items_of(own)
    return _without_template(own.get("properties", {}).get(key, {}))


def holds_secrets(schema: Any) -> bool:
    """Whether what a schema describes is a secret, or has one somewhere below."""
    own = _without_template(schema)
    below = [*own.get("properties", {}).values(), own.get("items", {})]
    return bool(own.get("writeOnly")) or any(holds_secrets(one) for one in below if one)


def may_hold(schema: Any, path: Path) -> bool:
    """Whether there can be a secret at a path, around it or below it."""
    own = _without_template(schema)
    for key in path:
        if own.get("writeOnly"):
            return True
        own = _below(own, key)
    return holds_secrets(own)


def beside_secret(schema: Any, path: Path) -> bool:
    """Whether the option at a path stands beside a text that is a secret: a value at the wrong option may be that of the other.
    Variables of a host are too far apart for that."""
    if len(path) == 1:
        return False
    own = _without_template(schema)
    for key in path[:-1]:
        own = _below(own, key)
    beside = [_without_template(one) for one in own.get("properties", {}).values()]
    return any(one.get("writeOnly") and one.get("type") != "object" for one in beside)


def unknown(schema: Any, name: str) -> str:
    """What to say of an option that is none, where its name may be a secret; '' where it can be shown."""
    known = schema.get("properties", {})
    option = without_value(name)
    if option != name and option in known and holds_secrets({"properties": known}):
        return NO_SPACE.format(option)
    harmless = re.fullmatch(r"\w+", name) and nearest(name, [*known, *HARMLESS], 0.7)
    if schema.get("writeOnly") and not harmless:
        return f"there is an option that does not exist and is not shown; there are {', '.join(known)}"
    return ""


def shown_text(schema: Any, text: str) -> bool:
    """Whether a text that stands in the place of a list or dictionary can be shown."""
    free = schema["type"] == "object" and "properties" not in schema
    return not free and not (holds_secrets(schema) and re.search(r"[\s={]", text))


def undefined(why: str) -> str:
    """The variable that is not there, by what Ansible says of a template; '' where it is something else."""
    found = VARIABLE.search(why)
    return found[1] if found else ""


def why_unread(why: str, raw: Any = None) -> str:
    """What can be shown of what Ansible says of a template: the name of a variable, if the data has it (where that is given)."""
    name = undefined(why)
    if name and (raw is None or re.search(rf"\b{name}\b", str(raw))):
        return f"'{name}' is undefined"
    return NOT_SHOWN
