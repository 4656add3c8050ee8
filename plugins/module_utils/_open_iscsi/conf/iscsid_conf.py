# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/iscsi/iscsid.conf: how iscsid behaves, and what new records start with (iscsid.conf, open-iscsi README 6)."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field, replace
from typing import Any

from ..._converge import Resource, plain
from ..._host import Host, Problem
from ..._step import Secret, Step
from ..file import OF_ISCSID, config, edit_config, edit_first, first
from .iscsid import RestartIscsid, behind, cut_by_restart, refuse_cut
from .presets import PRESETS, with_preset
from .settings import ALL, Value, clear, is_secret, masked, named, setting

PATH = "/etc/iscsi/iscsid.conf"
MODE = 0o600  # it may hold CHAP secrets
OPTIONS: dict[str, Any] = {
    "preset": {"type": "str", "choices": list(PRESETS)},
    "settings": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
}


@dataclass(frozen=True)
class Conf:
    """The settings in force, the file's mode, and whether the running daemon has read it."""

    settings: dict[str, Value]
    mode: str
    loaded: bool = True
    cut: str = field(default="", compare=False)  # why the daemon must not be restarted


@dataclass(frozen=True)
class Set(Step):
    """Rewrite the file, everything else in it as it was."""

    changes: dict[str, Value | None]

    def __str__(self) -> str:
        said = [
            f"{name} = {value}" if value is not None else f"no {name}" for name, value in self.changes.items()
        ]
        return f"Write '{PATH}' with {', '.join(said)}"

    def take(self, host: Host) -> None:
        kept = clear({name: value for name, value in self.changes.items() if value is not None})
        changes = {name: kept.get(name) for name in self.changes}
        of_daemon = {name: value for name, value in changes.items() if name in OF_ISCSID}
        of_records = {name: value for name, value in changes.items() if name not in OF_ISCSID}
        text = edit_first(host.read(PATH) or "", of_daemon, equals=" = ")
        host.write(PATH, edit_config(text, of_records), MODE)


@dataclass(frozen=True)
class Protect(Step):
    """Take the file away from other users' eyes."""

    def __str__(self) -> str:
        return f"Give '{PATH}' the mode 0600, since it may hold secrets"

    def take(self, host: Host) -> None:
        host.chmod(PATH, MODE)


def look_conf(host: Host) -> Conf:
    """What the file says now."""
    text, file = host.read(PATH), host.stat(PATH)
    if text is None or file is None:
        raise Problem(f"'{PATH}' is not there. Install open-iscsi (initiator-utils) first.")
    return Conf(
        masked(in_force(text)),
        f"{stat.S_IMODE(file.st_mode):04o}",
        not behind(host, PATH),
        cut_by_restart(host),
    )


def in_force(text: str) -> dict[str, str]:
    """The settings by the rules of who reads them: iscsid some of its own, iscsiadm all others."""
    of_daemon = {name: first(text, name) for name in OF_ISCSID}
    of_records = {name: value for name, value in config(text).items() if name not in OF_ISCSID}
    return {**of_records, **{name: value for name, value in of_daemon.items() if value is not None}}


def plan_conf(seen: Conf, want: Conf) -> list[Step]:
    """One write for all that differs; the daemon reads the file only when it starts."""
    names = [*want.settings, *(name for name in seen.settings if name not in want.settings)]
    changes = {
        name: want.settings.get(name) for name in names if want.settings.get(name) != seen.settings.get(name)
    }
    steps: list[Step] = []
    if changes:
        steps.append(Set(changes))
    elif seen.mode != want.mode:
        steps.append(Protect())
    if changes or seen.loaded != want.loaded:
        steps.append(RestartIscsid())
    return steps


class IscsidConf(Resource):
    """The file with the settings that were asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        settings, secrets = named(options["settings"]), named(options["secrets"])
        for name in settings:
            if is_secret(name):
                raise Problem(f"'{name}' is a secret and belongs in 'secrets', which no log shows.")
        for name in secrets:
            if not is_secret(name):
                raise Problem(f"'{name}' is not a secret and belongs in 'settings'.")
        asked = {**with_preset(options["preset"], settings), **secrets}
        self.settings = {name: checked(name, value) for name, value in asked.items()}

    def look(self, host: Host) -> Conf:
        return look_conf(host)

    def want(self, seen: Conf) -> Conf:
        settings = {**seen.settings, **self.settings}
        kept = {name: value for name, value in settings.items() if value is not None}
        return replace(seen, settings=kept, mode="0600", loaded=True)

    def plan(self, seen: Conf, want: Conf) -> list[Step]:
        return plan_conf(seen, want)

    def refuse(self, seen: Conf, want: Conf, steps: list[Step]) -> None:
        refuse_cut(steps, seen.cut)

    def show(self, state: Conf) -> Any:
        return plain({name: getattr(state, name) for name in ("settings", "mode", "loaded")})

    def texts(self, state: Conf) -> dict[str, str]:
        """The settings in force, one a line; the file itself may hold secrets in what is not in force."""
        return {PATH: "".join(f"{name} = {value}\n" for name, value in plain(state.settings).items())}


def checked(name: str, value: Any) -> Value | None:
    """A setting as the file holds it; None for one that shall not be there."""
    if value is None:
        return None
    text = setting(name, value, ALL)
    return Secret(text) if is_secret(name) else text
