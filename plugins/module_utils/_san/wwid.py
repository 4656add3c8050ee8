# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a LUN is: the serial that both sides derive from its names, and the WWID that a host then finds.

The storage side sets the serial, the host side proves it on every path, and neither has to ask the other.
"""

from __future__ import annotations

import re
import uuid

from .._host import Problem

SHOWN = "It must be what 'multipath -ll' shows in parentheses, like 36001405..."


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
    """A WWID that a user gave, in the one spelling that multipath knows: '3' and 16 or 32 lower-case hex digits for an NAA.

    Taken are also the spellings of array pages (capitals, colons, no '3'), lsblk (0x...), sysfs (naa., eui., t10.) and
    /dev/disk/by-id (scsi-..., wwn-0x..., dm-uuid-mpath-...).
    """
    found = re.sub(
        r"^(?:/dev/disk/by-id/)?(?:dm-uuid-)?(?:mpath-|scsi-)?", "", text.strip(), flags=re.IGNORECASE
    )
    named = _designator(found) or found
    if re.fullmatch(r"3[0-9a-f]{7,}", named) and len(named) not in (17, 33):
        raise Problem(
            f"'{text}' is not a WWID: after its '3' there are {len(named) - 1} hex digits, and an NAA has 16 or 32. {SHOWN}"
        )
    if re.fullmatch(r"[0-9A-Za-z][^\0-\x20\x7f\"/]{7,126}", named):  # WWID_SIZE 128 (multipath-tools, defs.h)
        return named
    raise Problem(f"'{text}' is not a WWID. {SHOWN}")


def _designator(text: str) -> str:
    """A WWID by the type of its designator (SPC-4 table 460) as the kernel's sysfs, udev and arrays write it."""
    kind, dot, rest = text.partition(".")
    if (
        dot and kind.lower() == "t10"
    ):  # drivers/scsi/scsi_lib.c, scsi_vpd_lun_id; scsi_id makes one '_' of blanks
        return "1" + re.sub(r"\s+", "_", rest.strip())
    digits = re.sub(r"^(?:wwn-)?0x|^naa\.|^eui\.", "", text, flags=re.IGNORECASE)
    if re.fullmatch(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+", digits):
        digits = digits.replace(":", "")
    digits = digits.lower()
    if kind.lower() == "eui" and dot:
        return f"2{digits}" if re.fullmatch(r"(?:[0-9a-f]{8}){2,4}", digits) else ""
    if re.fullmatch(r"[235][0-9a-f]{15}|6[0-9a-f]{31}", digits):  # NAA 2, 3, 5 and 6 (SPC-4 7.8.6.6)
        return f"3{digits}"
    return digits if re.fullmatch(r"[23][0-9a-f]{16,}", digits) else ""
