# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks of targets: the options of the storage modules, every value checked.

The documentation of these options is in doc_fragments/san.py.
"""

from __future__ import annotations

import os
import re
from typing import Any, Iterable, Iterator

from .._arguments import Portal, iscsi_name, portal, size, truth, unique
from .._chap import CHAP, CHAP_OPTION, chap
from .._host import Problem
from .target import ALUA_STATES, ALUA_TYPES
from .wwid import serial_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
SERIAL = re.compile(r"[A-Za-z0-9-]{8,64}")
NUMBERS = range(256)  # what flat addressing and every restore tool carry
BLOCK_SIZES = (512, 1024, 2048, 4096)
STATE: dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
ALUA: dict[str, Any] = {
    "group": {"type": "str", "required": True},
    "number": {"type": "int"},
    "state": {"type": "str", "choices": list(ALUA_STATES)},
    "access_type": {"type": "str", "choices": list(ALUA_TYPES)},
    "preferred": {"type": "bool"},
}
LUN: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "path": {"type": "path"},
    "size": {"type": "str"},
    "allocation": {"type": "str", "choices": ["sparse", "full"], "default": "sparse"},
    "number": {"type": "int"},
    "serial": {"type": "str"},
    "block_size": {"type": "int", "choices": list(BLOCK_SIZES)},
    "write_back": {"type": "bool"},
    "attributes": {"type": "dict"},
    "alua": {"type": "dict", "options": ALUA},
    "state": STATE,
}
LISTED_LUN: dict[str, Any] = {
    **LUN,
    "read_only": {"type": "bool"},
    "shared": {"type": "bool", "default": False},
}
IGROUP: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "initiators": {"type": "list", "elements": "str"},
    "luns": {"type": "list", "elements": "raw"},
    "chap": CHAP_OPTION,
    "state": STATE,
}
TARGET: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "portals": {"type": "list", "elements": "raw"},
    "enabled": {"type": "bool"},
    "alias": {"type": "str"},
    "attributes": {"type": "dict"},
    "parameters": {"type": "dict"},
    "state": STATE,
}
LISTED_TARGET: dict[str, Any] = {
    **TARGET,
    "luns": {"type": "list", "elements": "dict", "options": LISTED_LUN},
    "igroups": {"type": "list", "elements": "dict", "options": IGROUP},
}
EXPECTED: dict[str, Any] = {
    "target": {"type": "str", "required": True},
    "lun": {"type": "str", "required": True},
    "group_uuid": {"type": "str", "required": True},
    "exported": {"type": "bool"},
    "seqno": {"type": "int"},
}
DISCOVERY_CHAP: dict[str, Any] = {
    **CHAP_OPTION,
    "options": {**CHAP, "enforced": {"type": "bool"}},
}
MAP_KEYS = {"name", "number", "read_only", "shared", "state"}


def asked_target(given: dict[str, Any]) -> dict[str, Any]:
    """A target's options with every value checked and in its own type; what is left out is None."""
    asked: dict[str, Any] = {key: given.get(key) for key in LISTED_TARGET}
    asked["name"] = iscsi_name(given["name"])
    asked["spelled"] = given["name"].strip()  # for software that keeps it; names are compared by 'name'
    asked["state"] = given.get("state") or "present"
    listed = asked_portals(asked["portals"])
    asked["iser"] = {where: iser for where, iser in listed if iser is not None}
    if asked["portals"] is not None:
        asked["portals"] = frozenset(where for where, _iser in listed)
    for key in ("attributes", "parameters"):
        asked[key] = texts(asked[key])
    if asked["alias"] is not None:
        asked["parameters"]["TargetAlias"] = _line("alias", asked["alias"])
    asked["luns"] = [_asked_lun(asked["name"], lun) for lun in given.get("luns") or []]
    asked["igroups"] = [_asked_igroup(group) for group in given.get("igroups") or []]
    asked["given"] = {key for key in ("portals", "luns", "igroups") if given.get(key) is not None}
    asked["access"] = bool(asked["igroups"])  # what says who may log in
    unique(f"LUN of the target '{asked['name']}'", [lun["name"] for lun in asked["luns"]])
    for number, one, other in _same_number(asked["luns"]):
        raise Problem(f"The LUNs '{one}' and '{other}' of '{asked['name']}' have the same number {number}.")
    unique(f"igroup of the target '{asked['name']}'", [group["name"] for group in asked["igroups"]])
    return asked


def asked_portals(given: Iterable[Any] | None) -> list[tuple[Portal, bool | None]]:
    """The portals of a target, and whether each is to speak iSER; None: that is left as it is."""
    found = []
    for one in given or ():
        entry = one if isinstance(one, dict) else {"portal": one}
        if set(entry) - {"portal", "iser"} or "portal" not in entry:
            raise Problem(
                f"A portal of a target is given as ADDRESS, ADDRESS:PORT or [IPV6]:PORT, or with that as portal and iser (true "
                f"or false); found is {one!r}."
            )
        found.append(
            (portal(entry["portal"]), truth(f"iser of the portal '{entry['portal']}'", entry.get("iser")))
        )
    if len({*found}) > len({where for where, _iser in found}):
        raise Problem("A portal of a target is given twice, with and without iser. Give it once.")
    return found


def asked_discovery(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """CHAP at discovery, checked; None: it was not asked for."""
    if given is None:
        return None
    credentials = {key: value for key, value in given.items() if key != "enforced"}
    try:
        found = chap(credentials)
    except Problem as problem:
        raise Problem(f"discovery_chap: {problem}") from None
    enforced = truth("discovery_chap: enforced", given.get("enforced"))
    if found and not found.user and enforced:
        raise Problem(
            "discovery_chap: without a user and a secret nobody could ask for targets. Leave enforced out."
        )
    return {"chap": found, "enforced": enforced}


def texts(given: dict[str, Any] | None) -> dict[str, str]:
    """Kernel settings as texts; a boolean is 0 or 1, as the kernel writes it."""
    return {
        str(key): _line(str(key), str(int(value) if isinstance(value, bool) else value))
        for key, value in (given or {}).items()
    }


def _asked_lun(target: str, given: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {key: given.get(key) for key in LISTED_LUN}
    asked["name"] = _name("LUN", given["name"])
    asked["state"] = given.get("state") or "present"
    asked["attributes"] = texts(asked["attributes"])
    if asked["size"] is not None:
        asked["size"] = _fitting(asked["name"], size(asked["size"]))
    if asked["number"] is not None and asked["number"] not in NUMBERS:
        raise Problem(
            f"LUN '{asked['name']}': {asked['number']} is not a LUN number; it must be 0 to {NUMBERS[-1]}."
        )
    if asked["serial"] is not None and not SERIAL.fullmatch(asked["serial"]):
        raise Problem(
            f"LUN '{asked['name']}': a serial has 8 to 64 letters, digits and '-', not '{asked['serial']}'."
        )
    if asked["alua"] is not None:
        asked["alua"] = _asked_alua(asked["name"], asked["alua"])
    path = asked["path"]
    if path is not None and not (
        path == path.strip()
        and os.path.isabs(path)
        and len(path.encode(errors="replace")) < 256
        and re.fullmatch(r"[^,\0-\x1f\x7f\"\\]+", path)
    ):
        raise Problem(
            f"LUN '{asked['name']}': '{path}' cannot be served. It must be an absolute path of at most 255 bytes "
            "without commas, quotes, backslashes and control characters."
        )
    asked["path"] = "/" + os.path.normpath(path).lstrip("/") if path else None
    asked["derived"] = serial_of(target, asked["name"])
    return asked


def _asked_alua(lun: str, given: dict[str, Any]) -> dict[str, Any]:
    asked = {key: given.get(key) for key in ALUA}
    if not NAME.fullmatch(str(asked["group"])):
        raise Problem(
            f"LUN '{lun}': '{asked['group']}' is not a name for an ALUA group: it must have at most 63 letters, digits, '.', '_' "
            "and '-'."
        )
    if asked["number"] is not None and asked["number"] not in range(1, 1 << 16):
        raise Problem(
            f"LUN '{lun}': {asked['number']} is not the number of an ALUA group; it must be 1 to 65535."
        )
    return asked


def _same_number(luns: list[dict[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """A LUN number that is given twice, and to which."""
    names: dict[int, str] = {}
    for lun in luns:
        if lun["state"] == "present" and lun["number"] is not None:
            first = names.setdefault(lun["number"], lun["name"])
            if first != lun["name"]:
                yield lun["number"], first, lun["name"]


def _fitting(lun: str, size_: int) -> int:
    if size_ >= 1 << 63:  # off_t is signed (lseek(2))
        raise Problem(f"LUN '{lun}': {size_} bytes are more than any file or disk can have.")
    return size_


def _asked_igroup(given: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {key: given.get(key) for key in IGROUP}
    alone = iscsi_name(given["name"]).lower() if ":" in str(given["name"]) else ""
    asked["name"] = alone or _name("igroup", given["name"])
    asked["state"] = given.get("state") or "present"
    # For software that compares names byte by byte.
    asked["spelled"] = [str(name).strip() for name in asked["initiators"] or [given["name"]]]
    if asked["initiators"] is not None:
        asked["initiators"] = [iscsi_name(name).lower() for name in asked["initiators"]]
        unique(f"initiator of the igroup '{asked['name']}'", asked["initiators"])
        if alone and asked["initiators"] != [alone]:
            raise Problem(
                f"igroup '{alone}': an igroup that is named after an initiator holds only that initiator. Give it another name."
            )
    asked["given"] = {key for key in ("luns", "initiators") if given.get(key) is not None}
    asked["luns"] = [_asked_map(asked["name"], entry) for entry in given.get("luns") or []]
    unique(f"LUN of the igroup '{asked['name']}'", [entry["name"] for entry in asked["luns"]])
    for number, one, other in _same_number(asked["luns"]):
        raise Problem(
            f"The initiators of the igroup '{asked['name']}' would see both '{one}' and '{other}' as LUN {number}."
        )
    try:
        asked["chap"] = chap(given.get("chap"))
    except Problem as problem:
        raise Problem(f"igroup '{asked['name']}': {problem}") from None
    return asked


def _asked_map(group: str, given: Any) -> dict[str, Any]:
    entry = dict(given) if isinstance(given, dict) else {"name": str(given)}
    strange = sorted(set(entry) - MAP_KEYS)
    if strange or "name" not in entry or entry.get("state") not in (None, "present", "absent"):
        raise Problem(
            f"igroup '{group}': a LUN is given by its name or as name, number, read_only, shared, state "
            f"(present or absent); found is {given!r}."
        )
    number = entry.get("number")
    if number is not None and not (re.fullmatch("[0-9]{1,9}", str(number)) and int(number) in NUMBERS):
        raise Problem(f"igroup '{group}': '{number}' is not a LUN number; it must be 0 to {NUMBERS[-1]}.")
    said = {
        key: truth(f"igroup '{group}': {key} of the LUN '{entry['name']}'", entry.get(key))
        for key in ("read_only", "shared")
    }
    return {
        "name": _name("LUN", entry["name"]),
        "number": None if number is None else int(number),
        "read_only": said["read_only"],
        "shared": bool(said["shared"]),
        "state": entry.get("state") or "present",
    }


def _name(what: str, text: Any) -> str:
    if isinstance(text, str) and NAME.fullmatch(text):
        return text
    raise Problem(
        f"'{text}' is not a name for a {what}: it must have at most 63 letters, digits, '.', '_' and '-'."
    )


def _line(what: str, text: str) -> str:
    if len(text.encode(errors="replace")) > 255 or re.search(r"[\0\r\n]", text):
        raise Problem(f"The value of '{what}' is longer than 255 bytes or has a line break.")
    return text.strip()
