# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a host knows of its iSCSI storage, as an answer for people and templates."""

from __future__ import annotations

from typing import Any

from ansible_collections.lunworks.iscsi.plugins.module_utils.holders import BLOCK, Holders, look_holders
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_name import PATH
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_node import look_ifaces
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import (
    RecordId,
    database,
    look_records,
    portal_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_session import (
    CONNECTIONS,
    SESSIONS,
    Session,
    attribute,
    disks_of,
    look_sessions,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_setting import masked

# Attributes of the session and of its connection (kernel drivers/scsi/scsi_transport_iscsi.c).
OF_SESSION = (
    "abort_tmo data_pdu_in_order data_seq_in_order erl first_burst_len immediate_data initial_r2t lu_reset_tmo "
    "max_burst_len max_outstanding_r2t recovery_tmo tgt_reset_tmo username username_in"
).split()
OF_CONNECTION = (
    "address data_digest header_digest ifmarker max_recv_dlength max_xmit_dlength ofmarker ping_tmo port recv_tmo"
).split()


def look_all(host: Host) -> dict[str, Any]:
    """The answer of the module initiator_info."""
    names = parse(host.read(PATH) or "")
    records, sessions = look_records(host), look_sessions(host)
    holders = look_holders(host)
    live = {session.name for session in sessions}
    return {
        "name": names.get("InitiatorName"),
        "alias": names.get("InitiatorAlias"),
        "ifaces": look_ifaces(host),
        "discovery": look_discovery_records(host),
        "records": [
            {
                **_name(name),
                "tpg": record.tpg,
                "startup": record.settings.get("node.startup", "manual"),
                "settings": record.settings,
                "logged_in": name in live,
            }
            for name, record in records
        ],
        "sessions": [
            {
                "number": session.number,
                **_name(session.name),
                "tpg": session.tpg,
                "state": session.state,
                "recorded": session.name in dict(records),
                "negotiated": _negotiated(host, session),
                "disks": [_disk(host, holders, *lun) for lun in disks_of(host, session.number)],
            }
            for session in sessions
        ],
    }


def look_discovery_records(host: Host) -> list[dict[str, Any]]:
    """The discovery records of SendTargets."""
    directory = f"{database(host)}/send_targets"
    found = []
    for place in host.list(directory):
        text = host.read(f"{directory}/{place}/st_config")
        where, _comma, port = place.rpartition(",")
        if text is not None and port.isdecimal():
            found.append({"portal": str(portal_of(where, port)), "settings": masked(parse(text))})
    return found


def _name(name: RecordId) -> dict[str, str]:
    return {"target": name.target, "portal": str(name.portal), "iface": name.iface}


def _negotiated(host: Host, session: Session) -> dict[str, str]:
    places = (f"{SESSIONS}/session{session.number}", f"{CONNECTIONS}/connection{session.number}:0")
    return {
        name: attribute(host, f"{place}/{name}")
        for place, names in zip(places, (OF_SESSION, OF_CONNECTION))
        for name in names
    }


def _disk(host: Host, holders: Holders, where: str, disk: str) -> dict[str, Any]:
    blocks = attribute(host, f"{BLOCK}/{disk}/size") if disk else ""
    device = f"/sys/class/scsi_device/{where}/device"
    return {
        "address": where,
        "lun": int(where.split(":")[3]),
        "device": f"/dev/{disk}" if disk else "",
        "size": int(blocks or 0) * 512,  # sysfs counts blocks of 512 bytes whatever the disk's own are
        "wwid": attribute(host, f"{device}/wwid"),
        "state": attribute(host, f"{device}/state"),
        "map": next(
            (holders.maps[upper] for upper in holders.above.get(disk, []) if upper in holders.maps), None
        ),
        "users": [str(user) for user in holders.of(disk)] if disk else [],
    }
