# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first bytes of a disk as LVM writes them (lib/label/label.h, lib/format_text/layout.h of LVM2)."""

from __future__ import annotations

import struct

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.pv_label import MAGIC, RING

AREA, SIZE = 4096, 8192


def rest_of(byte):
    """What a byte leaves of the polynomial of CRC-32, bit by bit."""
    for _bit in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


RESTS = [rest_of(byte) for byte in range(256)]


def checksum(data):
    """LVM's own, as lib/misc/crc.c counts it."""
    crc = 0xF597A6CF
    for byte in data:
        crc = crc >> 8 ^ RESTS[(crc ^ byte) & 255]
    return crc


def pv_bytes(text, begin=RING, flags=0, uuid="abcdef1234567890123456789012abcd", size=SIZE):
    """A small PV with one metadata area of this size; the text begins at this offset of the ring."""
    raw = text.encode()
    data = bytearray(AREA + size + 4096)
    head = b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001"
    pv = uuid.encode() + struct.pack("<Q", 1 << 30)
    pv += struct.pack("<QQQQ", 1 << 20, 0, 0, 0) + struct.pack("<QQQQ", AREA, size, 0, 0)
    data[512 : 512 + len(head + pv)] = head + pv
    data[528:532] = struct.pack("<I", checksum(data[532:1024]))
    header = (
        MAGIC
        + struct.pack("<IQQ", 1, AREA, size)
        + struct.pack("<QQII", begin, len(raw), checksum(raw), flags)
    ).ljust(RING - 4, b"\0")
    data[AREA : AREA + RING] = struct.pack("<I", checksum(header)) + header
    for number, byte in enumerate(raw):
        place = begin + number
        data[AREA + (place if place < size else place - size + RING)] = byte
    return bytes(data)
