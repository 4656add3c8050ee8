# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit that logs in at boot and out at shutdown: open-iscsi.service on Debian, iscsi.service elsewhere.

Upstream's unit passes -W to iscsiadm: iscsid goes on trying while the host boots. Debian's waits for every login, two
minutes for a portal that is away, and then has failed, so that nothing is logged out at shutdown either. Nor does it say that
multipathd comes first and goes last, as multipathd's own unit says elsewhere (Before=iscsi.service).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._converge import Resource
from .._host import Host, Problem
from .._keyvalue import parse
from .._step import Step
from .record import database, text_at
from .unit_file import WITHOUT_WAITING, Command, commands, drop_ins

UNITS = ("open-iscsi.service", "iscsi.service")
PROPERTIES = "Id,LoadState,UnitFileState,ActiveState,FragmentPath,DropInPaths"
OPTIONS: dict[str, Any] = {
    "wait": {"type": "bool"},
    "enabled": {"type": "bool"},
    "started": {"type": "bool", "default": True},
    "assume_present": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class LoginUnit:
    """The unit as its files say it, and whether there is anything to log in to."""

    name: str
    enabled: bool
    active: bool
    files: tuple[tuple[str, str], ...]  # path and text, in the order in which systemd reads them
    records: bool
    masked: bool = False

    @property
    def waits(self) -> bool:
        """Whether the boot waits for a portal that is away."""
        return any(command.waits for command in commands(self.files))

    @property
    def ours(self) -> str | None:
        """The text of our drop-in; None where there is none."""
        return dict(self.files).get(drop_in(self.name))

    def having(self, ours: str | None) -> LoginUnit:
        """The unit with this text as our drop-in, or without one."""
        path = drop_in(self.name)
        others = [file for file in self.files[1:] if file[0] != path]
        own = [] if ours is None else [(path, ours)]
        return replace(self, files=(*self.files[:1], *sorted([*others, *own], key=_order)))


def _order(file: tuple[str, str]) -> str:
    """Drop-ins are read by the names of their files, in whatever directory they are (systemd.unit(5))."""
    return file[0].rpartition("/")[2]


def drop_in(name: str) -> str:
    """Where our part of the unit is."""
    return f"/etc/systemd/system/{name}.d/10-lunworks.conf"


def drop_in_text(run: tuple[Command, ...]) -> str:
    """Our part of the unit: the same commands word by word, those that log in without waiting."""
    lines = ["# Managed by lunworks.iscsi.login_unit.", "[Unit]", "After=multipathd.service"]
    lines += ["[Service]", "ExecStart="]
    lines += [f"ExecStart={one.text} -W" if one.waits else f"ExecStart={one.text}" for one in run]
    return "\n".join([*lines, ""])


@dataclass(frozen=True)
class WriteDropIn(Step):
    """Let the unit run what this drop-in says."""

    name: str
    text: str

    def __str__(self) -> str:
        return f"Write '{drop_in(self.name)}', so that the boot does not wait for an unreachable portal"

    def take(self, host: Host) -> None:
        host.write(drop_in(self.name), self.text, 0o644)
        host.run("systemctl", "daemon-reload")


@dataclass(frozen=True)
class RemoveDropIn(Step):
    """Let the unit run what its package says."""

    name: str

    def __str__(self) -> str:
        return f"Remove '{drop_in(self.name)}'"

    def take(self, host: Host) -> None:
        host.remove(drop_in(self.name))
        host.run("systemctl", "daemon-reload")


@dataclass(frozen=True)
class Enable(Step):
    """Start the unit at boot, or no longer; now nothing happens."""

    name: str
    enabled: bool

    def __str__(self) -> str:
        return f"{'Enable' if self.enabled else 'Disable'} '{self.name}' at boot"

    def take(self, host: Host) -> None:
        host.run("systemctl", "enable" if self.enabled else "disable", self.name)


@dataclass(frozen=True)
class Start(Step):
    """Start the unit: it logs in what is not logged in, and will log out in order at shutdown."""

    name: str

    def __str__(self) -> str:
        return f"Start '{self.name}', which logs in now and out at shutdown"

    def take(self, host: Host) -> None:
        host.run("systemctl", "start", self.name, timeout=300)


def look_login_unit(host: Host) -> LoginUnit:
    """The first of the names that systemd has, even if masked."""
    shown = [parse(host.run("systemctl", "show", "-p", PROPERTIES, unit).out) for unit in UNITS]
    for state in ("loaded", "masked"):
        for said, unit in zip(shown, UNITS):
            if said.get("LoadState") == state:
                return _unit(host, said, said.get("Id") or unit)
    for said, unit in zip(shown, UNITS):
        if said.get("LoadState") not in ("not-found", None):
            raise Problem(
                f"systemd cannot load '{unit}' ({said['LoadState']}). 'systemctl status {unit}' says what is wrong."
            )
    raise Problem(f"systemd knows none of {', '.join(UNITS)}. Install open-iscsi (initiator-utils) first.")


def _unit(host: Host, said: dict[str, str], name: str) -> LoginUnit:
    masked = said.get("LoadState") == "masked"
    place = drop_in(name).rpartition("/")[0]
    newest = [f"{place}/{one}" for one in host.list(place) if one.endswith(".conf")]  # read at the next boot
    paths = {one.rpartition("/")[2]: one for one in [*drop_ins(said.get("DropInPaths", "")), *newest]}
    files = [said.get("FragmentPath", ""), *(paths[one] for one in sorted(paths))]
    return LoginUnit(
        name=name,
        enabled=said.get("UnitFileState") == "enabled",
        active=said.get("ActiveState") == "active",
        files=() if masked else tuple((path, text_at(host, path)) for path in files if host.stat(path)),
        records=bool(host.list(f"{database(host)}/nodes")),
        masked=masked,
    )


def plan_login_unit(seen: LoginUnit, want: LoginUnit) -> list[Step]:
    """The unit's commands, then its next boot, then now. It is never stopped or restarted: that logs out."""
    steps: list[Step] = []
    if seen.ours != want.ours:
        steps.append(RemoveDropIn(want.name) if want.ours is None else WriteDropIn(want.name, want.ours))
    if seen.enabled != want.enabled:
        steps.append(Enable(want.name, want.enabled))
    if want.active and not seen.active:
        steps.append(Start(want.name))
    return steps


def refuse_login_unit(seen: LoginUnit, steps: list[Step]) -> None:
    """A masked unit stays as it is."""
    if seen.masked and steps:
        raise Problem(
            f"'{seen.name}' is masked, so it can be neither enabled nor started. If that is not intended, unmask it first "
            f"(systemctl unmask {seen.name})."
        )


def want_unwaiting(seen: LoginUnit) -> LoginUnit:
    """The unit with our drop-in, where it waits without it, or has one already. No command of somebody else is rewritten."""
    bare = seen.having(None)
    if not bare.waits and seen.ours is None:
        return seen
    for one in commands(bare.files):
        if one.waits and (one.path != bare.files[0][0] or not one.plain):
            raise Problem(
                f"'{seen.name}' waits for unreachable portals, since '{one.path}' makes it run '{one.text}'. That is not a "
                f"command of open-iscsi's package, so it is left alone. Add -W to its iscsiadm there, or remove that file."
            )
    before = [file for file in bare.files[1:] if _order(file) < _order((drop_in(seen.name), ""))]
    return seen.having(drop_in_text(commands([*bare.files[:1], *before])))


def refuse_no_wait(seen: LoginUnit) -> None:
    """A unit that does not wait by itself cannot be made to wait by taking our drop-in away."""
    bare = seen.having(None)
    for one in commands(bare.files):
        if not bare.waits and WITHOUT_WAITING.search(one.text):
            raise Problem(
                f"'{seen.name}' does not wait for unreachable portals even without a drop-in of this module: '{one.path}' "
                f"makes it run '{one.text}'. Leave out 'wait', or change that file."
            )


class LoginUnitResource(Resource):
    """The unit as it was asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.wait, self.enabled, self.started = (options[name] for name in ("wait", "enabled", "started"))
        self.assume_present = options["assume_present"]

    def look(self, host: Host) -> LoginUnit:
        return look_login_unit(host)

    def want(self, seen: LoginUnit) -> LoginUnit:
        want = replace(seen, active=seen.active or self.started and (seen.records or self.assume_present))
        if self.enabled is not None:
            want = replace(want, enabled=self.enabled)
        if self.wait is False:
            want = want_unwaiting(want)
        if self.wait:
            refuse_no_wait(seen)
            want = want.having(None)
        return want

    def plan(self, seen: LoginUnit, want: LoginUnit) -> list[Step]:
        return plan_login_unit(seen, want)

    def refuse(self, seen: LoginUnit, want: LoginUnit, steps: list[Step]) -> None:
        refuse_login_unit(seen, steps)

    def show(self, state: LoginUnit) -> dict[str, Any]:
        return {
            "name": state.name,
            "wait": state.waits,
            "enabled": state.enabled,
            "started": state.active,
        }

    def texts(self, state: LoginUnit) -> dict[str, str]:
        return {drop_in(state.name): state.ours or ""}
