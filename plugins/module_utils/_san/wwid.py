# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a LUN is: the serial that both sides derive from its names, and the WWID that a host then finds.

The storage side sets the serial, the host side proves it on every path, and neither has to ask the other.
"""

from __future__ import annotations

import re
import uuid
from typing import Callable

from .._host import Problem

SCSI_ID_LEN = 16  # IET, include/iet_u.h
TYPED = re.compile(r"(?:naa|eui)\.|(?:wwn-)?0x", re.IGNORECASE)  # what stands before hex digits
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


def iet_serial(serial: str) -> str:
    """A serial as IET's ScsiSN: letters and digits, in lower case."""
    return re.sub(r"[^0-9a-z]", "", serial.lower())


def iet_id(serial: str) -> str:
    """The ScsiId that a LUN of IET with this serial gets, unless one is given."""
    return iet_serial(serial)[:SCSI_ID_LEN]


def wwid_of_iet(serial: str) -> str:
    """The WWID of a LUN of IET with this serial, unless its ScsiId was given."""
    return wwid_of_scsi_id(iet_id(serial))


def wwid_of_scsi_id(scsi_id: str) -> str:
    """The WWID that udev's scsi_id prints: '1' for a designator of a vendor, then the hex digits of its 24 bytes, which are 'IET'
    in eight and the ScsiId in sixteen (IET, kernel/target_disk.c, build_inquiry_response)."""
    raw = scsi_id.encode(errors="surrogateescape")
    return "1" + (b"IET".ljust(8, b"\0") + raw[:SCSI_ID_LEN].ljust(SCSI_ID_LEN, b"\0")).hex()


# What storage software makes of a serial; tgt takes any identity, and is given the one of LIO.
DERIVED: dict[str, Callable[[str], str]] = {"iet": wwid_of_iet, "lio": wwid_of_lio, "tgt": wwid_of_lio}


def derived(provider: str | None, serial: str) -> str:
    """The WWID of a LUN with this serial, by the storage software that serves it; LIO where that is not said."""
    return DERIVED[provider or "lio"](serial)


def wwid(text: str) -> str:
    """A WWID that a user gave, in the one spelling that multipath knows: '3' and 16 or 32 lower-case hex digits for an NAA.

    Taken are also the spellings of array pages (capitals, colons, no '3'), lsblk (0x...), sysfs (naa., eui., t10.) and
    /dev/disk/by-id (scsi-..., wwn-0x..., dm-uuid-mpath-...).
    """
    found = re.sub(
        r"^(?:/dev/disk/by-id/)?(?:dm-uuid-)?(?:mpath-|scsi-)?", "", text.strip(), flags=re.IGNORECASE
    )
    named = _designator(found) or found
    if named == found and TYPED.match(found):
        raise Problem(
            f"'{text}' is not a WWID: an NAA has 16 or 32 hex digits, an EUI-64 16, 24 or 32. {SHOWN}"
        )
    if re.fullmatch(r"3[0-9a-f]{7,}", named) and len(named) not in (17, 33):
        raise Problem(
            f"'{text}' is not a WWID: after its '3' there are {len(named) - 1} hex digits, and an NAA has 16 or 32. {SHOWN}"
        )
    # The type of the designator, or S for a serial (udev, scsi_id; sg3_utils, 55-scsi-sg3_id.rules).
    if re.fullmatch(r"[01238S][^\0-\x20\x7f\"/]{7,126}", named):  # WWID_SIZE 128 (multipath-tools, defs.h)
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
