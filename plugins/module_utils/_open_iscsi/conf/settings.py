# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of open-iscsi by name, and what each may hold.

iscsiadm takes a word where a number belongs and writes 0, and cuts what is too long, without an error: so values are
checked here. Names are those of usr/idbm.c, ranges those of iscsid.conf's own comments and of RFC 7143 section 13.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Tuple, Union

from ..._arguments import one_line
from ..._chap import Chap
from ..._host import Problem
from ..._step import Secret

Value = Union[str, Secret]
Kind = Union[Tuple[str, ...], Tuple[int, int], int]  # one of these words; a number from-to; a text of at most

LONGEST = 2**31 - 1
YES_NO = ("Yes", "No")
METHODS = ("None", "CHAP")
DIGESTS = ("None", "CRC32C", "CRC32C,None", "None,CRC32C")
STARTUPS = ("manual", "automatic", "onboot")
HASHES = ("MD5", "SHA1", "SHA256", "SHA3-256")
SECONDS = (0, LONGEST)
BYTES = (512, 2**24 - 1)
TEXT = 255
POWERS = tuple(str(2**power) for power in range(1, 12))  # "between 2 and 2048 that is also a power of 2"

AUTH: dict[str, Kind] = {
    "authmethod": METHODS,
    "username": TEXT,
    "password": TEXT,
    "username_in": TEXT,
    "password_in": TEXT,
}
SESSION: dict[str, Kind] = {
    "initial_cmdsn": (0, LONGEST),
    "initial_login_retry_max": (1, LONGEST),
    "xmit_thread_priority": (-20, 20),
    "cmds_max": POWERS,
    "queue_depth": (1, 1024),
    "nr_sessions": (1, 64),
    "scan": ("manual", "auto"),
    "reopen_max": (0, LONGEST),
    "sess_reopen_log_freq": (1, LONGEST),
    "conn_reopen_log_freq": (1, LONGEST),
    "auth.chap_algs": HASHES,
    "timeo.replacement_timeout": (-1, LONGEST),
    "err_timeo.abort_timeout": SECONDS,
    "err_timeo.lu_reset_timeout": SECONDS,
    "err_timeo.tgt_reset_timeout": SECONDS,
    "err_timeo.host_reset_timeout": SECONDS,
    "iscsi.FastAbort": YES_NO,
    "iscsi.InitialR2T": YES_NO,
    "iscsi.ImmediateData": YES_NO,
    "iscsi.FirstBurstLength": BYTES,
    "iscsi.MaxBurstLength": BYTES,
    "iscsi.DefaultTime2Retain": (0, 3600),
    "iscsi.DefaultTime2Wait": (0, 3600),
    "iscsi.MaxConnections": (1, 65535),
    "iscsi.MaxOutstandingR2T": (1, 65535),
    "iscsi.ERL": (0, 2),
}
CONNECTION: dict[str, Kind] = {
    "startup": STARTUPS,
    "tcp.window_size": (0, LONGEST),
    "tcp.type_of_service": (0, 255),
    "tcp.congestion_control": 15,
    "timeo.logout_timeout": SECONDS,
    "timeo.login_timeout": (1, LONGEST),
    "timeo.auth_timeout": SECONDS,
    "timeo.noop_out_interval": SECONDS,
    "timeo.noop_out_timeout": SECONDS,
    "iscsi.MaxXmitDataSegmentLength": (0, 2**24 - 1),
    "iscsi.MaxRecvDataSegmentLength": BYTES,
    "iscsi.HeaderDigest": DIGESTS,
    "iscsi.DataDigest": DIGESTS,
    "iscsi.IFMarker": YES_NO,
    "iscsi.OFMarker": YES_NO,
}
SENDTARGETS: dict[str, Kind] = {
    "use_discoveryd": YES_NO,
    "discoveryd_poll_inval": (1, LONGEST),
    "reopen_max": (0, LONGEST),
    "timeo.login_timeout": (1, LONGEST),
    "timeo.auth_timeout": SECONDS,
    "timeo.active_timeout": SECONDS,
    "iscsi.MaxRecvDataSegmentLength": BYTES,
}
DAEMON: dict[str, Kind] = {
    "iscsid.startup": TEXT,
    "iscsid.safe_logout": YES_NO,
    "iscsid.ipc_auth_uid": YES_NO,
    "discovery.isns.use_discoveryd": YES_NO,
    "discovery.isns.discoveryd_poll_inval": (-1, LONGEST),
}


def _under(prefix: str, kinds: dict[str, Kind]) -> dict[str, Kind]:
    return {f"{prefix}.{name}": kind for name, kind in kinds.items()}


NODE: dict[str, Kind] = {
    "node.startup": STARTUPS,
    "node.leading_login": YES_NO,
    **_under("node.session.auth", AUTH),
    **_under("node.session", SESSION),
    **_under("node.conn[0]", CONNECTION),
}
DISCOVERY: dict[str, Kind] = {
    **_under("discovery.sendtargets.auth", AUTH),
    **_under("discovery.sendtargets", SENDTARGETS),
}
ALL: dict[str, Kind] = {**DAEMON, **NODE, **DISCOVERY}


# Numbers beside those of NODE and DISCOVERY (usr/idbm.c, idbm_recinfo_node).
NUMBERS = {
    "node.tpgt",
    "node.conn[0].port",
    "node.discovery_port",
    "discovery.sendtargets.port",
    *(f"iface.{name}" for name in ("iface_num", "mtu", "port", "prefix_len", "vlan_id", "vlan_priority")),
}


def number(text: Any, otherwise: int = 0) -> int:
    """A number as open-iscsi reads it (strtoul(3) into an int): what begins a text counts, a text without any is 0."""
    if text is None or text == "":
        return otherwise
    match = re.match(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)", str(text))
    if not match:
        return 0
    value = int(match[2][:40])
    whole = (1 << 64) - 1 if value >> 64 else value
    low = (-whole if match[1] == "-" and whole == value else whole) & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def as_read(name: str, text: str) -> str | None:
    """What open-iscsi makes of a text in a file; None where it leaves the line out (usr/idbm.c, idbm_rec_update_param)."""
    kind = ALL.get(name)
    if name in NUMBERS or kind is POWERS or isinstance(kind, tuple) and isinstance(kind[0], int):
        return str(number(text))
    if kind is HASHES:
        return ",".join(one for one in dict.fromkeys(re.split("[, \n]", text)) if one in HASHES)
    if isinstance(kind, tuple):
        return text if text in kind else None
    longest = TEXT if kind is None else kind
    return text.encode(errors="surrogateescape")[:longest].decode(errors="surrogateescape")


def named(given: dict[Any, Any]) -> dict[str, Any]:
    """Settings as a user gives them; in YAML a name can be something else than a text."""
    for name in given:
        if not isinstance(name, str):
            raise Problem(
                f"The name of a setting is a text like 'node.startup', not {name!r}. Put it in quotes."
            )
    return given


def is_secret(name: str) -> bool:
    """Whether a setting holds a secret."""
    return name.endswith((".password", ".password_in"))


def text_of(value: Value | None) -> str:
    """The text of a setting; one that is not there and an empty one are the same."""
    return value.reveal() if isinstance(value, Secret) else value or ""


def masked(settings: dict[str, str]) -> dict[str, Value]:
    """Settings as read from a file, the secret ones as secrets."""
    return {name: Secret(value) if is_secret(name) else value for name, value in settings.items()}


def clear(settings: dict[str, Value]) -> dict[str, str]:
    """Settings as they are written to a file."""
    return {name: text_of(value) for name, value in settings.items()}


def chap_settings(given: Chap, auth: str) -> dict[str, Value]:
    """CHAP as a record holds it. No CHAP empties the names too: open-iscsi uses them whatever the method says."""
    return {
        f"{auth}.authmethod": "CHAP" if given.user else "None",
        f"{auth}.username": given.user,
        f"{auth}.password": given.secret,
        f"{auth}.username_in": given.mutual_user,
        f"{auth}.password_in": given.mutual_secret,
    }


def setting(name: str, value: Any, known: dict[str, Kind]) -> str:
    """The value of a setting as open-iscsi writes it; a Problem when the name or the value is not one it knows."""
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise Problem(f"'{name}' is not a setting that open-iscsi knows here.{hint}")
    kind = known[name]
    text = ("Yes" if value else "No") if isinstance(value, bool) and kind == YES_NO else str(value).strip()
    wanted = _wanted(kind, text)
    if wanted or isinstance(value, (bool, dict, list)) and kind != YES_NO:
        shown = "a secret" if is_secret(name) else f"'{text}'"
        raise Problem(f"The setting '{name}' cannot be {shown}. It must be {wanted or 'one plain value'}.")
    return text if isinstance(kind, int) else as_read(name, text) or text


def _wanted(kind: Kind, text: str) -> str:
    """What would have been right; empty when the text is."""
    if isinstance(kind, int):
        return "" if text and one_line(text, kind) else f"a text of 1 to {kind} bytes in one line"
    if kind is HASHES:
        right = text != "" and set(text.split(",")) <= set(HASHES)
        return "" if right else f"a list of {', '.join(HASHES)}, without blanks"
    if isinstance(kind[0], str):
        return "" if text in kind else f"one of {' | '.join(map(str, kind))}"
    low, high = int(kind[0]), int(kind[1])
    right = bool(re.fullmatch(r"-?[0-9]{1,10}", text)) and low <= int(text) <= high
    return "" if right else f"a number from {low} to {high}"
