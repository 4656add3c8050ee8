# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node records of open-iscsi: one file for each target, portal and iface (open-iscsi README 5, usr/idbm.c).

Records are read and written as files: iscsiadm takes values only on its command line, where a secret would be seen, and
writes in place, so that a crash leaves an empty record. Ours are replaced whole, 0600, under open-iscsi's own lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._arguments import Portal, address, one_line
from .._host import Host, Problem
from .._step import Step
from .conf.settings import Value, clear, masked, number
from .file import BEGIN, END, config, edit_config
from .lock import HELD, PATIENCE, locked

OWN_IFACES = ("default", "iser")  # usr/iface.c: there without a file
LONGEST_IFACE = 64  # include/iscsi_if.h: ISCSI_MAX_IFACE_LEN is 65
DIRECTORY = 0o700
NO_OBJECTS = 21  # include/iscsi_err.h: ISCSI_ERR_NO_OBJS_FOUND
NAME, TPG, ADDRESS, PORT = "node.name", "node.tpgt", "node.conn[0].address", "node.conn[0].port"


@dataclass(frozen=True, order=True)
class RecordId:
    """What a record is about: a portal of a target, through an iface.

    Names are compared in lower case (RFC 7143 section 4.2.7.2), but targets compare what they are sent byte by byte (LIO by
    strcmp): so a name is written and sent as the target, or else the user, writes it.
    """

    target: str  # in lower case
    portal: Portal
    iface: str = "default"
    spelled: str = field(default="", compare=False)  # where that is not the lower case

    @classmethod
    def of(cls, target: str, portal: Portal, iface: str = "default") -> RecordId:
        """The same for every spelling of the target's name."""
        return cls(target.lower(), portal, iface, target)

    @property
    def written(self) -> str:
        """The target's name as it is written and sent."""
        return self.spelled or self.target

    def __str__(self) -> str:
        through = "" if self.iface == "default" else f" through the iface '{self.iface}'"
        return f"'{self.written}' at {self.portal}{through}"


@dataclass(frozen=True)
class Record:
    """The settings in a record, secrets as secrets, and its file."""

    settings: dict[str, Value]
    path: str

    @property
    def tpg(self) -> int:
        """The target portal group tag; -1 when the record names none."""
        return number(self.settings.get(TPG), -1)

    def options(self) -> list[str]:
        """The options that make iscsiadm work on this record alone, spelled as the record spells them."""
        where = str(Portal(str(self.settings[ADDRESS]), number(self.settings[PORT])))
        group = f",{self.tpg}" if self.tpg >= 0 else ""
        return ["-T", str(self.settings[NAME]), "-p", f"{where}{group}", "-I", self.iface]

    @property
    def iface(self) -> str:
        """The iface that the record names."""
        return str(self.settings.get("iface.iscsi_ifacename", "default"))

    @property
    def places(self) -> tuple[str, str]:
        """The ends of the paths where iscsiadm looks for what the record says (usr/idbm.c, idbm_delete_node), today's first."""
        portal = f"/{self.settings[NAME]}/{self.settings[ADDRESS]},{number(self.settings[PORT])}"
        return f"{portal},{self.tpg}/{self.iface}", portal

    @property
    def fault(self) -> str:
        """Why it does not say what it is about; empty: it does."""
        missing = [key for key in (NAME, ADDRESS) if key not in self.settings]
        if missing:
            return f"it has no {missing[0]}"
        right = 0 < number(self.settings[PORT]) <= 65535
        return "" if right else f"its {PORT} is '{self.settings[PORT]}'"


def database(host: Host) -> str:
    """Where iscsiadm keeps the records: below /var/lib/iscsi where there is such a directory (Debian 13 ships it empty), whatever
    an older version has left in /etc/iscsi; its package moves that (open-iscsi.postinst), and SUSE's leaves a note there."""
    newer, older = "/var/lib/iscsi", "/etc/iscsi"
    return newer if host.stat(newer) or host.stat(f"{older}/README.DB-files-moved") else older


def portal_of(where: str, port: str) -> Portal:
    """A portal as a record or the kernel spells it: an address, or a host name."""
    try:
        return Portal(address(where), number(port))
    except Problem:
        return Portal(where.lower(), number(port))


def iface_name(text: str) -> str:
    """The name of an iface, which is the name of a file in the database."""
    if text in ("", ".", "..") or re.search(r"[\s/]", text) or not one_line(text, LONGEST_IFACE):
        raise Problem(
            f"'{text}' is not the name of an iface. It must have 1 to {LONGEST_IFACE} characters, without '/' and blanks."
        )
    return text


def look_records(host: Host) -> list[tuple[RecordId, Record]]:
    """Every record that can be read. One that a crash left half-written is as good as none."""
    nodes = f"{database(host)}/nodes"
    found = []
    for target in host.list(nodes):
        for place in host.list(f"{nodes}/{target}"):
            path = f"{nodes}/{target}/{place}"
            files = [f"{path}/{iface}" for iface in host.list(path)]  # with a TPG, a file for each iface
            for file in files or [path]:  # without one: the file itself, as before open-iscsi 2.0-870
                text = _settled(host, file)
                record = read_record(text, file)
                if not torn(text) and not record.fault:
                    found.append((_id(record), record))
    return found


def torn(text: str) -> bool:
    """Whether the text is the beginning of a record only (usr/idbm.c ends each with a line of its own)."""
    return not text.strip() or BEGIN in text and END not in text


def read_record(text: str, path: str) -> Record:
    """A record's text as open-iscsi reads it: without a port it has the well-known one (usr/idbm.c, idbm_node_setup_defaults)."""
    return Record(masked({PORT: "3260", **config(text)}), path)


def _settled(host: Host, path: str) -> str:
    """A record's text, not while somebody writes it: iscsiadm writes in place, and holds the lock meanwhile.

    Nothing is locked here, since a look changes nothing. A lock that is free may have been taken between two looks, so
    a torn record is believed only when it is seen again.
    """

    def read() -> tuple[str, ...]:
        free, text = host.stat(HELD) is None, text_at(host, path)
        return (text,) if free or not torn(text) else ()

    text = text_at(host, path)
    for _again in range(2):
        if torn(text):
            text = "".join(host.until(read, PATIENCE, 0.01))
    return text


def _id(record: Record) -> RecordId:
    read = {name: str(value) for name, value in record.settings.items() if name in (NAME, ADDRESS, PORT)}
    return RecordId.of(read[NAME], portal_of(read[ADDRESS], read[PORT]), record.iface)


def text_at(host: Host, path: str) -> str:
    """A file of the database, or nothing where the place turns out to be a directory."""
    try:
        return host.read(path) or ""
    except Problem:
        return ""


def only(found: list[tuple[RecordId, Record]]) -> dict[RecordId, Record]:
    """Records by what they are about; open-iscsi itself stumbles over two that differ in their TPG alone."""
    records: dict[RecordId, Record] = {}
    for name, record in found:
        if name in records:
            raise two_records(name, records[name], record)
        records[name] = record
    return records


def two_records(name: RecordId, one: Record, other: Record) -> Problem:
    """That nobody knows which one is right."""
    return Problem(
        f"There are two records of {name}: '{one.path}' and '{other.path}'. It cannot be seen from here which one is right. "
        "Remove the wrong file itself: iscsiadm could take the other one, or both."
    )


def new_settings(name: RecordId, tpg: int, iface: dict[str, str]) -> dict[str, Value]:
    """What a record must say about itself."""
    return {
        NAME: name.written,
        TPG: str(tpg),
        **iface,
        "node.discovery_type": "static",
        ADDRESS: name.portal.address,
        PORT: str(name.portal.port),
    }


@dataclass(frozen=True)
class AddRecord(Step):
    """Write a new record."""

    name: RecordId
    settings: dict[str, Value]

    def __str__(self) -> str:
        return f"Record {self.name}"

    def take(self, host: Host) -> None:
        portal, root = self.name.portal, database(host)
        if self.name.iface not in OWN_IFACES and host.stat(f"{root}/ifaces/{self.name.iface}") is None:
            raise Problem(f"there is no iface '{self.name.iface}' on this host. Create it (module iface).")
        directory = f"{root}/nodes/{self.name.written}/{portal.address},{portal.port},{self.settings[TPG]}"
        lines = [f"{key} = {value}" for key, value in clear(self.settings).items() if value]
        text, path = "\n".join([BEGIN, *lines, END, ""]), f"{directory}/{self.name.iface}"
        with locked(host) as write:
            there = host.read(path) or ""
            if not torn(there) and config(there) != config(text):
                raise Problem(self._there(read_record(there, path)))
            for depth in (3, 2, 1, 0):
                above = directory.rsplit("/", depth)[0]
                if host.stat(above) is None:
                    host.mkdir(above, DIRECTORY)
            write(path, text)

    def _there(self, record: Record) -> str:
        """What stands where the record is to be."""
        if record.fault:
            return f"the record '{record.path}' that is there cannot be read: {record.fault}. Repair it, or remove the file."
        if _id(record) != self.name:
            return (
                f"the file '{record.path}' is there, and is the record of {_id(record)}. Move or remove it."
            )
        return f"somebody else has created the record '{record.path}' in the meantime. Run again."


@dataclass(frozen=True)
class SetRecord(Step):
    """Change settings in a record; sessions keep theirs until their next login."""

    name: RecordId
    path: str
    changes: dict[str, Value]

    def __str__(self) -> str:
        texts = clear(self.changes)
        said = ", ".join(f"{key} = {value if texts[key] else 'empty'}" for key, value in self.changes.items())
        return f"Set in the record of {self.name}: {said}"

    def take(self, host: Host) -> None:
        changes = {key: value or None for key, value in clear(self.changes).items()}
        with locked(host) as write:
            text = host.read(self.path)
            if text is None:
                raise Problem(f"The record '{self.path}' has disappeared in the meantime. Run again.")
            write(self.path, edit_config(text, changes))


@dataclass(frozen=True)
class RemoveRecord(Step):
    """Delete a record; iscsiadm refuses while a session uses it."""

    name: RecordId
    record: Record

    def __str__(self) -> str:
        return f"Delete the record of {self.name}"

    def refuse(self) -> None:
        """One that iscsiadm does not find: it would delete nothing, or another one."""
        if self.record.path and not self.record.path.endswith(self.record.places):
            raise Problem(
                f"Cannot delete the record of {self.name}: iscsiadm does not find '{self.record.path}', since it belongs in "
                f"'...{self.record.places[0]}'. Remove the file."
            )

    def take(self, host: Host) -> None:
        self.refuse()
        argv = ["-m", "node", *self.record.options(), "-o", "delete"]
        host.run("iscsiadm", *argv, ok=(0, NO_OBJECTS), timeout=90)
