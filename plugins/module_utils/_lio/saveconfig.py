# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our words written into saveconfig.json, and nothing else.

An entry is touched only where its target, LUN or initiator shall be otherwise than it stands there: what others saved stays,
byte for byte, in its order, with the fields that we do not know.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Callable, Collection, Mapping

from .._arguments import Portal
from .._san.target import Initiator, Lun, Target
from .alua import merge_alua
from .saved_entry import (
    OURS,
    backstore_of,
    number,
    portal_of,
    saved_lun,
    saved_targets,
    store_of,
    tag_of,
    texts,
)

# Demo mode is off: only initiators with an ACL get in. Every setting that this rests on is written, not hoped for.
# While ACLs are generated the kernel caches them, whatever is written (Linux, iscsi_target_tpg.c): that one goes first.
CLOSED = {
    "generate_node_acls": "0",
    "cache_dynamic_acls": "0",
    "demo_mode_write_protect": "1",
    "prod_mode_write_protect": "0",
}
DERIVED = {*CLOSED, "authentication", "AuthMethod"}  # what decides who may log in


def merged(
    document: Mapping[str, Any],
    before: Mapping[str, Target],
    after: Mapping[str, Target | None],
    used: Collection[str] = (),
) -> dict[str, Any]:
    """The document with these targets as they shall be, None: gone; everything else stays. 'used' are backstores that
    something else serves."""
    new = copy.deepcopy(dict(document))
    for key in ("storage_objects", "targets", "fabric_modules"):
        new.setdefault(key, [])
    for name, target in after.items():
        if target is None:
            new["targets"] = [one for one in new["targets"] if not _is(one, name)]
        else:
            _merge_target(new, name, before.get(name), target)
    _drop_stores(new, before, after, used)
    return {key: value for key, value in new.items() if value or key in document or not document}


def _is(entry: Mapping[str, Any], name: str) -> bool:
    return bool(entry["fabric"] == "iscsi" and entry["wwn"].lower() == name)


def _merge_target(new: dict[str, Any], name: str, before: Target | None, after: Target) -> None:
    entry = next((one for one in new["targets"] if _is(one, name)), None)
    if entry is None:
        entry = {"fabric": "iscsi", "wwn": name}
        new["targets"].append(entry)
    groups = entry.setdefault("tpgs", [])
    group = next((one for one in groups if tag_of(one) == after.tag), None)
    if group is None:
        group = {"tag": after.tag, "enable": after.enabled, "portals": [], "luns": [], "node_acls": []}
        groups.append(group)
    _merge_stores(new["storage_objects"], after)
    known = {store_of(one) for one in new["storage_objects"]}
    saved = saved_targets({**new, "targets": [{**entry, "tpgs": [group]}]})[name]
    gone = before or Target(name)
    if saved.enabled != after.enabled:
        group["enable"] = after.enabled
    _merge_settings(group, "attributes", after.attributes)
    _merge_settings(group, "parameters", after.parameters, as_numbers=False)
    _merge_portals(group, gone.portals - after.portals, after)
    _merge_luns(group, saved, gone, after, known)
    _merge_groups(new["storage_objects"], group, saved, after)
    _merge_initiators(group, saved, gone, after, known)


def _merge_settings(
    entry: dict[str, Any], key: str, wanted: Mapping[str, str], as_numbers: bool = True
) -> None:
    now = texts(entry.get(key, {}))
    for name, text in wanted.items():
        if now.get(name) != text:
            entry.setdefault(key, {})[name] = (
                int(text) if as_numbers and re.fullmatch(r"-?\d+", text) else text
            )


def _merge_portals(group: dict[str, Any], gone: frozenset[Portal], after: Target) -> None:
    kept = [one for one in group.get("portals", []) if portal_of(one) not in gone]
    there = {portal_of(one) for one in kept}
    new = [
        {"ip_address": f"[{one.address}]" if ":" in one.address else one.address, "port": one.port}
        for one in sorted(after.portals - there)
    ]
    for entry in kept + new:
        where = portal_of(entry)
        if where in after.portals and bool(entry.get("iser")) != (where in after.iser):
            entry["iser"] = where in after.iser
    if kept or new or "portals" in group:
        group["portals"] = kept + new


def _merge_luns(
    group: dict[str, Any], saved: Target, before: Target, after: Target, known: Collection[str]
) -> None:
    wanted = {
        index: {"index": index, "storage_object": f"/backstores/{lun.backstore}"}
        for index, lun in after.luns.items()
        if lun.backstore in known or index in saved.luns
    }
    served = {lun.backstore for lun in after.luns.values()}
    past = {
        index for index, lun in saved.luns.items() if index not in before.luns and lun.backstore in served
    }
    gone = {*before.luns, *past} - set(after.luns)
    luns = _merged_list(
        group.get("luns", []),
        gone,
        wanted,
        lambda one, new: one if backstore_of(one) == backstore_of(new) else new,
    )
    if luns or "luns" in group:
        group["luns"] = luns


def _merge_groups(stores: list[dict[str, Any]], group: dict[str, Any], saved: Target, after: Target) -> None:
    """The ALUA groups of LUNs that are to be in another one, or in one that is otherwise."""
    entries = {number(one["index"]): one for one in group.get("luns", [])}
    for index, lun in after.luns.items():
        old = saved.luns.get(index)
        was = old.alua if old and old.backstore == lun.backstore else None
        if was != lun.alua and index in entries:
            merge_alua(
                [one for one in stores if store_of(one) == lun.backstore], entries[index], was, lun.alua
            )


def _merge_initiators(
    group: dict[str, Any],
    saved: Target,
    before: Target,
    after: Target,
    known: Collection[str],
) -> None:
    gone = set(before.initiators) - set(after.initiators)
    left = [one for one in group.get("node_acls", []) if one["node_wwn"].lower() not in gone]
    entries = {one["node_wwn"].lower(): one for one in left}
    for name, one in sorted(after.initiators.items()):
        entry = entries.get(name)
        old = saved.initiators.get(name)
        if entry is None:
            entry = {"node_wwn": name, "mapped_luns": []}
            left.append(entry)
        if old is None or old.igroup != one.igroup:
            _merge_igroup(entry, name, one)
        if old is None or old.chap != one.chap:
            _merge_chap(entry, one)
        maps = {
            index: {"index": index, "tpg_lun": map_.lun, "write_protect": map_.read_only}
            for index, map_ in sorted(one.luns.items())
            if map_.lun in after.luns and (after.luns[map_.lun].backstore in known or index in _maps(old))
        }
        taken = {*_maps(before.initiators.get(name)), *_past(old, one)} - set(one.luns)
        if maps or taken or "mapped_luns" in entry:
            entry["mapped_luns"] = _merged_list(entry.get("mapped_luns", []), taken, maps, _merged_map)
    if left or "node_acls" in group:
        group["node_acls"] = left


def _past(old: Initiator | None, one: Initiator) -> Collection[int]:
    """The numbers under which it saw LUNs that it sees under others now: a run was killed between that and saving it.

    Where others saved a LUN under several numbers, all of them are wanted (san.whole)."""
    seen = {entry.lun for entry in one.luns.values()}
    return {index for index, entry in old.luns.items() if entry.lun in seen} if old else ()


def _maps(initiator: Initiator | None) -> Collection[int]:
    return initiator.luns if initiator else ()


def _merge_igroup(entry: dict[str, Any], name: str, one: Initiator) -> None:
    entry.pop("tag", None)
    if one.igroup != name:
        entry["tag"] = one.igroup


def _merge_chap(entry: dict[str, Any], one: Initiator) -> None:
    for key in ("userid", "password", "mutual_userid", "mutual_password"):
        entry.pop(f"chap_{key}", None)
    if one.chap:
        entry.update(chap_userid=one.chap.user, chap_password=one.chap.secret.reveal())
    if one.chap and one.chap.mutual_user:
        entry.update(
            chap_mutual_userid=one.chap.mutual_user, chap_mutual_password=one.chap.mutual_secret.reveal()
        )


def _merged_map(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    if number(old["tpg_lun"]) != new["tpg_lun"]:
        return new
    same = bool(old.get("write_protect")) == new["write_protect"]
    return old if same else {**old, "write_protect": new["write_protect"]}


def _merged_list(
    old: list[dict[str, Any]],
    gone: Collection[int],
    wanted: Mapping[int, dict[str, Any]],
    merge: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The old entries in their order, without those that go, then the new ones; all by their 'index'."""
    left = dict(wanted)
    kept = []
    for one in old:
        index = number(one["index"])
        new = left.pop(index, None)
        if new is not None:
            kept.append(merge(one, new))
        elif index not in gone:
            kept.append(one)
    return kept + list(left.values())


def _merge_stores(stores: list[dict[str, Any]], target: Target) -> None:
    by_name = {store_of(one): one for one in stores}
    for lun in target.luns.values():
        plugin, _slash, name = lun.backstore.partition("/")
        if lun.backstore not in by_name and plugin in OURS:
            by_name[lun.backstore] = {"plugin": plugin, "name": name}
            stores.append(by_name[lun.backstore])
        if lun.backstore in by_name:
            _merge_store(
                by_name[lun.backstore], saved_lun(target.name, 0, lun.backstore, by_name[lun.backstore]), lun
            )


def _merge_store(entry: dict[str, Any], old: Lun, lun: Lun) -> None:
    new = set(entry) == {"plugin", "name"}
    fields = {
        "dev": (old.path, lun.path),
        "wwn": (old.serial, lun.serial),
        "write_back": (old.write_back, lun.write_back),
        "size": (old.size, lun.size),
        "readonly": (old.read_only, lun.read_only),
        "aio": (old.asynchronous, lun.asynchronous),
    }
    said = {"dev", "wwn", "write_back", "size", *(["readonly"] if entry["plugin"] == "block" else [])}
    for key, (was, value) in fields.items() if entry["plugin"] in OURS else ():
        if value is not None and (was != value or (new and key in said)):
            entry[key] = value
    settings = dict(lun.attributes)
    if entry["plugin"] in OURS and (new or old.block_size != lun.block_size):
        settings["block_size"] = str(lun.block_size)
    if entry["plugin"] == "block" and (new or old.write_back != lun.write_back):
        settings["emulate_write_cache"] = str(int(lun.write_back))
    if settings:
        _merge_settings(entry, "attributes", settings)


def _drop_stores(
    new: dict[str, Any],
    before: Mapping[str, Target],
    after: Mapping[str, Target | None],
    elsewhere: Collection[str],
) -> None:
    """Storage objects of LUNs that were taken away, which no target of any fabric has any more."""
    stay = {lun.backstore for target in after.values() if target for lun in target.luns.values()}
    gone = {
        lun.backstore
        for name in after
        if name in before
        for lun in before[name].luns.values()
        if lun.backstore not in stay and lun.backstore.partition("/")[0] in OURS
    }
    used = set(elsewhere) | {
        backstore_of(lun)
        for entry in new["targets"]
        for group in entry.get("tpgs", [])
        for lun in group.get("luns", [])
    }
    new["storage_objects"] = [
        one for one in new["storage_objects"] if store_of(one) in used or store_of(one) not in gone
    ]
