# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume group on two LUNs, used by one compute host, and a second one to move it to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import Played, play

MOVE = "lunworks.iscsi.move_volume_group"
TARGET = "iqn.2026-01.com.example:store.move"
# Seconds in which LIO notices that a session is gone whose logout got lost (nopin_timeout, nopin_response_timeout).
FORGOTTEN = 90
TREE = "find {0} -xdev -type f -exec sha256sum {{}} + | sort"


def initiator(host: Host) -> str:
    return f"iqn.2026-01.com.example:{host.name}"


@dataclass(frozen=True)
class Filled:
    """A logical volume: what lvcreate is told, and the file system on it."""

    name: str
    options: str
    filesystem: str


VOLUMES = (Filled("data", "-L 320m {group}", "xfs"), Filled("log", "-L 96m {group}", "ext4"))
# Striped over both LUNs; 'thin' is larger than its pool.
THIN = (
    Filled("data", "-L 300m -i 2 {group}", "xfs"),
    Filled("log", "-L 64m {group}", "ext4"),
    Filled("thin", "-T {group}/pool -L 80m -V 512m", "ext4"),
)


@dataclass(frozen=True)
class Group:
    """A volume group with several volumes, ext4 and xfs, on two LUNs or so."""

    name: str
    size: str = "256m"
    volumes: tuple[Filled, ...] = VOLUMES
    count: int = 2  # of LUNs

    @property
    def luns(self) -> list[str]:
        return [f"{self.name}-{number}" for number in range(self.count)]

    @property
    def wwids(self) -> list[str]:
        return [wwid_of_lio(serial_of(TARGET, lun)) for lun in self.luns]

    @property
    def mounts(self) -> list[str]:
        return [f"/srv/{self.name}/{volume.name}" for volume in self.volumes]


BUILT: dict[str, San] = {}  # by storage host: what stands there now


class San:
    """The three hosts, and the groups that are between them."""

    provider = "lio"

    def __init__(self, lab: Lab, storage: Host, first: Host, second: Host) -> None:
        self.lab, self.storage, self.first, self.second = lab, storage, first, second
        self.groups: tuple[Group, ...] = ()
        self.target = TARGET
        self.kept: dict[str, str] = {}  # the checksums of all files, by group
        self.rests = True  # no move is half done

    @property
    def hosts(self) -> list[Host]:
        return [self.storage, self.first, self.second]

    @property
    def portals(self) -> list[str]:
        return [self.storage.address(name) for name in ("san1", "san2")]

    def build(self, *groups: Group) -> None:
        """Fresh hosts; the groups are on the first one, mounted and filled."""
        self.boot(*groups)
        self.connect(self.first)
        self.fill(*groups)

    @classmethod
    def standing(cls, lab: Lab, storage: Host, first: Host, second: Host, *groups: Group) -> San:
        """The SAN that the tests before have left, if it has these groups and rests; else a new one."""
        built = BUILT.get(storage.name)
        if built.__class__ is not cls or built.groups != groups or not built.rests:
            built = cls(lab, storage, first, second)
            built.build(*groups)
        return built

    def clear(self) -> None:
        """Nothing of it is left on the hosts."""
        del BUILT[self.storage.name]
        self.lab.fresh(*self.hosts)

    def boot(self, *groups: Group) -> None:
        """Fresh hosts; the LUNs of the groups are mapped to the first one."""
        BUILT[self.storage.name] = self
        self.groups = groups
        self.lab.fresh(*self.hosts)
        self.serve(*groups)
        for host in (self.first, self.second):
            do(host, "initiator_name", name=initiator(host))
            host.run("systemctl enable --now multipathd open-iscsi iscsid lvm2-monitor 2>/dev/null || true")

    def serve(self, *groups: Group) -> None:
        if self.provider != "tgt":
            self.storage.run("systemctl disable --now tgt 2>/dev/null || true")
        self.storage.run("mkdir -p /srv/luns")
        target = {
            "name": TARGET,
            "portals": self.portals,
            "luns": [
                {"name": lun, "path": f"/srv/luns/{lun}.img", "size": group.size}
                for group in groups
                for lun in group.luns
            ],
            "igroups": [
                {
                    "name": self.first.name,
                    "initiators": [initiator(self.first)],
                    "luns": [lun for group in groups for lun in group.luns],
                }
            ],
        }
        do(self.storage, "targets", provider=self.provider, targets=[target])

    def connect(self, host: Host) -> None:
        node = {"target": TARGET, "portals": self.portals, "startup": "automatic", "logged_in": True}
        do(host, "nodes", nodes=[node])

    def fill(self, *groups: Group) -> None:
        """The volume groups with their file systems, in fstab and mounted, with files in them."""
        host = self.first
        for group in groups:
            disks = [{"target": TARGET, "lun": lun, "paths": 2} for lun in group.luns]
            do(host, "disks", disks=disks)
            devices = " ".join(f"/dev/mapper/{wwid}" for wwid in group.wwids)
            host.run(f"vgcreate -q {group.name} {devices}")
            for volume in group.volumes:
                options = volume.options.format(group=group.name)
                host.run(
                    f"lvcreate -qy -n {volume.name} {options} && "
                    f"mkfs.{volume.filesystem} -q /dev/{group.name}/{volume.name}",
                    timeout=180,
                )
            self.mount(group, host)
            self.add_files(group, host)

    def mount(self, group: Group, host: Host) -> None:
        """All of its file systems, now and at every boot."""
        mounts = [
            {"path": mount, "device": f"/dev/{group.name}/{volume.name}", "filesystem": volume.filesystem}
            for mount, volume in zip(group.mounts, group.volumes)
        ]
        do(host, "mounts", mounts=mounts)

    def add_files(self, group: Group, host: Host) -> None:
        """More files in all of its file systems, on the disks when this returns."""
        for mount in group.mounts:
            host.run(
                f"mkdir -p {mount}/tree && cd {mount}/tree && place=$(ls | wc -l) && mkdir $place && cd $place && "
                "for n in 1 2 3 4 5 6 7 8 9; do head -c ${n}00001 /dev/urandom >file$n; done && sync"
            )
        self.kept[group.name] = self.sums(host, group)

    def stranger(self, host: Host) -> None:
        """The target knows nothing of this host."""
        igroup = {"provider": self.provider, "target": TARGET, "name": host.name, "state": "absent"}
        end = time.monotonic() + FORGOTTEN
        while self.storage.module("igroup", **igroup).get("failed") and time.monotonic() < end:
            time.sleep(2)
        do(self.storage, "igroup", **igroup)

    def sums(self, host: Host, group: Group) -> str:
        """The checksums of every file, as the host reads them."""
        return "".join(host.run(TREE.format(mount), timeout=120).out for mount in group.mounts)

    def variables(self, *, vg: str, source: Host, destination: Host, **more: Any) -> dict[str, Any]:
        """What the playbook is told."""
        return {
            "vg": vg,
            "from": source.name,
            "to": destination.name,
            "storage": self.storage.name,
            "target_provider": self.provider,
            "move_volume_group_backup_dir": f"{self.lab.place.directory}/backups",
            "initiator_nodes": [],
            **more,
        }

    def move(self, *options: str, **more: Any) -> Played:
        """The playbook, as a user runs it."""
        return play(self.lab, MOVE, *options, hosts=self.hosts, **self.variables(**more))

    def owned(self, group: Group, owner: Host, other: Host) -> None:
        """The group is mounted on its owner, whole, and nothing of it is left on the other host."""
        assert self.sums(owner, group) == self.kept[group.name]
        lines = [
            line.split()[1] for line in owner.read("/etc/fstab").splitlines() if f"/{group.name}/" in line
        ]
        assert lines == group.mounts
        assert owner.run(f"vgs --noheadings -o vg_tags {group.name}").out.strip() == ""
        assert group.name not in other.read("/etc/fstab")
        for command in (
            f"dmsetup ls | grep {group.name}",
            *(f"multipath -ll | grep {wwid}" for wwid in group.wwids),
        ):
            assert other.run(command, check=False).rc != 0, f"{other.name}: {command}"

    def luns(self) -> list[dict[str, Any]]:
        """Who has which of its LUNs."""
        told = do(self.storage, "lun_info", provider=self.provider)
        return list(told["luns"])

    def sides(self, group: Group) -> tuple[Host, Host]:
        """The compute host that may write to the LUNs of a group, and the other one."""
        told = self.luns()
        (names,) = {writers(lun) for lun in told if lun["name"] in group.luns}
        here = names == {initiator(self.first)}
        return (self.first, self.second) if here else (self.second, self.first)


def writers(lun: dict[str, Any], state: str = "running") -> frozenset[str]:
    """The initiators that may write to a LUN now, or after a boot of the storage host ('saved')."""
    prefix = {"running": "", "saved": "saved_"}[state]
    return frozenset(lun[f"{prefix}initiators"]) - frozenset(lun[f"{prefix}read_only_initiators"])


def do(host: Host, module: str, **options: Any) -> dict[str, Any]:
    """A module that must succeed."""
    return succeeded(host, host.module(module, **options))
