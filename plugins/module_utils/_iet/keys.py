# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of ietd.conf and the values that IET takes as they are written.

A number out of its range becomes the least one without a word (usr/param.c, kernel/param.c), so it is refused here.
"""

from __future__ import annotations

import re
from typing import Mapping, Union

from .._host import Problem

Values = Union[range, str]  # a number of a range, or what fits a pattern
INCOMING, OUTGOING = "IncomingUser", "OutgoingUser"
LENGTH, COUNT = range(512, 1 << 24), range(1, 1 << 16)
SEGMENT = range(512, 262145)  # (ISCSI_CONN_IOV_MAX - 1) pages of 4096 bytes: kernel/iscsi.h
DIGEST = "None|CRC32C|None,CRC32C|CRC32C,None"
TARGET_KEYS: dict[str, Values] = {
    "Wthreads": range(1, 129),
    "Type": range(1),
    "QueuedCommands": range(1, 257),
    "NOPInterval": range(91),
    "NOPTimeout": range(91),
}
SESSIONS: dict[str, Values] = {"MaxSessions": range(1 << 16)}  # ietadm neither shows nor sets it
SESSION_KEYS: dict[str, Values] = {
    "InitialR2T": "Yes|No",
    "ImmediateData": "Yes|No",
    "MaxConnections": COUNT,
    "MaxRecvDataSegmentLength": SEGMENT,
    "MaxXmitDataSegmentLength": SEGMENT,
    "MaxBurstLength": LENGTH,
    "FirstBurstLength": LENGTH,
    "DefaultTime2Wait": range(3601),
    "DefaultTime2Retain": range(1),
    "MaxOutstandingR2T": COUNT,
    "DataPDUInOrder": "Yes",
    "DataSequenceInOrder": "Yes",
    "ErrorRecoveryLevel": range(1),
    "HeaderDigest": DIGEST,
    "DataDigest": DIGEST,
    "OFMarker": "No",
    "IFMarker": "No",
}
ATTRIBUTES = {**TARGET_KEYS, **SESSIONS}
LIVE = {**TARGET_KEYS, **SESSION_KEYS}  # what ietadm shows and sets
LUN_OPTIONS = ("Path", "Type", "IOMode", "ScsiId", "ScsiSN", "BlockSize", "Blocks", "Sectors")
# Markers' intervals are keys of ietd, but nothing that anybody may set: markers stay off.
KNOWN = {
    key.lower(): key
    for key in (
        "Target",
        "Lun",
        "Alias",
        INCOMING,
        OUTGOING,
        *ATTRIBUTES,
        *SESSION_KEYS,
        "OFMarkInt",
        "IFMarkInt",
    )
}


def key_of(word: str) -> str:
    """The canonical name of a key; empty for what ietd does not read in a target."""
    return KNOWN.get(word.lower(), "")


def check_values(whose: str, what: str, asked: Mapping[str, str], taken: Mapping[str, Values]) -> None:
    """Raise a Problem for a key that IET does not have, or a value that it would alter."""
    for key, value in asked.items():
        if key not in taken:
            raise Problem(f"{whose}: IET has no {what} '{key}'. It has {', '.join(sorted(taken))}.")
        if not fits(value, taken[key]):
            raise Problem(
                f"{whose}: '{value}' is not a value for the {what} '{key}', and IET would take another one without a word. "
                f"It must be {said(taken[key])}."
            )


def fits(value: str, taken: Values) -> bool:
    """Whether IET takes a value as it is written."""
    if isinstance(taken, range):
        return bool(re.fullmatch(r"0|[1-9][0-9]{0,9}", value)) and int(value) in taken
    return bool(re.fullmatch(taken, value))


def said(taken: Values) -> str:
    """The values that are taken, for people."""
    if isinstance(taken, range):
        return f"{taken[0]} to {taken[-1]}" if len(taken) > 1 else f"{taken[0]}"
    return taken.replace("|", " or ")


def runs_as(key: str, value: str) -> str:
    """A value of the file as 'ietadm --op show' prints it once it runs (usr/param.c, *_val_to_str)."""
    if key in ("HeaderDigest", "DataDigest"):
        return "CRC32C" if "CRC32C" in value else "None"
    taken = LIVE.get(key)
    if isinstance(taken, range):
        number = _number(value)
        return str(number if number in taken else taken[0])
    return value


def _number(value: str) -> int:
    """A number as strtol(3) reads it, with base 0."""
    found = re.match(r"([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", value)
    if not found:
        return 0
    digits = found[2]
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    return int(digits, base) * (-1 if found[1] == "-" else 1)
