# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's target (LIO): what it serves, what is saved, what was asked for, and the plan between them.

Three states that must agree: wanted, running (configfs) and saved (what comes back after a boot).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Iterable, Mapping

from ansible_collections.lunworks.iscsi.plugins.module_utils import lio_configfs, lio_document, lio_saved
from ansible_collections.lunworks.iscsi.plugins.module_utils.backing import Backing, look_backing
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_configfs import ISCSI, Keys, Running
from ansible_collections.lunworks.iscsi.plugins.module_utils.lio_saved import Saved
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import Target, shown, whole
from ansible_collections.lunworks.iscsi.plugins.module_utils.san_wanted import lay
from ansible_collections.lunworks.iscsi.plugins.module_utils.sockets import Sockets, look_sockets

# Demo mode is off: only initiators with an ACL get in. Every setting that this rests on is written, not hoped for.
CLOSED = {
    "cache_dynamic_acls": "0",
    "demo_mode_write_protect": "1",
    "generate_node_acls": "0",
    "prod_mode_write_protect": "0",
}
DERIVED = {*CLOSED, "authentication", "AuthMethod"}
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
    kept: Mapping[str, Target]  # the targets in the saved file

    def targets(self) -> dict[str, Target]:
        """Every target that runs or is saved, as it should run."""
        names = {**self.kept, **self.running.targets}
        return {name: found for name in names for found in [self.whole(name)] if found}

    def whole(self, name: str) -> Target | None:
        """One target as it should run."""
        return whole(self.running.targets.get(name), self.kept.get(name))


def look_serving(host: Host, asked: Iterable[dict[str, Any]]) -> Serving:
    """Look once at everything; of the settings only those that are asked for, relied on or saved."""
    asked = list(asked)
    saved = lio_saved.look_saved(host)
    kept = lio_document.saved_targets(saved.document)
    running = lio_configfs.look_running(host, _keys(kept, asked))
    served = {lun.path for target in running.targets.values() for lun in target.luns.values() if lun.path}
    lost = {lun.path for target in kept.values() for lun in target.luns.values() if lun.path}
    luns = [lun for one in asked for lun in one["luns"] if lun["path"]]
    paths = {lun["path"] for lun in luns}
    full = {lun["path"] for lun in luns if lun["allocation"] == "full"}
    return Serving(
        loaded=host.stat(ISCSI) is not None,
        running=running,
        saved=saved,
        backing=look_backing(host, served, lost | paths, full),
        sockets=look_sockets(host),
        kept=kept,
    )


def want_serving(seen: Serving, asked: Iterable[dict[str, Any]], purge: bool, all_targets: bool) -> Serving:
    """What was asked for laid over what is; what runs is what is saved."""
    sizes = {path: one.size for path, one in seen.backing.items()}
    found = {one["name"]: lay(seen.whole(one["name"]), one, sizes, purge) for one in asked}
    if all_targets:
        found.update({name: None for name in seen.targets() if name not in found})
    after = {name: _relied_on(_named(target)) if target else None for name, target in found.items()}
    targets = {name: after.get(name, target) for name, target in {**seen.running.targets, **after}.items()}
    running = replace(seen.running, targets={name: target for name, target in targets.items() if target})
    document = seen.saved.document
    if after:
        document = lio_document.merged(document, seen.targets(), after)
    order = lio_saved.restore_order(document) if seen.saved.unit and after else seen.saved.order
    saved = replace(seen.saved, document=document, private=True, order=order)
    kept = {name: target for name, target in {**seen.kept, **after}.items() if target}
    return replace(
        seen,
        loaded=seen.loaded or any(after.values()),
        running=running,
        saved=saved,
        backing=_grown(seen.backing, [target for target in after.values() if target]),
        kept=kept,
    )


def show_serving(state: Serving, names: Iterable[str] | None) -> dict[str, Any]:
    """The targets by name, without secrets; None: all of them."""
    sizes = {path: one.size for path, one in state.backing.items() if one.size is not None}
    targets = state.running.targets
    return {"targets": [shown(targets[name], sizes) for name in sorted(names or targets) if name in targets]}


def _keys(kept: Mapping[str, Target], asked: Iterable[dict[str, Any]]) -> Keys:
    attributes = {name: set(target.attributes) for name, target in kept.items()}
    parameters = {name: set(target.parameters) for name, target in kept.items()}
    backstores = {lun.backstore: set(lun.attributes) for one in kept.values() for lun in one.luns.values()}
    for one in asked:
        name = one["name"]
        attributes[name] = attributes.get(name, set()) | set(one["attributes"]) | (DERIVED - {"AuthMethod"})
        parameters[name] = parameters.get(name, set()) | set(one["parameters"]) | {"AuthMethod"}
        for lun in one["luns"]:
            for plugin in lio_document.OURS:
                for store in (f"{plugin}/{name}:{lun['name']}", f"{plugin}/{lun['name']}"):
                    backstores[store] = backstores.get(store, set()) | set(lun["attributes"])
    return Keys(attributes, parameters, backstores)


def _named(target: Target) -> Target:
    """The backstore of each new LUN: names are unique on a host, so the target's is part of it."""
    luns = {}
    for name, lun in target.luns.items():
        plugin = "fileio" if lun.size is not None else "block"
        kind = lun.backstore.partition("/")[0]
        ours = kind in ("", *lio_document.OURS)
        backstore = f"{plugin}/{target.name}:{name}" if ours and kind != plugin else lun.backstore
        luns[name] = replace(lun, backstore=backstore)
    return replace(target, luns=luns)


def _relied_on(target: Target) -> Target:
    chap = any(one.chap for one in target.initiators.values())
    return replace(
        target,
        attributes={**target.attributes, **CLOSED, "authentication": str(int(chap))},
        parameters={**target.parameters, "AuthMethod": "CHAP" if chap else "CHAP,None"},
    )


def _grown(backing: Mapping[str, Backing], targets: Iterable[Target]) -> dict[str, Backing]:
    """Every file is at least as big as its LUN."""
    found = dict(backing)
    for lun in (
        lun for target in targets for lun in target.luns.values() if lun.size is not None and lun.path
    ):
        now = found.get(lun.path, Backing())
        if (now.size or 0) < (lun.size or 0):
            found[lun.path] = replace(now, size=lun.size, identity=now.identity or (lun.path,))
    return found
