# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first bytes of a disk as LVM writes them (lib/label/label.h, lib/format_text/layout.h of LVM2)."""

from __future__ import annotations

import struct

from ansible_collections.lunworks.iscsi.plugins.module_utils.pv_label import MAGIC, RING

AREA, SIZE = 4096, 8192


def pv_bytes(text, begin=RING, flags=0, uuid="abcdef1234567890123456789012abcd"):
    """A small PV with one metadata area; the text begins at this offset of the ring."""
    data = bytearray(16384)
    head = b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001"
    pv = uuid.encode() + struct.pack("<Q", 1 << 30)
    pv += struct.pack("<QQQQ", 1 << 20, 0, 0, 0) + struct.pack("<QQQQ", AREA, SIZE, 0, 0)
    data[512 : 512 + len(head + pv)] = head + pv
    header = (
        bytes(4)
        + MAGIC
        + struct.pack("<IQQ", 1, AREA, SIZE)
        + struct.pack("<QQII", begin, len(text), 0, flags)
    )
    data[AREA : AREA + len(header)] = header
    for number, byte in enumerate(text.encode()):
        place = begin + number
        data[AREA + (place if place < SIZE else place - SIZE + RING)] = byte
    return bytes(data)
