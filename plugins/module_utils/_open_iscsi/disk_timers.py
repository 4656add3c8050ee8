# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SCSI command timer and the retries of iSCSI disks: a udev rule for those that appear, sysfs for those that are there.

Sources: open-iscsi README 8.1.2 and 8.1.4; Linux drivers/scsi/scsi_sysfs.c (timeout), drivers/scsi/sd.c (max_retries_store: -1,
or 0 to 5); udev(7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from .._block.udev import write_rules
from .._converge import Resource
from .._host import Host, Problem
from .._step import Step
from .session import attribute, disks_of, look_sessions

RULES = (
    "/etc/udev/rules.d/99-iscsi-disk-timers.rules"  # after those that distributions and vendors set it with
)
LONGEST = 3600  # seconds
MOST = 5  # retries; SD_MAX_RETRIES
OPTIONS: dict[str, Any] = {
    "command_timeout": {"type": "int"},
    "max_retries": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
HEAD = "# Made by lunworks.iscsi: the SCSI command timer and the retries of iSCSI disks.\n"
# Only the path of an iSCSI disk has a session and a target in it; type 0 is a disk.
TIMEOUT = (
    'ACTION=="add", SUBSYSTEM=="scsi", ENV{{DEVTYPE}}=="scsi_device", DEVPATH=="*/session*/target*", ATTR{{type}}=="0", '
    'ATTR{{timeout}}="{}"\n'
)
RETRIES = (
    'ACTION=="add", SUBSYSTEM=="scsi_disk", DEVPATH=="*/session*/target*", TEST=="max_retries", '
    'ATTR{{max_retries}}="{}"\n'
)
SET_TIMEOUT = re.compile(r'^ACTION=="add".* ATTR\{timeout\}="(\d+)"$', re.MULTILINE)
SET_RETRIES = re.compile(r'^ACTION=="add".* ATTR\{max_retries\}="(-?\d+)"$', re.MULTILINE)


@dataclass(frozen=True)
class OfDisk:
    """What counts for a disk now; None: this kernel has no such attribute."""

    device: str  # sda
    where: str  # 2:0:0:1
    command_timeout: int | None
    max_retries: int | None


@dataclass(frozen=True)
class DiskTimers:
    """What the rule says (None: nothing of it), its text, and the disks."""

    rules: str | None
    command_timeout: int | None = None
    max_retries: int | None = None
    disks: tuple[OfDisk, ...] = field(default=())


def look_timers(host: Host) -> DiskTimers:
    """The rule, and every disk of a session."""
    text = host.read(RULES)
    timeout, retries = (pattern.search(text or "") for pattern in (SET_TIMEOUT, SET_RETRIES))
    found = [
        OfDisk(disk, where, _number(host, f"{_place(where)}/timeout"), _number(host, _retries(where)))
        for session in look_sessions(host)
        for where, disk in disks_of(host, session.number)
        if disk
    ]
    return DiskTimers(
        rules=text,
        command_timeout=int(timeout[1]) if timeout else None,
        max_retries=int(retries[1]) if retries else None,
        disks=tuple(found),
    )


def _number(host: Host, path: str) -> int | None:
    text = attribute(host, path)
    return int(text) if text else None


def _place(where: str) -> str:
    return f"/sys/class/scsi_device/{where}/device"


def _retries(where: str) -> str:
    return f"{_place(where)}/scsi_disk/{where}/max_retries"


def rules_of(command_timeout: int | None, max_retries: int | None) -> str:
    """The rule for both, or one of them."""
    timeout = "" if command_timeout is None else TIMEOUT.format(command_timeout)
    return HEAD + timeout + ("" if max_retries is None else RETRIES.format(max_retries))


@dataclass(frozen=True)
class WriteRules(Step):
    """Give udev the rule."""

    text: str

    def __str__(self) -> str:
        return f"Write '{RULES}', by which udev sets the SCSI command timer and retries of iSCSI disks"

    def take(self, host: Host) -> None:
        write_rules(host, RULES, self.text)


@dataclass(frozen=True)
class RemoveRules(Step):
    """Take the rule away from udev."""

    def __str__(self) -> str:
        return f"Remove '{RULES}'; disks that are there keep their timers"

    def take(self, host: Host) -> None:
        write_rules(host, RULES, None)


@dataclass(frozen=True)
class SetAttribute(Step):
    """Set what counts for a disk from its next command."""

    device: str
    where: str
    name: str  # as users call it
    path: str
    old: int | None
    new: int

    def __str__(self) -> str:
        return f"Set {self.name} of '/dev/{self.device}' to {self.new} (it is {self.old})"

    def take(self, host: Host) -> None:
        if self.device not in host.list(f"{_place(self.where)}/block"):
            raise Problem(f"'/dev/{self.device}' is no longer the disk {self.where}. Run it again.")
        host.poke(self.path, str(self.new))


def _of_disk(old: OfDisk, new: OfDisk) -> list[Step]:
    steps: list[Step] = []
    if new.command_timeout is not None and old.command_timeout != new.command_timeout:
        path, name = f"{_place(new.where)}/timeout", "the SCSI command timer"
        steps.append(
            SetAttribute(new.device, new.where, name, path, old.command_timeout, new.command_timeout)
        )
    if new.max_retries is not None and old.max_retries != new.max_retries:
        path = _retries(new.where)
        steps.append(
            SetAttribute(new.device, new.where, "max_retries", path, old.max_retries, new.max_retries)
        )
    return steps


class DiskTimerRules(Resource):
    """The timers of all iSCSI disks of this host."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.present = options["state"] == "present"
        self.timeout, self.retries = options["command_timeout"], options["max_retries"]
        if self.timeout is not None and not 1 <= self.timeout <= LONGEST:
            raise Problem(
                f"command_timeout is {self.timeout}; it must be a number of seconds from 1 to {LONGEST}."
            )
        if self.retries is not None and not -1 <= self.retries <= MOST:
            raise Problem(f"max_retries is {self.retries}; the kernel takes 0 to {MOST}, or -1 for no end.")
        if self.present and self.timeout is None and self.retries is None:
            raise Problem("Neither command_timeout nor max_retries is given. Name at least one of them.")

    def look(self, host: Host) -> DiskTimers:
        return look_timers(host)

    def want(self, seen: DiskTimers) -> DiskTimers:
        if not self.present:
            return replace(seen, rules=None, command_timeout=None, max_retries=None)
        timeout = seen.command_timeout if self.timeout is None else self.timeout
        retries = seen.max_retries if self.retries is None else self.retries
        disks = [
            replace(
                disk,
                command_timeout=disk.command_timeout if self.timeout is None else self.timeout,
                max_retries=disk.max_retries if None in (self.retries, disk.max_retries) else self.retries,
            )
            for disk in seen.disks
        ]
        return DiskTimers(rules_of(timeout, retries), timeout, retries, tuple(disks))

    def plan(self, seen: DiskTimers, want: DiskTimers) -> list[Step]:
        steps: list[Step] = []
        if seen.rules != want.rules:
            steps.append(RemoveRules() if want.rules is None else WriteRules(want.rules))
        there = {(disk.device, disk.where): disk for disk in seen.disks}
        for new in want.disks:
            steps += _of_disk(there.get((new.device, new.where), new), new)
        return steps

    def refuse(self, seen: DiskTimers, want: DiskTimers, steps: list[Step]) -> None:
        if seen.rules is not None and not seen.rules.startswith(HEAD):
            raise Problem(
                f"'{RULES}' is not of this collection. Rename it, or move what it says to another file, first."
            )

    def notes(self, seen: DiskTimers, steps: list[Step]) -> list[str]:
        without = [f"'/dev/{disk.device}'" for disk in seen.disks if disk.max_retries is None]
        if self.present and self.retries is not None and without:
            return [
                f"This kernel has no max_retries for {', '.join(without)}: a command is tried {MOST + 1} times. The rule takes "
                f"effect with a newer kernel."
            ]
        return []

    def show(self, state: DiskTimers) -> dict[str, Any]:
        return {
            "rules": RULES if state.rules is not None else None,
            "command_timeout": state.command_timeout,
            "max_retries": state.max_retries,
            "disks": [
                {
                    "device": f"/dev/{disk.device}",
                    "command_timeout": disk.command_timeout,
                    "max_retries": disk.max_retries,
                    "lun_stall": lun_stall(disk),
                }
                for disk in state.disks
            ],
        }


def lun_stall(disk: OfDisk) -> int | None:
    """Seconds until a command fails that the LUN never answers; None: it does not."""
    retries = MOST if disk.max_retries is None else disk.max_retries
    return None if retries < 0 or disk.command_timeout is None else disk.command_timeout * (retries + 1)
