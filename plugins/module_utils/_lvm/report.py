# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM and the kernel report about volume groups, in one pass (lvm-fullreport(8), lvmreport(7), dm/uuid in sysfs)."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Iterator

from .._block.dm_multipath import wwid_of_map
from .._block.past_map import look_past
from .._block.pv_label import parse_config
from .._block.san_disk import KINDS
from .._block.sysfs import BLOCK
from .._block.write_protect import is_read_only
from .._host import Host, Problem
from .model import LOOK, LogicalVolume, Lvm, PhysicalVolume, VolumeGroup, lvm

# All fields of a VG, since autoactivation has one only from LVM 2.03.12 on.
REPORTS = {
    "vg": ["-o", "vg_all"],
    "pv": [
        "-o",
        "pv_name,pv_uuid,dev_size,pv_missing,pv_mda_count,pv_mda_size,pe_start,pv_pe_count,pv_pe_alloc_count",
    ],
    "lv": ["-o", "lv_name,lv_uuid,lv_size,lv_layout,lv_skip_activation,origin,pool_lv"],
    "pvseg": ["-S", "pv_name=none"],
    "seg": ["-S", "lv_name=none"],
}
# A report would write a backup of metadata that is newer than the last one: not from a look.
QUIET = "backup { backup=0 archive=0 }"
FULL = "lvm fullreport --foreign --shared --reportformat json --units b --nosuffix".split()
FULL += [word for name, options in REPORTS.items() for word in ["--configreport", name, *options]]
# The full report leaves out the copies that LVM does not use, and need not warn of them (2.03.31 does not).
COPIES = "pvs -a --foreign --reportformat json -o pv_name,pv_uuid,vg_name -S pv_duplicate=duplicate".split()
SEQNOS = "vgs --foreign --shared --reportformat json".split()
SEQNOS += ["-o", "vg_name,vg_uuid,vg_seqno,vg_exported,vg_tags"]
# Where the host uses a file of these (lvmdevices(8)), LVM sees the disks in it and no other. A look sees all.
DEVICES_FILES = "/etc/lvm/devices"
ALL = ["--devicesfile", ""]
IN_USE = "lvmconfig --typeconfig full devices/use_devicesfile devices/devicesfile".split()
# Beside '--config' lvmconfig(8) tells of lvm.conf only with '--mergedconfig', and of a setting with a default anyway.
VOLUME_LIST = "lvmconfig --mergedconfig activation/volume_list".split()
MISSING = "[missing]"
ALIGNMENT = 1 << 20  # of a second metadata area at the end of a PV


def look_lvm(host: Host, copies: bool = True) -> Lvm:
    """Everything in one pass; 'copies' asks for duplicate PVs too, which is a second one."""
    tables, listed = _tables(host), _listed(host)
    every = [] if listed is None else ALL
    found = parse_report(lvm(host, *FULL, *every, config=QUIET, timeout=LOOK).out)
    twice = parse_copies(lvm(host, *COPIES, *every, config=QUIET, timeout=LOOK).out) if copies else {}
    local = _system_id(host) if any(one.system_id for one in found.groups) else ""
    groups = []
    for group in found.groups:
        own = {uuid: name for uuid, name in tables.items() if uuid.startswith(group.uuid.replace("-", ""))}
        physical = tuple(_located(host, one, listed) for one in group.physical)
        groups.append(
            replace(
                group,
                foreign=bool(group.system_id) and group.system_id != local,
                physical=physical,
                beside=look_past(host, sorted(own.values())),
                logical=tuple(
                    replace(one, kernel=_table(group.uuid + one.uuid, own)) for one in group.logical
                ),
                tables=tuple(sorted(own.values())),
                copies=tuple(name for one in group.physical for name in twice.get(one.uuid, [])),
            )
        )
    return Lvm(tuple(groups), tuple(_located(host, one, listed) for one in found.orphans), local)


def look_seqnos(host: Host) -> list[VolumeGroup]:
    """What is said of each VG in its metadata's first lines: quick, where a service waits."""
    every = [] if look_devices_file(host) is None else ALL
    told = lvm(host, *SEQNOS, *every, config=QUIET, timeout=LOOK).out
    with expected("vgs"):
        rows = [row for report in json.loads(told)["report"] for row in report["vg"]]
        return [
            VolumeGroup(
                name=row["vg_name"],
                uuid=row["vg_uuid"],
                seqno=int(row["vg_seqno"]),
                tags=frozenset(_words(row["vg_tags"])),
                exported=_says(row["vg_exported"]),
            )
            for row in rows
        ]


def _tables(host: Host) -> dict[str, str]:
    """LVM's devices in the kernel: UUIDs of VG and LV without hyphens, and for inner layers a suffix."""
    found = {}
    for name in host.list(BLOCK):
        uuid = (host.read(f"{BLOCK}/{name}/dm/uuid") or "").strip() if name.startswith("dm-") else ""
        if uuid.startswith("LVM-"):
            found[uuid[len("LVM-") :]] = name
    return found


def look_volume_list(host: Host) -> tuple[str, ...] | None:
    """What this host's lvm.conf lets LVM activate; None: anything (lvmconfig ends with 5 where nothing is said)."""
    ran = lvm(host, *VOLUME_LIST, timeout=LOOK, ok=(0, 5))
    said = parse_config(ran.out).get("volume_list") if ran.rc == 0 else None
    return None if said is None else (said,) if isinstance(said, str) else tuple(map(str, said))


def _listed(host: Host) -> frozenset[str] | None:
    """The PVs in the devices file; None where no such file is in use."""
    text = look_devices_file(host)
    return None if text is None else frozenset(re.findall(r"\bPVID=(\w+)", text))


def look_devices_file(host: Host) -> str | None:
    """The text of the devices file, whose name lvm.conf may say; None where no such file is in use."""
    if not any(name.endswith(".devices") for name in host.list(DEVICES_FILES)):
        return None
    said = parse_config(lvm(host, *IN_USE, timeout=LOOK).out)
    name = said.get("devicesfile", "system.devices")
    return host.read(f"{DEVICES_FILES}/{name}") if said.get("use_devicesfile") == "1" else None


def _table(uuid: str, tables: dict[str, str]) -> str:
    """The device of an LV itself, else of an inner layer (a thin pool has no other); '' when it is not active."""
    own = uuid.replace("-", "")
    return tables.get(own) or next((tables[one] for one in sorted(tables) if one.startswith(own)), "")


def _located(host: Host, one: PhysicalVolume, listed: frozenset[str] | None) -> PhysicalVolume:
    if one.device == MISSING:
        return one
    kernel = host.real(one.device).rpartition("/")[2]
    disk = _disk_of(host, kernel)
    kind, dot, value = (host.read(f"{BLOCK}/{disk or kernel}/device/wwid") or "").strip().partition(".")
    return replace(
        one,
        kernel=kernel,
        disk=disk,
        wwid=KINDS[kind] + value if dot and kind in KINDS else wwid_of_map(host, disk or kernel),
        listed=listed is None or one.uuid.replace("-", "") in listed,
        read_only=is_read_only(host, kernel),
    )


def _disk_of(host: Host, kernel: str) -> str:
    """The disk that a device is a partition of, '' for a whole one; a map's is a table that kpartx(8) made on it."""
    if host.read(f"{BLOCK}/{kernel}/partition") is not None:
        return host.real(f"{BLOCK}/{kernel}").split("/")[-2]
    below = host.list(f"{BLOCK}/{kernel}/slaves")
    made = re.match(r"part\d+-mpath-", host.read(f"{BLOCK}/{kernel}/dm/uuid") or "")
    return below[0] if made and len(below) == 1 else ""


def _system_id(host: Host) -> str:
    return lvm(host, "lvm", "systemid", timeout=LOOK).out.partition(":")[2].strip()


def parse_report(text: str) -> Lvm:
    """What 'lvm fullreport' prints as JSON; devices are not looked up yet. Fields that are not known here are passed over."""
    with expected("lvm fullreport"):
        groups, orphans = [], []
        for report in json.loads(text)["report"]:
            groups += [_group(row, report) for row in report.get("vg", [])]
            orphans += [_physical(each, 0) for each in report.get("pv", []) if not report.get("vg")]
        return Lvm(tuple(groups), tuple(orphans))


@contextmanager
def expected(command: str) -> Iterator[None]:
    """A report of another shape is a Problem."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Problem(
            f"'{command}' did not print the report that LVM 2.03 prints ({type(error).__name__}: {error}). "
            "Is 'lvm' in the PATH another program, or does a wrapper print to its output?"
        ) from error


def _says(value: Any) -> bool:
    """A binary field (lvmreport(7)): a word or nothing, with binary_values_as_numeric 1 or 0."""
    return str(value) not in ("", "0")


def _words(value: Any) -> list[str]:
    """A list as LVM writes it with its own separator."""
    return [word for word in value.split(",") if word]


def _group(row: dict[str, Any], report: dict[str, Any]) -> VolumeGroup:
    size = int(row["vg_extent_size"])
    lock_type = row.get("vg_lock_type", "")
    return VolumeGroup(
        name=row["vg_name"],
        uuid=row["vg_uuid"],
        extent_size=size,
        extents=int(row["vg_extent_count"]),
        free=int(row["vg_free_count"]),
        seqno=int(row["vg_seqno"]),
        tags=frozenset(_words(row["vg_tags"])),
        autoactivation=_says(row["vg_autoactivation"]) if "vg_autoactivation" in row else None,
        system_id=row["vg_systemid"],
        exported=_says(row["vg_exported"]),
        lock_type="" if lock_type == "none" else lock_type,
        physical=tuple(_physical(each, size) for each in report["pv"]),
        logical=tuple(_logical(each) for each in report["lv"]),
    )


def _physical(row: dict[str, Any], extent_size: int) -> PhysicalVolume:
    second = int(row["pv_mda_size"]) + ALIGNMENT if int(row["pv_mda_count"]) > 1 else 0
    room = int(row["dev_size"]) - int(row["pe_start"]) - second
    extents = int(row["pv_pe_count"])
    return PhysicalVolume(
        device=MISSING if _says(row["pv_missing"]) else row["pv_name"],
        uuid=row["pv_uuid"],
        extents=extents,
        used=int(row["pv_pe_alloc_count"]),
        fits=max(extents, room // extent_size if extent_size else 0),
    )


def _logical(row: dict[str, Any]) -> LogicalVolume:
    return LogicalVolume(
        name=row["lv_name"],
        uuid=row["lv_uuid"],
        size=int(row["lv_size"]),
        layout=row["lv_layout"],
        skip=_says(row["lv_skip_activation"]),
        origin=row["origin"],
        pool=row["pool_lv"],
    )


def parse_copies(text: str) -> dict[str, list[str]]:
    """The devices that are copies of a PV, by its UUID."""
    found: dict[str, list[str]] = {}
    with expected("pvs"):
        for report in json.loads(text)["report"]:
            for row in report["pv"]:
                found.setdefault(row["pv_uuid"], []).append(row["pv_name"])
    return found
