# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""saveconfig.json as data: rtslib's format (saveconfig.json(5)) read into our words, and our words merged into it.

Merged, never replaced: what others saved stays, in its order, with the fields that we do not know.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Callable, Mapping

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_configfs import AUTH, chap_of, lun_name
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Initiator, Lun, LunMap, Target

DERIVED = ("block_size", "emulate_write_cache")  # fields of their own in a Lun
OURS = ("block", "fileio")  # the kinds of backstore that we make; others are left as they were saved


def saved_targets(document: Mapping[str, Any]) -> dict[str, Target]:
    """The iSCSI targets in the file, in the words that the running ones are read in."""
    stores = {f"{one['plugin']}/{one['name']}": one for one in document.get("storage_objects", [])}
    found = {}
    for entry in document.get("targets", []):
        groups = sorted(entry.get("tpgs", []), key=lambda group: group.get("tag", 1))
        if entry.get("fabric") == "iscsi" and groups:
            found[entry["wwn"]] = _target(entry["wwn"], groups[0], stores)
    return found


def merged(
    document: Mapping[str, Any], before: Mapping[str, Target], after: Mapping[str, Target | None]
) -> dict[str, Any]:
    """The document with these targets as they shall be, None: gone; everything else stays."""
    new = copy.deepcopy(dict(document))
    for key in ("storage_objects", "targets", "fabric_modules"):
        new.setdefault(key, [])
    dropped = {lun.backstore for name in after if name in before for lun in before[name].luns.values()}
    for name, target in after.items():
        if target is None:
            new["targets"] = [
                one for one in new["targets"] if (one.get("fabric"), one["wwn"]) != ("iscsi", name)
            ]
            continue
        entry = _entry(new["targets"], {"fabric": "iscsi", "wwn": name})
        group = _entry(entry.setdefault("tpgs", []), {"tag": target.tag})
        group.update(_saved_group(group, target))
        by_name = {(one["plugin"], one["name"]): one for one in new["storage_objects"]}
        for lun in target.luns.values():
            plugin, _slash, store = lun.backstore.partition("/")
            if plugin in OURS:
                if (plugin, store) not in by_name:
                    by_name[plugin, store] = {"plugin": plugin, "name": store}
                    new["storage_objects"].append(by_name[plugin, store])
                _save_backstore(by_name[plugin, store], lun)
    used = {
        lun["storage_object"].partition("/backstores/")[2]
        for entry in new["targets"]
        for group in entry.get("tpgs", [])
        for lun in group.get("luns", [])
    }
    new["storage_objects"] = [
        one
        for one in new["storage_objects"]
        if f"{one['plugin']}/{one['name']}" in used or f"{one['plugin']}/{one['name']}" not in dropped
    ]
    return new


def _target(name: str, group: Mapping[str, Any], stores: Mapping[str, Any]) -> Target:
    luns = {}
    numbers = {}
    for one in group.get("luns", []):
        backstore = one["storage_object"].partition("/backstores/")[2]
        if backstore in stores:
            lun = _lun(name, one["index"], backstore, stores[backstore])
            luns[lun.name], numbers[lun.number] = lun, lun.name
    initiators = {}
    for one in group.get("node_acls", []):
        maps = [
            LunMap(numbers[entry["tpg_lun"]], entry["index"], bool(entry.get("write_protect")))
            for entry in one.get("mapped_luns", [])
            if entry["tpg_lun"] in numbers
        ]
        chap = chap_of({key: str(one.get(f"chap_{_auth(key)}") or "") for key in AUTH})
        initiators[one["node_wwn"]] = Initiator(
            one.get("tag") or one["node_wwn"], {entry.lun: entry for entry in maps}, chap
        )
    return Target(
        name=name,
        enabled=bool(group.get("enable", True)),
        portals=frozenset(
            Portal(one["ip_address"].strip("[]"), int(one["port"])) for one in group.get("portals", [])
        ),
        attributes=_texts(group.get("attributes", {})),
        parameters=_texts(group.get("parameters", {})),
        luns=luns,
        initiators=initiators,
        tag=group.get("tag", 1),
    )


def _lun(target: str, number: int, backstore: str, store: Mapping[str, Any]) -> Lun:
    path = store.get("dev") or ""
    return Lun(
        name=lun_name(target, store["name"]),
        number=number,
        path=path,
        serial=store.get("wwn") or "",
        size=None if path.startswith("/dev/") or store["plugin"] != "fileio" else int(store.get("size") or 0),
        block_size=int(store.get("attributes", {}).get("block_size", 512)),
        write_back=bool(store.get("write_back")),
        attributes=_texts(
            {key: value for key, value in store.get("attributes", {}).items() if key not in DERIVED}
        ),
        backstore=backstore,
    )


def _saved_group(group: Mapping[str, Any], target: Target) -> dict[str, Any]:
    numbers = {lun.name: lun.number for lun in target.luns.values()}
    return {
        "enable": target.enabled,
        "attributes": {**group.get("attributes", {}), **_numbers(target.attributes)},
        "parameters": {**group.get("parameters", {}), **target.parameters},
        "portals": _merged_list(
            group.get("portals", []),
            [{"ip_address": _address(one), "port": one.port} for one in sorted(target.portals)],
            lambda one: (one["ip_address"], one["port"]),
        ),
        "luns": _merged_list(
            group.get("luns", []),
            [
                {"index": one.number, "storage_object": f"/backstores/{one.backstore}"}
                for one in target.luns.values()
            ],
            lambda one: (one["index"], one["storage_object"]),
        ),
        "node_acls": _merged_list(
            group.get("node_acls", []),
            [_saved_initiator(name, one, numbers) for name, one in sorted(target.initiators.items())],
            lambda one: one["node_wwn"],
            _merge_initiator,
        ),
    }


def _saved_initiator(name: str, initiator: Initiator, numbers: Mapping[str, int]) -> dict[str, Any]:
    chap = initiator.chap
    found: dict[str, Any] = {
        "node_wwn": name,
        "mapped_luns": [
            {"index": entry.number, "tpg_lun": numbers[entry.lun], "write_protect": entry.read_only}
            for entry in initiator.luns.values()
        ],
    }
    if initiator.igroup != name:
        found["tag"] = initiator.igroup
    if chap:
        found.update(chap_userid=chap.user, chap_password=chap.secret.reveal())
    if chap and chap.mutual_user:
        found.update(chap_mutual_userid=chap.mutual_user, chap_mutual_password=chap.mutual_secret.reveal())
    return found


def _merge_initiator(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    maps = _merged_list(
        old.get("mapped_luns", []), new["mapped_luns"], lambda one: (one["index"], one["tpg_lun"])
    )
    kept = {key: value for key, value in old.items() if key != "tag" and not key.startswith("chap_")}
    return {**kept, **new, "mapped_luns": maps}


def _save_backstore(entry: dict[str, Any], lun: Lun) -> None:
    entry.update(dev=lun.path, wwn=lun.serial, write_back=lun.write_back)
    if lun.size is not None:
        entry["size"] = lun.size
    attributes = entry.setdefault("attributes", {})
    attributes.update(_numbers(lun.attributes), block_size=lun.block_size)
    if entry["plugin"] == "block":
        entry.setdefault("readonly", False)
        attributes["emulate_write_cache"] = int(lun.write_back)


def _entry(entries: list[dict[str, Any]], key: dict[str, Any]) -> dict[str, Any]:
    for one in entries:
        if all(one.get(name) == value for name, value in key.items()):
            return one
    entries.append(dict(key))
    return entries[-1]


def _merged_list(
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
    key: Callable[[dict[str, Any]], Any],
    merge: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda one, other: {**one, **other},
) -> list[dict[str, Any]]:
    """The new entries, each with the fields that its old one had besides, the old ones first and in their order."""
    wanted = {key(one): one for one in new}
    kept = [merge(one, wanted.pop(key(one))) for one in old if key(one) in wanted]
    return kept + [one for one in new if key(one) in wanted]


def _auth(key: str) -> str:
    """rtslib's name of a CHAP field: mutual_userid for the kernel's userid_mutual."""
    name, _underscore, mutual = key.partition("_")
    return f"mutual_{name}" if mutual else name


def _address(portal: Portal) -> str:
    return f"[{portal.address}]" if ":" in portal.address else portal.address


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _numbers(values: Mapping[str, str]) -> dict[str, Any]:
    return {key: int(value) if re.fullmatch(r"-?\d+", value) else value for key, value in values.items()}
