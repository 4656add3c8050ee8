# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse path filtering of the storage interfaces (kernel Documentation/networking/ip-sysctl.rst, sysctl.d(5)).

Two interfaces in one subnet: an answer may come in through the other one, and strict filtering (1) drops it. The kernel
takes the higher of conf.all and conf.INTERFACE, so 2 (loose) on the interface is enough; 0 and 2 are left as they are.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import edit, parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

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


@dataclass(frozen=True)
class Filter:
    """One interface: what filters now, what will after a boot, and whether our file says so."""

    running: int
    booting: int
    ours: bool
    after: str = ""  # a file that is read after ours and sets it to something else


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
        host.write(OURS, edit(text, {key(name): str(LOOSE) for name in self.interfaces}), 0o644)


def key(interface: str) -> str:
    """The setting, with slashes: then a dot in the interface's name is only a dot (sysctl.d(5))."""
    return f"net/ipv4/conf/{interface}/rp_filter"


def look_filters(host: Host, interfaces: list[str]) -> dict[str, Filter]:
    """The value that filters is the higher of the interface's own and conf.all's."""
    saved = look_saved(host)
    found = {}
    for name in interfaces:
        running = host.read(f"{PROC}/{key(name)}")
        if running is None:
            there = ", ".join(
                one for one in host.list(f"{PROC}/net/ipv4/conf") if one not in ("all", "default")
            )
            raise Problem(f"There is no network interface '{name}' on this host. There are: {there}.")
        everywhere = host.read(f"{PROC}/{key('all')}") or "0"
        own = saved_value(saved, key(name)) or saved_value(saved, key("default")) or 0
        explicit = [(path, values[key(name)]) for path, values in saved if key(name) in values]
        last = explicit[-1] if explicit else ("", None)
        found[name] = Filter(
            running=max(int(running), int(everywhere)),
            booting=max(own, saved_value(saved, key("all")) or 0),
            ours=any(path == OURS for path, _value in explicit),
            after=last[0]
            if last[0].rpartition("/")[2] > OURS.rpartition("/")[2] and last[1] != str(LOOSE)
            else "",
        )
    return found


def look_saved(host: Host) -> list[tuple[str, dict[str, str | None]]]:
    """The files of sysctl.d in the order in which they are read: by name; one name in several directories counts once."""
    paths = {
        name: f"{place}/{name}"
        for place in DIRECTORIES
        for name in host.list(place)
        if name.endswith(".conf")
    }
    return [(paths[name], parse_sysctl(host.read(paths[name]) or "")) for name in sorted(paths)]


def parse_sysctl(text: str) -> dict[str, str | None]:
    """Settings with slashes for separators; None for '-name', which keeps a pattern away from that name."""
    found: dict[str, str | None] = {}
    for name, value in parse(text).items():
        found[_slashed(name.lstrip("-"))] = value
    for line in lines_of(text):
        if line.startswith("-") and "=" not in line:
            found[_slashed(line[1:].strip())] = None
    return found


def _slashed(name: str) -> str:
    """The separator that comes first decides which one it is."""
    first = next((letter for letter in name if letter in "./"), "/")
    return name if first == "/" else name.translate({ord("."): "/", ord("/"): "."})


def saved_value(saved: list[tuple[str, dict[str, str | None]]], wanted: str) -> int | None:
    """What the files set a name to: the last line that names it, else the last pattern that fits it."""
    named = [values[wanted] for _path, values in saved if wanted in values]
    if not named:
        named = [
            value
            for _path, values in saved
            for pattern, value in values.items()
            if fnmatch.fnmatch(wanted, pattern)
        ]
    last = named[-1] if named else None
    return int(last) if last is not None and last.isdecimal() else None


def plan_filters(seen: dict[str, Filter], want: dict[str, Filter]) -> list[Step]:
    """Loosen what is strict; write down what would be strict again after a boot."""
    steps: list[Step] = [Loosen(name) for name, found in seen.items() if want[name].running > found.running]
    unsaved = tuple(name for name, found in seen.items() if want[name].ours and not found.ours)
    return steps + ([Persist(unsaved)] if unsaved else [])


def refuse_filters(seen: dict[str, Filter], steps: list[Step]) -> None:
    """A line that is read after ours would undo it at the next boot."""
    for step in steps:
        for name in step.interfaces if isinstance(step, Persist) else ():
            if seen[name].after:
                raise Problem(
                    f"Cannot loosen the reverse path filter of '{name}' for good: '{seen[name].after}' sets it again "
                    f"after '{OURS}'. Change or remove that line."
                )
