# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse path filtering of the storage interfaces (kernel Documentation/networking/ip-sysctl.rst, sysctl.d(5)).

Two interfaces in one subnet: an answer may come in through the other one, and strict filtering (1) drops it. The kernel
takes the higher of conf.all and conf.INTERFACE, so 2 (loose) on the interface is enough; 0 and 2 are left as they are.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from dataclasses import dataclass

from .._host import Host, Problem
from .._keyvalue import inserted, replaced
from .._step import Step

PROC = "/proc/sys"
OURS = "/etc/sysctl.d/90-iscsi-rp-filter.conf"
DIRECTORIES = (
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/run/sysctl.d",
    "/etc/sysctl.d",
)
STRICT, LOOSE = 1, 2
BLANKS = " \t\n\r"  # src/basic/string-util.h: WHITESPACE


@dataclass(frozen=True)
class Filter:
    """One interface: what filters now, what will after a boot, and whether our file says so."""

    running: int
    at_boot: int
    managed: bool
    overridden_by: str = ""  # a file that is read after ours and sets it to something else


@dataclass(frozen=True)
class Line:
    """A line of a file; a value of None makes patterns pass the name by."""

    path: str
    setting: str
    value: str | None


@dataclass(frozen=True)
class Loosen(Step):
    """Set the running value."""

    interface: str

    def __str__(self) -> str:
        return f"Loosen the reverse path filter of '{self.interface}' (1 to 2)"

    def take(self, host: Host) -> None:
        host.poke(f"{PROC}/{key(self.interface)}", f"{LOOSE}\n")


@dataclass(frozen=True)
class Persist(Step):
    """Write it for the next boot."""

    interfaces: tuple[str, ...]

    def __str__(self) -> str:
        return f"Write '{OURS}' with the loose reverse path filter of {', '.join(map(repr, self.interfaces))}"

    def take(self, host: Host) -> None:
        text = host.read(OURS) or "# Storage interfaces that share a subnet; see the module rp_filter.\n"
        for name in self.interfaces:
            text = edit(text, key(name), str(LOOSE))
        host.write(OURS, text, 0o644)


def key(interface: str) -> str:
    """The setting, with slashes: then a dot in the interface's name is only a dot (sysctl.d(5))."""
    return f"net/ipv4/conf/{interface}/rp_filter"


def look_filters(host: Host, interfaces: list[str]) -> dict[str, Filter]:
    """The value that filters is the higher of the interface's own and conf.all's."""
    lines = look_lines(host)
    saved, mine = in_force(lines), dict(assignments(host.read(OURS) or ""))
    found = {}
    for name in interfaces:
        running = host.read(f"{PROC}/{key(name)}")
        if running is None:
            there = ", ".join(
                one for one in host.list(f"{PROC}/net/ipv4/conf") if one not in ("all", "default")
            )
            raise Problem(f"There is no network interface '{name}' on this host. There are: {there}.")
        everywhere = host.read(f"{PROC}/{key('all')}")
        own = saved_value(saved, key(name))
        own = saved_value(saved, key("default")) if own is None else own
        later = [line for line in lines if line.setting == key(name) and _name(line.path) > _name(OURS)]
        found[name] = Filter(
            running=max(kernel_number(running) or 0, kernel_number(everywhere) or 0),
            at_boot=max(own or 0, saved_value(saved, key("all")) or 0),
            managed=kernel_number(mine.get(key(name))) == LOOSE,
            overridden_by=later[-1].path if later and kernel_number(later[-1].value) != LOOSE else "",
        )
    return found


def look_lines(host: Host) -> list[Line]:
    """The files of sysctl.d in the order in which they are read: by name; one name in several directories counts once."""
    paths = {
        name: f"{place}/{name}"
        for place in DIRECTORIES
        for name in host.list(place)
        if name.endswith(".conf")
    }
    return [
        Line(paths[name], setting, value)
        for name in sorted(paths)
        if not is_directory(host.stat(paths[name]))
        for setting, value in assignments(host.read(paths[name]) or "")
    ]


def is_directory(there: os.stat_result | None) -> bool:
    """A directory takes the name and has no lines; reading it ends there (src/basic/conf-files.c, files_add)."""
    return there is not None and stat.S_ISDIR(there.st_mode)


def in_force(lines: list[Line]) -> dict[str, str | None]:
    """What the lines say together; one that says what was said before keeps that one's place (src/sysctl/sysctl.c)."""
    found: dict[str, str | None] = {}
    for line in lines:
        if line.setting not in found or found[line.setting] != line.value:
            found.pop(line.setting, None)
            found[line.setting] = line.value
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def assignments(text: str) -> list[tuple[str, str | None]]:
    """The lines as systemd-sysctl reads them (src/sysctl/sysctl.c parse_line, src/basic/fileio.c read_line).

    Names with slashes for separators; a value of None for '-name', which keeps a pattern away from that name.
    """
    found: list[tuple[str, str | None]] = []
    for line in re.split("[\n\r\0]", text):
        name, equals, value = line.strip(BLANKS).partition("=")
        if name[:1] in ("", "#", ";") or not (equals or name[0] == "-"):
            continue
        name = name[1:] if name[0] == "-" else name
        found.append((_slashed(name.strip(BLANKS)), value.strip(BLANKS) if equals else None))
    return found


def edit(text: str, setting: str, value: str) -> str:
    """The text with this setting, everything else as it was."""

    def own(line: str) -> bool:
        return any(name == setting for name, _value in assignments(line))

    line = f"{setting} = {value}"
    edited = replaced(text, own, line)
    whole = text if text.endswith("\n") or not text else text + "\n"
    return inserted(whole, line) if edited is None else edited


def _slashed(name: str) -> str:
    """The separator that comes first decides which one it is."""
    first = next((letter for letter in name if letter in "./"), "/")
    return name if first == "/" else name.translate({ord("."): "/", ord("/"): "."})


def saved_value(saved: dict[str, str | None], wanted: str) -> int | None:
    """What the files set a name to: the last line that names it, else the last pattern that fits it (sysctl.d(5))."""
    if wanted in saved:
        return kernel_number(saved[wanted])
    fitting = [value for pattern, value in saved.items() if value is not None and _fits(wanted, pattern)]
    return kernel_number(fitting[-1]) if fitting else None


def _fits(name: str, pattern: str) -> bool:
    """As glob(7): no sign of a pattern stands for a slash."""
    parts, signs = name.split("/"), pattern.split("/")
    return len(parts) == len(signs) and all(map(fnmatch.fnmatchcase, parts, signs))


def kernel_number(text: str | None) -> int | None:
    """A number as the kernel takes it (kernel/sysctl.c proc_get_long): decimal, 0x or octal, up to a blank."""
    match = re.match(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)(?:\s|$)", text or "")
    if not match:
        return None
    digits = match[1][:20]
    octal = re.fullmatch("0[0-7]+", digits)
    return int(digits, 8 if octal else 16 if digits[:2].lower() == "0x" else 10)


def plan_filters(seen: dict[str, Filter], want: dict[str, Filter]) -> list[Step]:
    """Write down what would be strict again after a boot, and loosen what is strict: what is loose already is nobody's task."""
    loosened: list[Step] = [
        Loosen(name) for name, found in seen.items() if want[name].running > found.running
    ]
    unsaved = tuple(
        name
        for name, found in seen.items()
        if (want[name].managed, want[name].at_boot) != (found.managed, found.at_boot)
    )
    return [*([Persist(unsaved)] if unsaved else []), *loosened]


def refuse_filters(seen: dict[str, Filter], steps: list[Step]) -> None:
    """A line that is read after ours would undo it at the next boot."""
    for step in steps:
        for name in step.interfaces if isinstance(step, Persist) else ():
            if seen[name].overridden_by:
                raise Problem(
                    f"Cannot loosen the reverse path filter of '{name}' for good: '{seen[name].overridden_by}' sets it again "
                    f"after '{OURS}'. Change or remove that line."
                )
