# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/iscsi/initiatorname.iscsi: who this host is (iscsid(8), open-iscsi README section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from ..._arguments import iscsi_name, one_line
from ..._converge import Resource
from ..._host import Host, Problem
from ..._keyvalue import replaced
from ..._step import Step
from ..file import edit_first, first
from .iscsid import RestartIscsid, behind, cut_by_restart, refuse_cut

CHECKS = "/lib/open-iscsi/startup-checks.sh"  # Debian's, before iscsid starts
NAME, ALIAS, GENERATE = "InitiatorName", "InitiatorAlias", "GenerateName=yes"
PATH = "/etc/iscsi/initiatorname.iscsi"
SESSIONS = "/sys/class/iscsi_session"
OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "alias": {"type": "str"},
    "allow_active_sessions": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Initiator:
    """The names that iscsid reads in the file, whether it has read them, and how many sessions live under the old ones."""

    name: str | None
    alias: str | None
    loaded: bool = True
    sessions: int = 0
    startable: bool = True  # Debian's start of the daemon takes the file as it is
    checked: bool = False  # there is such a start
    cut: str = field(default="", compare=False)  # why the daemon must not be restarted


@dataclass(frozen=True)
class WriteName(Step):
    """Write the file, 0600, with everything else in it as it was."""

    name: str | None
    alias: str | None
    repairs: bool = False  # the daemon's start would make another name, or not take this one

    def __str__(self) -> str:
        alias = f" and the alias '{self.alias}'" if self.alias else ""
        repairs = (
            ", so that the start of iscsid neither rejects the file nor makes up a name"
            if self.repairs
            else ""
        )
        return f"Write the initiator name '{self.name}'{alias}{repairs}"

    def take(self, host: Host) -> None:
        text = host.read(PATH) or ""
        kept = replaced(text, lambda line: line.startswith(GENERATE), None)
        text = text if kept is None else kept
        wanted = {NAME: self.name, ALIAS: self.alias}
        changes = {key: value for key, value in wanted.items() if first(text, key) != value}
        host.write(PATH, edit_first(text, {NAME: self.name, **changes}), 0o600)


def startable(text: str) -> bool:
    """Whether /lib/open-iscsi/startup-checks.sh starts iscsid with this file, and leaves it as it is.

    It looks for '^InitiatorName=[^ \\t\\n]', which for grep is: no blank, no backslash, no 't' and no 'n'.
    """
    begins = any(re.match(r"InitiatorName=[^ \\tn]", line) for line in text.split("\n"))
    return begins and not any(line.startswith(GENERATE) for line in text.split("\n"))


def alias_of(text: str) -> str:
    """An alias that can stand in the file; iscsid takes every line with 'InitiatorName' in it for one with the name."""
    if not one_line(text, 255) or NAME in text or ALIAS in text:
        raise Problem(
            f"The alias {text!r} cannot be written to '{PATH}'. It must be one line of at most 255 bytes, without '{NAME}' "
            "in it."
        )
    return text.strip()


def look_initiator(host: Host) -> Initiator:
    """The initiator name of this host, in the file and in the daemon."""
    text = host.read(PATH) or ""
    checked = host.stat(CHECKS) is not None
    return Initiator(
        name=first(text, NAME),
        alias=first(text, ALIAS),
        loaded=not behind(host, PATH),
        sessions=len(host.list(SESSIONS)),
        startable=not checked or startable(text),
        checked=checked,
        cut=cut_by_restart(host),
    )


def want_initiator(seen: Initiator, name: str, alias: str | None) -> Initiator:
    """This name: as it is asked for where it stands there like this already, else as RFC 7143 has it, in lower case."""
    right = name if name == seen.name else iscsi_name(name)
    if seen.checked and right[:1] == "n":
        raise Problem(
            f"'{name}' cannot be the name of this host: Debian's '{CHECKS}' refuses to start iscsid with a name that begins "
            f"with 'n'. Choose an iqn. or eui. name."
        )
    return replace(
        seen, name=right, alias=seen.alias if alias is None else alias or None, loaded=True, startable=True
    )


def plan_initiator(seen: Initiator, want: Initiator) -> list[Step]:
    """Write the file where it differs; restart the daemon where it is behind the file."""
    steps: list[Step] = []
    if (seen.name, seen.alias, seen.startable) != (want.name, want.alias, want.startable):
        repairs = bool(seen.name) and not seen.startable
        steps.append(WriteName(want.name, want.alias, repairs))
    if not seen.loaded or steps:
        steps.append(RestartIscsid())
    return steps


def refuse_initiator(seen: Initiator, steps: list[Step], allow_active_sessions: bool = False) -> None:
    """Sessions keep the name that they logged in with: a new name must wait for them, unless their targets know both."""
    new = [step for step in steps if isinstance(step, WriteName) and step.name != seen.name]
    if new and seen.sessions and seen.name and not allow_active_sessions:
        raise Problem(
            f"Cannot change the initiator name from '{seen.name}' to '{new[0].name}': {seen.sessions} session(s) are "
            f"logged in under the old name and would be refused at their next login. Log out first, or rename the host "
            f"path by path (playbook lunworks.iscsi.rename_initiator)."
        )
    refuse_cut(steps, seen.cut)


class InitiatorName(Resource):
    """The name and alias of this host, as they were asked for."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.name = options["name"].strip()
        self.alias = None if options["alias"] is None else alias_of(options["alias"])
        self.allow_active_sessions = options["allow_active_sessions"]

    def look(self, host: Host) -> Initiator:
        return look_initiator(host)

    def want(self, seen: Initiator) -> Initiator:
        return want_initiator(seen, self.name, self.alias)

    def plan(self, seen: Initiator, want: Initiator) -> list[Step]:
        return plan_initiator(seen, want)

    def refuse(self, seen: Initiator, want: Initiator, steps: list[Step]) -> None:
        refuse_initiator(seen, steps, self.allow_active_sessions)

    def show(self, state: Initiator) -> dict[str, Any]:
        return {name: getattr(state, name) for name in ("name", "alias", "loaded", "sessions")}
