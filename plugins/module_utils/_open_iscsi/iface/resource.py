# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of iface, and the iface converged to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._host import Host, Problem
from ..._step import Step
from ..lock import Locking
from .card import look_card
from .fields import TRANSPORTS, wanted_fields
from .plan import Ifaces, check_name, look_iface, plan_iface, refuse_iface, want_iface

OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "nic": {"type": "str"},
    "mac": {"type": "str"},
    "transport": {"type": "str", "choices": list(TRANSPORTS)},
    "iface_num": {"type": "int"},
    "address": {"type": "str"},
    "prefix": {"type": "int"},
    "subnet_mask": {"type": "str"},
    "gateway": {"type": "str"},
    "vlan": {"type": "int"},
    "vlan_priority": {"type": "int"},
    "mtu": {"type": "int"},
    "settings": {"type": "dict", "default": {}},
    "initiator_name": {"type": "str"},
    "applied": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class Iface(Locking):
    """An iface with the fields that were asked for, and if asked for, its card with them."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.name = check_name(options["name"])
        self.absent = options["state"] == "absent"
        self.applied = options["applied"]
        self.fields = wanted_fields(options)
        if self.absent and self.applied:
            raise Problem(f"The iface '{self.name}' cannot be both absent and applied. Choose one.")

    def look(self, host: Host) -> Ifaces:
        seen = look_iface(host, self.name)
        if not self.applied:
            return seen
        return replace(seen, card=look_card(host, self.name, {**(seen.iface or {}), **self.fields}))

    def want(self, seen: Ifaces) -> Ifaces:
        return replace(seen, iface=None) if self.absent else want_iface(seen, self.fields)

    def plan(self, seen: Ifaces, want: Ifaces) -> list[Step]:
        return plan_iface(seen, want)

    def refuse(self, seen: Ifaces, want: Ifaces, steps: list[Step]) -> None:
        refuse_iface(seen, steps)

    def show(self, state: Ifaces) -> dict[str, Any]:
        return {
            "name": state.name,
            "iface": state.iface,
            "card": None if state.card is None else state.card.fields,
            "records": sorted(map(str, state.records)),
            "sessions": sorted(map(str, state.sessions)),
        }
