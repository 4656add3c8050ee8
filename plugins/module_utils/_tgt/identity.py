# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a LUN of tgt is: its SCSI ID, and the WWID that hosts see by it."""

from __future__ import annotations

import re

from .._san.target import Lun

DIGITS = 31  # of a WWID, after the 6 that says its kind
LONGEST_SERIAL = 36  # SCSI_SN_LEN (tgt, usr/tgtd.h); a longer one would be cut


def identity_of(serial: str) -> str:
    """The SCSI ID that a LUN with this serial gets: 32 hex digits, as the NAA that tgt makes of them."""
    return "6" + re.sub(r"[^0-9a-f]", "", serial.lower())[:DIGITS].ljust(DIGITS, "0")


def wwid_of_tgt(serial: str) -> str:
    """The WWID of the LUN with this serial, as multipath and udev's scsi_id print it; '3' says that it is an NAA."""
    return f"3{identity_of(serial)}"


def wwid_of(lun: Lun) -> str:
    """The WWID of a LUN that may be somebody else's.

    tgt reads its SCSI ID as hex digits, one a character and 0 for all others, keeps the last 32 of them, and makes the first
    one a 6, the type of the NAA (tgt, usr/spc.c, update_vpd_83). The NAA of type 6 is what hosts prefer (systemd, scsi_id).
    """
    digits = re.sub(r"[^0-9a-f]", "0", lun.backstore.lower())[-32:].rjust(32, "0")
    return f"36{digits[1:]}"
