# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the info modules say of a small SAN that somebody made by hand, to be changed by tests in one place."""

from __future__ import annotations

from typing import Any

TARGET = "iqn.2003-01.org.linux-iscsi.store.x8664:sn.4f3a1c2d5e6b"
NAME = "iqn.1993-08.org.debian:01:5c7d9b21e0f4"
SERIAL = "165db07e-6e1b-44f0-a4f7-613bb75301f1"
WWID = "36001405165db07e6e1b44f0a4f7613bb"
PORTALS = ("10.77.1.11:3260", "10.77.2.11:3260")
RETRIES = "node.session.initial_login_retry_max"


def lun(**changes: Any) -> dict[str, Any]:
    return {
        "name": "data",
        "number": 0,
        "path": "/srv/hand/data.img",
        "size": 96 << 20,
        "serial": SERIAL,
        "wwid": WWID,
        "block_size": 512,
        "write_back": False,
        "read_only": False,
        "attributes": {"emulate_tpu": "0", "queue_depth": "128"},
        **changes,
    }


def igroup(**changes: Any) -> dict[str, Any]:
    mapped = [{"name": "data", "number": 0, "read_only": False}]
    return {"name": "db", "initiators": [NAME], "luns": mapped, "chap": None, **changes}


def target(**changes: Any) -> dict[str, Any]:
    return {
        "name": TARGET,
        "enabled": True,
        "portals": list(PORTALS),
        "alias": "LIO Target",
        "attributes": {"authentication": "0", "generate_node_acls": "0", "login_timeout": "15"},
        "parameters": {"MaxConnections": "1", "TargetAlias": "LIO Target"},
        "luns": [lun()],
        "igroups": [igroup()],
        "sessions": [{"initiator": NAME, "address": "10.77.1.12", "tag": 1}],
        "tag": 1,
        "other_portal_groups": [],
        **changes,
    }


def served(targets: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """A storage host."""
    answer = {
        "targets": [target()] if targets is None else targets,
        "drift": [],
        "saved": "/etc/target/saveconfig.json",
        "exposed_files": [],
        "discovery_chap": None,
        "unmanaged": [],
        **changes,
    }
    unit = {"found": True, "enabled": True, "active": True}
    return {
        "storage": {"provider": "lio", "target_info": answer, "reason": "", "missing": [], "unit": unit},
        "compute": {},
    }


def record(portal: str = PORTALS[0], **changes: Any) -> dict[str, Any]:
    settings = {RETRIES: "8", "node.session.auth.authmethod": "None", **changes.pop("settings", {})}
    return {
        "target": TARGET,
        "portal": portal,
        "iface": "default",
        "tpg": 1,
        "startup": "automatic",
        "settings": settings,
        "logged_in": True,
        **changes,
    }


def asked(portal: str = PORTALS[0], kind: str = "sendtargets", **settings: Any) -> dict[str, Any]:
    """A discovery record as iscsiadm writes it; of settings the last part of their names."""
    own = {
        "reopen_max": "5",
        "timeo.login_timeout": "15",
        "timeo.auth_timeout": "45",
        "timeo.active_timeout": "30",
        "iscsi.MaxRecvDataSegmentLength": "32768",
        **settings,
    }
    address, _colon, port = portal.rpartition(":")
    return {
        "portal": portal,
        "type": kind,
        "settings": {
            "discovery.type": kind,
            "discovery.sendtargets.address": address,
            "discovery.sendtargets.port": port,
            **{f"discovery.{kind}.{key}": value for key, value in own.items()},
        },
    }


def session(number: int = 1, disks: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "target": TARGET,
        "portal": PORTALS[number - 1],
        "iface": "default",
        "state": "LOGGED_IN",
        "initiator": NAME,
        "recorded": True,
        "disks": [disk(number)] if disks is None else disks,
        **changes,
    }


def disk(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "lun": 0,
        "device": f"/dev/sd{'abcd'[number - 1]}",
        "size": 96 << 20,
        "wwid": f"naa.{WWID[1:]}",
        "state": "running",
        "map": "mpatha",
        "users": [f"/dev/sd{'abcd'[number - 1]} is a path of the multipath map 'mpatha'"],
        **changes,
    }


def group(**changes: Any) -> dict[str, Any]:
    return {
        "name": "vg_hand",
        "state": "active",
        "system_id": None,
        "autoactivation": None,
        "tags": [],
        "extent_size": 4 << 20,
        "bypasses_multipath": False,
        "physical_volumes": [{"device": "/dev/mapper/mpatha", "wwid": WWID}],
        "logical_volumes": [volume()],
        **changes,
    }


def volume(**changes: Any) -> dict[str, Any]:
    return {
        "name": "data",
        "size": 48 << 20,
        "active": True,
        "layout": "linear",
        "filesystem": "ext4",
        **changes,
    }


def mount(**changes: Any) -> dict[str, Any]:
    return {
        "path": "/srv/hand",
        "group": "vg_hand",
        "volume": "data",
        "device": "/dev/mapper/vg_hand-data",
        "filesystem": "ext4",
        "options": "_netdev,noatime",
        "in_fstab": True,
        "mounted": True,
        "root": "/",
        "wwid": "",
        "partition": False,
        **changes,
    }


def used(
    groups: list[dict[str, Any]] | None = None,
    mounts: list[dict[str, Any]] | None = None,
    multipath: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A compute host; further changes are of what initiator_info says."""
    initiator = {
        "name": NAME,
        "alias": None,
        "iscsid_conf": {"node.startup": "manual", "node.session.timeo.replacement_timeout": "120"},
        "exposed_files": [],
        "ifaces": {"default": {"iface.iscsi_ifacename": "default", "iface.transport_name": "tcp"}},
        "rp_filter": [],
        "discovery": [],
        "records": [record(portal) for portal in PORTALS],
        "sessions": [session(1), session(2)],
        "differences": [],
        **changes,
    }
    return {
        "storage": {},
        "compute": {
            "initiator_info": initiator,
            "timers_info": {"faults": []},
            "login_unit": [],
            "multipath_info": {**configured(), **(multipath or {})},
            "multipath_enabled": True,
            "volume_group_info": {"groups": [group()] if groups is None else groups},
            "volume_use_info": {"mounts": [mount()] if mounts is None else mounts},
            "missing": [],
        },
    }


def configured() -> dict[str, Any]:
    """What multipath_info says."""
    nothing: dict[str, Any] = {"blacklist": {}, "blacklist_exceptions": {}, "devices": [], "overrides": {}}
    return {
        "running": True,
        "files": [{"path": "/etc/multipath.conf", "own": False, "aliases": {}}],
        "settings": {"defaults": {"user_friendly_names": "yes"}, "multipaths": [], **nothing},
        "maps": [{"name": "mpatha", "wwid": WWID}],
        "listed_wwids": [WWID],
    }
