# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users write about volume groups and logical volumes, checked by LVM's own rules (lvm(8), VALID NAMES)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .._arguments import size as bytes_of
from .._host import Problem

NAME = re.compile(r"(?!-)(?!\.{1,2}$)[a-zA-Z0-9+_.-]{1,127}")
TAG = re.compile(r"(?!-)[a-zA-Z0-9_+.\-/=!:&#]{1,1024}")
DEVICE_MAPPER = 127  # bytes of a dm name, in which LVM doubles the hyphens of both names
RESERVED = re.compile(
    r"(snapshot|pvmove).*|.*_(cdata|cmeta|corig|cvol|iorig|imeta|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin"
    r"|wcorig).*"
)
PERCENT = re.compile(r"([0-9]{1,3})%(FREE|VG)")
EXTENTS = (
    1 << 32
) * 512  # bytes that an extent has less than: LVM counts its sectors in 32 bits (lib/metadata/metadata.h)


@dataclass(frozen=True)
class Size:
    """A size of an LV: bytes, or a percentage of the VG or of what is free in it."""

    text: str
    bytes: int = 0
    percent: int = 0
    of: str = ""

    @property
    def argument(self) -> tuple[str, str]:
        """As lvcreate takes it."""
        return ("--extents", self.text) if self.of else ("--size", f"{self.bytes}b")

    def extents(self, extent_size: int, total: int, free: int, own: int = 0) -> int:
        """The extents of an LV that has 'own' of them now. A percentage never asks for fewer: it cannot flap."""
        if not self.of:
            return -(-self.bytes // extent_size)
        return max(own, (total if self.of == "VG" else free + own) * self.percent // 100)


def group_name(text: str) -> str:
    """The name of a VG."""
    if NAME.fullmatch(text):
        return text
    raise Problem(
        f"'{text}' is not a name for a volume group. It must consist of 1 to 127 of the characters a-z A-Z 0-9 + _ . and -, "
        "not beginning with -."
    )


def volume_name(group: str, text: str) -> str:
    """The name of an LV in this VG."""
    if not NAME.fullmatch(text):
        raise Problem(
            f"'{text}' is not a name for a logical volume. It must consist of 1 to 127 of the characters a-z A-Z 0-9 + _ . "
            "and -, not beginning with -."
        )
    if RESERVED.fullmatch(text):
        raise Problem(
            f"LVM keeps the name '{text}' for itself (lvm(8), VALID NAMES). Give the logical volume another one."
        )
    if len(f"{group}-{text}") + group.count("-") + text.count("-") > DEVICE_MAPPER:
        raise Problem(
            f"The names '{group}' and '{text}' are too long together: the device mapper takes {DEVICE_MAPPER} bytes, and "
            "hyphens count twice."
        )
    return text


def volume_size(text: Any) -> Size:
    """The size of an LV: a number with a binary unit, N%VG or N%FREE."""
    match = PERCENT.fullmatch(str(text).strip().upper())
    if match and 1 <= int(match[1]) <= 100:
        return Size(match[0], percent=int(match[1]), of=match[2])
    try:
        return Size(str(text).strip(), bytes_of(text))
    except Problem as problem:
        raise Problem(f"{problem} Or a percentage, from 1%VG to 100%VG or from 1%FREE to 100%FREE.") from None


def extent_size(text: Any) -> int:
    """The extent size of a VG in bytes: a power of two from 1 KiB on, or a multiple of 128 KiB (vgcreate(8))."""
    found = bytes_of(text)
    if 1024 <= found < EXTENTS and not (found & (found - 1) and found % (128 << 10)):
        return found
    raise Problem(
        f"'{text}' is not an extent size. It must be a power of two from 1k on, or a multiple of 128k, below 2t."
    )


def tag(text: str) -> str:
    """A tag of a VG."""
    if TAG.fullmatch(text):
        return text
    raise Problem(
        f"'{text}' is not a tag. It must consist of 1 to 1024 of the characters a-z A-Z 0-9 _ + . - / = ! : & and #, not "
        "beginning with -."
    )
