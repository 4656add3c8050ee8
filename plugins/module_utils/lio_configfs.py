# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's target (LIO) serves now, read from configfs (kernel Documentation/target/tcm_mod_builder.rst).

core/<plugin>_<n>/<name>/           a backstore: info, udev_path, wwn/, attrib/
iscsi/<iqn>/tpgt_<n>/               a target portal group: enable, attrib/, param/, np/, lun/, acls/
  lun/lun_<n>/<any> -> backstore
  acls/<initiator>/lun_<n>/<any> -> lun/lun_<n>, and tag, auth/, info
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from ansible_collections.lunworks.iscsi.plugins.module_utils.arguments import Chap, Portal
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.san import (
    Initiator,
    Lun,
    LunMap,
    Session,
    Target,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Secret

ROOT = "/sys/kernel/config/target"
CORE = f"{ROOT}/core"
ISCSI = f"{ROOT}/iscsi"
PLUGINS = {"iblock": "block", "rd_mcp": "ramdisk"}  # the kernel's name and the one in the saved file
FILEIO = re.compile(r"File: (?P<path>\S+)\s+Size: (?P<size>\d+)\s+Mode: (?P<mode>\S+)")
NO_LINKS = {
    "alua_tg_pt_gp",
    "alua_tg_pt_offline",
    "alua_tg_pt_status",
    "alua_tg_pt_write_md",
    "statistics",
    "write_protect",
}
AUTH = ("userid", "password", "userid_mutual", "password_mutual")


@dataclass(frozen=True)
class Keys:
    """Which settings to read of the targets and the backstores, by name; a name that is not here has none."""

    attributes: Mapping[str, Iterable[str]] = field(default_factory=dict)
    parameters: Mapping[str, Iterable[str]] = field(default_factory=dict)
    backstores: Mapping[str, Iterable[str]] = field(default_factory=dict)
    everything: bool = False

    def of(self, host: Host, what: Mapping[str, Iterable[str]], name: str, directory: str) -> Iterable[str]:
        return host.list(directory) if self.everything else what.get(name, ())


@dataclass(frozen=True)
class Running:
    """What the kernel serves: the targets, the directories of the backstores under core/, and who is logged in."""

    targets: dict[str, Target]
    backstores: dict[str, str]  # plugin/name as in the saved file, and <plugin>_<n>/<name>
    sessions: tuple[Session, ...] = ()


def tpg(target: Target) -> str:
    """The directory of a target's portal group."""
    return f"{ISCSI}/{target.name}/tpgt_{target.tag}"


def look_running(host: Host, keys: Keys) -> Running:
    """Read every target once."""
    backstores = {
        _saved_name(hba, name): f"{hba}/{name}"
        for hba in host.list(CORE)
        if hba != "alua"
        for name in host.list(f"{CORE}/{hba}")
        if name not in ("hba_info", "hba_mode")
    }
    places = {place: name for name, place in backstores.items()}
    targets = {}
    sessions: list[Session] = []
    for name in host.list(ISCSI):
        tags = [int(group[5:]) for group in host.list(f"{ISCSI}/{name}") if group.startswith("tpgt_")]
        if tags:
            targets[name] = _target(host, keys, places, name, min(tags))
            sessions += _sessions(host, targets[name])
    return Running(targets, backstores, tuple(sorted(sessions)))


def lun_name(target: str, backstore: str) -> str:
    """What a LUN is called: ours are '<target>:<lun>' as backstores, whose names are unique on a host."""
    return backstore[len(target) + 1 :] if backstore.startswith(f"{target}:") else backstore


def chap_of(fields: Mapping[str, str]) -> Chap | None:
    """CHAP credentials from the kernel's or the saved fields; 'NULL' is what rtslib writes for none."""
    user, secret, mutual_user, mutual_secret = (
        "" if fields.get(key, "") == "NULL" else fields.get(key, "") for key in AUTH
    )
    if not (user or secret):
        return None
    return Chap(user, Secret(secret), mutual_user, Secret(mutual_secret))


def _saved_name(hba: str, name: str) -> str:
    plugin = hba.rpartition("_")[0]
    return f"{PLUGINS.get(plugin, plugin)}/{name}"


def _target(host: Host, keys: Keys, places: dict[str, str], name: str, tag: int) -> Target:
    found = Target(name, tag=tag)
    base = tpg(found)
    luns = {}
    numbers = {}
    for entry in _numbered(host, f"{base}/lun"):
        place = _link(host, f"{base}/lun/lun_{entry}")
        if place:
            lun = _lun(host, keys, places, name, entry, "/".join(place.split("/")[-2:]))
            luns[lun.name], numbers[entry] = lun, lun.name
    return Target(
        name=name,
        enabled=_value(host, f"{base}/enable") == "1",
        portals=frozenset(_portal(text) for text in host.list(f"{base}/np")),
        attributes=_values(host, f"{base}/attrib", keys.of(host, keys.attributes, name, f"{base}/attrib")),
        parameters=_values(host, f"{base}/param", keys.of(host, keys.parameters, name, f"{base}/param")),
        luns=luns,
        initiators={
            one: _initiator(host, f"{base}/acls/{one}", numbers) for one in host.list(f"{base}/acls")
        },
        tag=tag,
    )


def _lun(host: Host, keys: Keys, places: dict[str, str], target: str, number: int, place: str) -> Lun:
    base = f"{CORE}/{place}"
    info = host.read(f"{base}/info") or ""
    block_size = re.search(r"SectorSize: (\d+)", info)
    file = FILEIO.search(info)
    serial = _value(host, f"{base}/wwn/vpd_unit_serial").partition(":")[2].strip()
    backstore = places.get(place, place)
    path = _value(host, f"{base}/udev_path") or (file["path"] if file else "")
    on_device = path.startswith("/dev/") or not file
    return Lun(
        name=lun_name(target, place.partition("/")[2]),
        number=number,
        path=path,
        serial=serial,
        size=None if on_device else int(file["size"] if file else 0),
        block_size=int(block_size[1]) if block_size else 512,
        write_back=file["mode"] == "Buffered-WCE"
        if file
        else _value(host, f"{base}/attrib/emulate_write_cache") == "1",
        attributes=_values(
            host, f"{base}/attrib", keys.of(host, keys.backstores, backstore, f"{base}/attrib")
        ),
        backstore=backstore,
    )


def _initiator(host: Host, base: str, numbers: dict[int, str]) -> Initiator:
    luns = {}
    for number in _numbered(host, base):
        place = _link(host, f"{base}/lun_{number}")
        lun = numbers.get(int(place.rpartition("_")[2])) if place else None
        if lun is not None:
            luns[lun] = LunMap(lun, number, _value(host, f"{base}/lun_{number}/write_protect") == "1")
    tag = _value(host, f"{base}/tag")
    return Initiator(
        igroup=tag if tag and tag != "NULL" else base.rpartition("/")[2],
        luns=luns,
        chap=chap_of({key: _exact(host, f"{base}/auth/{key}") for key in AUTH}),
    )


def _sessions(host: Host, target: Target) -> list[Session]:
    base = tpg(target)
    found = []
    for name in target.initiators:
        info = host.read(f"{base}/acls/{name}/info") or ""
        if info.startswith("InitiatorName:"):
            addresses = re.findall(r"^\s*Address (\S+)", info, re.M)
            found.append(Session(target.name, name, ", ".join(sorted(set(addresses)))))
    dynamic = (host.read(f"{base}/dynamic_sessions") or "").replace("\0", "\n").split()
    return found + [Session(target.name, name) for name in dynamic]


def _portal(text: str) -> Portal:
    address, _colon, port = text.rpartition(":")
    return Portal(address.strip("[]"), int(port))


def _numbered(host: Host, directory: str) -> list[int]:
    return sorted(int(name[4:]) for name in host.list(directory) if name.startswith("lun_"))


def _link(host: Host, directory: str) -> str | None:
    """What the one link in a directory of configfs points to."""
    names = (name for name in host.list(directory) if name not in NO_LINKS)
    return next((link for link in (host.link(f"{directory}/{name}") for name in names) if link), None)


def _values(host: Host, directory: str, names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            text = host.read(f"{directory}/{name}")
        except Problem:  # write-only, or not for this device
            continue
        if text is not None:
            found[name] = text.strip()
    return found


def _value(host: Host, path: str) -> str:
    return (host.read(path) or "").strip()


def _exact(host: Host, path: str) -> str:
    """A text in which blanks count: only the line's end is not part of it."""
    return (host.read(path) or "").rstrip("\n")
