# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about a volume group that moves: its types, and the tags in which it carries its own state.

Nothing is remembered outside of the volume group. Its metadata (on the LUNs, written by LVM whole or not at all) has the
exported flag and these tags; the storage hosts have the map of the LUNs; both hosts know what they use. From these three
follows where a move stands, for whoever asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...module_utils._block.pv_label import Label
from ...module_utils._lvm.planned import RUN, unquoted

MOVE, MOUNT, SUM = "lunworks.move", "lunworks.mount", "lunworks.sum"
NO_MOUNTS = f"{MOUNT}:none"  # says that it was looked for mounts and that there were none
# Says that hosts activated the group by themselves before the move, and shall do so again after it.
AUTO = "lunworks.autoactivation"
STILL = "NOAUTOACTIVATE"  # the flag in the metadata of a group that no host activates by itself
STILL_SINCE = (2, 3, 12)  # LVM knows that flag
# lvm(8), 'tags': letters, digits and _+.-/=!:&#, at most 1024 bytes. ':' separates our fields, '#' and two hex digits
# stand for every other byte.
PLAIN = re.compile(r"[A-Za-z0-9_+./=!&-]")
LONGEST_TAG = 1024
VG_NAME = re.compile(r"(?!-)(?!\.{1,2}$)[A-Za-z0-9+_.-]{1,127}")


class Refusal(Exception):
    """Why nothing is done: what was wanted, what was found, what to do."""


@dataclass(frozen=True)
class Mount:
    """A file system on a logical volume: its place in the tree, its line in fstab, and whether it is mounted."""

    volume: str
    path: str
    filesystem: str
    options: str
    line: bool = True
    mounted: bool = True
    root: str = "/"  # another one: a part of the file system is mounted (a bind mount)


@dataclass(frozen=True)
class Volume:
    """A logical volume as a host sees it. 'users' are sentences; mounts are no users here."""

    name: str
    active: bool
    kind: str = "linear"
    users: tuple[str, ...] = ()
    health: str = ""  # what LVM says is wrong with it


@dataclass(frozen=True)
class Group:
    """A volume group as a host sees it."""

    name: str
    uuid: str
    pvs: dict[str, str] = field(
        default_factory=dict
    )  # PV UUID: the WWID of the disk it was found on, '' unknown
    volumes: tuple[Volume, ...] = ()
    exported: bool = False
    foreign: str = ""  # the system ID of another owner
    missing: int = 0  # PVs that the host does not see
    copies: tuple[str, ...] = ()  # devices that are copies of its PVs


@dataclass(frozen=True)
class Computer:
    """A compute host that answered."""

    initiator: str
    groups: tuple[Group, ...] = ()
    mounts: tuple[tuple[str, Mount], ...] = ()  # with the name of the volume group; '' for all others
    disks: dict[str, str] = field(default_factory=dict)  # WWID: device
    records: dict[str, frozenset[str]] = field(default_factory=dict)  # target: portals
    sessions: dict[str, frozenset[str]] = field(default_factory=dict)  # target: portals
    declared: frozenset[str] = frozenset()  # targets that its inventory declares
    active: dict[str, frozenset[str]] = field(
        default_factory=dict
    )  # VG: LVs with a device-mapper table, seen or not
    system_id: str = ""
    drivers: frozenset[str] | None = (
        None  # of file systems and the device mapper that its kernel has; None: not known
    )
    tools: frozenset[str] = frozenset()  # of LVM, that check and repair pools
    kinds: frozenset[str] | None = None  # of segments that its LVM knows
    room: int | None = None  # bytes free where its LVM keeps copies of metadata
    version: tuple[int, ...] = ()  # of its LVM


@dataclass(frozen=True)
class Lun:
    """A LUN as its storage host serves it; 'running' and 'saved' are the initiators that it is mapped to."""

    target: str
    name: str
    wwid: str
    path: str
    running: frozenset[str] = frozenset()
    saved: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()  # of those that it is mapped to now
    saved_read_only: frozenset[str] = frozenset()
    unreadable: str = ""  # why it is not known what LVM wrote on it

    def initiators(self) -> frozenset[str]:
        """Who has it now or would have it after a boot of the storage host."""
        return self.running | self.saved


@dataclass(frozen=True)
class Target:
    """A target: where it listens, its igroups with their initiators, and those igroups that require CHAP."""

    name: str
    portals: frozenset[str]
    igroups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    chap: frozenset[str] = frozenset()
    enabled: bool = True

    def igroup_of(self, initiator: str) -> str:
        """The igroup that an initiator is in; '' for none."""
        return next((name for name, members in self.igroups.items() if initiator in members), "")


@dataclass(frozen=True)
class Storage:
    """A storage host that answered."""

    targets: dict[str, Target] = field(default_factory=dict)
    luns: tuple[Lun, ...] = ()
    labels: dict[str, Label] = field(default_factory=dict)  # by the path that a LUN stands on
    provider: str = "lio"  # the storage software


@dataclass(frozen=True)
class Survey:
    """All that was seen for one run. None is a host that does not answer."""

    source: str
    destination: str
    hosts: dict[str, Computer | None]
    storages: dict[str, Storage | None]
    dead: bool = False  # a person says that the source is dead
    igroups: dict[str, str] = field(
        default_factory=dict
    )  # by target: how a new one of the destination is called
    run: tuple[str, str] = ("", "")  # who runs this, and when that was begun
    backup_room: int | None = (
        None  # bytes free on the controller, where the metadata is backed up; None: not known
    )

    def computer(self, name: str) -> Computer | None:
        """A compute host, None when it does not answer."""
        return self.hosts.get(name)


def quoted(text: str) -> str:
    """A text as a field of a tag."""
    return "".join(
        char if PLAIN.fullmatch(char) else "".join(f"#{byte:02x}" for byte in char.encode()) for char in text
    )


def move_tag(source: str, destination: str) -> str:
    """The intent: who moves the group to whom."""
    return f"{MOVE}:{quoted(source)}:{quoted(destination)}"


def run_tag(who: str, when: str, source: str, destination: str) -> str:
    """The claim of a run: who moves the group, since when, and which way."""
    return ":".join([RUN, *map(quoted, (who, when.replace(":", "."), source, destination))])


def mount_tag(mount: Mount) -> str:
    """Where a volume is mounted, so that the destination learns it from the group itself."""
    fields = (mount.volume, mount.path, mount.filesystem, mount.options)
    return ":".join([MOUNT, *map(quoted, fields)])


def sum_tag(volume: str, digest: str) -> str:
    """The checksum sample of a volume."""
    return f"{SUM}:{quoted(volume)}:{digest}"


def moves_of(tags: frozenset[str]) -> set[tuple[str, str]]:
    """The unfinished moves that a group speaks of."""
    found = set()
    for fields in (tag.split(":") for tag in tags):
        if fields[0] == MOVE and len(fields) == 3:
            found.add((unquoted(fields[1]), unquoted(fields[2])))
    return found


def mounts_of(tags: frozenset[str]) -> tuple[Mount, ...]:
    """The mounts that a group carries with it; outer ones first."""
    found = []
    for fields in (tag.split(":") for tag in tags):
        if fields[0] == MOUNT and len(fields) == 5:
            volume, path, filesystem, options = map(unquoted, fields[1:])
            found.append(Mount(volume, path, filesystem, options))
    return tuple(sorted(found, key=lambda mount: mount.path))


def sums_of(tags: frozenset[str]) -> frozenset[str]:
    """The tags that hold checksum samples."""
    return frozenset(tag for tag in tags if tag.startswith(f"{SUM}:"))


def ours(tags: frozenset[str]) -> frozenset[str]:
    """All tags of a move."""
    return frozenset(tag for tag in tags if tag.partition(":")[0] in (MOVE, MOUNT, SUM, AUTO, RUN))
