# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's target (LIO) serves now, read from configfs (kernel Documentation/target/tcm_mod_builder.rst).

core/<plugin>_<n>/<name>/           a backstore: info, udev_path, wwn/, attrib/, alua/
<fabric>/<wwn>/tpgt_<n>/            a target portal group: lun/; of iSCSI also enable, attrib/, param/, np/, acls/
  lun/lun_<n>/<any> -> backstore
  acls/<initiator>/lun_<n>/<any> -> lun/lun_<n>, and tag, auth/, info
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Collection, Iterable, Mapping, Sequence

from .._arguments import Portal
from .._chap import Chap
from .._host import Host
from .._san.target import Initiator, Lun, LunMap, Session, Target
from .._step import Secret
from .alua import DEFAULT_GROUP, look_alua
from .configfs_node import (
    CORE,
    ISCSI,
    exact_of,
    link_of,
    numbered,
    saved_name,
    served_elsewhere,
    tags_of,
    value_of,
    values_of,
)

# Linux, target_core_file.c, fd_show_configfs_dev_params; a path may have blanks in it.
FILEIO = re.compile(
    r"File: (?P<path>.*?)\s+Size: (?P<size>\d+)\s+Mode: (?P<mode>\S+)(?:\s+Async: (?P<async>\d))?"
)
OUR_HBA = re.compile(r"(fileio|iblock)_\d+")  # what backstores of ours are in, one in each
ALL = "*"  # instead of names of settings: every one
AUTH = ("userid", "password", "userid_mutual", "password_mutual")


@dataclass(frozen=True)
class Keys:
    """Which settings to read of the targets and the backstores, by name; a name that is not here has none."""

    attributes: Mapping[str, Iterable[str]] = field(default_factory=dict)
    parameters: Mapping[str, Iterable[str]] = field(default_factory=dict)
    backstores: Mapping[str, Iterable[str]] = field(default_factory=dict)
    everything: bool = False
    remade: Collection[str] = ()  # backstores that may be made again, for which all that they have is read

    def of(self, host: Host, what: Mapping[str, Iterable[str]], name: str, directory: str) -> Iterable[str]:
        names = what.get(name, ())
        return host.list(directory) if self.everything or ALL in names else sorted(names)


@dataclass(frozen=True)
class Running:
    """What the kernel serves: the targets, the directories of the backstores under core/, and who is logged in."""

    targets: dict[str, Target]  # by their names in lower case, each its portal group with the lowest tag
    backstores: dict[str, str]  # plugin/name as in the saved file, and <plugin>_<n>/<name>
    sessions: tuple[Session, ...] = ()
    others: Mapping[str, Sequence[Target]] = field(default_factory=dict)  # the further portal groups
    elsewhere: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # backstores that other fabrics serve
    stores: Mapping[str, Lun] = field(default_factory=dict)  # every backstore, as a LUN without a number
    faults: Mapping[str, str] = field(default_factory=dict)  # backstores that cannot be told apart
    halves: tuple[
        str, ...
    ] = ()  # what a killed run has left empty: it serves nothing, and rtslib stumbles over it

    def users(self, backstore: str) -> list[tuple[str, int, str]]:
        """The portal groups that serve a backstore: target, tag, and the sentence for people; other fabrics have no tag."""
        groups = [*self.targets.values(), *(one for more in self.others.values() for one in more)]
        found = [
            (one.name.lower(), one.tag, f"'{one.name}' (tpg{one.tag}, LUN {lun.number})")
            for one in groups
            for lun in one.luns.values()
            if lun.backstore == backstore
        ]
        return found + [("", -1, place) for place in self.elsewhere.get(backstore, ())]


def tpg(target: Target) -> str:
    """The directory of a target's portal group."""
    return f"{ISCSI}/{target.name}/tpgt_{target.tag}"


def look_running(host: Host, keys: Keys) -> Running:
    """Read every target once."""
    stores: dict[str, Lun] = {}
    backstores: dict[str, str] = {}
    faults = {}
    halves: list[str] = []
    for hba in [name for name in host.list(CORE) if name != "alua"]:
        inside = [one for one in host.list(f"{CORE}/{hba}") if one not in ("hba_info", "hba_mode")]
        halves += [] if inside or not OUR_HBA.fullmatch(hba) else [f"{CORE}/{hba}"]
        for name in inside:
            place = f"{hba}/{name}"
            backstore = saved_name(hba, name)
            if backstore in backstores:
                faults[backstore] = f"{backstores[backstore]} and {place} are both called '{backstore}'"
            backstores[backstore] = place
            stores[place] = _store(host, keys, backstore, place)
    targets: dict[str, Target] = {}
    others: dict[str, tuple[Target, ...]] = {}
    sessions: list[Session] = []
    for name in host.list(ISCSI):
        groups = [_target(host, keys, stores, name, tag, halves) for tag in tags_of(host, f"{ISCSI}/{name}")]
        halves += [] if groups else [f"{ISCSI}/{name}"]
        sessions += [session for group in groups for session in _sessions(host, group)]
        if groups and name.lower() in targets:
            twin = targets[name.lower()]
            fault = f"two targets are running whose names differ only in case, '{twin.name}' and '{name}'"
            targets[name.lower()] = replace(twin, fault=fault)
            others[name.lower()] = (*others[name.lower()], *groups)
        elif groups:
            targets[name.lower()], others[name.lower()] = groups[0], tuple(groups[1:])
    return Running(
        targets,
        backstores,
        tuple(sorted(sessions)),
        {name: more for name, more in others.items() if more},
        served_elsewhere(host),
        {lun.backstore: lun for lun in stores.values()},
        faults,
        tuple(halves),
    )


def look_known(host: Host, running: Running) -> dict[str, Collection[str]]:
    """The settings that this kernel has, by what one target and one backstore of each kind have: 'attrib', 'param', and the
    kind. A kind of which there is none yet is not known."""
    found: dict[str, Collection[str]] = {}
    for target in [*running.targets.values()][:1]:
        for kind in ("attrib", "param"):
            found[kind] = host.list(f"{tpg(target)}/{kind}")
    for store, place in running.backstores.items():
        kind = store.partition("/")[0]
        if kind not in found:
            found[kind] = host.list(f"{CORE}/{place}/attrib")
    return found


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


def _target(
    host: Host, keys: Keys, stores: Mapping[str, Lun], name: str, tag: int, halves: list[str]
) -> Target:
    found = Target(name, tag=tag)
    base = tpg(found)
    luns = {}
    for number in numbered(host, f"{base}/lun"):
        place = link_of(host, f"{base}/lun/lun_{number}")
        halves += [] if place else [f"{base}/lun/lun_{number}"]
        at = "/".join(place.split("/")[-2:]) if place else ""
        store = stores.get(at)
        if store:
            own = store.backstore.partition("/")[2]
            alua, why = look_alua(host, f"{CORE}/{at}", f"{base}/lun/lun_{number}")
            luns[number] = replace(store, number=number, name=lun_name(name, own), alua=alua, fixed=why)
    portals = {where: one for where in host.list(f"{base}/np") for one in [portal_of(where)] if one}
    return Target(
        name=name,
        enabled=value_of(host, f"{base}/enable") == "1",
        portals=frozenset(portals.values()),
        iser=frozenset(
            one for where, one in portals.items() if value_of(host, f"{base}/np/{where}/iser") == "1"
        ),
        attributes=values_of(
            host, f"{base}/attrib", keys.of(host, keys.attributes, name.lower(), f"{base}/attrib")
        ),
        parameters=values_of(
            host, f"{base}/param", keys.of(host, keys.parameters, name.lower(), f"{base}/param")
        ),
        luns=luns,
        initiators={one: _initiator(host, f"{base}/acls/{one}", halves) for one in host.list(f"{base}/acls")},
        tag=tag,
        common_chap=value_of(host, f"{base}/auth/userid") not in ("", "NULL"),
    )


def _store(host: Host, keys: Keys, backstore: str, place: str) -> Lun:
    base = f"{CORE}/{place}"
    info = host.read(f"{base}/info") or ""
    block_size = re.search(r"SectorSize: (\d+)", info)
    file = FILEIO.search(info) if backstore.startswith("fileio/") else None
    path = value_of(host, f"{base}/udev_path") or (file["path"] if file else "")
    groups = [name for name in host.list(f"{base}/alua") if name != DEFAULT_GROUP]
    return Lun(
        name=backstore,
        number=-1,
        path=path,
        serial=value_of(host, f"{base}/wwn/vpd_unit_serial").partition(":")[2].strip(),
        size=None if path.startswith("/dev/") or not file else int(file["size"]),
        block_size=int(block_size[1]) if block_size else 512,
        write_back=file["mode"] == "Buffered-WCE"
        if file
        else value_of(host, f"{base}/attrib/emulate_write_cache") == "1",
        attributes=values_of(
            host, f"{base}/attrib", keys.of(host, keys.backstores, backstore, f"{base}/attrib")
        ),
        backstore=backstore,
        read_only=bool(re.search(r"readonly: 1", info)),
        asynchronous=bool(file and file["async"] == "1"),
        fixed=f"has the ALUA group '{groups[0]}'" if groups else "",
        settings=_settings(host, base) if backstore in keys.remade else {},
    )


def _settings(host: Host, base: str) -> dict[str, str]:
    """All that a backstore has besides what a Lun says, by its path in there."""
    found = {}
    for directory, names in (
        ("attrib", host.list(f"{base}/attrib")),
        ("wwn", ["vendor_id", "product_id", "revision", "company_id"]),
        ("alua/default_tg_pt_gp", host.list(f"{base}/alua/default_tg_pt_gp")),
    ):
        values = values_of(host, f"{base}/{directory}", names)
        found.update({f"{directory}/{name}": value for name, value in values.items()})
    return found


def _initiator(host: Host, base: str, halves: list[str]) -> Initiator:
    luns = {}
    for number in numbered(host, base):
        place = link_of(host, f"{base}/lun_{number}")
        halves += [] if place else [f"{base}/lun_{number}"]
        lun = place.rpartition("_")[2] if place else ""
        if lun.isdecimal():
            luns[number] = LunMap(
                int(lun), number, value_of(host, f"{base}/lun_{number}/write_protect") == "1"
            )
    tag = value_of(host, f"{base}/tag")
    return Initiator(
        igroup=tag if tag and tag != "NULL" else base.rpartition("/")[2],
        luns=luns,
        chap=chap_of({key: exact_of(host, f"{base}/auth/{key}") for key in AUTH}),
    )


def _sessions(host: Host, target: Target) -> list[Session]:
    base = tpg(target)
    found = []
    for name in target.initiators:
        info = host.read(f"{base}/acls/{name}/info") or ""
        if info.startswith("InitiatorName:"):
            addresses = re.findall(r"^\s*Address (\S+)", info, re.M)
            found.append(Session(target.name, name, ", ".join(sorted(set(addresses))), target.tag))
    dynamic = (host.read(f"{base}/dynamic_sessions") or "").replace("\0", "\n").split()
    return found + [Session(target.name, name, "", target.tag, True) for name in dynamic]


def portal_of(text: str) -> Portal | None:
    """A directory of np/ as a portal, in the spelling that the kernel gives its address; None: it is none."""
    where, _colon, port = text.rpartition(":")
    bare, percent, zone = where.strip("[]").partition("%")
    try:
        return Portal(f"{ipaddress.ip_address(bare)}{percent}{zone}", int(port))
    except ValueError:
        return None
