# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins of multipath.conf(5): written from data, read by the installed multipath before anyone relies on them.

A daemon has loaded the files when 'multipathd show config' prints what 'multipath -t' makes of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Iterator

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.multipathd import BUSY, UNIT, ask, running
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

MAIN = "/etc/multipath.conf"
DROP_INS = "/etc/multipath/conf.d"
OWNED = "# Written by {}: changes here are lost.\n"
KEYWORD = re.compile(r"[a-z][a-z0-9_]*")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
LISTS = {"devices": "device", "multipaths": "multipath"}
OWN = (
    "force_sync",
    "retrigger_tries",
)  # multipath sets these for itself; the daemon prints what the files say
UDEV = 30  # seconds until a renamed map has its links
RECONFIGURE = 120  # seconds; the daemon asks every path again
# The candidate is alone in an /etc that only this process sees and that is gone when it ends. Nothing is written.
TRIAL = "mount -t tmpfs none /etc && mkdir -p {0} && cat >{0}/candidate.conf && exec multipath -t"


@dataclass(frozen=True)
class Conf:
    """One drop-in, whether the running daemon has loaded the files, and what multipath complains of."""

    path: str
    text: str | None
    loaded: bool = True
    running: bool = True
    main: bool = True  # the main file is there, or not needed
    complaints: tuple[str, ...] = ()


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
class Reconfigure(Step):
    """Have the running daemon read its files again. It does so in the background: wait until it has, and udev too."""

    devices: tuple[str, ...] = ()  # that are there afterwards

    def __str__(self) -> str:
        return "Have multipathd read its configuration again"

    def take(self, host: Host) -> None:
        host.run("multipathd", "reconfigure")
        if not host.until(lambda: _agrees(host, ask(host, "show", "config")), RECONFIGURE, 1):
            raise Problem(f"multipathd has not loaded its files within {RECONFIGURE} seconds.")
        for device in self.devices:
            if not host.until(partial(host.stat, device), UDEV):
                raise Problem(
                    f"'{device}' is not there. Look at the log of multipathd ('journalctl -u multipathd')."
                )


def look_conf(host: Host, path: str, candidate: str | None) -> Conf:
    """The drop-in as it is; a candidate that differs is tried."""
    text, runs = host.read(path), running(host)
    return Conf(
        path=path,
        text=text,
        loaded=not runs or loaded(host),
        running=runs,
        main=host.stat(MAIN) is not None or not _needs_main(host),
        complaints=tuple(tried(host, candidate)) if candidate not in (None, text) else (),
    )


def plan_conf(seen: Conf, want: Conf) -> list[Step]:
    """Write what differs; a running daemon reads it, and is never restarted."""
    steps: list[Step] = [] if seen.main or not want.main else [WriteMain()]
    if seen.text != want.text:
        steps.append(WriteConf(want.path, want.text))
    if want.running and (steps or not seen.loaded):
        steps.append(Reconfigure())
    return steps


def refuse_conf(seen: Conf) -> None:
    """multipath skips what it does not understand and goes on: such a file is not written at all."""
    if seen.complaints:
        raise Problem(
            f"The installed multipath does not accept this configuration: {'; '.join(seen.complaints)}. "
            f"'{seen.path}' stays as it is. See multipath.conf(5) on this host for its keywords and values."
        )


def loaded(host: Host) -> bool:
    """Whether the daemon's configuration is that of the files."""
    told = ask(host, "show", "config")
    if not told:
        raise Problem(
            f"multipathd runs and does not answer; it was asked for {BUSY} seconds. If the paths of its maps answer again, "
            "lunworks.iscsi.multipath_paths brings them back without it. See its journal too."
        )
    return _agrees(host, told)


def _agrees(host: Host, told: str) -> bool:
    return list(_told(told)) == list(_told(host.run("multipath", "-t").out))


def _told(text: str) -> Iterator[str]:
    return (line for line in lines_of(text) if line.strip() and line.split()[0] not in OWN)


def tried(host: Host, text: str | None) -> list[str]:
    """What the installed multipath says against a drop-in; it says nothing against a good one."""
    ran = host.run(*("unshare", "--mount", "sh", "-c", TRIAL.format(DROP_INS)), stdin=text or "", ok=None)
    if ran.rc:
        raise Problem(f"Cannot try the configuration: {' '.join(ran.err.split())}")
    lines = [re.sub(r"^[\d.]+ \| ", "", line.strip()) for line in lines_of(ran.err)]
    return [re.sub(rf"( of )?{DROP_INS}/candidate\.conf ?", "", line) for line in lines if line]


def _needs_main(host: Host) -> bool:
    return f"ConditionPathExists={MAIN}" in host.run("systemctl", "cat", UNIT, ok=None).out


def path_of(name: str) -> str:
    """Where the drop-in of this name is."""
    if not NAME.fullmatch(name):
        raise Problem(f"'{name}' is not a name for a drop-in. Wanted are letters, digits, '.', '_' and '-'.")
    return f"{DROP_INS}/{name}.conf"


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
