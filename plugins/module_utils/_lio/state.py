# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's target (LIO): what it serves, what is saved, what was asked for, and the plan between them.

Three states that must agree: wanted, running (configfs) and saved (what comes back after a boot).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Collection, Iterable, Mapping

from .._host import Host, Problem
from .._net.sockets import Sockets, look_sockets
from .._san.backing import Backing, look_backing, sizes_of
from .._san.merge import lay
from .._san.target import Target, shown_targets, whole
from . import configfs, persistence, saved_entry
from .configfs import ALL, Keys, Running
from .configfs_node import CORE, ISCSI
from .discovery import Discovery, look_discovery, want_discovery, with_discovery
from .named import to_save
from .persistence import Saved
from .rdma import look_rdma
from .saveconfig import CLOSED, DERIVED, merged
from .saved_entry import OURS, wwid_of

PLUGINS = (*OURS, "ramdisk", "pscsi", "user")
# rtslib's restore takes no other names (rtslib utils.py, normalize_wwn), so a target named otherwise would be lost at boot.
RESTORABLE = re.compile(r"iqn\.\d{4}-\d\d\.[^._][^_]*\.[^_]+|eui\.[0-9a-f]{16}|naa\.[125][0-9a-f]{15}")


@dataclass(frozen=True)
class Serving:
    """All that this host serves and saved, and what it stands on."""

    loaded: bool
    running: Running
    saved: Saved
    backing: Mapping[str, Backing]
    sockets: Sockets
    # The targets in the saved file: how they are read, 'saved' is what is compared.
    kept: Mapping[str, Target] = field(compare=False)
    known: Mapping[str, Collection[str]] = field(default_factory=dict)  # the settings that this kernel has
    discovery: Discovery = Discovery()
    rdma: bool = False  # whether it has a device for iSER
    # What LVM wrote on the LUNs that a caller expects something of (Label), or why that is not known; by target and LUN.
    labels: Mapping[tuple[str, str], Any] = field(default_factory=dict, compare=False)
    # Of a wanted state: the targets as asked for, with what cannot be made here and is the restore's to bring back.
    requested: Mapping[str, Target] = field(default_factory=dict, compare=False)

    def targets(self) -> dict[str, Target]:
        """Every target that runs or is saved, as it should run."""
        names = {**self.kept, **self.running.targets}
        return {name: found for name in names for found in [self.whole(name)] if found}

    def whole(self, name: str) -> Target | None:
        """One target as it should run."""
        return whole(self.running.targets.get(name), self.kept.get(name))

    def groups(self, name: str) -> list[Target]:
        """The portal groups of a target that run."""
        first = self.running.targets.get(name)
        return [*([first] if first else []), *self.running.others.get(name, ())]


def look_serving(host: Host, asked: Iterable[dict[str, Any]], force: bool = False) -> Serving:
    """Look once at everything; of the settings only those that are asked for, relied on or saved, and all of LUNs that may be
    recreated."""
    asked = list(asked)
    saved = persistence.look_saved(host)
    groups = saved_entry.saved_groups(saved.document)
    running = configfs.look_running(host, _keys(saved.document, groups, asked, force))
    kept = _kept(saved.document, running.targets)
    served = {lun.path for lun in running.stores.values() if lun.path}
    lost = {lun.path for target in kept.values() for lun in target.luns.values() if lun.path}
    luns = [lun for one in asked for lun in one["luns"] if lun["path"]]
    paths = {lun["path"] for lun in luns}
    sized = {lun["path"] for lun in luns if lun["size"] is not None}
    return Serving(
        loaded=host.stat(ISCSI) is not None,
        running=running,
        saved=saved,
        backing=look_backing(host, served, lost | paths, sized),
        sockets=look_sockets(host),
        kept=kept,
        known=configfs.look_known(host, running),
        discovery=look_discovery(host),
        rdma=look_rdma(host),
    )


def _kept(document: Mapping[str, Any], running: Mapping[str, Target]) -> dict[str, Target]:
    """The targets in a saved document, each with the portal group that belongs to the running one, if that is saved."""
    groups = saved_entry.saved_groups(document)
    found = {name: _same_group(running.get(name), document, some) for name, some in groups.items()}
    return {name: target for name, target in found.items() if target}


def _same_group(running: Target | None, document: Mapping[str, Any], groups: list[Target]) -> Target | None:
    """The saved portal group that belongs to the running one."""
    lowest = min(groups, key=lambda one: one.tag)
    found = next((one for one in groups if running is None or one.tag == running.tag), None)
    twin = saved_entry.twins(document, lowest.name)
    if twin:
        return replace(found or lowest, fault=f"the saved file has {twin} twice")
    if running and lowest.tag < running.tag:
        return replace(found or lowest, fault=f"its portal group {lowest.tag} is saved but not running")
    return replace(found, name=running.name) if running and found else found


def want_serving(
    seen: Serving,
    asked: Iterable[dict[str, Any]],
    purge: bool,
    all_targets: bool,
    asked_discovery: Mapping[str, Any] | None = None,
) -> Serving:
    """What was requested merged with what is there; what runs is what is saved."""
    asked = list(asked)
    before = seen.targets()
    for one in asked:
        fault = before[one["name"]].fault if one["name"] in before else ""
        if fault:
            raise Problem(f"The target '{one['name']}' is left alone: {fault}. Repair that by hand first.")
    found = {one["name"]: lay(before.get(one["name"]), one, seen.backing, purge) for one in asked}
    access = {one["name"] for one in asked if _decides_access(before.get(one["name"]), one, purge)}
    if all_targets:
        found.update({name: None for name in before if name not in found})
    after = {
        name: _relied_on(_named(target), name in access) if target else None for name, target in found.items()
    }
    targets = {name: after.get(name, target) for name, target in {**seen.running.targets, **after}.items()}
    running = replace(
        seen.running,
        targets={name: target for name, target in targets.items() if target},
        halves=tuple(path for path in seen.running.halves if not _cleared(seen, path, found)),
    )
    by_name = {one["name"]: one for one in asked}
    discovery = want_discovery(seen.discovery, asked_discovery)

    def merge(document: Mapping[str, Any]) -> dict[str, Any]:
        new = _merged(seen, before, after, by_name, access, document) if after else document
        return dict(new) if asked_discovery is None else with_discovery(new, discovery)

    saves = bool(after) or asked_discovery is not None
    document = merge(seen.saved.document) if saves else seen.saved.document
    order = persistence.restore_order(document) if seen.saved.unit and saves else seen.saved.order
    saved = replace(seen.saved, document=document, private=True, order=order, merge=merge if saves else dict)
    return replace(
        seen,
        loaded=seen.loaded or any(after.values()) or discovery != Discovery(),
        discovery=discovery,
        running=running,
        saved=saved,
        backing=_grown(seen, before, after),
        kept=_kept(document, running.targets) if after else seen.kept,
    )


def _merged(
    seen: Serving,
    before: Mapping[str, Target],
    after: Mapping[str, Target | None],
    asked: Mapping[str, dict[str, Any]],
    access: Collection[str],
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """A saved document with what was asked for; it may be a newer one than was seen, and what is in it then stays."""
    kept = _kept(document, seen.running.targets)
    saved_as = {
        name: to_save(kept.get(name), before.get(name), target, asked[name], name in access)
        if target
        else None
        for name, target in after.items()
    }
    used = {store for store in seen.running.backstores if _used_elsewhere(seen, store, after)}
    return merged(document, {**before, **_all_groups(seen, after)}, saved_as, used)


def _cleared(seen: Serving, path: str, asked: Mapping[str, Target | None]) -> bool:
    """Whether something empty goes: a place for backstores, or in a target that was asked for. One may be saved empty."""
    if path.startswith(f"{CORE}/"):
        return bool(asked)
    name, _slash, inside = path[len(f"{ISCSI}/") :].lower().partition("/")
    saved = name in {one["wwn"].lower() for one in seen.saved.document.get("targets", [])}
    return name in asked and bool(inside or asked[name] is None or not saved)


def _decides_access(target: Target | None, asked: dict[str, Any], purge: bool) -> bool:
    """Whether it was said who may log in. Otherwise that stays, however open it is."""
    return target is None or target.unfinished or asked["access"] or (purge and "igroups" in asked["given"])


def _all_groups(seen: Serving, after: Mapping[str, Target | None]) -> dict[str, Target]:
    """Targets that go, with the LUNs of all their portal groups."""
    found = {}
    for name, target in after.items():
        whole_ = seen.whole(name)
        if target is None and whole_:
            groups = [*seen.groups(name), *saved_entry.saved_groups(seen.saved.document).get(name, ())]
            luns = [lun for group in [whole_, *groups] for lun in group.luns.values()]
            found[name] = replace(whole_, luns=dict(enumerate(luns)))
    return found


def _used_elsewhere(seen: Serving, store: str, after: Mapping[str, Target | None]) -> bool:
    """Whether something that is not worked on serves a backstore."""
    for name, tag, _place in seen.running.users(store):
        now = seen.running.targets.get(name)
        if now is None or name not in after or (after[name] is not None and tag != now.tag):
            return True
    return False


def show_serving(state: Serving, names: Iterable[str] | None) -> dict[str, Any]:
    """The targets by name, without secrets; None: all of them."""
    return shown_targets(state.running.targets, names, sizes_of(state.backing), wwid_of)


def _keys(
    document: Mapping[str, Any],
    groups: Mapping[str, list[Target]],
    asked: Iterable[dict[str, Any]],
    force: bool,
) -> Keys:
    """Of what is worked on and was never saved, everything: all of it is to be saved."""
    saved = [one for some in groups.values() for one in some]
    attributes: dict[str, set[str]] = {}
    parameters: dict[str, set[str]] = {}
    for target in saved:
        attributes.setdefault(target.name, set()).update(target.attributes)
        parameters.setdefault(target.name, set()).update(target.parameters)
    backstores = {
        saved_entry.store_of(one): set(one.get("attributes", {}))
        for one in document.get("storage_objects", [])
    }
    remade = set()
    for one in asked:
        name = one["name"]
        known = {ALL} if name not in groups else set()
        attributes[name] = (
            attributes.get(name, set()) | set(one["attributes"]) | (DERIVED - {"AuthMethod"}) | known
        )
        parameters[name] = parameters.get(name, set()) | set(one["parameters"]) | {"AuthMethod"} | known
        for lun in one["luns"]:
            stores = [f"{plugin}/{own}{lun['name']}" for plugin in PLUGINS for own in (f"{name}:", "")]
            for store in stores:
                backstores[store] = backstores.get(store, set()) | set(lun["attributes"])
            if (
                force
                or lun["attributes"]
                or any(lun[key] is not None for key in ("block_size", "write_back"))
            ):
                remade |= set(stores)
    return Keys(attributes, parameters, backstores, remade=remade)


def _named(target: Target) -> Target:
    """The backstore of each new LUN: names are unique on a host, so the target's is part of it."""
    luns = {}
    for number, lun in target.luns.items():
        plugin = "fileio" if lun.size is not None else "block"
        luns[number] = (
            lun if lun.backstore else replace(lun, backstore=f"{plugin}/{target.name.lower()}:{lun.name}")
        )
    return replace(target, luns=luns)


def _relied_on(target: Target, access: bool) -> Target:
    if not access:
        return target
    chap = any(one.chap for one in target.initiators.values())
    return replace(
        target,
        attributes={**target.attributes, **CLOSED, "authentication": str(int(chap))},
        parameters={**target.parameters, "AuthMethod": "CHAP" if chap else "CHAP,None"},
    )


def _grown(
    seen: Serving, before: Mapping[str, Target], after: Mapping[str, Target | None]
) -> dict[str, Backing]:
    """Every file is at least as big as its LUN, where that is new or grows."""
    found = dict(seen.backing)
    sizes = {lun.backstore: lun.size for target in before.values() for lun in target.luns.values()}
    for lun in (lun for target in after.values() if target for lun in target.luns.values()):
        now = found.get(lun.path, Backing())
        if lun.size is None or not lun.path or sizes.get(lun.backstore) == lun.size:
            continue
        if (now.size or 0) < lun.size:
            found[lun.path] = replace(now, size=lun.size, identity=now.identity or (lun.path,))
    return found
