# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timers of every session, record and disk of this host, and what iscsid.conf says of them.

Those of sessions are in sysfs (kernel drivers/scsi/scsi_transport_iscsi.c), the SCSI command timer is the disk's 'timeout'.
"""

from __future__ import annotations

from typing import Any, Mapping

from .._block.holders import Holders, look_holders
from .._host import Host
from .._timers.conflicts import Timer
from .._timers.stall import Disk, Path, Queue
from .conf.presets import ABORT, BUILT_IN, LU_RESET, NOOP_INTERVAL, NOOP_TIMEOUT, REPLACEMENT, TARGET_RESET
from .conf.settings import number
from .file import config
from .record import look_records
from .session import CONNECTIONS, SESSIONS, Session, attribute, disks_of, look_sessions

CONF = "/etc/iscsi/iscsid.conf"
COMMAND, RETRIES = (
    30,
    5,
)  # seconds and tries; the kernel's own (drivers/scsi/sd.h, SD_TIMEOUT and SD_MAX_RETRIES)
REOPEN = "node.session.reopen_max"  # only iscsid knows what its session has
OF_RECORDS = {**BUILT_IN, REOPEN: "0"}  # libopeniscsiusr/default.h
KERNEL = {
    NOOP_INTERVAL: f"{CONNECTIONS}/connection{{0}}:0/recv_tmo",
    NOOP_TIMEOUT: f"{CONNECTIONS}/connection{{0}}:0/ping_tmo",
    REPLACEMENT: f"{SESSIONS}/session{{0}}/recovery_tmo",
    ABORT: f"{SESSIONS}/session{{0}}/abort_tmo",
    LU_RESET: f"{SESSIONS}/session{{0}}/lu_reset_tmo",
    TARGET_RESET: f"{SESSIONS}/session{{0}}/tgt_reset_tmo",
}


def look_disks(host: Host, queues: Mapping[str, Queue]) -> list[Disk]:
    """The LUNs of all sessions, by the maps that they are paths of, else each by itself."""
    holders = look_holders(host)
    groups: dict[str, list[tuple[str, Path]]] = {}
    for session in look_sessions(host):
        timers = look_live(host, session)
        for where, disk in disks_of(host, session.number):
            if disk:
                upper = next((one for one in holders.above.get(disk, []) if one in holders.maps), disk)
                place = f"/sys/class/scsi_device/{where}/device"
                retries = attribute(host, f"{place}/scsi_disk/{where}/max_retries")
                path = _path(session, timers, disk, attribute(host, f"{place}/timeout"), retries)
                groups.setdefault(upper, []).append((attribute(host, f"{place}/wwid"), path))
    return [_disk(upper, group, holders, queues.get(upper)) for upper, group in groups.items()]


def look_live(host: Host, session: Session) -> dict[str, int]:
    """The timers of a session; one that an offload card keeps to itself is taken as open-iscsi's own."""
    told = {name: attribute(host, path.format(session.number)) for name, path in KERNEL.items()}
    return {name: _number(text, BUILT_IN[name]) for name, text in told.items()}


def _number(text: str, otherwise: str) -> int:
    """The kernel says 'off' for -1, which means forever."""
    return -1 if text == "off" else int(text or otherwise)


def _path(session: Session, timers: dict[str, int], disk: str, command: str, retries: str) -> Path:
    return Path(
        device=disk,
        session=str(session.name),
        noop_out_interval=timers[NOOP_INTERVAL],
        noop_out_timeout=timers[NOOP_TIMEOUT],
        replacement_timeout=timers[REPLACEMENT],
        abort_timeout=timers[ABORT],
        command_timeout=int(command or COMMAND),
        max_retries=int(retries or RETRIES),
    )


def _disk(upper: str, group: list[tuple[str, Path]], holders: Holders, queue: Queue | None) -> Disk:
    users = holders.of(upper)
    paths = [path.device for _wwid, path in group]
    parts = [name for path in paths for name in holders.above.get(path, []) if name.startswith(path)]
    alone = [user for name in paths + parts for user in holders.direct.get(name, []) if user.kind != "map"]
    return Disk(
        wwid=group[0][0],
        paths=tuple(sorted((path for _wwid, path in group), key=lambda path: path.device)),
        map=holders.maps.get(upper),
        queue=queue,
        users=tuple(map(str, users)),
        beside=tuple(map(str, alone)) if upper in holders.maps else (),
        root=any(user.kind == "mount" and user.name == "/" for user in users),
    )


def look_timers(host: Host) -> list[Timer]:
    """Every timer of every record and session, beside what iscsid.conf says."""
    conf = config(host.read(CONF) or "")
    sessions = {session.name: look_live(host, session) for session in look_sessions(host)}
    records: dict[Any, dict[str, int]] = {
        name: {key: number(record.settings.get(key), int(value)) for key, value in OF_RECORDS.items()}
        for name, record in look_records(host)
    }
    return [
        Timer(
            node=str(name),
            setting=key,
            iscsid_conf=number(conf.get(key), int(value)),
            record=records.get(name, {}).get(key),
            session=sessions.get(name, {}).get(key),
        )
        for name in sorted({*records, *sessions})
        for key, value in OF_RECORDS.items()
    ]
