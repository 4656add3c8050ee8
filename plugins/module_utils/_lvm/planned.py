# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a volume group was planned on, compared with what is there right before it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._host import Host, Problem
from .model import VolumeGroup
from .report import look_seqnos

RUN = (
    "lunworks.run"  # who has begun the run of a move, and when: the latest one, which the next step must find
)


@dataclass(frozen=True)
class Planned:
    """The metadata that a change was planned on. LVM compares that under its own lock (lvmreport(7), SELECTION)."""

    uuid: str
    seqno: int

    def selection(self) -> str:
        return f"vg_uuid={self.uuid} && vg_seqno={self.seqno}"


def refuse_changed(host: Host, name: str, planned: Planned | None) -> None:
    """Where the command takes no selection (vgchange --systemid, vgextend, pvresize, vgimportdevices: LVM 2.03.16 to 2.03.31).

    Asked in the same breath; what is left is the time in which LVM's command starts.
    """
    if planned is None:
        return
    found = {group.uuid: group for group in look_seqnos(host)}.get(planned.uuid)
    if found is None or found.seqno != planned.seqno:
        raise Problem(other_seqno(name, planned.seqno, found))


def other_seqno(name: str, planned: int, found: VolumeGroup | None) -> str:
    """That somebody else has changed a VG since this was planned; who, where its metadata says so."""
    now = f"found {found.seqno}" if found else "it is not on this host any more"
    who = "".join(
        f" A move of it was begun by '{by}' at {when} from '{source}' to '{destination}': ask that person first."
        for by, when, source, destination in (runs_of(found.tags) if found else ())
    )
    return (
        f"The plan for the volume group '{name}' was made with the sequence number {planned} of its metadata, {now}: somebody "
        f"else changed it in the meantime. Nothing was done.{who} Run again, to plan with what is there now."
    )


def unquoted(text: str) -> str:
    """A field of a tag as it was: '#' and two digits stand for what no tag may have."""
    data = re.sub(rb"#([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode())
    return data.decode(errors="replace")


def runs_of(tags: frozenset[str]) -> tuple[tuple[str, str, str, str], ...]:
    """Who has begun a run, when, from where and to where."""
    found = [tag.split(":")[1:] for tag in sorted(tags) if tag.startswith(f"{RUN}:")]
    return tuple(
        (unquoted(who), unquoted(when).replace(".", ":"), unquoted(source), unquoted(destination))
        for who, when, source, destination in (one for one in found if len(one) == 4)
    )
