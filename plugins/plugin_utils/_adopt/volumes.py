# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a compute host has made of its LUNs, in the words of the role volume."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from ...filter.min_paths import min_paths
from ...module_utils._block.device_name import is_stable
from ...module_utils._fs.mount import new_options
from ...module_utils._host import Problem
from ...module_utils._san.wwid import wwid
from .amount import size_text
from .document import Entry, Findings, Variable

Data = Mapping[str, Any]
MADE = ("ext4", "xfs")  # the file systems that the role makes
EXTENT = 4 << 20  # vgcreate(8)


@dataclass
class Disk:
    """A LUN as a host has it: where it comes from, over how many good paths, its map, and who uses it."""

    wwid: str
    size: int
    map: str | None = None
    sources: set[str] = field(default_factory=set)
    paths: int = 0
    good: int = 0
    users: list[str] = field(default_factory=list)


def disks_of(answer: Data) -> dict[str, Disk]:
    """The LUNs of all sessions by their WWIDs."""
    found: dict[str, Disk] = {}
    for session in answer["sessions"]:
        for one in session["disks"]:
            name = _wwid(one["wwid"])
            if name and one["device"]:
                disk = found.setdefault(name, Disk(name, one["size"], one["map"]))
                disk.map = disk.map or one["map"]
                disk.sources.add(f"LUN {one['lun']} of {session['target']}")
                disk.paths += 1
                disk.good += session["state"] == "LOGGED_IN" and one["state"] == "running"
                disk.users += [user for user in one["users"] if user not in disk.users]
    return found


def volumes(host: str, part: Data, nodes: list[dict[str, Any]]) -> Findings:
    """The volume groups and file systems on LUNs."""
    return Volumes(host, part, nodes).findings()


class Volumes:
    """The LUNs of one host and what is on them."""

    def __init__(self, host: str, part: Data, nodes: list[dict[str, Any]]) -> None:
        self.host = host
        self.disks = disks_of(part["initiator_info"])
        self.groups = (part.get("volume_group_info") or {}).get("groups", [])
        self.mounts = part["volume_use_info"]["mounts"]
        self.expected = min_paths(nodes)
        self.found = Findings()
        self.used: set[str] = set()

    def findings(self) -> Findings:
        """All of it."""
        for disk in self.disks.values():
            self._judge(disk)
        groups = [entry for group in self.groups for entry in self._group(group)]
        direct = [entry for mount in self.mounts for entry in self._direct(mount)]
        for name, entries, where in (
            ("volume_groups", groups, "As LVM has them on disks of sessions"),
            ("volume_filesystems", direct, "Mounts of whole LUNs"),
        ):
            if entries:
                self.found.variables.append(Variable(name, tuple(entries), where))
        for disk in self.disks.values():
            if disk.wwid not in self.used:
                self._left(disk)
        return self.found

    def _judge(self, disk: Disk) -> None:
        if disk.paths > 1 and not disk.map:
            self._danger(
                f"{_called(disk)} has {disk.paths} paths and no multipath map: it stands still when the path that is used "
                "fails, and LVM sees it several times"
            )
        elif disk.paths == 1:
            self._danger(f"{_called(disk)} has one path: without it, it is away")
        if disk.good < disk.paths:
            self._danger(f"{disk.paths - disk.good} of the {disk.paths} paths of {_called(disk)} are down")

    def _lun(self, disk: Disk) -> dict[str, Any]:
        self.used.add(disk.wwid)
        found: dict[str, Any] = {"wwid": disk.wwid}
        if not disk.map:
            found["multipath"] = False
        if disk.good < self.expected:
            found["paths"] = max(disk.good, 1)
        return found

    def _group(self, group: Data) -> Iterator[Entry]:
        wwids = [one["wwid"] or "" for one in group["physical_volumes"]]
        disks = [self.disks[one] for one in wwids if one in self.disks]
        if not disks:
            return
        self.used |= {one.wwid for one in disks}
        name = group["name"]
        if len(disks) < len(wwids):
            self._cannot(f"the volume group '{name}' has disks that are no LUNs of a session, or are missing")
        elif group["state"] != "active":
            self._decide(
                f"the volume group '{name}' is {group['state']} here and is not written: site.yml would activate it. Add it to "
                "volume_groups if this host shall have it"
            )
        else:
            if group["bypasses_multipath"]:
                self._danger(f"volumes of '{name}' use single paths and bypass their map")
            comment = "\n".join(f"{one.wwid}: {', '.join(sorted(one.sources))}" for one in disks)
            yield Entry(self._written(group, disks), comment)

    def _written(self, group: Data, disks: list[Disk]) -> dict[str, Any]:
        found: dict[str, Any] = {"name": group["name"], "luns": [self._lun(one) for one in disks]}
        if group["extent_size"] not in (None, EXTENT):
            found["extent_size"] = size_text(group["extent_size"])
        if group["autoactivation"] is False:
            found["autoactivation"] = False
        for key in ("tags", "system_id"):
            if group[key]:
                found[key] = group[key]
        volumes = [one for volume in group["logical_volumes"] for one in self._volume(group, volume)]
        return {**found, "volumes": volumes} if volumes else found

    def _volume(self, group: Data, volume: Data) -> Iterator[dict[str, Any]]:
        called = f"'{group['name']}/{volume['name']}'"
        layout = volume["layout"]
        if layout not in ("linear", "striped"):
            self._cannot(
                f"the volume {called} is of the kind '{layout}', which is not made here; it stays as it is"
            )
            return
        found: dict[str, Any] = {"name": volume["name"], "size": size_text(volume["size"])}
        if not volume["active"]:
            found["active"] = False
        if volume["filesystem"] in MADE:
            found["filesystem"] = volume["filesystem"]
        elif volume["filesystem"]:
            self._cannot(
                f"{called} holds '{volume['filesystem']}', which is not made here; it stays as it is"
            )
        of_it = [
            one for one in self.mounts if (one["group"], one["volume"]) == (group["name"], volume["name"])
        ]
        found.update(self._mount(called, of_it, f"/dev/{group['name']}/{volume['name']}"))
        yield found

    def _mount(self, called: str, mounts: list[Data], device: str) -> dict[str, Any]:
        """The one place where it is mounted, now and at boot."""
        whole = [one for one in mounts if one["root"] == "/"]
        lasting = [one for one in whole if one["in_fstab"] and one["mounted"]]
        for one in whole:
            self._aside(called, one)
        for one in [*(one for one in mounts if one not in whole), *lasting[1:]]:
            self._cannot(f"{called} is mounted on '{one['path']}' too: the data has one mount point for each")
        if not lasting:
            return {}
        found = {"mount": lasting[0]["path"]}
        if lasting[0]["options"] != new_options(device):
            found["mount_options"] = lasting[0]["options"]
        return found

    def _aside(self, called: str, mount: Data) -> None:
        options, where = mount["options"].split(","), f"'{mount['path']}' ({called})"
        if mount["in_fstab"] and "_netdev" not in options and "noauto" not in options:
            self._danger(
                f"fstab mounts {where} without _netdev: the boot can wait for it before there is a network, and it is unmounted "
                "after the network is gone"
            )
        if (
            mount["in_fstab"]
            and mount["mounted"]
            and mount["device"].startswith("/dev/")
            and not is_stable(mount["device"])
        ):
            self.found.changes.append(
                f"'{self.host}': write a name that lasts into the line of {where} in fstab: '{mount['device']}' can be another "
                "disk after the next boot."
            )
        if not mount["in_fstab"]:
            self._decide(f"{where} is mounted and not in fstab; with 'mount' site.yml writes a line for it")
        elif not mount["mounted"]:
            self._decide(f"{where} is in fstab and not mounted; with 'mount' site.yml mounts it")

    def _direct(self, mount: Data) -> Iterator[Entry]:
        disk = self.disks.get(mount["wwid"])
        if not disk or mount["group"]:
            return
        called = f"'{mount['device']}'"
        if mount["partition"]:
            self.used.add(disk.wwid)
            self._cannot(
                f"'{mount['path']}' is on a partition of {_called(disk)}: the data has LUNs without partitions"
            )
        elif disk.wwid in self.used:
            self._cannot(f"'{mount['path']}' is one more mount of {_called(disk)}: the data has one for each")
        else:
            said = {**self._lun(disk)}
            if mount["filesystem"] in MADE:
                said["filesystem"] = mount["filesystem"]
            said.update(self._mount(called, [mount], self._device(disk)))
            yield Entry(said, f"{called}: {', '.join(sorted(disk.sources))}")

    def _device(self, disk: Disk) -> str:
        return f"/dev/mapper/{disk.map}" if disk.map else ""

    def _left(self, disk: Disk) -> None:
        if disk.users and not all(" is a path of the multipath map " in user for user in disk.users):
            users = [user for user in disk.users if " is a path of the multipath map " not in user]
            self._cannot(f"{_called(disk)} is used otherwise: {'; '.join(users)}")
        else:
            self._decide(f"{_called(disk)} is used by nothing. Take it from this host, or use it")

    def _cannot(self, what: str) -> None:
        self.found.cannot.append(f"'{self.host}': {what}.")

    def _danger(self, what: str) -> None:
        self.found.dangerous.append(f"'{self.host}': {what}.")

    def _decide(self, what: str) -> None:
        self.found.decisions.append(f"'{self.host}': {what}.")


def shared(disks: Mapping[str, Mapping[str, Disk]]) -> Iterator[str]:
    """LUNs that several hosts have."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for host in sorted(disks):
        for name in disks[host]:
            hosts[name].append(host)
    for name, having in hosts.items():
        if len(having) > 1:
            sources = disks[having[0]][name].sources
            yield (
                f"The disk '{name}' ({', '.join(sorted(sources))}) is at {' and at '.join(map(repr, having))}. Two hosts that "
                "write to one LUN destroy its data, unless they know of each other (a cluster). site.yml refuses data in which "
                "both use it and it is not 'shared'."
            )


def _called(disk: Disk) -> str:
    return f"the disk '{disk.wwid}' ({', '.join(sorted(disk.sources))})"


def _wwid(text: str) -> str:
    try:
        return wwid(text)
    except Problem:
        return ""
