# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""saveconfig.json read into our words: rtslib's format (saveconfig.json(5)). saveconfig.py writes our words into it."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, Iterable, Iterator, Mapping

from .._arguments import Portal
from .._block.device_name import is_stable
from .._san.target import Initiator, Lun, LunMap, Target
from .._san.wwid import wwid_of_lio
from .alua import saved_alua, strange_group
from .configfs import AUTH, chap_of, lun_name

DERIVED = ("block_size", "emulate_write_cache")  # fields of their own in a Lun
OURS = ("block", "fileio")  # the kinds of backstore that we make; others are left as they were saved
MADE = {
    "plugin",
    "name",
    "dev",
    "wwn",
    "size",
    "write_back",
    "readonly",
    "aio",
    "exclusive",
    "attributes",
    "alua_tpgs",
}


def wwid_of(lun: Lun) -> str:
    """Its WWID as hosts see it."""
    return wwid_of_lio(lun.serial)


def saved_groups(document: Mapping[str, Any]) -> dict[str, list[Target]]:
    """The portal groups of each iSCSI target in the file, lowest tag first. Names are folded, as rtslib does on reading
    (rtslib utils.py, normalize_wwn); two entries of one name are a fault of their target."""
    stores = {store_of(one): one for one in document.get("storage_objects", [])}
    found: dict[str, list[Target]] = {}
    for entry in document.get("targets", []):
        name = entry["wwn"].lower()
        if entry["fabric"] == "iscsi":
            groups = sorted(entry.get("tpgs", []), key=tag_of)
            found.setdefault(name, []).extend(_target(name, group, stores) for group in groups)
    return {name: groups for name, groups in found.items() if groups}


def saved_targets(document: Mapping[str, Any]) -> dict[str, Target]:
    """Of each target in the file the portal group that we work on: the one with the lowest tag."""
    return {name: min(groups, key=lambda one: one.tag) for name, groups in saved_groups(document).items()}


def twins(document: Mapping[str, Any], name: str) -> str:
    """Which two entries of a target, or of what is behind it, have one name; empty: none."""
    targets = [
        one for one in document.get("targets", []) if one["fabric"] == "iscsi" and one["wwn"].lower() == name
    ]
    groups = [group for one in targets for group in one.get("tpgs", [])]
    acls = [acl for group in groups for acl in group.get("node_acls", [])]
    lists: list[tuple[str, Iterable[Any]]] = [
        ("target", (one["wwn"].lower() for one in targets)),
        ("storage object", map(store_of, document.get("storage_objects", []))),
        ("portal group", map(tag_of, groups)),
        *(("LUN", (number(one["index"]) for one in group.get("luns", []))) for group in groups),
        *(("initiator", (one["node_wwn"].lower() for one in group.get("node_acls", []))) for group in groups),
        *(("map", (number(one["index"]) for one in acl.get("mapped_luns", []))) for acl in acls),
    ]
    return next((f"the {what} '{one}'" for what, names in lists for one in _twice(names)), "")


def _twice(names: Iterable[Any]) -> Iterator[Any]:
    seen = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def store_of(entry: Mapping[str, Any]) -> str:
    """What a storage object is called: names are unique only within a plugin."""
    return f"{entry['plugin']}/{entry['name']}"


def backstore_of(lun: Mapping[str, Any]) -> str:
    """The storage object that an entry of 'luns' points to."""
    return str(lun["storage_object"]).partition("/backstores/")[2]


def tag_of(group: Mapping[str, Any]) -> int:
    """A portal group's tag; rtslib takes 1 where none is said."""
    return number(group.get("tag") or 1)


def portal_of(entry: Mapping[str, Any]) -> Portal | None:
    """A saved portal in the spelling that the kernel gives it; None: no address."""
    bare, percent, zone = entry["ip_address"].strip("[]").partition("%")
    try:
        return Portal(f"{ipaddress.ip_address(bare)}{percent}{zone}", number(entry["port"]))
    except ValueError:
        return None


def number(value: Any) -> int:
    """A number of the file."""
    return int(value or 0)


def _target(name: str, group: Mapping[str, Any], stores: Mapping[str, Any]) -> Target:
    portals = [(portal_of(one), one) for one in group.get("portals", [])]
    iser, fixed = (
        frozenset(portal for portal, one in portals if portal and one.get(key)) for key in ("iser", "offload")
    )
    return Target(
        name=name,
        enabled=bool(group.get("enable", True)),
        portals=frozenset(portal for portal, _one in portals if portal),
        attributes=texts(group.get("attributes", {})),
        parameters=texts(group.get("parameters", {})),
        luns={number(one["index"]): _lun(name, one, stores) for one in group.get("luns", [])},
        initiators={one["node_wwn"].lower(): _initiator(one) for one in group.get("node_acls", [])},
        tag=tag_of(group),
        iser=iser,
        fixed=fixed,
        lacking=frozenset({*group.get("attributes", {}), *group.get("parameters", {})}),
    )


def _initiator(entry: Mapping[str, Any]) -> Initiator:
    maps = [
        LunMap(number(one["tpg_lun"]), number(one["index"]), bool(one.get("write_protect")))
        for one in entry.get("mapped_luns", [])
    ]
    return Initiator(
        igroup=entry.get("tag") or entry["node_wwn"].lower(),
        luns={one.number: one for one in maps},
        chap=chap_of({key: entry.get(f"chap_{auth_key(key)}") or "" for key in AUTH}),
        attributes=texts(entry.get("attributes", {})),
    )


def _lun(target: str, entry: Mapping[str, Any], stores: Mapping[str, Any]) -> Lun:
    backstore = backstore_of(entry)
    found = saved_lun(target, number(entry["index"]), backstore, stores.get(backstore))
    group = entry.get("alua_tg_pt_gp_name")
    alua, why = saved_alua(group, stores.get(backstore))
    if alua:
        return replace(found, alua=alua, fixed=_fixed(backstore.partition("/")[0], stores[backstore], group))
    return replace(found, fixed=why or found.fixed)


def saved_lun(target: str, index: int, backstore: str, store: Mapping[str, Any] | None) -> Lun:
    """A LUN with the fields of its storage object."""
    plugin, _slash, name = backstore.partition("/")
    if store is None:
        return Lun(
            lun_name(target, name),
            index,
            "",
            "",
            backstore=backstore,
            fixed="has no storage object in the file",
        )
    path = store.get("dev") or ""
    attributes = texts(store.get("attributes", {}))
    size = attributes.get("block_size", "512")
    return Lun(
        name=lun_name(target, name),
        number=index,
        path=path,
        serial=store.get("wwn") or "",
        size=None if path.startswith("/dev/") or plugin != "fileio" else number(store.get("size")),
        block_size=int(size) if size.isdecimal() else 512,
        write_back=bool(store.get("write_back")),
        attributes={key: value for key, value in attributes.items() if key not in DERIVED},
        backstore=backstore,
        read_only=bool(store.get("readonly")),
        asynchronous=bool(store.get("aio")),
        fixed=_fixed(plugin, store),
        lacking=frozenset(attributes),
    )


def _fixed(plugin: str, store: Mapping[str, Any], group: str | None = None) -> str:
    """Why it cannot be made again as it was; 'group' is its ALUA group, which can."""
    if plugin not in OURS:
        return f"is of the kind '{plugin}'"
    path = store.get("dev")
    if not path or not store.get("wwn"):
        return "has no path or no serial in the file"
    if path.startswith("/dev/") and not is_stable(path):
        return f"is on '{path}', which may be a different disk since the boot"
    strange = sorted(key for key, value in store.items() if key not in MADE and value is not None)
    if strange or store.get("exclusive") is False:
        return f"has '{(strange or ['exclusive'])[0]}' in the file, which is not made here"
    return strange_group(group, store)


def auth_key(key: str) -> str:
    """rtslib's name of a CHAP field: mutual_userid for the kernel's userid_mutual."""
    name, _underscore, mutual = key.partition("_")
    return f"mutual_{name}" if mutual else name


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings as the kernel writes them; one without a value is none."""
    return {
        key: str(int(value) if isinstance(value, bool) else value)
        for key, value in values.items()
        if value is not None
    }
