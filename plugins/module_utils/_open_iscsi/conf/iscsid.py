# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iscsid, which reads its files only when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from ..._host import Host, Problem
from ..._keyvalue import parse
from ..._step import Step
from ..file import config

SHOW = (
    "systemctl",
    "show",
    "-p",
    "ActiveState,ActiveEnterTimestampMonotonic,ControlGroup",
    "iscsid.service",
)
SESSIONS = "/sys/class/iscsi_session"
STEADY = 2  # processes of a daemon at work: itself and its logger
YOUNG = 3  # seconds after its start in which it may not have begun to take over the sessions yet
SETTLING = 60  # seconds
SESSIONS = "/sys/class/iscsi_session"
ROOTS = ("/var/lib/iscsi", "/etc/iscsi")
DISCOVERY = {"send_targets": "st_config", "isns": "isns_config"}  # where a record may say that it is polled
RESTART = ("systemctl", "restart", "iscsid.service")
MASKS = ("/etc/systemd/system", "/run/systemd/system")  # systemctl(1), mask: a link to /dev/null
RESTARTING = 180  # seconds; systemd itself gives a daemon that will not stop 90


def behind(host: Host, path: str) -> bool:
    """Whether a running iscsid has not read this file since it last changed. A stopped one reads it at its start."""
    shown = parse(host.run(*SHOW).out)
    stat = host.stat(path)
    if shown.get("ActiveState") != "active" or stat is None:
        return False
    started = host.booted() + int(shown["ActiveEnterTimestampMonotonic"]) / 1e6
    return stat.st_mtime > started


def settled(host: Host, polls: int = 0) -> bool:
    """Whether iscsid has taken over the sessions that it found. Stopped before that, it hangs until systemd kills it.

    A process more stays for everybody whom it polls.
    """
    shown = parse(host.run(*SHOW).out)
    if shown.get("ActiveState") != "active" or not host.list(SESSIONS):
        return True
    processes = (host.read(f"/sys/fs/cgroup{shown.get('ControlGroup', '')}/cgroup.procs") or "").split()
    age = (
        float((host.read("/proc/uptime") or "0").split()[0])
        - int(shown["ActiveEnterTimestampMonotonic"]) / 1e6
    )
    return len(processes) <= STEADY + polls and age > YOUNG


def polled(host: Host) -> list[str]:
    """Whom iscsid asks again and again by itself (discoveryd), as its records say."""
    found = []
    for root in ROOTS:
        for part, file in DISCOVERY.items():
            for place in host.list(f"{root}/{part}"):
                said = config(host.read(f"{root}/{part}/{place}/{file}") or "")
                if any(name.endswith(".use_discoveryd") and said[name] == "Yes" for name in said):
                    found.append(place.replace(",", ":"))
    return found


def cut_by_restart(host: Host) -> str:
    """Why the daemon must not be restarted; empty: it may. discoveryd takes its sessions with it (usr/discoveryd.c)."""
    if any(host.link(f"{place}/iscsid.service") == "/dev/null" for place in MASKS):
        return "iscsid.service is masked. If that is not intended, unmask it first (systemctl unmask iscsid.service)."
    asked, sessions = polled(host), host.list(SESSIONS)
    if not asked or not sessions:
        return ""
    return (
        f"it may log out {len(sessions)} session(s), as it polls {', '.join(asked)}, and discoveryd logs out whatever it "
        "found when it stops. Log out first, or end the polling (module discovery, use_discoveryd: false)."
    )


def refuse_cut(steps: list[Step], cut: str) -> None:
    """No session is dropped by surprise, and no file is written for a daemon that cannot read it."""
    if cut and any(isinstance(step, RestartIscsid) for step in steps):
        raise Problem(f"Cannot restart iscsid: {cut}")


@dataclass(frozen=True)
class RestartIscsid(Step):
    """Restart the daemon alone: sessions live in the kernel and go on. iscsi.service would log them out.

    The new daemon opens the connection of each session again, one after the other; the step ends when all are back
    that discoveryd has not logged out.
    """

    polls: int = 0  # by how many processes it polls now (discoveryd), if its records do not say so

    def __str__(self) -> str:
        return "Restart iscsid, which reads the file only at its start (sessions continue)"

    def take(self, host: Host) -> None:
        polls = max(self.polls, len(polled(host)))
        host.until(lambda: settled(host, polls), SETTLING)
        before = _logged_in(host)
        if host.run(*RESTART, ok=None, timeout=RESTARTING).rc:
            # systemd has stopped it, and refuses the sixth start within ten seconds (systemd.unit(5), StartLimitBurst).
            host.run("systemctl", "reset-failed", "iscsid.service", ok=None)
            host.run(*RESTART, timeout=RESTARTING)
        if before:
            host.until(
                lambda: _age(host) > YOUNG and before & set(host.list(SESSIONS)) <= _logged_in(host), SETTLING
            )


def _age(host: Host) -> float:
    """For how many seconds the daemon has been running."""
    now = float((host.read("/proc/uptime") or "0").split()[0])
    return now - int(parse(host.run(*SHOW).out)["ActiveEnterTimestampMonotonic"]) / 1e6


def _logged_in(host: Host) -> set[str]:
    """The sessions whose connection stands."""
    names = host.list(SESSIONS)
    return {name for name in names if (host.read(f"{SESSIONS}/{name}/state") or "").strip() == "LOGGED_IN"}
