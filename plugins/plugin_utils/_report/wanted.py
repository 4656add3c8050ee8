# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory wants of each compute host, in the words of a report. Secrets are not taken over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Mapping

from ...module_utils._arguments import size
from ...module_utils._open_iscsi.conf.presets import own_settings
from .._by_hand import initiators_of, maps_of
from .._san_use import present, provider_name, targets_of, wwid_of
from .model import Data, name_key, portal_key, spelled


@dataclass(frozen=True)
class WantedLun:
    """A LUN that a host is given, or uses."""

    target: str
    name: str
    size: int | None = None
    read_only: bool = False
    storage: str = ""


@dataclass(frozen=True)
class WantedVolume:
    """A logical volume with its file system, or (without a size) a file system on a LUN."""

    name: str
    size: str = ""
    filesystem: str = ""
    mount: str = ""


@dataclass(frozen=True)
class WantedGroup:
    """A volume group; its LUNs by their keys."""

    luns: tuple[str, ...]
    volumes: tuple[WantedVolume, ...]


@dataclass(frozen=True)
class Wanted:
    """All that a compute host must have. LUNs are known by their WWID, where only the array knows that by target and name."""

    initiator: str = ""
    ways: frozenset[tuple[str, str, str]] = frozenset()  # target, portal, iface
    luns: Mapping[str, WantedLun] = field(default_factory=dict)
    settings: frozenset[tuple[str, str]] = (
        frozenset()
    )  # of records: target, and the setting that its data, or its preset, names
    groups: Mapping[str, WantedGroup] = field(default_factory=dict)
    filesystems: Mapping[str, WantedVolume] = field(default_factory=dict)  # by the key of the LUN

    def ways_to(self, target: str) -> list[tuple[str, str, str]]:
        """The portals and ifaces by which a target must be logged in to."""
        return sorted(way for way in self.ways if way[0] == target)


def wanted_of(data: Mapping[str, Data]) -> dict[str, Wanted]:
    """By compute host."""
    served = {key: lun for key, lun, _initiators in _served(data)}
    owners = initiators_of(data)
    given: dict[str, dict[str, WantedLun]] = {}
    for key, lun, initiators in _served(data):
        for host in {owners[one] for one in initiators if one in owners}:
            given.setdefault(host, {})[key] = lun
    names = {(lun.target, lun.name): key for key, lun in served.items()}
    return {
        host: _host(vars_, given.get(host, {}), names)
        for host, vars_ in data.items()
        if vars_.get("initiator_name") or vars_.get("initiator_nodes") or vars_.get("volume_groups")
    }


def _served(data: Mapping[str, Data]) -> Iterator[tuple[str, WantedLun, set[str]]]:
    """Every LUN with the initiators that an igroup gives it to."""
    for host, vars_ in data.items():
        for target in targets_of(dict(vars_)):
            name = name_key(target["name"])
            for lun in present(target, "luns"):
                maps = [
                    (entry, set(map(name_key, group.get("initiators") or [])))
                    for group in present(target, "igroups")
                    for entry in maps_of(group)
                    if entry["name"] == lun["name"]
                ]
                read_only = bool(lun.get("read_only")) or any(entry.get("read_only") for entry, _in in maps)
                wanted = size(lun["size"]) if lun.get("size") else None
                key = wwid_of(provider_name(vars_), name, lun["name"], lun) or f"{name}/{lun['name']}"
                initiators = {one for _entry, members in maps for one in members}
                yield key, WantedLun(name, lun["name"], wanted, read_only, host), initiators


def _host(vars_: Data, given: Mapping[str, WantedLun], names: Mapping[tuple[str, str], str]) -> Wanted:
    luns = dict(given)

    def key_of(lun: Data) -> str:
        if not lun.get("target"):
            return spelled(lun["wwid"])
        named = (name_key(lun["target"]), lun["name"])
        key = names.get(named) or wwid_of("lio", *named, lun) or "/".join(named)
        luns.setdefault(key, WantedLun(*named))
        return key

    groups = {
        group["name"]: WantedGroup(
            tuple(key_of(lun) for lun in group.get("luns") or []),
            tuple(map(_volume, present(group, "volumes"))),
        )
        for group in present(dict(vars_), "volume_groups")
    }
    filesystems = {key_of(one): _volume(one) for one in present(dict(vars_), "volume_filesystems")}
    return Wanted(
        initiator=name_key(vars_["initiator_name"]) if vars_.get("initiator_name") else "",
        ways=frozenset(_ways(vars_)),
        luns=luns,
        settings=frozenset(
            (name_key(node["target"]), name)
            for node in present(dict(vars_), "initiator_nodes")
            for name in own_settings(node)
        ),
        groups=groups,
        filesystems=filesystems,
    )


def _ways(vars_: Data) -> Iterator[tuple[str, str, str]]:
    for node in present(dict(vars_), "initiator_nodes"):
        if node.get("logged_in") in (None, True):
            for where in node.get("portals") or []:
                for iface in node.get("ifaces") or ["default"]:
                    yield name_key(node["target"]), portal_key(where, names=True), str(iface)


def _volume(one: Data) -> WantedVolume:
    return WantedVolume(
        name=str(one.get("name") or ""),
        size=str(one.get("size") or ""),
        filesystem=str(one.get("filesystem") or ""),
        mount=str(one.get("mount") or ""),
    )
