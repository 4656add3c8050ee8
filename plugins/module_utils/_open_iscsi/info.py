# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a host knows about its iSCSI storage, for people and templates."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import Any, Iterable

from .._block.holders import Holders, look_holders
from .._block.sysfs import BLOCK
from .._host import Host, lines_of
from .._net.rp_filter_by_hand import look_by_hand
from .conf.initiator_name import PATH
from .conf.record_defaults import CONF
from .conf.settings import is_secret, masked, text_of
from .drift import Live, differences, look_live
from .file import config, first
from .iface.bound import NIC, look_ifaces
from .login_refusal import INITIATOR
from .record import Record, RecordId, database, look_records, portal_of
from .session import CONNECTIONS, SESSIONS, Session, attribute, disks_of, look_sessions

# Attributes of the session and of its connection (kernel drivers/scsi/scsi_transport_iscsi.c).
OF_SESSION = (
    "abort_tmo data_pdu_in_order data_seq_in_order erl fast_abort first_burst_len immediate_data initial_r2t "
    "lu_reset_tmo max_burst_len max_outstanding_r2t recovery_tmo tgt_reset_tmo username username_in"
).split()
OF_CONNECTION = (
    "address data_digest header_digest ifmarker max_recv_dlength max_xmit_dlength ofmarker ping_tmo port recv_tmo"
).split()
DISCOVERY = (("sendtargets", "send_targets", "st_config"), ("isns", "isns", "isns_config"))  # usr/idbm.c
HEAD = re.compile(r"^Stats for session \[sid: (\d+),")
COUNTER = re.compile(r"^\s+(\w+): (\d+)$")


def look_all(host: Host, statistics: bool = False) -> dict[str, Any]:
    """The answer of the module initiator_info."""
    names = host.read(PATH) or ""
    name = first(names, "InitiatorName")
    records, sessions = look_records(host), look_sessions(host)
    told = Told(host, look_holders(host), look_statistics(host) if statistics and sessions else {})
    live = [Live(one.number, one.name, look_live(host, one), told.mapped(one.number)) for one in sessions]
    recorded = {name for name, _record in records}
    ifaces = look_ifaces(host)
    return {
        "name": name,
        "alias": first(names, "InitiatorAlias"),
        "iscsid_conf": masked(config(host.read(CONF) or "")),
        "exposed_files": _exposed(host, records),
        "ifaces": ifaces,
        "rp_filter": look_by_hand(host, {one.get(NIC, "") for one in ifaces.values()}),
        "discovery": look_discovery_records(host),
        "records": _records(records, {session.name for session in sessions}),
        "sessions": [told.session(session, session.name in recorded) for session in sessions],
        "differences": _differences(host, name or "", records, live),
    }


def _exposed(host: Host, records: Iterable[tuple[RecordId, Record]]) -> list[str]:
    """The files with a CHAP secret that anybody may read."""
    files = {CONF: masked(config(host.read(CONF) or ""))}
    files.update({record.path: record.settings for _name, record in records})
    secret = [
        path for path in files if any(is_secret(key) and text_of(files[path][key]) for key in files[path])
    ]
    return sorted(path for path in secret if _readable(host, path))


def _readable(host: Host, path: str) -> bool:
    found = host.stat(path)
    return found is not None and bool(found.st_mode & stat.S_IROTH)


def _records(records: Iterable[tuple[RecordId, Record]], live: set[RecordId]) -> list[dict[str, Any]]:
    return [
        {
            **_name(name),
            "tpg": record.tpg,
            "startup": record.settings.get("node.startup", "manual"),
            "settings": record.settings,
            "logged_in": name in live,
        }
        for name, record in records
    ]


def _differences(
    host: Host, initiator: str, records: Iterable[tuple[RecordId, Record]], live: list[Live]
) -> list[dict[str, Any]]:
    """Where iscsid.conf, record and session disagree. A record that names no initiator leaves that to the host."""
    said = {name: {INITIATOR: initiator, **_filled(record)} for name, record in records}
    return [
        {
            **_name(one.name),
            "session_number": one.session_number,
            "setting": one.setting,
            "iscsid_conf": one.conf,
            "record": one.record,
            "session": one.session,
            "next_login": one.next_login,
            "text": one.text,
        }
        for one in differences(masked(config(host.read(CONF) or "")), said, live)
    ]


def _filled(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.settings.items() if name != INITIATOR or value}


def look_discovery_records(host: Host) -> list[dict[str, Any]]:
    """The discovery records of SendTargets and iSNS."""
    found = []
    for kind, part, file in DISCOVERY:
        directory = f"{database(host)}/{part}"
        for place in host.list(directory):
            text = host.read(f"{directory}/{place}/{file}")
            where, _comma, port = place.rpartition(",")
            if text is not None and port.isdecimal():
                portal = str(portal_of(where, port))
                found.append({"portal": portal, "type": kind, "settings": masked(config(text))})
    return found


def _name(name: RecordId) -> dict[str, str]:
    return {"target": name.written, "portal": str(name.portal), "iface": name.iface}


@dataclass(frozen=True)
class Told:
    """What a session is told from: one look at the holders of all devices, one at all counters."""

    host: Host
    holders: Holders
    statistics: dict[int, dict[str, int]]

    def session(self, session: Session, recorded: bool) -> dict[str, Any]:
        """A session with its parameters, counters and LUNs."""
        there, number = self.host, session.number
        return {
            "number": number,
            **_name(session.name),
            "tpg": session.tpg,
            "state": session.state,
            "connection_state": attribute(there, f"{CONNECTIONS}/connection{number}:0/state"),
            "initiator": attribute(there, f"{SESSIONS}/session{number}/initiatorname"),
            "recorded": recorded,
            "negotiated": self._negotiated(number),
            "statistics": self.statistics.get(number, {}),
            "disks": [self._lun(*lun) for lun in disks_of(there, number)],
        }

    def mapped(self, number: int) -> bool:
        """Whether a disk of the session is a path of a multipath map."""
        uppers = (self.holders.above.get(disk, []) for _lun, disk in disks_of(self.host, number) if disk)
        return any(upper in self.holders.maps for above in uppers for upper in above)

    def _negotiated(self, number: int) -> dict[str, str]:
        places = (f"{SESSIONS}/session{number}", f"{CONNECTIONS}/connection{number}:0")
        return {
            name: attribute(self.host, f"{place}/{name}")
            for place, names in zip(places, (OF_SESSION, OF_CONNECTION))
            for name in names
        }

    def _lun(self, where: str, disk: str) -> dict[str, Any]:
        blocks = attribute(self.host, f"{BLOCK}/{disk}/size") if disk else ""
        device, maps = f"/sys/class/scsi_device/{where}/device", self.holders.maps
        upper = next((one for one in self.holders.above.get(disk, []) if one in maps), "")
        return {
            "address": where,
            "lun": int(where.split(":")[3]),
            "device": f"/dev/{disk}" if disk else "",
            "size": int(blocks or 0) * 512,  # sysfs counts blocks of 512 bytes whatever the disk's own are
            "wwid": attribute(self.host, f"{device}/wwid"),
            "serial": attribute(self.host, f"{device}/vpd_pg80")[4:].strip(" \0"),
            "state": attribute(self.host, f"{device}/state"),
            "read_only": self._read_only(disk),
            "map": maps.get(upper),
            "map_read_only": self._read_only(upper) if upper else None,
            "users": [str(user) for user in self.holders.of(disk)] if disk else [],
        }

    def _read_only(self, device: str) -> bool:
        """Whether the kernel lets nobody write to it."""
        return bool(device) and attribute(self.host, f"{BLOCK}/{device}/ro") == "1"


def look_statistics(host: Host) -> dict[int, dict[str, int]]:
    """The counters of every session by its number; a session that has just ended has none. The kernel gives them by netlink
    only, so iscsiadm is asked, once for all."""
    return parse_statistics(host.run("iscsiadm", "-m", "session", "-s", ok=None, timeout=30).out)


def parse_statistics(text: str) -> dict[int, dict[str, int]]:
    """What 'iscsiadm -m session -s' prints: RFC 4544's counters and those of the transport, since the login."""
    found: dict[int, dict[str, int]] = {}
    counters: dict[str, int] = {}
    for line in lines_of(text):
        head, counter = HEAD.match(line), COUNTER.match(line)
        if head:
            counters = found.setdefault(int(head[1]), {})
        elif counter:
            counters[counter[1]] = int(counter[2])
    return found
