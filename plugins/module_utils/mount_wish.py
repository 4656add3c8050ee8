# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask of mounts: the options of the modules, checked and made into what shall be."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import unique
from ansible_collections.lunworks.iscsi.plugins.module_utils.converge import Resource
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.mount import (
    Line,
    Mount,
    look_mounts,
    new_options,
    plan_mounts,
    refuse_mounts,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

MOUNT: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "device": {"type": "path"},
    "filesystem": {"type": "str"},
    "options": {"type": "str"},
    "state": {"type": "str", "choices": ["mounted", "absent"], "default": "mounted"},
}
MOUNTS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": MOUNT,
    "required_if": [("state", "mounted", ["device"])],
}


class WishedMounts(Resource):
    """Mounts converged to what was asked of them."""

    def __init__(self, asked: list[dict[str, Any]]) -> None:
        self.mounts = {os.path.normpath(mount["path"]): mount for mount in asked}
        unique("mount point", [os.path.normpath(mount["path"]) for mount in asked])
        for path, mount in self.mounts.items():
            check(path, mount)

    def look(self, host: Host) -> tuple[Mount, ...]:
        leaving = [path for path, mount in self.mounts.items() if mount["state"] == "absent"]
        return look_mounts(host, {path: mount["device"] for path, mount in self.mounts.items()}, leaving)

    def want(self, seen: tuple[Mount, ...]) -> tuple[Mount, ...]:
        return tuple(wanted(mount, self.mounts[mount.path]) for mount in seen)

    def plan(self, seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> list[Step]:
        self.wanted = want
        return plan_mounts(seen, want)

    def refuse(self, seen: tuple[Mount, ...], steps: list[Step]) -> None:
        refuse_mounts(seen, self.wanted)


def check(path: str, mount: dict[str, Any]) -> None:
    if not path.startswith("/") or path == "/":
        raise Problem(f"'{mount['path']}' is not a mount point. Wanted is an absolute path other than '/'.")
    device = mount["device"]
    if mount["state"] == "mounted" and not device.startswith("/dev/"):
        raise Problem(f"'{device}' for '{path}' is not a device. Wanted is a path under /dev.")
    if device and re.fullmatch(r"/dev/(sd[a-z]+\d*|dm-\d+|vd[a-z]+\d*|xvd[a-z]+\d*|nvme\S+)", device):
        raise Problem(
            f"'{device}' for '{path}' may be another disk after the next boot. Name the logical volume "
            f"(/dev/GROUP/VOLUME), the map (/dev/mapper/...), or a link under /dev/disk."
        )
    for name in ("filesystem", "options"):
        if mount[name] is not None and not re.fullmatch(r"[^\s#]+", mount[name]):
            raise Problem(
                f"The {name} '{mount[name]}' for '{path}' must be one word, without white space or '#'."
            )


def wanted(seen: Mount, option: dict[str, Any]) -> Mount:
    """A mount as it shall be; what was left out stays as it is."""
    if option["state"] == "absent":
        return replace(seen, line=None, mounted=None)
    line = Line(
        device=option["device"],
        filesystem=option["filesystem"] or (seen.line.filesystem if seen.line else "auto"),
        options=option["options"] or (seen.line.options if seen.line else new_options(option["device"])),
    )
    return replace(seen, line=line, mounted=option["device"])
