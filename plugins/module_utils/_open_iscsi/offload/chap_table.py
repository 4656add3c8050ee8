# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CHAP table in the flash memory of a card (iscsiadm(8), -m host -C chap).

iscsiadm takes secrets for the table on its command line only, where every user of the machine sees them, and ends with the
length of the kernel's answer as its exit code after it has shown the table (usr/iscsiadm.c get_host_chap_info). So the
kernel is asked as iscsiadm asks it: by netlink (include/iscsi_if.h, usr/netlink.c; drivers/scsi/scsi_transport_iscsi.c).
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from ..._host import Host, Problem
from ..._step import Secret
from ..session import attribute
from .host import IscsiHost

NETLINK_ISCSI, ISCSID_GROUP = 8, 1  # linux/netlink.h; include/iscsi_if.h: where the table is sent to
GET, DELETE, SET, ERROR = 33, 34, 41, 103  # ISCSI_UEVENT_{GET,DELETE,SET}_CHAP, ISCSI_KEVENT_IF_ERROR
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
EVENT = struct.Struct("=IiQ24s16s")  # struct iscsi_uevent: type, iferror, transport_handle, asked, answered
ENTRY = struct.Struct("=H2xi256s256sB3x")  # struct iscsi_chap_rec: index, type, name, secret, its length
OUT, IN = 0, 1  # enum chap_type_e: what the host proves, what the target proves
AT_ONCE = 7  # entries in one answer, as iscsiadm asks for
REASONS = {
    errno.ENOSYS: "its driver keeps no CHAP table",
    errno.ENODEV: "the host is gone",
    errno.EBUSY: "the entry is in use, or the table is full",
    errno.EINVAL: "the card refused it",
    errno.EPERM: "this user is not allowed to. Run as root",
}


@dataclass(frozen=True, order=True)
class EntryId:
    """Who an entry is about, and who proves it."""

    user: str
    mutual: bool = False

    def __str__(self) -> str:
        return f"'{self.user}'" + (" (mutual)" if self.mutual else "")


@dataclass(frozen=True)
class Entry:
    """A line of the table."""

    name: EntryId
    secret: Secret


def read_table(host: Host, card: IscsiHost) -> dict[int, Entry]:
    """The CHAP table of a card by index."""
    found: dict[int, Entry] = {}
    start = 0
    while True:
        some = _entries(_ask(host, card, GET, struct.pack("=IIH", card.number, AT_ONCE, start)))
        found.update(some)
        if len(some) < AT_ONCE:
            return found
        start = max(some) + 1


def write_entry(host: Host, card: IscsiHost, index: int, entry: Entry) -> None:
    """Put an entry into the table; one of the same kind at this index is replaced."""
    secret = entry.secret.reveal().encode()
    values = (
        struct.pack("=H", index),
        struct.pack("=I", IN if entry.name.mutual else OUT),
        entry.name.user.encode(),
        secret,
        struct.pack("=B", len(secret)),
    )
    told = b"".join(_parameter(number, value) for number, value in enumerate(values))
    _ask(host, card, SET, struct.pack("=I", card.number), told)


def delete_entry(host: Host, card: IscsiHost, index: int) -> None:
    """Take an entry out of the table."""
    _ask(host, card, DELETE, struct.pack("=IH", card.number, index))


def _parameter(number: int, value: bytes) -> bytes:
    """struct nlattr around struct iscsi_param_info, padded to 4 bytes."""
    inner = struct.pack("=IH", len(value), number) + value
    whole = struct.pack("=HH", 4 + len(inner), number) + inner
    return whole + bytes(-len(whole) % 4)


def _ask(host: Host, card: IscsiHost, event: int, asked: bytes, told: bytes = b"") -> bytes:
    handle = attribute(host, f"/sys/class/iscsi_transport/{card.transport}/handle")
    if not handle:
        raise Problem(f"The kernel has no iSCSI transport '{card.transport}'. Load its driver.")
    body = EVENT.pack(event, 0, int(handle), asked, b"") + told
    message = HEADER.pack(HEADER.size + len(body), event, 0, 0, 0) + body

    def takes(answer: bytes) -> bool:
        if len(answer) < HEADER.size + EVENT.size:
            return False
        kind, _error, of, about, _answered = EVENT.unpack_from(answer, HEADER.size)
        return kind in (event, ERROR) and of == int(handle) and about[:4] == asked[:4]

    answer = host.netlink(NETLINK_ISCSI, message, takes, ISCSID_GROUP)
    kind, error = EVENT.unpack_from(answer, HEADER.size)[:2]
    if kind == ERROR:
        number = errno.ENOSYS if (event, -error) == (GET, errno.EINVAL) else -error
        why = REASONS.get(number, errno.errorcode.get(number, str(number)))
        raise Problem(f"The CHAP table of {card} cannot be {'read' if event == GET else 'changed'}: {why}.")
    return answer[HEADER.size :]


def _entries(answer: bytes) -> dict[int, Entry]:
    count = struct.unpack_from("=II", EVENT.unpack_from(answer)[3])[1]
    found = {}
    for place in range(count):
        index, kind, user, secret, _length = ENTRY.unpack_from(answer, EVENT.size + place * ENTRY.size)
        found[index] = Entry(EntryId(_text(user), kind == IN), Secret(_text(secret)))
    return found


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")
