# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/fstab as its two readers read it: mount(8), and systemd-fstab-generator(8), which makes units of it for the boot.

Both split a line at blanks and tabs, know a comment by '#' before the first field alone, and take the first line of a mount
point (util-linux libmount/src/tab_parse.c; glibc misc/mntent_r.c; systemd src/fstab-generator/fstab-generator.c).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

from .._block.mountinfo import Mounted, unescaped
from .._host import Host, Problem

FSTAB = "/etc/fstab"
GAP = re.compile(r"([ \t]+)")
TAGS = {"UUID": "uuid", "LABEL": "label", "PARTUUID": "partuuid", "PARTLABEL": "partlabel", "ID": "id"}
LINKS = re.compile(
    r"[^A-Za-z0-9#+.:=@_-]"
)  # what udev writes as \xNN in names of links (systemd src/shared/udev-util.c)


@dataclass(frozen=True)
class Line:
    """What a line of /etc/fstab says of its mount point."""

    device: str
    filesystem: str
    options: str


@dataclass(frozen=True)
class Entry:
    """A line of /etc/fstab that is no comment: its number from 1, its mount point, and the rest."""

    number: int
    path: str
    line: Line
    text: str = ""  # all of it, as it stands there

    def __str__(self) -> str:
        return f"line {self.number} ('{self.line.device}')"


def entries(text: str) -> list[Entry]:
    """All lines that name a mount point, in their order."""
    numbered = enumerate(text.split("\n"), 1)
    return [Entry(number, *found, one) for number, one in numbered for found in [parsed(one)] if found]


def parsed(text: str) -> tuple[str, Line] | None:
    """The mount point of a line and the rest; None where it names none. mount(8) drops a CR at the end of a line."""
    fields = [unescaped(field) for field in GAP.split(text.rstrip("\r").strip(" \t"))[::2]]
    if len(fields) < 2 or fields[0].startswith("#") or not fields[1].startswith("/"):
        return None
    return fields[1], Line(
        fields[0], fields[2] if fields[2:] else "", fields[3] if fields[3:] else "defaults"
    )


def paths(host: Host, found: Iterable[Entry], mounts: Sequence[Mounted]) -> list[str]:
    """The mount point of each entry as the kernel will name it."""
    return [canonical(host, one.path, mounts) for one in found]


def canonical(host: Host, path: str, mounts: Sequence[Mounted]) -> str:
    """A mount point with every link followed, as both readers do. Nothing is asked of a server that may not answer."""
    plain = "/" + os.path.normpath(path.split("\0")[0]).strip("/")
    over = [one for one in mounts if plain == one.path or plain.startswith(one.path.rstrip("/") + "/")]
    nearest = max(over, key=lambda one: len(one.path), default=None)
    if nearest and (nearest.path == plain or nearest.remote):
        return plain
    try:
        return host.real(plain)
    except Problem:
        return plain


def device_path(device: str) -> str:
    """The device node that a line means: tags are links that udev makes (fstab(5), udev(7))."""
    tag, _sign, value = device.partition("=")
    if tag not in TAGS:
        return device
    value = value.strip("\"'")
    coded = LINKS.sub(lambda match: _coded(match[0]) if match[0] < "\x80" else match[0], value)
    return f"/dev/disk/by-{TAGS[tag]}/{coded}"


def written(text: str, number: int, line: Line) -> str:
    """The text with this line saying so; every other byte of it, and of the line, stays."""
    return restored(text, number, _with(text.split("\n")[number - 1], line))


def restored(text: str, number: int, one: str) -> str:
    """The text with this line in the place of that one."""
    lines = text.split("\n")
    lines[number - 1] = one
    return "\n".join(lines)


def added(text: str, path: str, line: Line, before: int | None = None) -> str:
    """The text with one more line, at its end, or before another one. It ends its lines as the others do."""
    ending = "\r" if "\r\n" in text else ""
    fields = (line.device, path, line.filesystem, line.options, "0", "0")
    new = " ".join(map(escaped, fields)) + ending
    if before is not None:
        lines = text.split("\n")
        return "\n".join([*lines[: before - 1], new, *lines[before - 1 :]])
    if text and not text.endswith("\n"):
        text += "\n" if text.endswith("\r") else f"{ending}\n"
    return f"{text}{new}\n"


def dropped(text: str, numbers: Iterable[int]) -> str:
    """The text without these lines."""
    gone = set(numbers)
    whole = re.findall(r"[^\n]*\n|[^\n]+", text)
    return "".join(one for number, one in enumerate(whole, 1) if number not in gone)


def escaped(text: str) -> str:
    """A field of fstab: what would end it, and the backslash, as octal numbers that both readers know."""
    return re.sub(r"[ \t\n\\]", lambda match: f"\\{ord(match[0]):03o}", text)


def _with(text: str, line: Line) -> str:
    """A line whose first, third and fourth field say this; a field that says it already keeps its spelling."""
    body = text.rstrip("\r")
    begin = body[: len(body) - len(body.lstrip(" \t"))]
    parts = GAP.split(body[len(begin) :])
    now = parsed(text)
    old = now[1] if now else Line("", "", "")
    fields = (
        (0, line.device, old.device),
        (4, line.filesystem, old.filesystem),
        (6, line.options, old.options),
    )
    for place, value, before in fields:
        if value != before:
            parts += [" ", ""] * ((place + 2 - len(parts)) // 2)
            parts[place] = escaped(value)
    return begin + "".join(parts) + text[len(body) :]


def _coded(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode(errors="surrogateescape"))


def entries_of(found: Sequence[Entry], named: Sequence[str], path: str) -> tuple[Entry, ...]:
    """The entries of a mount point; the first one counts."""
    return tuple(one for one, name in zip(found, named) if name == path)


def same_device(host: Host, one: str, other: str) -> bool:
    """Whether two names are of one device now: by its number, else by where their links lead."""
    if one == other:
        return True
    pair = [device_path(one), device_path(other)]
    if not all(path.startswith("/dev/") for path in pair):
        return False
    try:
        numbers = [stat.st_rdev for stat in map(host.stat, pair) if stat]
        return (
            numbers[0] == numbers[1] != 0 if len(numbers) == 2 else host.real(pair[0]) == host.real(pair[1])
        )
    except Problem:  # a name that no device can have
        return False


def inner(found: Sequence[Entry], named: Sequence[str], path: str) -> Iterator[Entry]:
    """The entries whose mount points are inside this one."""
    return (one for one, name in zip(found, named) if name.startswith(path.rstrip("/") + "/"))
