# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins of multipath.conf(5): written from data, read by the installed multipath before anyone relies on them.

A daemon has loaded the files when 'multipathd show config' prints what 'multipath -t' makes of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping, Sequence

from ..._block.dm_multipath import UNIT, running
from ..._host import Host, Problem, lines_of
from ..._step import Step
from ..files import DROP_INS, MAIN, aliases_of, dry_run, look_files, overruled, refuse_elsewhere
from ..multipathd import BUSY, WWIDS, ask, registered
from ..name import effects, look_running, refuse_bound, refuse_effects
from ..sections import Section, parse_sections

WRITER = "lunworks.iscsi.multipath_conf"
DEFAULT = "lunworks"  # the name of the drop-in
ALIASES = "lunworks-aliases"  # the drop-in of multipath_alias
OWNED = "# Written by {}: changes here are lost.\n"
OURS = OWNED.partition("{")[0]
KEYWORD = re.compile(r"[a-z][a-z0-9_]*")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
LISTS = {"devices": "device", "multipaths": "multipath"}
# multipath sets these for itself, and the daemon may be started with -v; the daemon prints what the files say.
OWN = ("force_sync", "retrigger_tries", "verbosity")
RECONFIGURE = 120  # seconds; the daemon asks every path again
NAMED = 3  # lines in a message


@dataclass(frozen=True)
class Conf:
    """One drop-in, whether the running daemon has loaded the files, and what multipath complains of."""

    path: str
    text: str | None
    loaded: bool = True
    running: bool = True
    main: bool = True  # the main file is there, or not needed
    complaints: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()  # by files that are read later
    effects: tuple[Step, ...] = field(
        default=(), compare=False
    )  # of a reconfiguration on the maps that there are
    foreign: bool = field(default=False, compare=False)  # somebody else has written it
    unlisted: tuple[str, ...] = ()  # WWIDs that must be on multipath's list
    requested: str | None = field(
        default=None, compare=False
    )  # the drop-in as asked for, beside the other files


@dataclass(frozen=True)
class WriteConf(Step):
    """Replace one drop-in, or remove it."""

    path: str
    text: str | None

    def __str__(self) -> str:
        return f"{'Remove' if self.text is None else 'Write'} '{self.path}'"

    def take(self, host: Host) -> None:
        if self.text is None:
            host.remove(self.path)
        else:
            host.write(self.path, self.text, 0o644)


@dataclass(frozen=True)
class WriteMain(Step):
    """multipathd's unit of some distributions starts only where the main file is; drop-ins do the rest."""

    def __str__(self) -> str:
        return f"Write an empty '{MAIN}', without which multipathd does not start here"

    def take(self, host: Host) -> None:
        host.write(MAIN, f"# Needed by {UNIT}. The configuration is in {DROP_INS}.\n", 0o644)


@dataclass(frozen=True)
class ListWwid(Step):
    """Before its first path appears: LVM would take that path at once, and stay on it beside the map."""

    wwid: str

    def __str__(self) -> str:
        return f"Put '{self.wwid}' on multipath's list of WWIDs"

    def take(self, host: Host) -> None:
        host.run("modprobe", "dm_multipath", ok=None)  # without it multipath since 0.11 writes nothing
        ran = host.run("multipath", "-a", self.wwid, ok=None)
        if self.wwid not in registered(host):
            said = " ".join(ran.err.split())
            raise Problem(
                f"'{self.wwid}' is still not on the list '{WWIDS}'. multipath says: {said or '(nothing)'}"
            )


@dataclass(frozen=True)
class Reconfigure(Step):
    """Have the running daemon read its files again. It does so in the background: wait until it has, and udev too."""

    def __str__(self) -> str:
        return "Have multipathd read its configuration again"

    def take(self, host: Host) -> None:
        host.run("multipathd", "reconfigure")
        behind: list[str] = []

        def done() -> bool:
            behind[:] = _behind(ask(host, "show", "config"), host.run("multipath", "-t").out)
            return not behind

        if not host.until(done, RECONFIGURE, 1):
            raise Problem(
                f"multipathd has not loaded its files within {RECONFIGURE} seconds. Not loaded: "
                f"{'; '.join(behind[:NAMED])}. See its journal ('journalctl -u multipathd')."
            )


def look_conf(
    host: Host,
    path: str,
    wanted: Callable[[Mapping[str, Section]], str | None],
    named: frozenset[str] = frozenset(),
    claimed: Sequence[str] = (),
) -> Conf:
    """The drop-in as it is, and as it is wanted beside the other files; one that differs is tried."""
    text, runs, others = host.read(path), running(host), look_files(host, but=path)
    candidate, listed = wanted(others), registered(host) if claimed else frozenset()
    return Conf(
        path=path,
        text=text,
        main=host.stat(MAIN) is not None or not _needs_main(host),
        foreign=path != path_of(DEFAULT) and text is not None and not text.startswith(OURS),
        unlisted=tuple(wwid for wwid in claimed if wwid not in listed),
        overruled=tuple(overruled(parse_sections(candidate or ""), path, others)),
        requested=candidate,
        **look_change(host, path, text, candidate, named, runs),
    )


def look_change(
    host: Host, path: str, text: str | None, candidate: str | None, named: frozenset[str], runs: bool
) -> dict[str, Any]:
    """Whether multipathd has loaded its files, and what a drop-in that differs would do, to multipath and to its maps."""
    maps = look_running(host)
    told = _config(host) if runs else ""
    files = host.run("multipath", "-t").out if runs else ""
    behind = bool(runs and _behind(told, files))
    differs = candidate != text and (candidate is not None or bool(maps))
    tried = dry_run(host, path, candidate) if differs else None
    old = parse_sections(told) if runs else tried.config if tried else Section("")
    new = tried.config if tried else parse_sections(files)
    if candidate is not None:
        refuse_elsewhere(new)
        before = aliases_of(parse_sections(text or ""))
        given = aliases_of(parse_sections(candidate)).items()
        refuse_bound(host, new, {wwid: name for wwid, name in given if before.get(wwid) != name})
    return {
        "running": runs,
        "loaded": not behind,
        "complaints": tried.complaints if tried else (),
        "effects": effects(host, maps, old, new, named) if maps and (tried or runs) else (),
    }


def plan_conf(seen: Conf, want: Conf) -> list[Step]:
    """Write what differs; a running daemon reads it, and is never restarted."""
    steps: list[Step] = [] if seen.main or not want.main else [WriteMain()]
    if seen.text != want.text:
        steps.append(WriteConf(want.path, want.text))
    if want.running and (steps or not seen.loaded):
        steps += [Reconfigure(), *seen.effects]
    return steps + [ListWwid(wwid) for wwid in seen.unlisted if wwid not in want.unlisted]


def refuse_conf(seen: Conf, steps: list[Step]) -> None:
    """multipath skips what it does not understand and goes on: such a file is not written at all."""
    if seen.foreign and any(isinstance(step, WriteConf) for step in steps):
        raise Problem(
            f"'{seen.path}' was not written by {WRITER}, and what is in it would be lost. Choose another name for this "
            "drop-in, or remove that file first."
        )
    refuse_complaints(seen.path, seen.complaints)
    if seen.overruled:
        raise Problem(" ".join(seen.overruled[:NAMED]))
    if any(not isinstance(step, ListWwid) for step in steps):
        refuse_effects(seen.effects)


def refuse_complaints(path: str, complaints: tuple[str, ...]) -> None:
    """What the installed multipath does not accept is not written."""
    if complaints:
        raise Problem(
            f"The installed multipath does not accept this configuration: {'; '.join(complaints)}. "
            f"'{path}' stays as it is. See multipath.conf(5) on this host for its keywords and values."
        )


def _config(host: Host) -> str:
    told = ask(host, "show", "config")
    if not told:
        raise Problem(
            f"multipathd is running, but has not answered for {BUSY} seconds. If the paths of its maps answer again, "
            "lunworks.iscsi.multipath_paths brings them back without it. See its journal too."
        )
    return told


def _behind(told: str, files: str) -> list[str]:
    """The first lines of the files' configuration that the daemon has not loaded, or has and the files have not."""
    ours, theirs = list(_told(files)), list(_told(told))
    if ours == theirs:
        return []
    return [line.strip() for line in ours if line not in theirs] or ["what the files no longer say"]


def _told(text: str) -> Iterator[str]:
    return (line for line in lines_of(text) if line.strip() and line.split()[0] not in OWN)


def _needs_main(host: Host) -> bool:
    """As RHEL's unit says; a later empty assignment takes it back (systemd.unit(5))."""
    said = [line.strip().partition("=") for line in lines_of(host.run("systemctl", "cat", UNIT, ok=None).out)]
    values: list[str] = []
    for key, _equals, value in said:
        if key == "ConditionPathExists":
            values = [*values, value] if value else []
    return MAIN in values


def path_of(name: str) -> str:
    """Where the drop-in of this name is."""
    if not NAME.fullmatch(name):
        raise Problem(
            f"'{name}' is not a name for a drop-in. It must consist of letters, digits, '.', '_' and '-'."
        )
    return f"{DROP_INS}/{name}.conf"


def own_path(name: str) -> str:
    """The same for a drop-in of multipath_conf."""
    if name == ALIASES:
        raise Problem(f"'{name}' is the drop-in of lunworks.iscsi.multipath_alias. Choose another name.")
    return path_of(name)


def format_conf(writer: str, sections: dict[str, Any]) -> str:
    """The text of a drop-in; sections that say nothing are left out."""
    lines: list[str] = []
    for name, content in sections.items():
        inner = {LISTS[name]: content} if name in LISTS else content
        if content:
            lines += _section(name, inner, "")
    return OWNED.format(writer) + "".join(f"{line}\n" for line in lines)


def _section(name: str, content: dict[str, Any], indent: str) -> Iterator[str]:
    yield f"{indent}{name} {{"
    for keyword, value in content.items():
        if not KEYWORD.fullmatch(str(keyword)):
            raise Problem(f"'{keyword}' in '{name}' is not a keyword of multipath.conf.")
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from _section(keyword, one, f"{indent}\t")
            else:
                yield f"{indent}\t{keyword} {_quoted(keyword, one)}"
    yield f"{indent}}}"


def _quoted(keyword: str, value: Any) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    if value is None or re.search(r"[\0-\x1f\x7f]", text):
        raise Problem(f"The value of '{keyword}' is empty or has control characters: {text!r}.")
    return '"' + text.replace('"', '""') + '"'
