# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups as LVM and the kernel see them: own, exported, foreign, partial and duplicate ones (lvm(8))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator

from .._block.past_map import Beside
from .._host import Host, Late, Problem, Ran

LOOK = 60  # seconds
CHANGE = 300  # a change is not killed because an array is slow
# What a host's lvm.conf may say otherwise, and what then prints something else: lvm.conf(5) as 'lvmconfig --type default
# --withcomments' tells it, sections 'report' and 'log'. Said in every call, what is printed is what is read here.
SETTINGS = (
    'report { output_format="basic" compact_output=0 compact_output_cols="" aligned=1 buffered=1 headings=1 separator=" " '
    'list_item_separator="," prefixes=0 quoted=1 columns_as_rows=0 binary_values_as_numeric=0 } '
    'log { report_command_log=0 command_names=0 prefix="  " verbose=0 silent=0 }'
)


@dataclass(frozen=True)
class PhysicalVolume:
    """A PV. 'device' is the name to show, 'kernel' what the kernel calls it; '' for one that is missing.

    One on a partition stays there: 'disk' is what the kernel calls the whole disk, 'on' the name by which that was asked for.
    """

    device: str
    kernel: str = ""
    disk: str = ""
    on: str = ""
    wwid: str = ""
    uuid: str = ""
    extents: int = 0
    used: int = 0
    fits: int = 0  # how many extents its device has room for
    listed: bool = True  # in LVM's devices file, where the host uses one; what is not is hidden from LVM
    read_only: bool = False  # this host may only read it, as far as its kernel knows

    @property
    def missing(self) -> bool:
        """Whether the metadata names it and no device of this host is it."""
        return bool(self.uuid) and not self.kernel


@dataclass(frozen=True)
class LogicalVolume:
    """An LV; 'kernel' names its table in the kernel, '' when it is not active."""

    name: str
    uuid: str = ""
    size: int = 0
    layout: str = "linear"
    skip: bool = False  # not activated with its VG (lvchange --setactivationskip)
    origin: str = ""
    pool: str = ""
    kernel: str = ""

    @property
    def readable(self) -> bool:
        """Whether it has a device to read: it is active, and not a pool for others."""
        return bool(self.kernel) and "pool" not in self.layout.split(",")

    @property
    def plain(self) -> bool:
        """Whether it is nothing but extents: no pool, snapshot, mirror, cache."""
        return set(self.layout.split(",")) <= {"linear", "striped"} and not self.origin


@dataclass(frozen=True)
class VolumeGroup:
    """A VG. Sizes in extents; 'tables' are all its devices in the kernel, those of hidden LVs too (None: let be)."""

    name: str
    uuid: str = ""
    extent_size: int = 0
    extents: int = 0
    free: int = 0
    seqno: int = 0
    tags: frozenset[str] = frozenset()
    autoactivation: bool | None = None
    system_id: str | None = ""
    foreign: bool = False
    exported: bool = False
    lock_type: str = ""
    copies: tuple[str, ...] = ()
    physical: tuple[PhysicalVolume, ...] = ()
    logical: tuple[LogicalVolume, ...] = ()
    tables: tuple[str, ...] | None = ()
    beside: tuple[Beside, ...] = ()  # which of them stand on a path, past its map

    @property
    def known(self) -> list[str]:
        """The names under which it has disks: of its PVs, and of the disks whose partitions they are."""
        return [name for one in self.physical for name in (one.device, one.on) if name]

    @property
    def missing(self) -> tuple[PhysicalVolume, ...]:
        """The PVs that are not here."""
        return tuple(one for one in self.physical if one.missing)

    @property
    def hidden(self) -> bool:
        """Whether LVM's own commands do not see it, or not all of it."""
        return any(not one.listed for one in self.physical)

    @property
    def state(self) -> str:
        """What it is, in one word."""
        if self.copies:
            return "duplicate"
        if self.foreign or self.exported:
            return "foreign" if self.foreign else "exported"
        if self.missing:
            return "partial"
        return "active" if self.tables else "inactive"

    @property
    def inactive(self) -> tuple[str, ...]:
        """The LVs that an activation of the whole VG would activate."""
        return tuple(
            one.name
            for one in self.logical
            if not (one.kernel or one.skip or "pool" in one.layout.split(","))
        )


@dataclass(frozen=True)
class Lvm:
    """All of LVM on this host. A name may stand for several VGs: only their UUIDs differ then."""

    groups: tuple[VolumeGroup, ...] = ()
    orphans: tuple[PhysicalVolume, ...] = ()  # PVs without a VG
    system_id: str = ""
    volume_list: tuple[str, ...] | None = (
        None  # what this host may activate, where it was asked; None: anything
    )

    def named(self, name: str) -> VolumeGroup | None:
        """The VG of this name; several are a Problem."""
        found = [group for group in self.groups if group.name == name]
        if len(found) > 1:
            raise Problem(
                f"There are {len(found)} volume groups named '{name}': "
                + " and ".join(
                    f"{one.uuid} on {', '.join(pv.device for pv in one.physical)}" for one in found
                )
                + ". Remove the disks of one, or give it another name by its UUID (vgrename UUID NAME)."
            )
        return found[0] if found else None

    def refuse_activation(self, group: str, volumes: Iterable[str]) -> None:
        """LVM skips what activation/volume_list does not name, and says success; a tag may mean any VG (lvm.conf(5))."""
        for volume in volumes if self.volume_list is not None else ():
            names = (group, f"{group}/{volume}")
            if not any(one in names or one.startswith("@") for one in self.volume_list or ()):
                raise Problem(
                    f"'{group}/{volume}' would not be activated: activation/volume_list in this host's lvm.conf allows only "
                    f"{', '.join(self.volume_list or ()) or 'nothing'}. Add '{group}' there if this host is to activate it."
                )

    def owner(self, kernel: str) -> str:
        """The VG whose PV a device is, or has on a partition; '' if none is known."""
        owners = {
            name: one.name for one in self.groups for pv in one.physical for name in (pv.kernel, pv.disk)
        }
        return owners.get(kernel, "") if kernel else ""


def lvm(host: Host, *argv: str, config: str = "", timeout: float = CHANGE, ok: tuple[int, ...] = (0,)) -> Ran:
    """Run a command of LVM within a time limit, with these settings too. Exit codes: 0, or 5 when it refused (lvm(8)).

    LVM takes '--config' once.
    """
    words = 2 if argv[0] == "lvm" else 1
    said = " ".join(argv)
    try:
        ran = host.run(
            *argv[:words],
            "--config",
            f"{SETTINGS} {config}".strip(),
            *argv[words:],
            timeout=timeout,
            ok=None,
        )
    except Late as late:
        raise Late(
            f"'{said}' did not end within {timeout:g} seconds. LVM reads every disk: one may have lost all its paths while "
            "multipath holds its I/O back. Repair the paths. If they answer and this goes on, "
            "'lunworks.iscsi.multipath_paths' "
            "brings them back into use; 'multipathd disablequeueing maps' lets the I/O fail."
        ) from late
    if ran.rc not in ok:
        why = " ".join((ran.err.strip() or ran.out.strip()).split())
        raise Problem(f"'{said}' failed with exit code {ran.rc}: {why}")
    return ran


def reasons(group: VolumeGroup, local: str) -> Iterator[tuple[str, str]]:
    """Why a VG must be left alone: the kind of reason, and the reason as the rest of a sentence. None for a good one."""
    if group.foreign:
        here = f"has the system ID '{local}'" if local else "has none"
        yield (
            "foreign",
            f"belongs to the host with the system ID '{group.system_id}' (this host {here}). That host must hand it over: "
            "export it there, or change its system ID there",
        )
    if group.exported:
        yield (
            "exported",
            "is exported: it may be on its way to another host. To use it on this host, import it first "
            "(state: imported)",
        )
    if group.copies:
        yield (
            "duplicate",
            f"has physical volumes with copies ({', '.join(group.copies)}), and it is not clear which one is right. Remove "
            "the copies (a snapshot of the array?) or give them new UUIDs with vgimportclone",
        )
    if group.missing:
        gone = ", ".join(one.uuid for one in group.missing)
        yield (
            "partial",
            f"lacks {len(group.missing)} of its {len(group.physical)} physical volumes (UUID {gone}). Bring their disks back "
            "first",
        )
    if group.hidden:
        yield (
            "hidden",
            "is hidden from LVM, whose devices file does not list its disks; lunworks.iscsi.volume_group adds them",
        )
    if group.lock_type:
        yield (
            "shared",
            f"is shared by several hosts through lvmlockd ({group.lock_type}), which this module does not manage",
        )


def show_group(group: VolumeGroup) -> dict[str, Any]:
    """A VG as people and templates get it; sizes in bytes."""
    unit = group.extent_size
    return {
        "name": group.name,
        "uuid": group.uuid or None,
        "state": group.state,
        "exported": group.exported,
        "system_id": group.system_id or None,
        "autoactivation": group.autoactivation,
        "tags": sorted(group.tags),
        "seqno": group.seqno,
        "extent_size": unit or None,
        "size": group.extents * unit,
        "free": group.free * unit,
        "missing": [one.uuid for one in group.missing],
        "copies": list(group.copies),
        "hidden": group.hidden,
        "bypasses_multipath": bool(group.beside),
        "physical_volumes": [show_physical(one, unit) for one in group.physical],
        "logical_volumes": [
            {"name": one.name, "size": one.size, "active": bool(one.kernel), "layout": one.layout}
            for one in group.logical
        ],
    }


def show_physical(one: PhysicalVolume, unit: int) -> dict[str, Any]:
    """A PV of a VG with extents of 'unit' bytes."""
    return {
        "device": None if one.missing else one.device,
        "uuid": one.uuid or None,
        "wwid": one.wwid or None,
        "size": one.extents * unit,
        "free": (one.extents - one.used) * unit,
    }
