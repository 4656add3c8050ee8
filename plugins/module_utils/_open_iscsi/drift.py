# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three places of a login setting: what iscsid.conf says, what the record says, and what the session in the kernel has.

iscsid.conf is copied into new records, a record into a session when it logs in. What the target may negotiate down
(RFC 7143 section 13) differs only where the session has what the record would not have offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Mapping

from .._host import Host
from .._step import Secret
from .conf.settings import NODE, Value, is_secret, number, text_of
from .login_refusal import INITIATOR
from .record import RecordId
from .session import CONNECTIONS, SESSIONS, Session, attribute

REPLACEMENT = "node.session.timeo.replacement_timeout"
# Settings of a record and the attributes of a session that they become (kernel drivers/scsi/scsi_transport_iscsi.c).
OF_SESSION = {
    INITIATOR: "initiatorname",
    REPLACEMENT: "recovery_tmo",
    "node.session.err_timeo.abort_timeout": "abort_tmo",
    "node.session.err_timeo.lu_reset_timeout": "lu_reset_tmo",
    "node.session.err_timeo.tgt_reset_timeout": "tgt_reset_tmo",
    "node.session.iscsi.FastAbort": "fast_abort",
    "node.session.iscsi.InitialR2T": "initial_r2t",
    "node.session.iscsi.ImmediateData": "immediate_data",
    "node.session.iscsi.FirstBurstLength": "first_burst_len",
    "node.session.iscsi.MaxBurstLength": "max_burst_len",
    "node.session.iscsi.MaxOutstandingR2T": "max_outstanding_r2t",
    "node.session.iscsi.ERL": "erl",
    "node.session.auth.username": "username",
    "node.session.auth.password": "password",
    "node.session.auth.username_in": "username_in",
    "node.session.auth.password_in": "password_in",
}
OF_CONNECTION = {
    "node.conn[0].timeo.noop_out_interval": "recv_tmo",
    "node.conn[0].timeo.noop_out_timeout": "ping_tmo",
    "node.conn[0].iscsi.MaxRecvDataSegmentLength": "max_recv_dlength",
    "node.conn[0].iscsi.MaxXmitDataSegmentLength": "max_xmit_dlength",
    "node.conn[0].iscsi.HeaderDigest": "header_digest",
    "node.conn[0].iscsi.DataDigest": "data_digest",
}
SWITCHES = ("FastAbort", "InitialR2T", "ImmediateData")
DIGESTS = ("HeaderDigest", "DataDigest")
# The target may answer with less; 0 in MaxXmitDataSegmentLength leaves it to the target.
AT_MOST = ("FirstBurstLength", "MaxBurstLength", "MaxOutstandingR2T", "MaxXmitDataSegmentLength", "ERL")
NEXT_LOGIN = "takes effect at the next login"


@dataclass(frozen=True)
class Live:
    """A session and what it has, in the words of a record."""

    number: int
    name: RecordId
    settings: Mapping[str, Value]
    mapped: bool = (
        False  # multipathd sets the replacement timeout of the paths of its maps (fast_io_fail_tmo)
    )


@dataclass(frozen=True)
class Difference:
    """One setting that the three do not agree on; None where it is not said, or not to be seen."""

    name: RecordId
    session_number: int | None
    setting: str
    conf: Value | None
    record: Value | None
    session: Value | None
    next_login: bool  # whether another login would change what the session has
    text: str


def look_live(host: Host, session: Session) -> dict[str, Value]:
    """What a session has, in the words of a record. Attributes that this kernel or transport lacks are left out."""
    places = (
        (f"{SESSIONS}/session{session.number}", OF_SESSION),
        (f"{CONNECTIONS}/connection{session.number}:0", OF_CONNECTION),
    )
    found = {
        name: (host.read(f"{place}/{kernel}"), attribute(host, f"{place}/{kernel}"))
        for place, names in places
        for name, kernel in names.items()
    }
    return {name: _worded(name, text) for name, (there, text) in found.items() if there is not None}


def _worded(name: str, text: str) -> Value:
    if is_secret(name):
        return Secret(text)
    if name.endswith(SWITCHES):
        return {"0": "No", "1": "Yes"}.get(text, text)
    if name.endswith(DIGESTS):
        return {"0": "None", "1": "CRC32C"}.get(text, text)
    return "-1" if name == REPLACEMENT and text == "off" else text


def outdated(record: Mapping[str, Value], live: Mapping[str, Value]) -> list[str]:
    """The settings that a new login through the record would change; pure."""
    return [name for name, value in live.items() if _changes(name, record.get(name), value)]


def _changes(name: str, said: Value | None, live: Value) -> bool:
    if name.startswith("node.session.auth."):  # open-iscsi uses them whatever authmethod says
        return text_of(said) != text_of(live)
    if not text_of(said) or not text_of(
        live
    ):  # not said: open-iscsi's own default holds, which is not to be seen here
        return False
    wanted, has = text_of(said), text_of(live)
    if name.endswith("InitialR2T"):
        return wanted == "Yes" and has == "No"
    if name.endswith("ImmediateData"):
        return wanted == "No" and has == "Yes"
    if name.endswith(DIGESTS):
        return has not in wanted.split(",")
    if name.endswith(AT_MOST):
        return wanted.isdecimal() and has.isdecimal() and 0 < number(wanted) < number(has)
    return wanted.lower() != has.lower()


def differences(
    conf: Mapping[str, Value], records: Mapping[RecordId, Mapping[str, Value]], live: Iterable[Live]
) -> list[Difference]:
    """Where the three disagree, each setting once for each record, and once more for each further session; pure."""
    sessions: dict[RecordId, list[Live]] = {}
    for one in live:
        sessions.setdefault(one.name, []).append(one)
    found = []
    for name in sorted(records):
        record = records[name]
        drifted = [key for key in NODE if key in conf and text_of(conf[key]) != text_of(record.get(key))]
        for session in sessions.get(name, []):
            old = outdated(record, session.settings)
            found += [_difference(session, key, conf, record) for key in old]
            drifted = [key for key in drifted if key not in old]
        for key in drifted:
            has: list[Value | None] = [
                one.settings[key] for one in sessions.get(name, []) if key in one.settings
            ]
            text = f"'{key}' in the record of {name} differs from iscsid.conf, which applies to new records only."
            found.append(
                Difference(name, None, key, conf[key], record.get(key), (has or [None])[0], False, text)
            )
    return found


def _difference(
    session: Live, key: str, conf: Mapping[str, Value], record: Mapping[str, Value]
) -> Difference:
    said, has, later = f"'{key}' of the record of {session.name}", session.settings[key], True
    text = f"{said} {NEXT_LOGIN}; session {session.number} has another value."
    if session.mapped and key == REPLACEMENT:
        later = False
        text = (
            f"{said} has no effect while session {session.number} carries a path of a multipath map: "
            f"multipathd sets it to its own fast_io_fail_tmo. Set both to the same value."
        )
    return Difference(session.name, session.number, key, conf.get(key), record.get(key), has, later, text)
