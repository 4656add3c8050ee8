# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM wrote on a disk, read without LVM: which PV it is, and the metadata of its volume group.

A storage host can so tell what is on a LUN, whoever has it mapped, without ever using it. The format is that of LVM2
(lib/format_text/layout.h, lib/label/label.h, man pvck(8)): a label in one of the first four sectors, after it the areas of
the PV, and in each metadata area a ring of texts, of which the header names the committed one.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Iterator

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host

SECTOR, SECTORS = 512, 4
MAGIC = b"\x20LVM2\x20x[5A%r0N*>"
RING = 512  # the header of a metadata area; the ring begins after it
IGNORED = 1  # flag of a metadata area that is not in use
LONGEST = 16 << 20  # bytes of one metadata text
TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[{}\[\]=,]|[^\s{}\[\]=,#"]+)')


@dataclass(frozen=True)
class Label:
    """A PV and what it knows of its group; the group is '' for a PV that is in none, or has no metadata of its own."""

    pv: str
    group: str = ""
    uuid: str = ""
    seqno: int = 0
    exported: bool = False
    system_id: str = ""
    status: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pvs: tuple[tuple[str, str], ...] = ()  # the UUID of each PV, and the device that it had
    volumes: tuple[str, ...] = ()  # those whose content can be read
    kinds: tuple[str, ...] = ()  # of the segments of all volumes, as lvs(8) names them
    metadata: str = ""  # the text itself, as vgcfgrestore(8) takes it


def look_label(host: Host, path: str) -> Label | None:
    """The label on a disk or file; None when there is none."""
    head = host.block(path, 0, SECTOR * SECTORS)
    for start in range(0, len(head), SECTOR):
        if head[start : start + 8] == b"LABELONE" and head[start + 24 : start + 32] == b"LVM2 001":
            (inner,) = struct.unpack_from("<I", head, start + 20)
            uuid, areas = _areas(head[start + inner :])
            texts = [text for offset, size in areas for text in _committed(host, path, offset, size)]
            labels = [_label(uuid, name, group, text) for text in texts for name, group in _groups(text)]
            return max(labels, key=lambda label: label.seqno, default=Label(uuid))
    return None


def _areas(header: bytes) -> tuple[str, list[tuple[int, int]]]:
    """The PV's UUID, and where its metadata areas are: after the list of data areas, which a pair of zeros ends."""
    raw = header[:32].decode("ascii", "replace")
    uuid = (
        "-".join(re.findall("(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})", raw)[0]) if len(raw) == 32 else raw
    )
    lists: list[list[tuple[int, int]]] = [[]]
    for offset in range(40, len(header) - 15, 16):
        pair = struct.unpack_from("<QQ", header, offset)
        if any(pair):
            lists[-1].append(pair)
        elif len(lists) == 2:
            break
        else:
            lists.append([])
    return uuid, lists[1] if len(lists) == 2 else []


def _committed(host: Host, path: str, area: int, size: int) -> Iterator[str]:
    """The text that the area's header names, unless the area is ignored or empty."""
    header = host.block(path, area, RING)
    if header[4:20] != MAGIC:
        return
    offset, length, _checksum, flags = struct.unpack_from("<QQII", header, 40)
    if not offset or not length or length > LONGEST or flags & IGNORED:
        return
    first = min(length, size - offset)
    text = host.block(path, area + offset, first)
    if first < length:  # it goes on at the ring's begin
        text += host.block(path, area + RING, length - first)
    yield text.rstrip(b"\0").decode("utf-8", "replace")


def parse_metadata(text: str) -> Label | None:
    """A metadata text by itself, as it is on disks and in the files of vgcfgbackup(8); None when it is none."""
    return next((_label("", name, group, text) for name, group in _groups(text)), None)


def _groups(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The volume groups of a metadata text, which has one."""
    yield from (
        (name, one) for name, one in parse_config(text).items() if isinstance(one, dict) and "seqno" in one
    )


def _label(pv: str, name: str, group: dict[str, Any], text: str) -> Label:
    volumes = group.get("logical_volumes", {})
    flags = {*_list(group, "status"), *_list(group, "flags")}
    flags |= {flag for one in volumes.values() for flag in _list(one, "status")}
    pvs = group.get("physical_volumes", {}).values()
    flags |= {"MISSING_PV" for one in pvs if "MISSING" in _list(one, "flags")}
    if group.get("lock_type", "none") not in ("none", "", "clvm"):
        flags.add("SHARED")
    return Label(
        pv=pv,
        group=name,
        uuid=group.get("id", ""),
        seqno=int(group.get("seqno", 0)),
        exported="EXPORTED" in flags,
        system_id=group.get("system_id", ""),
        status=tuple(sorted(flags)),
        tags=tuple(_list(group, "tags")),
        pvs=tuple((one["id"], one.get("device", "")) for one in pvs),
        volumes=tuple(volume for volume, one in volumes.items() if _is_readable(one)),
        kinds=tuple(sorted({kind.partition("+")[0] for one in volumes.values() for kind in _kinds(one)})),
        metadata=text,
    )


def _is_readable(volume: dict[str, Any]) -> bool:
    """Whether it is a device of its own that an activation of the group brings: no pool, no hidden part."""
    skipped = "ACTIVATION_SKIP" in _list(volume, "flags")
    return (
        "VISIBLE" in _list(volume, "status")
        and not skipped
        and not any(kind.endswith("-pool") for kind in _kinds(volume))
    )


def _kinds(volume: dict[str, Any]) -> set[str]:
    """The kinds of its segments; a flag of LVM may follow after '+'."""
    return {one["type"] for one in volume.values() if isinstance(one, dict) and "type" in one}


def _list(one: dict[str, Any], key: str) -> list[str]:
    value = one.get(key, [])
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def parse_config(text: str) -> dict[str, Any]:
    """LVM's configuration language (lvm.conf(5)): sections, values, lists; numbers stay texts."""
    return _section(iter(TOKEN.findall(text)))


def _section(tokens: Iterator[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in tokens:
        if name == "}":
            break
        sign = next(tokens, "")
        if sign == "{":
            found[name] = _section(tokens)
        elif sign == "=":
            found[name] = _value(next(tokens, ""), tokens)
    return found


def _value(token: str, tokens: Iterator[str]) -> Any:
    if token == "[":
        items = []
        for item in tokens:
            if item == "]":
                break
            if item != ",":
                items.append(_value(item, tokens))
        return items
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token
