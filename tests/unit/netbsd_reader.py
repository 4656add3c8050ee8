# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetBSD's iSCSI target makes of its files: a reader of its own, from the daemon's grammar, character by character."""

from __future__ import annotations

BUFFER = 1023  # what fgets reads at once


def columns(data):
    """The fields of each entry."""
    while data:
        end = data.find("\n", 0, BUFFER) + 1 or min(len(data), BUFFER)
        line, data = data[:end].lstrip(" \t\n\r\v\f"), data[end:]
        if not line or line[0] == "#":
            continue
        fields, field, at, inside = [], "", 0, False
        while at < len(line) and line[at] != "\n":
            one = line[at]
            if one == "\\" and line[at + 1 : at + 2] == "\n":
                end = data.find("\n") + 1 or len(data)
                line, data = line[:at] + data[:end], data[end:]
                field, inside, at = field + line[at : at + 1], True, at + 1  # which is not looked at
                continue
            if one == "\\":
                after = line[at + 1 : at + 2]
                field, inside, at = field + (after if after in " \t" else one + after), True, at + 2
                continue
            if one in " \t":
                if inside:
                    fields.append(field)
                field, inside = "", False
            else:
                field, inside = field + one, True
            at += 1
        yield [*fields, field] if inside else fields


def length(word):
    digits = ""
    while word[len(digits) : len(digits) + 1].isdigit():
        digits += word[len(digits)]
    unit = {"t": 40, "g": 30, "m": 20, "k": 10}.get(word[len(digits) :][:1].lower(), 0)
    return int(digits or "0") << unit


class Refused(Exception):
    """The daemon leaves an entry out."""


def read_targets(text, strict=False):
    """Targets by name: {flags, mask, disk}; a disk is ('extent', path, start, bytes) or ('RAID1', disks)."""
    storage, used, targets = {}, set(), {}
    for fields in columns(text):
        try:
            if fields[0].startswith("extent"):
                _once(fields[0], storage)
                if len(fields) < 4:
                    raise Refused("columns")
                storage[fields[0]] = ("extent", fields[1], int(fields[2]), length(fields[3]))
            elif fields[0].startswith("device"):
                _once(fields[0], storage)
                members = fields[2:]
                if any(member not in storage or member in used for member in members):
                    raise Refused("members")
                sizes = {size_of(storage[member]) for member in members}
                if fields[1] == "RAID1" and (len(members) < 2 or len(sizes) > 1):
                    raise Refused("RAID1")
                used.update(members)
                storage[fields[0]] = (fields[1], [storage[member] for member in members])
            elif fields[0].startswith(("target", "lun")):
                label, _equals, name = fields[0].partition("=")
                flags, disk, mask = ["ro", *fields[1:]] if len(fields) == 3 else fields[1:4]
                if label in {one["label"] for one in targets.values()} or disk not in storage:
                    raise Refused("target")
                name = name or f"iqn.1994-04.org.netbsd.iscsi-target:{label}"
                found = "ro" if flags in ("ro", "r", "readonly") else "rw"
                targets[name] = {
                    "label": label,
                    "flags": found,
                    "mask": mask,
                    "disk": storage[disk],
                    "on": disk,
                }
            elif strict:
                raise Refused("unknown")
        except (Refused, ValueError):
            if strict:
                raise
    return targets


def _once(label, known):
    if label in known:
        raise Refused("twice")


def size_of(disk):
    return disk[3] if disk[0] == "extent" else size_of(disk[1][0])
