# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems directly on disks, without LVM: made on blank ones only, found and left as they are, grown while mounted.

Nothing but the data says which host may use such a disk. So one that is not mounted is not touched, for another host may have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Sequence

from .._arguments import unique
from .._block.holders import look_holders
from .._block.sysfs import BLOCK
from .._converge import Resource
from .._host import Host, Problem
from .._step import Step
from .blank_disk import Device, device_path, look_device, refuse_disk, refuse_name
from .filesystem import KINDS, Filesystem, GrowFilesystem, MakeFilesystem, look_filesystem, mounted_on
from .mkfs_options import mkfs_options

FILESYSTEM: dict[str, Any] = {
    "device": {"type": "path", "required": True},
    "filesystem": {"type": "str", "choices": list(KINDS), "required": True},
    "filesystem_options": {"type": "list", "elements": "str"},
    "label": {"type": "str"},
}
LABELS = {"ext4": 16, "xfs": 12}  # bytes: mke2fs(8) and mkfs.xfs(8), option -L


@dataclass(frozen=True)
class Request:
    """A file system as it is asked for; a label of None is left out. One in assume_present need not be there in a check run."""

    device: str
    kind: str
    label: str | None = None
    options: tuple[str, ...] = ()
    assume_present: bool = False


@dataclass(frozen=True)
class Content:
    """A disk under the name that was asked for, the map that it is a path of, what is on it, and where that is mounted."""

    device: Device
    map: str = ""
    filesystem: Filesystem | None = None
    mounted: str = ""


@dataclass(frozen=True)
class MakeOnDisk(MakeFilesystem):
    """The disk is looked at once more, right before."""

    def take(self, host: Host) -> None:
        holders = look_holders(host, opened=True)
        refuse_disk(look_device(host, self.device, holders), f"Cannot make a file system on '{self.device}'")
        super().take(host)


class FilesystemsResource(Resource):
    """File systems on disks converged to what was asked of them."""

    def __init__(self, asked: list[dict[str, Any]], assume_present: Iterable[str]) -> None:
        self.requests = [filesystem_request(one, assume_present) for one in asked]
        unique("device", [one.device for one in self.requests])

    def look(self, host: Host) -> tuple[Content, ...]:
        return look_contents(host, self.requests)

    def want(self, seen: tuple[Content, ...]) -> tuple[Content, ...]:
        return tuple(wanted(request, one) for request, one in zip(self.requests, seen))

    def plan(self, seen: tuple[Content, ...], want: tuple[Content, ...]) -> list[Step]:
        return [
            step
            for request, old, new in zip(self.requests, seen, want)
            for step in _steps(request, old.filesystem, new.filesystem)
        ]

    def refuse(self, seen: tuple[Content, ...], want: tuple[Content, ...], steps: list[Step]) -> None:
        refuse_contents(self.requests, seen)

    def notes(self, seen: tuple[Content, ...], steps: list[Step]) -> Iterable[str]:
        return [
            f"The {one.filesystem.kind} file system on '{one.device.path}' does not fill its disk. It grows once it is "
            "mounted."
            for one in seen
            if one.filesystem and not one.filesystem.full and not one.mounted
        ]

    def show(self, state: tuple[Content, ...]) -> Any:
        """An entry for each disk, in the order in which they were asked for."""
        return {"filesystems": [_shown(one) for one in state]}


def filesystem_request(asked: dict[str, Any], assume_present: Iterable[str]) -> Request:
    """One file system as it was asked for."""
    device, kind, label = device_path(asked["device"]), asked["filesystem"], asked["label"]
    options = mkfs_options(device, kind, asked["filesystem_options"] or ())
    longest = LABELS[kind]
    if label is not None and (
        len(label.encode()) > longest or not label.isprintable() or label != label.strip()
    ):
        raise Problem(
            f"'{device}': '{label}' is not a label for {kind}. It must have at most {longest} bytes, without blanks around "
            "them."
        )
    if label is not None and any(word.startswith("-L") for word in options):
        raise Problem(f"'{device}' has a label and '-L' in filesystem_options. Give one of them.")
    return Request(device, kind, label, options, device in set(assume_present))


def look_contents(host: Host, requests: Sequence[Request]) -> tuple[Content, ...]:
    """What is on the disks; nothing is written. Who has one open is asked where a file system is to be made."""
    holders = look_holders(host)
    devices = {request.device: look_device(host, request.device, holders) for request in requests}
    found = {path: _filesystem(host, device) for path, device in devices.items()}
    if any(device.kernel and not found[path] for path, device in devices.items()):
        holders = look_holders(host, opened=True)
        devices = {path: look_device(host, path, holders) for path in devices}
    return tuple(
        Content(
            device=devices[path],
            map=next(
                (holders.maps[one] for one in holders.over(devices[path].kernel)[1:] if one in holders.maps),
                "",
            ),
            filesystem=found[path],
            mounted=mounted_on(host, path) if found[path] else "",
        )
        for path in devices
    )


def _filesystem(host: Host, device: Device) -> Filesystem | None:
    if not (device.kernel and device.block and device.stable):
        return None
    sectors = int(host.read(f"{BLOCK}/{device.kernel}/size") or 0)  # of 512 bytes, whatever the disk's are
    return look_filesystem(host, device.path, sectors * 512)


def wanted(request: Request, seen: Content) -> Content:
    """The disk with its file system, which fills it if it is mounted."""
    there = seen.filesystem or Filesystem(request.kind, label=request.label or "")
    full = there.full or bool(seen.mounted)
    return replace(
        seen,
        filesystem=Filesystem(request.kind, full, there.label if request.label is None else request.label),
    )


def _steps(request: Request, seen: Filesystem | None, want: Filesystem | None) -> list[Step]:
    if seen is None and want:
        label = ("-L", want.label) if want.label else ()
        return [MakeOnDisk(want.kind, request.device, (*label, *request.options))]
    if seen and want and want.full and not seen.full:
        return [GrowFilesystem(want.kind, request.device)]
    return []


def refuse_contents(requests: Sequence[Request], seen: Sequence[Content]) -> None:
    """Nothing is written over anything, and what is there must be what was asked for."""
    first: dict[str, str] = {}
    for request, one in zip(requests, seen):
        device, there = one.device, one.filesystem
        lead = f"Cannot make a file system on '{request.device}'"
        if not device.kernel and request.assume_present and device.stable:
            continue
        refuse_name(device, lead)
        other = first.setdefault(device.kernel, request.device)
        if other != request.device:
            raise Problem(f"'{other}' and '{request.device}' are the same disk. Name it once.")
        if one.map:
            raise Problem(f"{lead}: it is a path of the multipath map '{one.map}'. Name the map.")
        if there is None:
            refuse_disk(device, lead)
        elif there.kind != request.kind:
            raise Problem(
                f"'{request.device}' holds {there.kind} and must hold {request.kind}. It is not overwritten. Is it the "
                f"right disk? Only if everything on it may be lost, clear it by hand: wipefs --all {request.device}"
            )
        elif request.label not in (None, there.label):
            raise Problem(
                f"The {request.kind} file system on '{request.device}' has the label '{there.label}' and must have "
                f"'{request.label}'. Is "
                "it the right disk? If it is, leave label out, or give the file system that label by hand."
            )


def _shown(one: Content) -> dict[str, Any]:
    there = one.filesystem
    return {
        "device": one.device.path,
        "filesystem": there.kind if there else None,
        "label": there.label or None if there else None,
        "fills_device": there.full if there else None,
        "mounted": one.mounted or None,
    }
