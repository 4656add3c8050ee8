# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users ask of mounts: the options of the modules, checked and made into what shall be."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any, Iterator

from .._arguments import unique
from .._block.device_name import is_stable
from .._converge import Resource, plain
from .._host import Host, Problem
from .._host_lock import VOLUMES
from .._step import Step
from .fstab import FSTAB, Line, added
from .mount import Mount, MountIt, new_options, on_access, plan_mounts, unit_name, wanted_by
from .mount_look import look_mounts
from .mount_refuse import refuse_mounts

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


SYSTEM = re.compile(
    r"/|/(bin|boot/efi|dev|etc|lib(32|64|x32)?|proc|run|sbin|sys|usr)"
)  # the host itself lives there
UNPRINTED = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class MountsResource(Resource):
    """Mounts converged to what was asked of them."""

    locks = (VOLUMES,)

    def __init__(self, asked: list[dict[str, Any]]) -> None:
        found = [checked(mount) for mount in asked]
        unique("mount point", [mount["path"] for mount in found])
        self.mounts = {mount["path"]: mount for mount in found}

    def look(self, host: Host) -> tuple[Mount, ...]:
        leaving = [path for path, mount in self.mounts.items() if mount["state"] == "absent"]
        return look_mounts(host, {path: mount["device"] for path, mount in self.mounts.items()}, leaving)

    def want(self, seen: tuple[Mount, ...]) -> tuple[Mount, ...]:
        return tuple(wanted(mount, self.mounts[mount.path]) for mount in seen)

    def plan(self, seen: tuple[Mount, ...], want: tuple[Mount, ...]) -> list[Step]:
        return plan_mounts(seen, want)

    def refuse(self, seen: tuple[Mount, ...], want: tuple[Mount, ...], steps: list[Step]) -> None:
        refuse_mounts(seen, want)

    def notes(self, seen: tuple[Mount, ...], steps: list[Step]) -> Iterator[str]:
        for step in steps:
            hides = isinstance(step, MountIt) and any(
                one.path == step.path and one.place.full for one in seen
            )
            if isinstance(step, MountIt) and hides:
                yield f"'{step.path}' is not empty: what it holds now is hidden while '{step.device}' is mounted there."

    def show(self, state: tuple[Mount, ...]) -> Any:
        """Without what the mounts are judged by."""
        return [
            {key: value for key, value in plain(one).items() if key not in ("place", "stale")}
            for one in state
        ]

    def texts(self, state: tuple[Mount, ...]) -> dict[str, str]:
        """The lines of these mounts; those of others may hold passwords (mount.cifs(8))."""
        return {FSTAB: "".join(added("", one.path, one.line) for one in state if one.line)}


def checked(asked: dict[str, Any]) -> dict[str, Any]:
    """One mount as it was asked for, its names in one form."""
    path, device = (normal(asked[name]) if asked[name] else asked[name] for name in ("path", "device"))
    if not path.startswith("/") or SYSTEM.fullmatch(path):
        raise Problem(
            f"'{asked['path']}' is not a mount point. It must be an absolute path other than '/' and the system's own."
        )
    for name in ("path", "device", "filesystem", "options"):
        text = asked[name] or ""
        if UNPRINTED.search(text) or (name in ("filesystem", "options") and re.search(r"\s", text)):
            wanted_are = "one word, without white space" if name in ("filesystem", "options") else "one line"
            raise Problem(f"The {name} {text!r} for {path!r} must be {wanted_are}.")
    if asked["state"] == "mounted":
        _check_device(path, device)
    return {**asked, "path": path, "device": device}


def normal(path: str) -> str:
    """A path with each '/' once; '..' means another place where a link stands before it, so nobody may say it."""
    if ".." in path.split("/"):
        raise Problem(f"'{path}' contains '..'. Write it without.")
    return os.path.normpath(f"/{path.lstrip('/')}") if path.startswith("/") else path


def _check_device(path: str, device: str) -> None:
    if not device.startswith("/dev/"):
        raise Problem(f"'{device}' for '{path}' is not a device. It must be a path under /dev.")
    if not is_stable(device):
        raise Problem(
            f"'{device}' for '{path}' may be a different disk after the next boot. Name the logical volume "
            f"(/dev/GROUP/VOLUME), the map (/dev/mapper/...), or a link under /dev/disk."
        )


def wanted(seen: Mount, option: dict[str, Any]) -> Mount:
    """A mount as it shall be; what was left out stays as it is."""
    if option["state"] == "absent":
        return replace(seen, line=None, mounted=None, automount=False, stale=False)
    device = option["device"]
    line = Line(
        device=seen.place.kept or device,
        filesystem=option["filesystem"] or (seen.line.filesystem if seen.line else "") or "auto",
        options=option["options"] or (_kept(seen.line, device) if seen.line else new_options(device)),
    )
    # The first access will mount what the line says. Where a mount stands, what waits below it does no harm.
    stays = seen.automount and (bool(seen.mounted) or on_access(line))
    mounted = None if stays and not seen.mounted else device
    return replace(seen, line=line, mounted=mounted, automount=stays, stale=False)


def _kept(line: Line, device: str) -> str:
    """The options of a line, which may have been made for another device."""
    old = wanted_by(f"{unit_name(line.device)}.device")
    return line.options.replace(old, wanted_by(f"{unit_name(device)}.device"))
