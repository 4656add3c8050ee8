# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume group on copies of disks (snapshots or clones of an array), given UUIDs and a name of its own (vgimportclone(8))."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Sequence

from ..._arguments import unique
from ..._block.device_name import is_identity
from ..._block.holders import look_holders
from ..._block.pv_label import Label, look_label
from ..._converge import Resource
from ..._fs.blank_disk import device_path
from ..._host import Host, Problem
from ..._host_lock import VOLUMES
from ..._step import Step
from ..model import Lvm, lvm
from ..names import group_name
from ..report import look_devices_file, look_lvm

OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "devices": {"type": "list", "elements": "path", "required": True},
}


@dataclass(frozen=True)
class Request:
    """The name that the group on the copies must have, and all its disks."""

    name: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """A disk: what LVM wrote on it (None: nothing), and who uses it."""

    path: str
    kernel: str = ""  # '' when it is not there
    label: Label | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copies:
    """The disks, and the groups that LVM sees: of an original and its copies only one. 'own': the disks are that group."""

    disks: tuple[Copy, ...]
    own: bool = False
    names: frozenset[str] = frozenset()

    def groups(self) -> set[tuple[str, str]]:
        """Name and UUID of what is on the disks."""
        return {(one.label.group, one.label.uuid) if one.label else ("", "") for one in self.disks}


@dataclass(frozen=True)
class ImportClone(Step):
    name: str
    was: str
    devices: tuple[str, ...]
    exported: bool

    def __str__(self) -> str:
        where = " and ".join(map(repr, self.devices))
        return f"Import the copy of '{self.was}' on {where} as the separate volume group '{self.name}'"

    def take(self, host: Host) -> None:
        options = ["--import"] if self.exported else []
        if look_devices_file(host) is not None:
            options.append("--importdevices")
        lvm(host, "vgimportclone", "--basevgname", self.name, *options, *self.devices)


def clone_request(asked: dict[str, Any]) -> Request:
    """The options, checked."""
    devices = tuple(map(device_path, asked["devices"]))
    unique("device", list(devices))
    if not devices:
        raise Problem("No disk is named. Name all disks of the copy.")
    unstable = [path for path in devices if not is_identity(path)]
    if unstable:
        raise Problem(
            f"'{unstable[0]}' may be a different disk after the next boot. Name it by its identity, like /dev/mapper/NAME or "
            "/dev/disk/by-id/NAME."
        )
    return Request(group_name(asked["name"]), devices)


def look_copies(host: Host, request: Request) -> Copies:
    """What is on the disks, read from them directly: LVM itself hides copies."""
    holders = look_holders(host)
    disks = []
    for path in request.devices:
        if host.stat(path) is None:
            disks.append(Copy(path))
            continue
        kernel = host.real(path).rpartition("/")[2]
        users = tuple(str(user) for user in holders.of(kernel))
        label = look_label(host, path)
        disks.append(Copy(path, kernel, replace(label, metadata="") if label else None, users))
    found, kernels = look_lvm(host, copies=False), {one.kernel for one in disks}
    return Copies(
        tuple(disks), _is_on(found, request.name, kernels), frozenset(one.name for one in found.groups)
    )


def _is_on(found: Lvm, name: str, kernels: set[str]) -> bool:
    """Whether LVM sees a group of that name on exactly these disks."""
    return any(one.name == name and {pv.kernel for pv in one.physical} == kernels for one in found.groups)


def want_copies(request: Request, seen: Copies) -> Copies:
    """All disks are those of the group with that name."""
    disks = [
        replace(one, label=replace(one.label, group=request.name)) if one.label else one for one in seen.disks
    ]
    return replace(seen, disks=tuple(disks), own=True, names=seen.names | {request.name})


def plan_clone(request: Request, seen: Copies) -> list[Step]:
    """One command for all disks; nothing once they are the group's."""
    if seen.own:
        return []
    was = min(seen.groups())[0]
    exported = any(one.label.exported for one in seen.disks if one.label)
    return [ImportClone(request.name, was, request.devices, exported)]


def refuse_clone(request: Request, seen: Copies, steps: Sequence[Step]) -> None:
    """Only whole copies of one group that nobody uses get new UUIDs: the original never does while it is in use."""
    if not steps:
        return
    for one in seen.disks:
        wanted = f"Cannot import the copy on '{one.path}' as the volume group '{request.name}'"
        if not one.kernel:
            raise Problem(
                f"{wanted}: there is no such device. Is its LUN mapped to this host, and logged in to?"
            )
        if one.label is None or not one.label.group:
            raise Problem(f"{wanted}: it is not a physical volume of a volume group.")
        if one.users:
            raise Problem(f"{wanted}: it is in use. {'; '.join(one.users)}. Is it the original?")
    groups = sorted(seen.groups())
    if len(groups) > 1:
        told = " and ".join(f"'{name}' ({uuid})" for name, uuid in groups)
        raise Problem(f"The disks are of several volume groups, {told}. Name those of one copy.")
    wanted_pvs = {uuid for one in seen.disks if one.label for uuid, _hint in one.label.pvs}
    lacking = sorted(wanted_pvs - {one.label.pv for one in seen.disks if one.label})
    if lacking:
        raise Problem(
            f"The copy is not complete: its physical volume {lacking[0]} is on none of these disks. Name all of them."
        )
    if request.name in seen.names:
        raise Problem(
            f"There is a volume group '{request.name}' on other disks already. Choose another name for the copy."
        )


class VolumeGroupClone(Resource):
    """The copies as a group of their own."""

    locks = (VOLUMES,)

    def __init__(self, options: dict[str, Any]) -> None:
        self.request = clone_request(options)

    def look(self, host: Host) -> Copies:
        return look_copies(host, self.request)

    def want(self, seen: Copies) -> Copies:
        return want_copies(self.request, seen)

    def plan(self, seen: Copies, want: Copies) -> list[Step]:
        return plan_clone(self.request, seen)

    def refuse(self, seen: Copies, want: Copies, steps: list[Step]) -> None:
        refuse_clone(self.request, seen, steps)

    def show(self, state: Copies) -> dict[str, Any]:
        labels = [(one.path, one.label) for one in state.disks if one.label]
        return {
            "disks": [
                {"device": path, "pv": label.pv, "group": label.group, "uuid": label.uuid}
                for path, label in labels
            ]
        }
