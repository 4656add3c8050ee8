# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the SAN storage of this host with what is wanted: sessions, paths, volume groups.

Prints one line with performance data for Nagios (or Checkmk), or writes numbers for node_exporter's textfile collector.
Exit status: 0 all as wanted, 1 redundancy is lost, 2 data is not reachable or not writable, 3 it cannot be said.

It asks no daemon, runs no program and opens no device: everything comes from sysfs, /proc, udev's database, open-iscsi's records
and LVM's own files, none of which waits for a disk. Should a read wait all the same, a child is left with it after --seconds.
So it cannot know what only a command to a disk tells: whether a LUN behind a healthy session still answers, whether multipathd
has failed a path, or who has taken a volume group over since this host last read it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import select
import signal
import sys
import time

OK, WARNING, CRITICAL, UNKNOWN = range(4)
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
NAMED = 5  # faults in the one line
WANTED = "/etc/lunworks/check_san.json"
DATABASES = ("/etc/iscsi/nodes", "/var/lib/iscsi/nodes")  # Debian and SUSE; the RHEL family
AT_BOOT = ("automatic", "onboot")
DESIGNATORS = {"naa": "3", "eui": "2", "t10": "1"}  # sysfs and multipath (SPC-4 table 460)
PREFIX = "lunworks_iscsi_"
CONF = "/etc/iscsi/iscsid.conf"
ASSIGNMENT = re.compile(r"^[ \t]*(node\.[^\s=]+)[ \t]+=[ \t]*(\S.*)$", re.MULTILINE)
# What each record has for itself: whether and how long it logs in at boot, and its credentials, which nobody compares or prints.
OWN = ("node.startup", "node.leading_login", "node.session.initial_login_retry_max", "node.session.auth.")
NOT_OURS = "'{}' is not what the role monitoring writes: {}. Run the role again."


class CannotSay(Exception):
    """Why there is no answer."""


class Tree:
    """Files that are read without waiting; what is not there, or just goes, is empty. Tests give another root."""

    def __init__(self, root: str = "/") -> None:
        self.root = root.rstrip("/")

    def bytes(self, path: str) -> bytes:
        try:
            with open(self.root + path, "rb", buffering=0) as file:
                return file.read()
        except OSError:
            return b""

    def text(self, path: str) -> str:
        found = self.bytes(path).decode(errors="replace").strip()
        return "" if found in ("(null)", "<NULL>") else found

    def list(self, path: str) -> list:
        try:
            return sorted(os.listdir(self.root + path))
        except OSError:
            return []

    def parent(self, path: str) -> str:
        """The name of the directory in which a device stands: of a partition that is its disk."""
        return os.path.basename(os.path.dirname(os.path.realpath(self.root + path)))

    def there(self, path: str) -> bool:
        return os.path.exists(self.root + path)

    def readable(self, path: str, mode: int = os.R_OK | os.X_OK) -> bool:
        return not self.there(path) or os.access(self.root + path, mode)


# What is found


def look(tree: Tree) -> dict:
    """Everything that is looked at, as plain data."""
    sessions = look_sessions(tree)
    disks = {disk["name"]: disk for session in sessions for disk in session["disks"]}
    blocks = look_blocks(tree)
    luns = look_luns(tree, disks, blocks)
    groups, foreign = look_groups(tree, disks, blocks)
    bare = look_bare_paths(disks, blocks)
    nics = {nic: tree.text(f"/sys/class/net/{nic}/mtu") for nic in tree.list("/sys/class/net")}
    return {
        "settings": look_settings(tree),
        "sessions": sessions,
        "luns": luns,
        "groups": groups,
        "foreign": foreign,
        "bare": bare,
        "nics": nics,
    }


def look_sessions(tree: Tree) -> list:
    """The sessions with their disks (kernel drivers/scsi/scsi_transport_iscsi.c)."""
    found = []
    for entry in tree.list("/sys/class/iscsi_session"):
        where, number = f"/sys/class/iscsi_session/{entry}", entry[len("session") :]
        connection = f"/sys/class/iscsi_connection/connection{number}:0"
        address = tree.text(f"{connection}/persistent_address")
        if not address:
            continue
        state = tree.text(f"{where}/state")
        found.append(
            {
                "target": tree.text(f"{where}/targetname"),
                "portal": portal(address, tree.text(f"{connection}/persistent_port") or "3260"),
                "iface": tree.text(f"{where}/ifacename") or "default",
                "state": state,
                "disks": look_disks(tree, f"{where}/device", state == "LOGGED_IN"),
            }
        )
    return found


def portal(address: str, port: str) -> str:
    """A portal as it is written: IPv6 in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def look_disks(tree: Tree, device: str, logged_in: bool) -> list:
    """The disks of a session: its targets, their LUNs."""
    found = []
    for target in tree.list(device):
        for lun in tree.list(f"{device}/{target}") if target.startswith("target") else []:
            where = f"{device}/{target}/{lun}"
            for name in tree.list(f"{where}/block"):
                state = tree.text(f"{where}/state")
                kind, _dot, value = tree.text(f"{where}/wwid").partition(".")
                found.append(
                    {
                        "name": name,
                        "up": logged_in and state == "running",
                        "wwid": DESIGNATORS.get(kind, kind) + re.sub(r"\s+", "_", value.strip()),
                        "serial": tree.bytes(f"{where}/vpd_pg80")[4:].decode(errors="replace").strip(" \0"),
                    }
                )
    return found


def look_blocks(tree: Tree) -> dict:
    """All block devices by what the kernel calls them."""
    found = {}
    for name in tree.list("/sys/class/block"):
        where, mapped = f"/sys/class/block/{name}", name.startswith("dm-")
        whole = mapped or not tree.text(f"{where}/partition")
        found[name] = {
            "number": tree.text(f"{where}/dev"),
            "below": tree.list(f"{where}/slaves") if whole else [tree.parent(where)],
            "uuid": tree.text(f"{where}/dm/uuid") if mapped else "",
            "name": tree.text(f"{where}/dm/name") if mapped else "",
            "read_only": tree.text(f"{where}/ro") == "1",
        }
    return found


def bottom(name: str, blocks: dict) -> set:
    """The devices at the bottom of a stack."""
    below = blocks.get(name, {}).get("below")
    return set().union(*(bottom(one, blocks) for one in below)) if below else {name}


def look_luns(tree: Tree, disks: dict, blocks: dict) -> list:
    """The LUNs as they are used: by a map, else each disk by itself."""
    used = {}
    for name, block in blocks.items():
        kind, _dash, wwid = block["uuid"].partition("-")
        paths = [disks[one] for one in block["below"] if one in disks]
        if kind == "mpath" and paths:
            used[name] = (wwid, block["name"], paths)
    joined = {disk["name"] for _wwid, _name, paths in used.values() for disk in paths}
    for name, disk in disks.items():
        if name not in joined:
            used[name] = (disk["wwid"], "", [disk])
    return [lun_of(blocks.get(name, {}), *found) for name, found in used.items()]


def lun_of(block: dict, wwid: str, name: str, paths: list) -> dict:
    """A LUN with its paths."""
    return {
        "wwid": wwid,
        "serial": next((disk["serial"] for disk in paths if disk["serial"]), ""),
        "device": name or paths[0]["name"],
        "map": bool(name),
        "up": sum(disk["up"] for disk in paths),
        "read_only": block.get("read_only", False),
    }


def look_bare_paths(disks: dict, blocks: dict) -> list:
    """Volumes on one disk of a LUN that has several: when that path fails, the others do not help."""
    found = []
    for block in blocks.values():
        for name in block["below"] if block["uuid"].startswith("LVM-") else []:
            wwid = disks[name]["wwid"] if name in disks else ""
            same = [disk for disk in disks.values() if wwid and disk["wwid"] == wwid]
            if len(same) > 1:
                group, volume, _layer = volume_name(block["name"])
                found.append({"volume": f"{group}/{volume}", "path": name, "paths": len(same)})
    return sorted(found, key=lambda one: one["volume"])


def look_groups(tree: Tree, disks: dict, blocks: dict) -> tuple:
    """The volume groups with something on SAN disks, by name; and the SAN's PVs of which this host knows no volume group.

    PVs are what udev found when a disk appeared. Whose they are is known from active volumes (their names and UUIDs in sysfs),
    from what LVM noted when it saw all PVs of a group (/run/lvm), and from its backups. The last two are only for root: without
    them a PV that belongs to nobody cannot be told from others, and the second answer is None.
    """
    on_san = {name for name in blocks if bottom(name, blocks) & set(disks)}
    pvs = look_pvs(tree, blocks)
    owners = look_owners(tree)
    groups, used = {}, set()
    for block in (blocks[name] for name in sorted(on_san)):
        if block["uuid"].startswith("LVM-"):
            group, volume, layer = volume_name(block["name"])
            entry = groups.setdefault(group, {"active": set(), "missing": 0, "pvs": set(), "expected": set()})
            entry["active"] |= set() if layer else {volume}
            entry["missing"] += block["uuid"].find("-missing_") > 0
            used.update(block["below"])
    for uuid, device in pvs.items():
        if uuid in owners and device in on_san:
            entry = {"active": set(), "missing": 0, "pvs": set(), "expected": set()}
            groups.setdefault(owners[uuid], entry)["pvs"].add(uuid)
    for uuid, group in owners.items():
        if group in groups:
            groups[group]["expected"].add(uuid)
            groups[group]["pvs"] |= {uuid} & set(pvs)
    foreign = [one for uuid, one in pvs.items() if one in on_san and uuid not in owners and one not in used]
    whole = tree.readable("/etc/lvm/backup") and tree.readable("/run/lvm")
    return groups, sorted(foreign) if whole else None


def look_pvs(tree: Tree, blocks: dict) -> dict:
    """Which device is which PV, as udev's database has it; the paths of a map are not among them, the map is."""
    found = {}
    for name, block in blocks.items():
        said = tree.text(f"/run/udev/data/b{block['number']}") if block["number"] else ""
        lines = dict(line[2:].partition("=")[::2] for line in said.splitlines() if line.startswith("E:"))
        # A map keeps only the second one when a path of it fails (13-dm-disk.rules of LVM 2.03.31); of a PV they are the same.
        uuid = lines.get("ID_FS_UUID") or lines.get("ID_FS_UUID_ENC")
        if lines.get("ID_FS_TYPE") == "LVM2_member" and uuid:
            found[uuid.replace("-", "")] = name
    return found


def look_owners(tree: Tree) -> dict:
    """The volume group of each PV that LVM has noted on this host (pvscan(8), vgcfgbackup(8))."""
    owners = {}
    for group in tree.list("/etc/lvm/backup"):
        said = tree.text(f"/etc/lvm/backup/{group}")
        inside = said.partition("physical_volumes {")[2].partition("logical_volumes {")[0]
        for uuid in re.findall(r'^\s*id = "([^"]+)"', inside, re.MULTILINE):
            owners[uuid.replace("-", "")] = group
    for uuid in tree.list("/run/lvm/pvs_online"):
        group = re.search(r"^vg:(\S+)", tree.text(f"/run/lvm/pvs_online/{uuid}"), re.MULTILINE)
        if group:
            owners[uuid] = group[1]
    return owners


def volume_name(name: str) -> tuple:
    """The volume group, the logical volume and the layer of a device-mapper name: '-' within them is doubled."""
    parts = [part.replace("\0", "-") for part in name.replace("--", "\0").split("-")]
    return tuple((parts + ["", ""])[:3])


# What is wanted


def look_wanted(tree: Tree, path: str) -> dict:
    """What the role wrote; without it the sessions of the records that are logged in at boot."""
    if tree.there(path) and not tree.readable(path, os.R_OK):
        raise CannotSay(f"'{path}' cannot be read. Run this as root.")
    if not tree.there(path):
        hidden = [top for top in ("/etc/iscsi", "/var/lib/iscsi", *DATABASES) if not tree.readable(top)]
        if hidden:
            raise CannotSay(f"'{path}' is not there, and '{hidden[0]}' cannot be read. Run this as root.")
        return {"sessions": look_records(tree), "luns": [], "groups": [], "nics": [], "settings": []}
    try:
        told = json.loads(tree.text(path))
        return {key: list(told.get(key, [])) for key in ("sessions", "luns", "groups", "nics", "settings")}
    except (ValueError, TypeError, AttributeError) as error:
        raise CannotSay(NOT_OURS.format(path, error)) from None


def look_records(tree: Tree) -> list:
    """The sessions of records that are logged in at boot."""
    found = []
    for target, where, file, said in records(tree):
        iface = re.search(r"^iface\.iscsi_ifacename = (\S+)", said, re.MULTILINE)
        startup = re.search(r"^node\.startup = (\w+)", said, re.MULTILINE)
        if startup and startup[1] in AT_BOOT:
            found.append({"target": target, "portal": where, "iface": iface[1] if iface else file})
    return found


def records(tree: Tree):
    """Records: TARGET/ADDRESS,PORT,TPG/IFACE, old ones TARGET/ADDRESS,PORT (open-iscsi, usr/idbm.c)."""
    for top in DATABASES:
        for target in tree.list(top):
            for where in tree.list(f"{top}/{target}"):
                address, _comma, rest = where.partition(",")
                for file in tree.list(f"{top}/{target}/{where}") or [""]:
                    said = tree.text(f"{top}/{target}/{where}/{file}".rstrip("/"))
                    yield target, portal(address, rest.partition(",")[0]), file, said


def look_settings(tree: Tree) -> list:
    """Where a record and iscsid.conf, which is copied into new records, do not agree. Both are only for root to read."""
    conf = settings_of(tree.text(CONF))
    found = []
    for target, where, _file, said in records(tree) if conf else ():
        own = settings_of(said)
        for name, value in conf.items():
            if name in own and not same(own[name], value):
                found.append(
                    {"target": target, "portal": where, "name": name, "record": own[name], "conf": value}
                )
    return found


def settings_of(text: str) -> dict:
    """Settings as open-iscsi reads them: the last line counts, and one without a blank before its '=' is none."""
    return {name: value.strip() for name, value in ASSIGNMENT.findall(text) if not name.startswith(OWN)}


def same(one: str, other: str) -> bool:
    """Whether two values are one: open-iscsi writes numbers without leading zeros."""
    return one == other or (one.isdecimal() and other.isdecimal() and int(one) == int(other))


# The comparison


def compare(wanted: dict, found: dict) -> list:
    """What is not as wanted: how bad it is, and a sentence; the worst first."""
    faults = [
        *of_nics(wanted, found),
        *of_sessions(wanted, found),
        *of_bare_paths(found),
        *of_luns(wanted, found),
        *of_groups(wanted, found),
        *of_settings(wanted, found),
    ]
    return sorted(faults, key=lambda fault: -fault[0])


def of_nics(wanted: dict, found: dict):
    """NICs with another MTU: where it is too large on the way, sessions log in and data hangs."""
    for one in wanted["nics"]:
        mtu = found["nics"].get(one["nic"])
        if mtu is None:
            yield WARNING, f"there is no NIC '{one['nic']}'"
        elif mtu != str(one["mtu"]):
            yield (
                WARNING,
                f"the NIC '{one['nic']}' has the MTU {mtu} and must have {one['mtu']}: run lunworks.iscsi.site or boot this host",
            )


def session_key(session: dict) -> tuple:
    """iSCSI names are compared in lower case (RFC 7143 section 4.2.7.2)."""
    return session["target"].lower(), session["portal"], session.get("iface") or "default"


def of_sessions(wanted: dict, found: dict):
    """Sessions that are not there, or stand still."""
    there = {session_key(one): one for one in found["sessions"]}
    for one in wanted["sessions"]:
        if session_key(one) not in there:
            yield (
                WARNING,
                f"no session with '{one['target']}' at {one['portal']} (iface {session_key(one)[2]})",
            )
    for one in found["sessions"]:
        if one["state"] != "LOGGED_IN":
            yield (
                WARNING,
                f"the session with '{one['target']}' at {one['portal']} is down ({one['state'] or 'unknown'})",
            )


def lun_found(one: dict, luns: list) -> dict:
    """The LUN that is wanted, by its WWID or serial; where none is there, one without paths."""
    same = [lun for lun in luns if lun["wwid"] == one.get("wwid") or lun["serial"] == one.get("serial")]
    nothing = {"device": "", "map": False, "up": 0, "read_only": False, "wwid": "", "serial": ""}
    return max(same, key=lambda lun: (lun["map"], lun["up"]), default=nothing)


def of_luns(wanted: dict, found: dict):
    """LUNs without enough paths, and those that cannot be written to."""
    for one in wanted["luns"]:
        lun = lun_found(one, found["luns"])
        name = f"the LUN '{one['name']}'" + (f" ({lun['device']})" if lun["device"] else "")
        if not lun["device"]:
            yield CRITICAL, f"{name} is not there"
        elif not lun["up"]:
            yield CRITICAL, f"{name} has no path of {one.get('paths', 1)}"
        elif lun["up"] < one.get("paths", 1):
            yield WARNING, f"{name} has {lun['up']} of {one['paths']} paths"
        if lun["read_only"]:
            yield CRITICAL, f"{name} is read-only"
    for lun in found["luns"] if not wanted["luns"] else []:
        if not lun["up"]:
            yield CRITICAL, f"{lun['device']} ({lun['wwid']}) has no path"
        if lun["read_only"]:
            yield WARNING, f"{lun['device']} ({lun['wwid']}) is read-only"


def of_bare_paths(found: dict):
    """Volumes that one cable takes away."""
    for one in found["bare"]:
        text = f"'{one['volume']}' is on {one['path']}, one of {one['paths']} paths of its LUN: move it to the map (module disks)"
        yield WARNING, text


def of_groups(wanted: dict, found: dict):
    """Volume groups that are not whole, and volumes that are not active."""
    for one in wanted["groups"]:
        active = found["groups"].get(one["name"], {}).get("active", set())
        late = [f"'{one['name']}/{volume}'" for volume in one["volumes"] if volume not in active]
        if late:
            yield CRITICAL, f"not active: {', '.join(late)}"
    for name, group in found["groups"].items():
        gone = len(group["expected"] - group["pvs"])
        if gone or group["missing"]:
            yield CRITICAL, f"the volume group '{name}' lacks {gone or 'some'} of its PVs"
    if found["foreign"]:
        devices = ", ".join(found["foreign"])
        yield WARNING, f"PVs of which this host knows no volume group, perhaps another host's: {devices}"


def differing(wanted: dict, found: dict) -> dict:
    """Settings of records that differ from iscsid.conf, with their records; not those that the data of their target names."""
    meant = {(one["target"].lower(), name) for one in wanted["settings"] for name in one["names"]}
    ours = {one["target"].lower() for one in [*wanted["sessions"], *wanted["settings"]]}
    folded = {}
    for one in found["settings"]:
        if ours and one["target"].lower() not in ours:
            continue  # another program's, as that of a cloud's block storage
        if (one["target"].lower(), one["name"]) not in meant:
            folded.setdefault((one["name"], one["record"], one["conf"]), []).append(one)
    return folded


def of_settings(wanted: dict, found: dict):
    """Records that differ from iscsid.conf: what is set there reaches new records only."""
    for (name, record, conf), places in differing(wanted, found).items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        text = f"'{name}' is '{record}' in the record of '{places[0]['target']}' at {places[0]['portal']}{more} and '{conf}' in "
        yield (
            WARNING,
            f"{text}iscsid.conf: set both to the same value (initiator_settings, or the settings of initiator_nodes)",
        )


# The answers


def totals(wanted: dict, found: dict) -> dict:
    """The numbers of the one line: found, and how many are wanted (None: none of them is a fault)."""
    there = {session_key(one) for one in found["sessions"] if one["state"] == "LOGGED_IN"}
    want = {session_key(one) for one in wanted["sessions"]}
    luns = [lun_found(one, found["luns"]) for one in wanted["luns"]] or found["luns"]
    return {
        "sessions": (len(there & want) if want else len(there), len(want)),
        "paths": (sum(lun["up"] for lun in luns), sum(one.get("paths", 1) for one in wanted["luns"])),
        "stalled": (sum(one["state"] != "LOGGED_IN" for one in found["sessions"]), None),
        "read_only": (sum(lun["read_only"] for lun in luns), None),
        "foreign_pvs": (len(found["foreign"] or []), None),
    }


def one_line(wanted: dict, found: dict, checkmk: bool) -> tuple:
    """Exit status and line (Monitoring Plugins Development Guidelines; Checkmk's local checks)."""
    faults, numbers = compare(wanted, found), totals(wanted, found)
    status = max((bad for bad, _text in faults), default=OK)
    sessions, paths = (
        f"{have}{f' of {want}' if want else ''} {name}" for name, (have, want) in list(numbers.items())[:2]
    )
    more = [f"and {len(faults) - NAMED} more"] if len(faults) > NAMED else []
    said = "; ".join([f"{sessions}, {paths}"] + [text for _bad, text in faults[:NAMED]] + more)
    said = re.sub(r"[|\s]+", " ", said)
    if checkmk:
        data = "|".join(f"{name}={have}" for name, (have, _want) in numbers.items())
        return status, f'{status} "iSCSI SAN" {data} {said}'
    limits = {name: "0" if want is None else f"{want}:" for name, (_have, want) in numbers.items()}
    data = " ".join(f"{name}={have};{limits[name]};;0" for name, (have, _want) in numbers.items())
    return status, f"SAN {STATES[status]} - {said} | {data}"


def metrics(wanted: dict, found: dict) -> str:
    """The numbers for node_exporter (Prometheus' text format)."""
    families = [*session_metrics(wanted, found), *lun_metrics(wanted, found), *group_metrics(wanted, found)]
    families += nic_metrics(wanted, found)
    text = "Settings of records that differ from iscsid.conf, unless the data of their target names them."
    families.append(("settings_differing", text, [({}, sum(map(len, differing(wanted, found).values())))]))
    families.append(("check_answered", "Whether the check got its answers in time.", [({}, 1)]))
    return "".join(family(*one) for one in families)


def session_metrics(wanted: dict, found: dict):
    want = {session_key(one): one for one in wanted["sessions"]}
    there = {session_key(one): one for one in found["sessions"]}
    both = {key: dict(zip(("target", "portal", "iface"), key)) for key in {**want, **there}}
    yield (
        "session_wanted",
        "Whether the inventory, or a record that is logged in at boot, wants this session.",
        [(labels, int(key in want)) for key, labels in both.items()],
    )
    up = {session_key(one) for one in found["sessions"] if one["state"] == "LOGGED_IN"}
    stalled = {session_key(one) for one in found["sessions"] if one["state"] != "LOGGED_IN"}
    yield (
        "session_up",
        "Whether this session is logged in.",
        [(labels, int(key in up)) for key, labels in both.items()],
    )
    yield (
        "session_stalled",
        "Whether this session is there, but has lost its connection.",
        [(labels, int(key in stalled)) for key, labels in both.items()],
    )


def lun_metrics(wanted: dict, found: dict):
    rows = []
    for one in wanted["luns"]:
        lun = lun_found(one, found["luns"])
        rows.append(({"lun": one["name"], "wwid": one.get("wwid") or lun["wwid"]}, one.get("paths", 1), lun))
    taken = [id(lun) for _labels, _paths, lun in rows]
    for lun in found["luns"]:
        if id(lun) not in taken:
            rows.append(({"lun": lun["device"], "wwid": lun["wwid"]}, 0, lun))
    yield (
        "lun_paths_wanted",
        "Paths that this LUN must have; 0: it is not declared.",
        [(a, b) for a, b, _c in rows],
    )
    for name, text, key in (
        ("lun_paths_up", "Paths of this LUN whose session is logged in and whose device runs.", "up"),
        ("lun_read_only", "Whether the map of this LUN, or its only path, can only be read.", "read_only"),
    ):
        yield name, text, [(labels, int(lun[key])) for labels, _paths, lun in rows]


def group_metrics(wanted: dict, found: dict):
    groups = sorted(found["groups"].items())
    yield (
        "volume_group_pvs_missing",
        "PVs of this volume group that this host does not see.",
        [({"vg": name}, len(one["expected"] - one["pvs"]) or one["missing"]) for name, one in groups],
    )
    yield (
        "volume_active",
        "Whether this wanted logical volume is active.",
        [
            (
                {"vg": one["name"], "lv": volume},
                int(volume in found["groups"].get(one["name"], {}).get("active", ())),
            )
            for one in wanted["groups"]
            for volume in one["volumes"]
        ],
    )
    if found["foreign"] is not None:
        text = (
            "PVs on SAN disks of which this host knows no volume group: another host's, or never used here."
        )
        yield "foreign_pvs", text, [({}, len(found["foreign"]))]


def nic_metrics(wanted: dict, found: dict):
    mtu = {one["nic"]: one["mtu"] for one in wanted["nics"]}
    yield "nic_mtu_wanted", "The MTU that this NIC must have.", [({"nic": nic}, mtu[nic]) for nic in mtu]
    yield (
        "nic_mtu",
        "The MTU of this NIC, for which one is declared; 0: there is no such NIC.",
        [({"nic": nic}, int(found["nics"].get(nic) or 0)) for nic in mtu],
    )


def family(name: str, text: str, rows: list) -> str:
    """A metric with all its rows."""
    lines = [f"# HELP {PREFIX}{name} {text}", f"# TYPE {PREFIX}{name} gauge"]
    for labels, value in rows:
        inside = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
        lines.append(f"{PREFIX}{name}{f'{{{inside}}}' if inside else ''} {value}")
    return "".join(f"{line}\n" for line in lines) if rows else ""


def escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write_aside(path: str, text: str) -> None:
    """Replace a file at once: its reader never sees half of it."""
    aside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(aside)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(aside, 0o644)
    os.rename(aside, path)


def answer(given: argparse.Namespace) -> tuple:
    """Exit status, and what is printed."""
    try:
        tree = Tree(given.root)
        wanted, found = look_wanted(tree, given.wanted), look(tree)
        if given.textfile:
            write_aside(given.textfile, metrics(wanted, found))
            return OK, ""
        return one_line(wanted, found, given.checkmk)
    except (KeyError, TypeError, AttributeError) as error:  # an entry without what the role gives each
        return cannot_say(given, NOT_OURS.format(given.wanted, repr(error)))
    except (CannotSay, OSError, ValueError) as error:
        return cannot_say(given, str(error))


def cannot_say(given: argparse.Namespace, why: str) -> tuple:
    """There is no answer, and monitoring must see that: old numbers do not stay."""
    if given.textfile:
        text = family("check_answered", "Whether the check got its answers in time.", [({}, 0)])
        try:
            write_aside(given.textfile, text)
        except OSError as error:
            why = str(error)
    return UNKNOWN, f'3 "iSCSI SAN" - {why}' if given.checkmk else f"SAN UNKNOWN - {why}"


def in_time(given: argparse.Namespace) -> tuple:
    """The answer of a child; one that waits for a disk cannot be killed, and is left behind."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os.write(writer, json.dumps(answer(given)).encode())
        os._exit(0)
    os.close(writer)
    said, end = b"", time.monotonic() + given.seconds
    while True:
        if not select.select([reader], [], [], max(end - time.monotonic(), 0))[0]:
            os.kill(child, signal.SIGKILL)
            return cannot_say(given, f"no answer within {given.seconds:g} seconds")
        part = os.read(reader, 65536)
        if not part:
            os.waitpid(child, 0)
            return tuple(json.loads(said)) if said else cannot_say(given, "the check itself ended early")
        said += part


def arguments(argv: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wanted", default=WANTED, help="what is wanted, as the role monitoring writes it (%(default)s)"
    )
    parser.add_argument(
        "--textfile", default="", help="write numbers for node_exporter to this file, NAME.prom"
    )
    parser.add_argument("--checkmk", action="store_true", help="print the line as a local check of Checkmk")
    parser.add_argument(
        "--seconds", type=float, default=10, help="give up after so many seconds (%(default)s)"
    )
    parser.add_argument("--root", default="/", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list) -> int:
    try:
        given = arguments(argv)
    except SystemExit as ended:  # argparse ends with 2, which would be CRITICAL
        return OK if ended.code in (None, 0) else UNKNOWN
    status, line = in_time(given)
    if line:
        print(line, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
