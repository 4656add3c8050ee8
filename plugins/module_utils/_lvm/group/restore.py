# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of a volume group that is lost, written back from a backup (vgcfgrestore(8), pvcreate(8))."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Iterator

from ..._block.holders import look_holders
from ..._block.pv_label import Damaged, Label, parse_metadata
from ..._converge import Resource
from ..._fs.blank_disk import Device, look_device
from ..._host import Host, Problem
from ..._host_lock import VOLUMES
from ..._step import Step
from ..model import lvm
from ..names import group_name
from ..pv import refuse_device
from ..report import look_lvm

THIN = {"thin", "thin-pool"}
DEVICE: dict[str, Any] = {
    "uuid": {"type": "str", "required": True},
    "device": {"type": "path", "required": True},
}
OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "metadata": {"type": "str", "required": True},
    "devices": {"type": "list", "elements": "dict", "default": [], "options": DEVICE},
    "force": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Request:
    """A backup, and the disks that shall be PVs again, by the UUID of the PV."""

    backup: Label
    disks: dict[str, str] = field(default_factory=dict)
    force: bool = False


@dataclass(frozen=True)
class Restorable:
    """What there is of a VG: its UUID ('' when LVM finds none), and where its PVs are ('' for one that is lost)."""

    uuid: str
    seqno: int
    pvs: dict[str, str]
    active: bool = False
    elsewhere: dict[str, str] = field(default_factory=dict)  # PVs that are in another VG now
    devices: dict[str, Device] = field(default_factory=dict)
    local: str = ""
    orphans: frozenset[str] = frozenset()  # PVs that are in no VG
    again: frozenset[str] = frozenset()  # PVs on the disks that were named for them: what a killed run leaves

    @property
    def half(self) -> bool:
        """Whether a label was written back, and the metadata behind it was not."""
        return not self.uuid or any(uuid in self.orphans for uuid in self.again)

    @property
    def lost(self) -> tuple[str, ...]:
        """The PVs without a label."""
        return tuple(uuid for uuid, device in self.pvs.items() if not device)


@dataclass(frozen=True)
class RestoreLabel(Step):
    """A PV again, under its old UUID, with the layout that the backup has."""

    backup: Label
    uuid: str
    device: str

    def __str__(self) -> str:
        return f"Make '{self.device}' the physical volume {self.uuid} of '{self.backup.group}' again"

    def take(self, host: Host) -> None:
        refuse_device(look_device(host, self.device, look_holders(host)), self.backup.group)
        with _written(host, self.backup) as place:
            lvm(host, "pvcreate", "--uuid", self.uuid, "--restorefile", place, self.device)


@dataclass(frozen=True)
class RestoreMetadata(Step):
    """Tried first: LVM checks the backup against the disks without writing anything."""

    backup: Label
    force: bool

    def __str__(self) -> str:
        return f"Write the metadata of '{self.backup.group}' back as it was at its change {self.backup.seqno}"

    def take(self, host: Host) -> None:
        with _written(host, self.backup) as place:
            options = ["--file", place, *(["--force"] if self.force else [])]
            lvm(host, "vgcfgrestore", "--test", *options, self.backup.group)
            lvm(host, "vgcfgrestore", "--yes", *options, self.backup.group)


@contextmanager
def _written(host: Host, backup: Label) -> Iterator[str]:
    """The backup as a file, for as long as it takes."""
    place = host.aside(f"{backup.group}.vg")
    host.write(place, backup.metadata, 0o600)
    try:
        yield place
    finally:
        host.remove(place)


def restore_request(asked: dict[str, Any]) -> Request:
    """The options, checked."""
    try:
        backup = parse_metadata(asked["metadata"])
    except Damaged as damaged:
        raise Problem(
            f"That is not the metadata of a volume group: {damaged}. It must be the whole text that "
            "lunworks.iscsi.volume_group_info "
            "returns with 'metadata', that a move has written to the controller, or that "
            "vgcfgbackup(8) writes."
        ) from damaged
    if group_name(asked["name"]) != backup.group:
        raise Problem(f"That is the metadata of '{backup.group}', not of '{asked['name']}'.")
    disks = {one["uuid"]: one["device"] for one in asked["devices"]}
    strange = sorted(set(disks) - {uuid for uuid, _device in backup.pvs})
    if strange:
        raise Problem(f"The backup of '{backup.group}' has no physical volume {', '.join(strange)}.")
    return Request(backup, disks, asked["force"])


def look_restorable(host: Host, request: Request) -> Restorable:
    """What LVM finds of the VG on this host; nothing is written."""
    found, backup = look_lvm(host), request.backup
    group = found.named(backup.group)
    places = {pv.uuid: (pv.device, one.name) for one in found.groups for pv in one.physical if not pv.missing}
    places.update({pv.uuid: (pv.device, "") for pv in found.orphans})
    owners = {uuid: places[uuid][1] for uuid, _hint in backup.pvs if uuid in places}
    holders = look_holders(host)
    again = {
        uuid
        for uuid, path in request.disks.items()
        if uuid in places and host.real(path) == host.real(places[uuid][0])
    }
    return Restorable(
        uuid=group.uuid if group else "",
        seqno=group.seqno if group else 0,
        pvs={uuid: places.get(uuid, ("", ""))[0] for uuid, _hint in backup.pvs},
        active=bool(group and group.tables),
        elsewhere={uuid: name for uuid, name in owners.items() if name not in ("", backup.group)},
        devices={
            path: look_device(host, path, holders)
            for uuid, path in request.disks.items()
            if uuid not in again
        },
        local=found.system_id,
        orphans=frozenset(pv.uuid for pv in found.orphans),
        again=frozenset(again),
    )


def want_restored(request: Request, seen: Restorable) -> Restorable:
    """All of it there. How often it was changed is not part of it: restoring counts on."""
    pvs = {uuid: device or request.disks.get(uuid, "") for uuid, device in seen.pvs.items()}
    return replace(seen, uuid=request.backup.uuid, pvs=pvs, orphans=frozenset())


def plan_restore(request: Request, seen: Restorable, want: Restorable) -> list[Step]:
    """Labels first; then the metadata, which is written only when any of it is lost."""
    labels: list[Step] = [
        RestoreLabel(request.backup, uuid, want.pvs[uuid]) for uuid in seen.lost if want.pvs[uuid]
    ]
    return [*labels, RestoreMetadata(request.backup, request.force)] if labels or seen.half else []


def refuse_restore(request: Request, seen: Restorable, steps: list[Step]) -> None:
    """Restoring undoes what was changed since the backup: only what is proved lost is written."""
    backup, name = request.backup, f"'{request.backup.group}'"
    if seen.uuid not in ("", backup.uuid):
        raise Problem(
            f"There is another volume group {name} here (UUID {seen.uuid}, not {backup.uuid}). Rename it first."
        )
    here = sorted(uuid for uuid in request.disks if seen.pvs[uuid] and uuid not in seen.again)
    if here and steps:
        raise Problem(
            f"The physical volume {here[0]} is on '{seen.pvs[here[0]]}'. Name only disks for physical volumes that are lost."
        )
    lost = [uuid for uuid in seen.lost if uuid not in request.disks]
    if lost and (steps or seen.uuid):
        raise Problem(
            f"The physical volume {lost[0]} of {name} is on no disk of this host. Bring its disk back; if its label is gone, "
            "name the disk (devices)."
        )
    if steps:
        _refuse_changes(request, seen)


def _refuse_changes(request: Request, seen: Restorable) -> None:
    backup, name = request.backup, f"'{request.backup.group}'"
    for uuid, owner in seen.elsewhere.items():
        raise Problem(
            f"The physical volume {uuid} of {name} is in the volume group '{owner}' now. Nothing is taken from it."
        )
    if seen.active:
        raise Problem(f"{name} has active logical volumes. Unmount and deactivate them first.")
    if seen.seqno > backup.seqno:
        raise Problem(
            f"The disks have newer metadata of {name} (change {seen.seqno}) than the backup (change {backup.seqno}), which "
            "would undo what was changed in between. Take a newer backup."
        )
    if backup.system_id and backup.system_id != seen.local:
        raise Problem(
            f"{name} belongs to the system ID '{backup.system_id}' in the backup. Restore it on that host."
        )
    if THIN & set(backup.segment_types) and not request.force:
        raise Problem(
            f"{name} has thin pools. Their own metadata is not in the backup, and may not agree with it: data can be lost "
            "(vgcfgrestore(8)). Set force when that is understood."
        )
    for device in seen.devices.values():
        refuse_device(device, backup.group)


class VolumeGroupRestore(Resource):
    """A volume group that is there again, as its backup says."""

    locks = (VOLUMES,)

    def __init__(self, options: dict[str, Any]) -> None:
        self.request = restore_request(options)

    def look(self, host: Host) -> Restorable:
        return look_restorable(host, self.request)

    def want(self, seen: Restorable) -> Restorable:
        return want_restored(self.request, seen)

    def plan(self, seen: Restorable, want: Restorable) -> list[Step]:
        return plan_restore(self.request, seen, want)

    def refuse(self, seen: Restorable, want: Restorable, steps: list[Step]) -> None:
        refuse_restore(self.request, seen, steps)

    def show(self, state: Restorable) -> dict[str, Any]:
        return {"uuid": state.uuid or None, "physical_volumes": dict(state.pvs)}
