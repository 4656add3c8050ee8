# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two records of one node: what a run leaves that was killed when it had written the one with the right portal group tag (or
spelling), and had not deleted the other yet. open-iscsi itself stumbles over two that differ in their tag alone: 'iscsiadm -o
delete' deletes both, whatever tag it is given (seen on 2.1.8, 2.1.11 and 2.1.13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterable, Sequence

from ..._host import Host, Problem
from ..._step import Step
from ..conf.settings import text_of
from ..lock import locked
from ..record import NAME, Record, RecordId, database, read_record, two_records

SOURCES = ("send_targets", "isns", "static", "fw")  # where usr/idbm.c links to what was discovered


def by_node(found: Iterable[tuple[RecordId, Record]]) -> dict[RecordId, list[Record]]:
    """All records of each node; usually one."""
    records: dict[RecordId, list[Record]] = {}
    for name, record in found:
        records.setdefault(name, []).append(record)
    return records


def right_one(
    name: RecordId, records: Sequence[Record], tag: int | None, spellings: Collection[str]
) -> tuple[Record, tuple[Record, ...]]:
    """The record that is what its target says of itself, and the others; refused where that is not known of just one."""
    right = [one for one in records if tag in (None, one.tpg)]
    right = [one for one in right if text_of(one.settings.get(NAME)) in spellings] or right
    if len(right) != 1:
        raise two_records(name, records[0], records[1])
    return right[0], tuple(one for one in records if one is not right[0])


@dataclass(frozen=True)
class RemoveTwin(Step):
    """Delete one of two records of a node: its own file, and no other."""

    name: RecordId
    record: Record

    def __str__(self) -> str:
        group = f", portal group {self.record.tpg}" if self.record.tpg >= 0 else ""
        return f"Delete the other record of {self.name}{group}"

    def take(self, host: Host) -> None:
        path, root = self.record.path, database(host)
        directory, _slash, iface = path.rpartition("/")
        place = directory.rpartition("/")[2]
        link = f"{self.record.settings[NAME]},{place},{iface}"  # from where it was discovered (usr/idbm.c)
        with locked(host):
            text = host.read(path)
            if text is None:
                return
            if read_record(text, path) != self.record:
                raise Problem(f"somebody else has changed the record '{path}' in the meantime. Run again.")
            for source in (f"{root}/{one}" for one in SOURCES):
                for origin in (source, *(f"{source}/{one}" for one in host.list(source))):
                    if host.link(f"{origin}/{link}") is not None:
                        host.remove(f"{origin}/{link}")
            host.remove(path)
            for above in (directory, directory.rpartition("/")[0]):
                if above != f"{root}/nodes" and not host.list(above):
                    host.rmdir(above)
