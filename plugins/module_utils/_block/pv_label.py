# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LVM wrote on a disk, read without LVM: which PV it is, and the metadata of its volume group.

A storage host can so tell what is on a LUN, whoever has it mapped, without ever using it. The format is that of LVM2
(lib/format_text/layout.h, lib/label/label.h, man pvck(8)): a label in one of the first four sectors, after it the areas of
the PV, and in each metadata area a ring of texts, of which the header names the committed one.

Any host that has the LUN may have written what is there: like LVM itself, nothing is taken from it whose checksum is wrong.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Iterator

from .._host import Host, Problem

SECTOR, SECTORS = 512, 4
MAGIC = b"\x20LVM2\x20x[5A%r0N*>"
RING = 512  # the header of a metadata area; the ring begins after it
IGNORED = 1  # flag of a metadata area that is not in use
LONGEST = 16 << 20  # bytes of one metadata text
DEEPEST = 8  # a segment of a volume stands in four sections
FARTHEST = 1 << 62  # what a seek takes
CRC_BEGIN = 0xF597A6CF  # lib/misc/crc.h, INITIAL_CRC
TOKEN = re.compile(r'\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|[{}\[\]=,]|[^\s{}\[\]=,#"]+', re.DOTALL)
SIGNS = frozenset("{}[]=,")
ANSWERS = 30  # seconds in which a disk does, also one whose paths are being changed


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
    segment_types: tuple[str, ...] = ()  # of the segments of all volumes, as lvs(8) names them
    metadata: str = ""  # the text itself, as vgcfgrestore(8) takes it


class Damaged(Problem):
    """What is on the disk is not as LVM writes it. Says what is wrong, as the rest of a sentence."""


def look_label(host: Host, path: str) -> Label | None:
    """The label on a disk or file; None when there is none. One that is damaged is a Problem."""
    head = host.block(path, 0, SECTOR * SECTORS, ANSWERS)  # a disk that has answered is read on as any file
    for start in range(0, len(head), SECTOR):
        sector = head[start : start + SECTOR]
        if sector[:8] == b"LABELONE" and sector[24:32] == b"LVM2 001":
            try:
                return _read(host, path, sector)
            except Damaged as damaged:
                raise Problem(
                    f"What LVM wrote on '{path}' is damaged: {damaged}. 'pvck --dump metadata {path}' shows more; "
                    "lunworks.iscsi.volume_group_restore can write it back."
                ) from None  # its words are in these
    return None


def _read(host: Host, path: str, sector: bytes) -> Label:
    """The newest of the texts that are whole; without any it must be a PV that has none."""
    checksum, inner = struct.unpack_from("<II", sector, 16)
    if _crc(sector[20:]) != checksum:
        raise Damaged("the checksum of the label is wrong")
    uuid, areas = _areas(sector[inner:])
    labels, wrong = [], []
    for offset, size in areas:
        try:
            text = _committed(host, path, offset, size)
            labels += [_label(uuid, *_group(text), text)] if text else []
        except Damaged as damaged:
            wrong.append(damaged)
    if wrong and not labels:
        raise wrong[0]
    return max(labels, key=lambda label: label.seqno, default=Label(uuid))


def _crc(data: bytes) -> int:
    """LVM's checksum (lib/misc/crc.c): CRC-32 that begins with another number, and is not inverted."""
    return zlib.crc32(data, CRC_BEGIN ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _areas(header: bytes) -> tuple[str, list[tuple[int, int]]]:
    """The PV's UUID, and where its metadata areas are: after the list of data areas, which a pair of zeros ends."""
    raw = header[:32].decode("ascii", "replace")
    uuid = (
        "-".join(re.findall("(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})", raw, re.DOTALL)[0])
        if len(raw) == 32
        else raw
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


def _committed(host: Host, path: str, area: int, size: int) -> str:
    """The text that the area's header names; '' of an area that is ignored or empty."""
    if area + size > FARTHEST or area < SECTOR:
        raise Damaged("the label names a metadata area that cannot be")
    header = host.block(path, area, RING)
    if header[4:20] != MAGIC or _crc(header[4:]) != struct.unpack_from("<I", header)[0]:
        raise Damaged("the header of a metadata area is not one, or its checksum is wrong")
    offset, length, checksum, flags = struct.unpack_from("<QQII", header, 40)
    if not offset or not length or flags & IGNORED:
        return ""
    if not RING <= offset < size or length > min(size - RING, LONGEST):
        raise Damaged("the header of a metadata area names a place outside of it")
    first = min(length, size - offset)
    text = host.block(path, area + offset, first)
    if first < length:  # it goes on at the ring's begin
        text += host.block(path, area + RING, length - first)
    if len(text) != length or _crc(text) != checksum:
        raise Damaged("the checksum of the metadata is wrong")
    return text.rstrip(b"\0").decode("utf-8", "replace")


def parse_metadata(text: str) -> Label:
    """A metadata text by itself, as it is on disks and in the files of vgcfgbackup(8)."""
    return _label("", *_group(text), text)


def _group(text: str) -> tuple[str, dict[str, Any]]:
    """The volume group of a metadata text, which has one."""
    found = parse_config(text)
    groups = [(name, one) for name, one in found.items() if isinstance(one, dict) and "seqno" in one]
    if len(groups) != 1:
        raise Damaged(f"it is the metadata of {len(groups) or 'no'} volume group{'s' if groups else ''}")
    return groups[0]


def _label(pv: str, name: str, group: dict[str, Any], text: str) -> Label:
    volumes = _sections(group, "logical_volumes")
    flags = {*_list(group, "status"), *_list(group, "flags")}
    flags |= {flag for one in volumes.values() for flag in _list(one, "status")}
    pvs = _sections(group, "physical_volumes").values()
    flags |= {"MISSING_PV" for one in pvs if "MISSING" in _list(one, "flags")}
    if _text(group, "lock_type", "none") not in ("none", "", "clvm"):
        flags.add("SHARED")
    if not re.fullmatch("[0-9]{1,10}", _text(group, "seqno")):
        raise Damaged("'seqno' is not a number")
    return Label(
        pv=pv,
        group=name,
        uuid=_text(group, "id"),
        seqno=int(_text(group, "seqno")),
        exported="EXPORTED" in flags,
        system_id=_text(group, "system_id", ""),
        status=tuple(sorted(flags)),
        tags=tuple(_list(group, "tags")),
        pvs=tuple((_text(one, "id"), _text(one, "device", "")) for one in pvs),
        volumes=tuple(volume for volume, one in volumes.items() if _is_readable(one)),
        segment_types=tuple(
            sorted({kind.partition("+")[0] for one in volumes.values() for kind in _kinds(one)})
        ),
        metadata=text,
    )


def _text(one: dict[str, Any], key: str, default: str | None = None) -> str:
    value = one.get(key, default)
    if not isinstance(value, str):
        raise Damaged(f"there is no '{key}'" if value is None else f"'{key}' is not a single value")
    return value


def _sections(group: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """The sections of a section, which need not be there."""
    found = group.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise Damaged(f"'{key}' is not a list of sections")
    return found


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
    return {_text(one, "type") for one in volume.values() if isinstance(one, dict) and "type" in one}


def _list(one: dict[str, Any], key: str) -> list[str]:
    value = one.get(key, [])
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise Damaged(f"'{key}' is not a list of words")
    return items


def parse_config(text: str) -> dict[str, Any]:
    """LVM's configuration language (lvm.conf(5)): sections, values, lists; numbers stay texts."""
    return _section(_tokens(text), 0)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise Damaged("a quoted string has no end")
        if not (found[0][0].isspace() or found[0][0] == "#"):
            yield found[0]
        at = found.end()


def _section(tokens: Iterator[str], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in tokens:
        if name == "}" and depth:
            return found
        sign = "" if name in SIGNS else next(tokens, "")
        if sign not in ("{", "=") or _plain(name) in found or depth == DEEPEST:
            raise Damaged(f"'{name[:40]}' is in the wrong place")
        found[_plain(name)] = (
            _section(tokens, depth + 1) if sign == "{" else _value(next(tokens, ""), tokens, depth + 1)
        )
    if depth:
        raise Damaged("it ends in the middle of a section")
    return found


def _value(token: str, tokens: Iterator[str], depth: int) -> Any:
    if token == "[" and depth < DEEPEST:
        items: list[Any] = []
        for item in tokens:
            if item == "]":
                return items
            if item != ",":
                items.append(_value(item, tokens, depth + 1))
        raise Damaged("it ends in the middle of a list")
    if token in SIGNS or not token:
        raise Damaged("a value is missing, or is nested too deep")
    return _plain(token)


def _plain(token: str) -> str:
    """A word, or a text without its quotes."""
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL) if token.startswith('"') else token
