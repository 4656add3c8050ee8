# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask of nodes: the options of the modules node and nodes, checked and made into wishes."""

from __future__ import annotations

from typing import Any, Iterable

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import (
    CHAP_OPTION,
    NO_CHAP,
    chap,
    iscsi_name,
    portal,
    unique,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_node import (
    Nodes,
    Wish,
    chap_settings,
    look_nodes,
    note_nodes,
    plan_nodes,
    refuse_nodes,
    want_nodes,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import RecordId
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_setting import (
    NODE,
    STARTUPS,
    Value,
    setting,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Secret, Step

OPTIONS: dict[str, Any] = {
    "target": {"type": "str", "required": True},
    "portals": {"type": "list", "elements": "str", "default": []},
    "ifaces": {"type": "list", "elements": "str", "default": ["default"]},
    "tpg": {"type": "int"},
    "startup": {"type": "str", "choices": list(STARTUPS)},
    "settings": {"type": "dict", "default": {}},
    "chap": CHAP_OPTION,
    "logged_in": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
ELSEWHERE = {"node.startup": "startup", **dict.fromkeys(chap_settings(NO_CHAP), "chap")}


class WishedNodes(Resource):
    """Nodes converged to what was asked of them."""

    def __init__(self, asked: list[dict[str, Any]], purge: bool, promised: Iterable[str] = ()) -> None:
        pairs = [(name, wish) for one in asked for name, wish in wishes(one)]
        unique("node", [str(name) for name, _wish in pairs])
        self.wishes = dict(pairs)
        self.promised = {*promised, *(name.lower() for name in promised)}  # a target's name in lower case
        self.emptied = {iscsi_name(one["target"]) for one in asked if purge or not one["portals"]}
        self.shown = sorted({key for wish in self.wishes.values() for key in wish.settings} - set(ELSEWHERE))

    def look(self, host: Host) -> Nodes:
        return look_nodes(host, self.wishes, self.emptied, self.promised)

    def want(self, seen: Nodes) -> Nodes:
        return want_nodes(seen, self.wishes, self.emptied)

    def plan(self, seen: Nodes, want: Nodes) -> list[Step]:
        return plan_nodes(seen, want)

    def refuse(self, seen: Nodes, steps: list[Step]) -> None:
        refuse_nodes(seen, steps)

    def notes(self, seen: Nodes, steps: list[Step]) -> Iterable[str]:
        return note_nodes(seen, steps)

    def show(self, state: Nodes) -> Any:
        """One entry for each portal and iface, with the settings that were asked about."""
        shown = []
        for name, node in sorted(state.nodes.items()):
            settings = node.record.settings if node.record else {}
            shown.append(
                {
                    "target": name.target,
                    "portal": str(name.portal),
                    "iface": name.iface,
                    "tpg": node.record.tpg if node.record else None,
                    "recorded": node.record is not None,
                    "startup": settings.get("node.startup", "manual") if node.record else None,
                    "chap_user": settings.get("node.session.auth.username") or None,
                    "settings": {key: settings.get(key) for key in self.shown},
                    "logged_in": node.logged_in,
                }
            )
        return {"nodes": shown}


def wishes(asked: dict[str, Any]) -> list[tuple[RecordId, Wish]]:
    """One entry of the list: a wish for each of its portals and ifaces."""
    target, absent = iscsi_name(asked["target"]), asked["state"] == "absent"
    if not asked["portals"] and not absent:
        raise Problem(
            f"The node '{target}' needs its portals. Only with state 'absent' may they be left out: all go."
        )
    if absent and asked["logged_in"]:
        raise Problem(f"The node '{target}' cannot be absent and logged_in at once.")
    if asked["tpg"] is not None and not 0 <= asked["tpg"] <= 65535:
        raise Problem(
            f"The tpg {asked['tpg']} of '{target}' is no portal group tag. Wanted is a number from 0 to 65535."
        )
    for iface in asked["ifaces"]:
        if not iface or "/" in iface:
            raise Problem(f"'{iface}' is not the name of an iface.")
    wish = Wish(absent, asked["tpg"], _settings(asked), asked["logged_in"])
    names = [
        RecordId(target, portal(where), iface) for where in asked["portals"] for iface in asked["ifaces"]
    ]
    return [(name, wish) for name in names]


def _settings(asked: dict[str, Any]) -> dict[str, Value]:
    settings: dict[str, Value] = {}
    for key, value in asked["settings"].items():
        if key in ELSEWHERE:
            raise Problem(f"'{key}' belongs into the option '{ELSEWHERE[key]}', not into 'settings'.")
        if value is None:
            raise Problem(
                f"The setting '{key}' has no value. A record keeps what is not named: leave the line out."
            )
        settings[key] = setting(key, value, NODE)
    if asked["startup"] is not None:
        settings["node.startup"] = asked["startup"]
    found = chap_settings(chap(asked["chap"]))
    for key, value in found.items():
        text = value.reveal() if isinstance(value, Secret) else value
        if text:
            setting(key, text, NODE)
    return {**settings, **found}
