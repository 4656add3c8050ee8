# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a LUN is: the serial that both sides derive from its names, and the WWID that a host then finds.

The storage side sets the serial, the host side proves it on every path, and neither has to ask the other.
"""

from __future__ import annotations

import re
import uuid

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem


def serial_of(target: str, lun: str) -> str:
    """The unit serial of a LUN, derived from its target's and its own name: a rebuilt target keeps it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"iscsi:{target}/{lun}"))


def wwid_of_lio(serial: str) -> str:
    """The WWID of a LIO disk with this unit serial, as multipath and udev's scsi_id print it.

    LIO makes an NAA type 6 identifier of its company id 001405 and the first 25 hex digits of the serial
    (Linux, drivers/target/target_core_spc.c, spc_gen_naa_6h_vendor_specific); '3' says that it is an NAA.
    """
    digits = re.sub(r"[^0-9a-f]", "", serial.lower())
    return "36001405" + digits[:25].ljust(25, "0")


def wwid(text: str) -> str:
    """A WWID that a user gave: '3' and 16 or 32 hex digits (NAA), or as multipath prints it."""
    found = text.strip()
    if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._:-]{7,254}", found):
        return found
    raise Problem(
        f"'{text}' is not a WWID. Wanted is what 'multipath -ll' shows in parentheses, like 36001405..."
    )
