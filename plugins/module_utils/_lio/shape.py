# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What saveconfig.json must look like before anybody reads in it (saveconfig.json(5); rtslib root.py, RTSRoot.restore).

Only what we read has a shape; all else may stand there and stays. rtslib dies on a null where a list belongs.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Union

TEXT, NUMBER, FLAG, SETTINGS = "a text", "a number", "true or false", "an object of settings"
DEPTH = 50
NEEDED = "!"  # at the end of a key: without it the entry means nothing
Shape = Mapping[str, Union[str, Mapping[str, Any]]]

GROUP: Shape = {
    "tag": NUMBER,
    "luns": {"index!": NUMBER, "storage_object!": TEXT},
}
ISCSI_GROUP: Shape = {
    **GROUP,
    "enable": FLAG,
    "attributes": SETTINGS,
    "parameters": SETTINGS,
    "portals": {"ip_address!": TEXT, "port!": NUMBER},
    "node_acls": {
        "node_wwn!": TEXT,
        "tag": TEXT,
        "attributes": SETTINGS,
        "mapped_luns": {"index!": NUMBER, "tpg_lun!": NUMBER, "write_protect": FLAG},
        **{f"chap_{key}": TEXT for key in ("userid", "password", "mutual_userid", "mutual_password")},
    },
}
DOCUMENT: Shape = {
    "fabric_modules": {},
    "storage_objects": {
        "plugin!": TEXT,
        "name!": TEXT,
        "dev": TEXT,
        "wwn": TEXT,
        "size": NUMBER,
        "attributes": SETTINGS,
        "alua_tpgs": {"name": TEXT},
        **dict.fromkeys(("write_back", "readonly", "aio"), FLAG),
    },
    "targets": {"fabric!": TEXT, "wwn!": TEXT, "tpgs": GROUP},
}


def shape_faults(document: Any) -> Iterator[str]:
    """What is not as rtslib writes it, one sentence each."""
    if _deep(document, DEPTH):
        yield f"it is nested more than {DEPTH} levels deep"
        return
    yield from _object("it", document, DOCUMENT)
    targets = document.get("targets") if isinstance(document, dict) else None
    for target in targets if isinstance(targets, list) else ():
        if isinstance(target, dict) and target.get("fabric") == "iscsi":
            yield from _object(f"the target {target.get('wwn')!r}", target, {"tpgs": ISCSI_GROUP})


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the file: of two entries under one key, one would be lost by reading (json.load, object_pairs_hook)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _value in pairs]
        raise ValueError(
            f"the key '{next(key for key in keys if keys.count(key) > 1)}' appears twice in one object"
        )
    return found


def _deep(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_deep(one, left - 1) for one in inner)


def _object(where: str, value: Any, shape: Shape) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} must be an object, not {_said(value)}"
        return
    for key, kind in shape.items():
        name = key.rstrip(NEEDED)
        if name not in value:
            if key.endswith(NEEDED):
                yield f"{where} has no '{name}'"
        elif isinstance(kind, str):
            yield from _leaf(f"'{name}' of {where}", value[name], kind, key.endswith(NEEDED))
        elif not isinstance(value[name], list):
            yield f"'{name}' of {where} must be a list, not {_said(value[name])}"
        else:
            for at, entry in enumerate(value[name]):
                yield from _object(f"entry {at} of '{name}' of {where}", entry, kind)


def _leaf(where: str, value: Any, kind: str, needed: bool) -> Iterator[str]:
    fine = {
        TEXT: isinstance(value, str),
        NUMBER: _is_number(value),
        FLAG: isinstance(value, (bool, int)),
        SETTINGS: isinstance(value, dict)
        and not any(isinstance(one, (dict, list)) for one in value.values()),
    }
    if not fine[kind] and (value is not None or needed or kind == SETTINGS):
        yield f"{where} must be {kind}, not {_said(value)}"


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdecimal() and len(value) < 20
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _said(value: Any) -> str:
    """The kind of a value: its content may be secret."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
