# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules node and nodes, checked and turned into requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable

from ..._arguments import by_name, portal, target_key, target_name, unique
from ..._chap import CHAP_OPTION, NO_CHAP, chap
from ..._host import Host, Problem
from ..._step import Secret, Step
from ..conf.presets import PRESETS, with_preset
from ..conf.settings import NODE, STARTUPS, Value, chap_settings, named, setting
from ..lock import Locking
from ..record import RecordId, iface_name
from .plan import Nodes, Request, Requests, look_nodes, plan_nodes, want_nodes
from .refuse import note_nodes, refuse_nodes

OPTIONS: dict[str, Any] = {
    "target": {"type": "str", "required": True},
    "portals": {"type": "list", "elements": "str", "default": []},
    "ifaces": {"type": "list", "elements": "str", "default": ["default"]},
    "tpg": {"type": "int"},
    "startup": {"type": "str", "choices": list(STARTUPS)},
    "preset": {"type": "str", "choices": list(PRESETS)},
    "settings": {"type": "dict", "default": {}},
    "reset_to_defaults": {"type": "list", "elements": "str", "default": []},
    "chap": CHAP_OPTION,
    "logged_in": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
UNREACHABLE: dict[str, Any] = {"type": "str", "choices": ["fail", "skip"], "default": "fail"}
BY_STARTUP: dict[str, Any] = {
    "type": "dict",
    "options": {startup: {"type": "bool"} for startup in STARTUPS},
}


AUTH = "node.session.auth"
ELSEWHERE = {"node.startup": "startup", **dict.fromkeys(chap_settings(NO_CHAP, AUTH), "chap")}


class NodesResource(Locking):
    """Nodes converged to what was requested."""

    def __init__(
        self,
        asked: list[dict[str, Any]],
        purge: bool,
        unreachable: str,
        assume_present: Iterable[str] = (),
        by_startup: dict[str, bool | None] | None = None,
    ) -> None:
        pairs = [(name, request) for one in asked for name, request in requests(one)]
        unique("node", [str(replace(name, spelled="")) for name, _request in pairs])
        self.requests = Requests(
            named=dict(pairs),
            emptied=frozenset(target_key(one["target"]) for one in asked if purge or not one["portals"]),
            by_startup={key: value for key, value in (by_startup or {}).items() if value is not None},
            # a target's in lower case
            assume_present=frozenset([*assume_present, *(name.lower() for name in assume_present)]),
            patient=unreachable == "skip",
        )
        if self.requests.by_startup.get("onboot") is False:
            raise Problem(
                "by_startup cannot log out of what has the startup 'onboot': the root disk may be on it. Name the nodes "
                "if you want that."
            )
        shown = {
            key
            for request in self.requests.named.values()
            for key in (*request.settings, *request.reset_to_defaults)
        }
        self.shown = sorted(shown - set(ELSEWHERE))

    def look(self, host: Host) -> Nodes:
        return look_nodes(host, self.requests)

    def want(self, seen: Nodes) -> Nodes:
        check_names(seen, self.requests)
        return want_nodes(seen, self.requests)

    def plan(self, seen: Nodes, want: Nodes) -> list[Step]:
        return plan_nodes(seen, want)

    def refuse(self, seen: Nodes, want: Nodes, steps: list[Step]) -> None:
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
                    "target": name.written,
                    "portal": str(name.portal),
                    "iface": name.iface,
                    "tpg": node.record.tpg if node.record else None,
                    "recorded": node.record is not None,
                    "startup": node.startup or None,
                    "chap_user": settings.get("node.session.auth.username") or None,
                    "settings": {key: settings.get(key) for key in self.shown},
                    "logged_in": node.logged_in,
                    "sessions": len(node.sessions),
                    "login_blocked_by": str(state.blocked.get(name, "")) or None,
                }
            )
        return {"nodes": shown}


def check_names(seen: Nodes, requests: Requests) -> None:
    """A host name may stand for another address tomorrow: it is a portal only where a record or a session has it already."""
    there = {(name.target, name.portal) for name in seen.nodes}
    for name, request in requests.named.items():
        known = (name.target, name.portal) in there or name.target in requests.assume_present
        if by_name(name.portal) and not known and not request.absent:
            raise Problem(
                f"'{name.portal}' is not a portal of '{name.written}' (ADDRESS, ADDRESS:PORT or [IPV6]:PORT): it is a host "
                f"name, and no record of the target on this host has it. Give the address."
            )


def requests(asked: dict[str, Any]) -> list[tuple[RecordId, Request]]:
    """One entry of the list: a request for each of its portals and ifaces."""
    target, absent = target_name(asked["target"]), asked["state"] == "absent"
    if not asked["portals"] and not absent:
        raise Problem(
            f"The node '{target}' needs its portals. Only with state 'absent' may they be omitted: then all are removed."
        )
    if absent and asked["logged_in"]:
        raise Problem(f"The node '{target}' cannot be absent and logged_in at once.")
    if asked["tpg"] is not None and not 0 <= asked["tpg"] <= 65535:
        raise Problem(
            f"The tpg {asked['tpg']} of '{target}' is not a portal group tag. It must be a number from 0 to 65535."
        )
    reset = tuple(key for name in asked["reset_to_defaults"] for key in reset_keys(name))
    request = Request(absent, asked["tpg"], _settings(asked), reset, asked["logged_in"])
    names = [
        RecordId.of(target, portal(where, names=True), iface_name(iface))
        for where in asked["portals"]
        for iface in asked["ifaces"]
    ]
    return [(name, request) for name in names]


def reset_keys(name: str) -> list[str]:
    """The settings that a name in 'reset_to_defaults' means: itself, or all below it."""
    keys = [key for key in NODE if key == name or key.startswith(f"{name}.")]
    if not keys:
        raise Problem(
            f"'{name}' in reset_to_defaults is neither a setting of a record nor the beginning of one. Give a name like "
            f"'node.session.timeo.replacement_timeout', or 'node.session.timeo' for all below it."
        )
    return keys


def _settings(asked: dict[str, Any]) -> dict[str, Value]:
    settings: dict[str, Value] = {}
    for key, value in with_preset(asked["preset"], named(asked["settings"])).items():
        if key in ELSEWHERE:
            raise Problem(f"'{key}' belongs in the option '{ELSEWHERE[key]}', not in 'settings'.")
        if value is None:
            raise Problem(
                f"The setting '{key}' has no value. A record keeps what is not named: leave the line out."
            )
        settings[key] = setting(key, value, NODE)
    if asked["startup"] is not None:
        settings["node.startup"] = asked["startup"]
    given = chap(asked["chap"])
    found = chap_settings(given, AUTH) if given else {}
    for key, value in found.items():
        text = value.reveal() if isinstance(value, Secret) else value
        if text:
            setting(key, text, NODE)
    return {**settings, **found}
