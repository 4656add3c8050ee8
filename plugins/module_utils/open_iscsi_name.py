# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/iscsi/initiatorname.iscsi: who this host is (iscsid(8), open-iscsi README section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import edit, parse
from ansible_collections.lunworks.iscsi.plugins.module_utils.open_iscsi_daemon import RestartIscsid, behind
from ansible_collections.lunworks.iscsi.plugins.module_utils.step import Step

PATH = "/etc/iscsi/initiatorname.iscsi"
SESSIONS = "/sys/class/iscsi_session"


@dataclass(frozen=True)
class Initiator:
    """The names in the file, whether the daemon has read them, and how many sessions live under the old ones."""

    name: str | None
    alias: str | None
    read: bool = True
    sessions: int = 0


@dataclass(frozen=True)
class WriteName(Step):
    """Write the file, 0600, with everything else in it as it was."""

    name: str | None
    alias: str | None

    def __str__(self) -> str:
        return f"Write the initiator name '{self.name}'" + (
            f" and the alias '{self.alias}'" if self.alias else ""
        )

    def take(self, host: Host) -> None:
        text = edit(
            host.read(PATH) or "", {"InitiatorName": self.name, "InitiatorAlias": self.alias}, equals="="
        )
        host.write(PATH, text, 0o600)


def look_initiator(host: Host) -> Initiator:
    """The initiator name of this host, in the file and in the daemon."""
    names = parse(host.read(PATH) or "")
    return Initiator(
        name=names.get("InitiatorName"),
        alias=names.get("InitiatorAlias"),
        read=not behind(host, PATH),
        sessions=len(host.list(SESSIONS)),
    )


def plan_initiator(seen: Initiator, want: Initiator) -> list[Step]:
    """Write the file where it differs; restart the daemon where it is behind the file."""
    steps: list[Step] = []
    if (seen.name, seen.alias) != (want.name, want.alias):
        steps.append(WriteName(want.name, want.alias))
    if not seen.read or steps:
        steps.append(RestartIscsid())
    return steps


def refuse_initiator(seen: Initiator, steps: list[Step], with_sessions: bool = False) -> None:
    """Sessions keep the name that they logged in with: a new name must wait for them, unless their targets know both."""
    new = [step for step in steps if isinstance(step, WriteName) and step.name != seen.name]
    if new and seen.sessions and seen.name and not with_sessions:
        raise Problem(
            f"Cannot change the initiator name from '{seen.name}' to '{new[0].name}': {seen.sessions} session(s) are "
            f"logged in under the old name and would be refused at their next login. Log out first, or rename the host "
            f"path by path (playbook lunworks.iscsi.rename_initiator)."
        )
