# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a LUN of tgt is: its SCSI ID, and the WWID that hosts see by it."""

from __future__ import annotations

import re

from .._san.target import Lun
from .._san.wwid import wwid_of_lio

LONGEST_SERIAL = 36  # SCSI_SN_LEN (tgt, usr/tgtd.h); a longer one would be cut


def wwid_of_tgt(serial: str) -> str:
    """The WWID that a LUN with this serial gets: the one that LIO would give it.

    tgt takes any identity, and has none of its own that lasts. So a LUN that is served by the one and later by the other is
    the same disk to its hosts, and they find it by its names without asking who serves it.
    """
    return wwid_of_lio(serial)


def identity_of(serial: str) -> str:
    """The SCSI ID that makes that WWID: the NAA, which '3' announces."""
    return wwid_of_tgt(serial)[1:]


def wwid_of(lun: Lun) -> str:
    """The WWID of a LUN that may be somebody else's, as multipath and udev's scsi_id print it.

    tgt reads its SCSI ID as hex digits, one a character and 0 for all others, keeps the last 32 of them, and makes the first
    one a 6, the type of the NAA (tgt, usr/spc.c, update_vpd_83). The NAA of type 6 is what hosts prefer (systemd, scsi_id).
    """
    digits = re.sub(r"[^0-9a-f]", "0", lun.backstore.lower())[-32:].rjust(32, "0")
    return f"36{digits[1:]}"
