# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules disk and disks, checked and turned into requests."""

from __future__ import annotations

import re
from typing import Any

from ..._arguments import size, target_key, unique
from ..._converge import Resource
from ..._host import Host, Problem
from ..._san.wwid import DERIVED, derived, serial_of, wwid
from ..._step import Step
from .plan import Disks, Request, look_disks, plan_disks, refuse_disks, show_disk, want_disks

OPTIONS: dict[str, Any] = {
    "target": {"type": "str"},
    "lun": {"type": "str"},
    "serial": {"type": "str"},
    "provider": {"type": "str", "choices": sorted(DERIVED)},
    "wwid": {"type": "str"},
    "paths": {"type": "int", "default": 1},
    "multipath": {"type": "bool", "default": True},
    "size": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
ONE_LUN: dict[str, Any] = {
    "mutually_exclusive": [("lun", "wwid")],
    "required_one_of": [("lun", "wwid")],
    "required_by": {"lun": "target", "serial": "lun", "provider": "lun"},
}


class DisksResource(Resource):
    """Disks converged to what was requested."""

    def __init__(self, asked: list[dict[str, Any]]) -> None:
        self.requests = [request(one) for one in asked]
        unique("disk", [one.wwid for one in self.requests])

    def look(self, host: Host) -> Disks:
        return look_disks(host, self.requests)

    def want(self, seen: Disks) -> Disks:
        return want_disks(self.requests, seen)

    def plan(self, seen: Disks, want: Disks) -> list[Step]:
        return plan_disks(self.requests, seen, want)

    def refuse(self, seen: Disks, want: Disks, steps: list[Step]) -> None:
        refuse_disks(self.requests, seen)

    def show(self, state: Disks) -> Any:
        """An entry for each disk, in the order in which they were asked for."""
        return {"disks": [show_disk(one, state.disks[one.wwid]) for one in self.requests]}


class DiskResource(DisksResource):
    """One disk, which is shown without a list."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__([options])

    def show(self, state: Disks) -> Any:
        return super().show(state)["disks"][0]


def request(asked: dict[str, Any]) -> Request:
    """One disk as it was asked for."""
    target = target_key(asked["target"]) if asked["target"] else ""
    if asked["lun"] == "":
        raise Problem("The LUN's name is empty. It must be the name that it has in its target's data.")
    found = (
        wwid(asked["wwid"]) if asked["lun"] is None else derived(asked["provider"], _serial(target, asked))
    )
    label = asked["lun"] or found
    if not 1 <= asked["paths"] <= 1024:
        raise Problem(f"The disk '{label}': {asked['paths']} is not a number of paths. It must be 1 to 1024.")
    if not 1 <= asked["timeout"] <= 3600:
        raise Problem(
            f"The disk '{label}': the timeout {asked['timeout']} is not a time in seconds from 1 to 3600."
        )
    return Request(
        wwid=found,
        lun=asked["lun"] or "",
        target=target,
        paths=asked["paths"],
        multipath=asked["multipath"],
        size=size(asked["size"]) if asked["size"] is not None else 0,
        present=asked["state"] == "present",
        timeout=asked["timeout"],
    )


def _serial(target: str, asked: dict[str, Any]) -> str:
    serial = asked["serial"]
    if serial is None:
        return serial_of(target, asked["lun"])
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", serial):
        raise Problem(f"LUN '{asked['lun']}': a serial has 8 to 64 letters, digits and '-', not '{serial}'.")
    return str(serial)
