# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of the kernel's netlink door to the CHAP tables of cards.

Made after include/iscsi_if.h of open-iscsi and drivers/scsi/{scsi_transport_iscsi,qla4xxx/ql4_os}.c of Linux, with ctypes
where the collection has struct; not recorded from a card.
"""

from __future__ import annotations

import ctypes
import errno

GET, DELETE, SET, ERROR = 33, 34, 41, 103
ROOM = 128  # MAX_CHAP_ENTRIES_40XX


class Header(ctypes.Structure):
    _fields_ = [
        ("length", ctypes.c_uint32),
        ("type", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("sequence", ctypes.c_uint32),
        ("port", ctypes.c_uint32),
    ]


class Asked(ctypes.Structure):
    """struct msg_get_chap; msg_delete_chap has the index where this one has the count."""

    _fields_ = [
        ("host", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("index", ctypes.c_uint16),
        ("rest", ctypes.c_uint8 * 12),
    ]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("error", ctypes.c_uint32),
        ("transport", ctypes.c_uint64),
        ("asked", Asked),
        ("answered", ctypes.c_uint64 * 2),
    ]


class Record(ctypes.Structure):
    """struct iscsi_chap_rec."""

    _fields_ = [
        ("index", ctypes.c_uint16),
        ("type", ctypes.c_int),
        ("user", ctypes.c_char * 256),
        ("secret", ctypes.c_char * 256),
        ("secret_length", ctypes.c_uint8),
    ]


class Parameter(ctypes.LittleEndianStructure):
    """struct nlattr and struct iscsi_param_info, which is packed."""

    _pack_ = 1
    _fields_ = [
        ("attribute_length", ctypes.c_uint16),
        ("attribute", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("number", ctypes.c_uint16),
    ]


def answer(cards, message, did):
    """What the kernel sends back; 'cards' is {host number: {index: [user, secret, mutual]}}."""
    header, event = Header.from_buffer_copy(message), Event.from_buffer_copy(message, ctypes.sizeof(Header))
    assert header.length == len(message) and header.type == event.type, "a malformed netlink message"
    card = cards.get(event.asked.host)
    if card is None:
        return refused(header, event, errno.ENOSYS)
    if header.type == GET:
        return table(header, event, card)
    if header.type == DELETE:
        index = event.asked.count & 0xFFFF
        did.append(f"netlink delete {index} of host{event.asked.host}")
        card.pop(index, None)
        return bytes(header) + bytes(event)
    assert header.type == SET
    index, entry = parameters(message[ctypes.sizeof(Header) + ctypes.sizeof(Event) :])
    if index >= ROOM:  # as the driver does: an index beyond the table is any free one
        index = next(free for free in range(4, ROOM) if free not in card)
    if index in card and card[index][2] != entry[2]:
        return refused(header, event, errno.EINVAL)
    did.append(f"netlink set {index} of host{event.asked.host}: {entry[0]}")
    card[index] = entry
    return bytes(header) + bytes(event)


def refused(header, event, number):
    event.type, event.error = ERROR, 2**32 - number
    return bytes(header) + bytes(event)


def table(header, event, card):
    indexes = [index for index in sorted(card) if index >= event.asked.index][: event.asked.count]
    room = event.asked.count * ctypes.sizeof(Record)
    event.asked.count = len(indexes)
    records = b"".join(
        bytes(
            Record(
                index,
                int(card[index][2]),
                card[index][0].encode(),
                card[index][1].encode(),
                len(card[index][1]),
            )
        )
        for index in indexes
    )
    header.length = ctypes.sizeof(Header) + ctypes.sizeof(Event) + room
    return bytes(header) + bytes(event) + records.ljust(room, b"\0")


def parameters(told):
    """The index and [user, secret, mutual] in the attributes of a message."""
    found = {}
    while told:
        one = Parameter.from_buffer_copy(told)
        assert one.attribute == one.number and one.attribute_length == ctypes.sizeof(Parameter) + one.length
        found[one.number] = told[ctypes.sizeof(Parameter) : one.attribute_length]
        told = told[(one.attribute_length + 3) // 4 * 4 :]
    index, kind, user, secret, length = (found[number] for number in range(5))
    assert (len(index), len(kind), length) == (2, 4, bytes([len(secret)]))
    return int.from_bytes(index, "little"), [user.decode(), secret.decode(), kind[0] == 1]
