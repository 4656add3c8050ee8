# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit that logs in at boot and out at shutdown: open-iscsi.service on Debian, iscsi.service elsewhere.

Upstream's unit passes -W to iscsiadm: iscsid goes on trying while the host boots. Debian's waits for every login, two
minutes for a portal that is away, and then has failed, so that nothing is logged out at shutdown either. Nor does it say that
multipathd comes first and goes last, as multipathd's own unit says elsewhere (Before=iscsi.service).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_record import database
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

UNITS = ("open-iscsi.service", "iscsi.service")
PROPERTIES = "Id,LoadState,UnitFileState,ActiveState,ExecStart"
COMMAND = re.compile(
    r"^ExecStart=\{ path=[^;]* ; argv\[\]=(?P<command>.*?) ; ignore_errors=(?P<ignored>yes|no) ;", re.M
)
NO_WAIT = ("-W", "--no_wait")


@dataclass(frozen=True)
class LoginUnit:
    """The unit as systemd has it, and whether there is anything to log in to."""

    name: str
    enabled: bool
    active: bool
    commands: tuple[str, ...]
    ours: bool  # whether our drop-in is there
    records: bool

    @property
    def waits(self) -> bool:
        """Whether the boot waits for a portal that is away."""
        return any(_logs_in(command) and not set(NO_WAIT) & set(command.split()) for command in self.commands)


def drop_in(name: str) -> str:
    """Where our part of the unit is."""
    return f"/etc/systemd/system/{name}.d/10-lunworks.conf"


@dataclass(frozen=True)
class WriteDropIn(Step):
    """Let the unit run these commands."""

    name: str
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"Write '{drop_in(self.name)}', so that the boot does not wait for a portal that is away"

    def take(self, host: Host) -> None:
        lines = ["# Managed by lunworks.iscsi.login_unit.", "[Unit]", "After=multipathd.service"]
        lines += ["[Service]", "ExecStart="]
        lines += [f"ExecStart={command}" for command in self.commands]
        host.write(drop_in(self.name), "\n".join([*lines, ""]), 0o644)
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
    """The first of the names that systemd knows."""
    for unit in UNITS:
        shown = host.run("systemctl", "show", "-p", PROPERTIES, unit).out
        said = dict(line.partition("=")[::2] for line in lines_of(shown) if not line.startswith("ExecStart="))
        if said.get("LoadState") == "loaded":
            name = said.get("Id") or unit
            return LoginUnit(
                name=name,
                enabled=said.get("UnitFileState", "").startswith("enabled"),
                active=said.get("ActiveState") == "active",
                commands=tuple(
                    ("-" if found["ignored"] == "yes" else "") + found["command"]
                    for found in COMMAND.finditer(shown)
                ),
                ours=host.stat(drop_in(name)) is not None,
                records=bool(host.list(f"{database(host)}/nodes")),
            )
    raise Problem(f"systemd knows none of {', '.join(UNITS)}. Install open-iscsi (initiator-utils) first.")


def unwaiting(commands: tuple[str, ...]) -> tuple[str, ...]:
    """The same commands, those that log in without waiting."""
    return tuple(
        f"{command} {NO_WAIT[0]}"
        if _logs_in(command) and not set(NO_WAIT) & set(command.split())
        else command
        for command in commands
    )


def waiting(commands: tuple[str, ...]) -> tuple[str, ...]:
    """The same commands, as a unit has them that waits."""
    return tuple(" ".join(word for word in command.split() if word not in NO_WAIT) for command in commands)


def _logs_in(command: str) -> bool:
    return "iscsiadm" in command and any(word.startswith(("--login", "-L")) for word in command.split())


def plan_login_unit(seen: LoginUnit, want: LoginUnit) -> list[Step]:
    """The unit's commands, then its next boot, then now. It is never stopped or restarted: that logs out."""
    steps: list[Step] = []
    if seen.waits and not want.waits:
        steps.append(WriteDropIn(want.name, want.commands))
    if seen.ours and not want.ours:
        steps.append(RemoveDropIn(want.name))
    if seen.enabled != want.enabled:
        steps.append(Enable(want.name, want.enabled))
    if want.active and not seen.active:
        steps.append(Start(want.name))
    return steps
