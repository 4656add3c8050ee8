# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of flashnode, and the flashnode converged to them."""

from __future__ import annotations

from typing import Any

from ...._arguments import portal, target_name
from ...._converge import Resource
from ...._host import Host, Problem
from ...._step import Step
from ...iface.fields import hardware_address
from ...record import RecordId
from .plan import NEW, Flash, look_flash, plan_flash, refuse_flash, want_flash, wanted_settings

OPTIONS: dict[str, Any] = {
    "mac": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "portal": {"type": "str", "required": True},
    "settings": {"type": "dict", "default": {}},
    "logged_in": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class FlashnodeResource(Resource):
    """A flashnode with the parameters that were asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.mac = hardware_address(options["mac"])
        self.name = RecordId.of(target_name(options["target"]), portal(options["portal"]))
        self.settings = wanted_settings(options["settings"])
        self.logged_in = options["logged_in"]
        self.absent = options["state"] == "absent"
        if self.absent and self.logged_in:
            raise Problem(
                f"The flashnode for {self.name} cannot be both absent and logged in. Leave one of the two out."
            )

    def look(self, host: Host) -> Flash:
        return look_flash(host, self.mac, self.name, self.absent or self.logged_in is False)

    def want(self, seen: Flash) -> Flash:
        return want_flash(seen, self.settings, self.logged_in, self.absent)

    def plan(self, seen: Flash, want: Flash) -> list[Step]:
        return plan_flash(seen, want)

    def refuse(self, seen: Flash, want: Flash, steps: list[Step]) -> None:
        refuse_flash(seen, steps)

    def show(self, state: Flash) -> dict[str, Any]:
        there = state.flashnode
        return {
            "mac": state.card.mac,
            "index": None if there is None or there.index == NEW else there.index,
            "settings": None if there is None else there.settings,
            "logged_in": state.logged_in,
        }
