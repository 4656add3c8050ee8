# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm over a SAN: two controllers act at random, others do beside them, and whoever works is killed or loses its power.

What each of them does, and how long it waits, is drawn from the seed. What meets whom is not: that is time's.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, TypeVar

from ansible_collections.lunworks.iscsi.plugins.module_utils._san.wwid import serial_of, wwid_of_lio
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab

T = TypeVar("T")

HERE = Path(__file__).resolve().parent
GROUP, LUNS = "vg_storm", ("storm0", "storm1")
WATCH = "/var/lib/storm"
# Before anything serves or logs in: what happens at boot is watched too.
UNIT = f"""[Unit]
DefaultDependencies=no
After=local-fs.target
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/python3 {WATCH}/{{0}}.py {WATCH}/seen {{1}}
StandardError=append:{WATCH}/errors
Restart=always
[Install]
WantedBy=sysinit.target
"""


def dealt(luck: random.Random, cards: dict[T, int]) -> Iterator[T]:
    """Cards without end: in every round each of them, as often as said."""
    while True:
        stack = [card for card, times in cards.items() for _time in range(times)]
        luck.shuffle(stack)
        yield from stack


@dataclass
class Storm:
    """The hosts, the seed, and what has happened."""

    lab: Lab
    storage: Host
    home: Host  # where the data wants the group
    away: Host
    seed: str
    seconds: float
    place: Path  # what every run said
    pace: float = 1.0  # how slow this machine is now: strikes leave runs the time to come as far as elsewhere
    owner: str = ""  # who has the group, as far as the controllers know
    over: threading.Event = field(default_factory=threading.Event)
    events: list[tuple[str, str]] = field(default_factory=list)  # who, or what was run; and how it went
    faults: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.owner = self.home.name
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        self.say(f"seed {self.seed}, {self.seconds:g} seconds")

    @property
    def hosts(self) -> list[Host]:
        return [self.storage, self.home, self.away]

    @property
    def computes(self) -> list[Host]:
        return [self.home, self.away]

    @property
    def target(self) -> str:
        return f"iqn.2026-01.com.example:{self.storage.name}.storm"

    @property
    def data(self) -> tuple[str, ...]:
        backups = f"move_volume_group_backup_dir={self.lab.place.directory}/backups"
        return ("-i", str(HERE / "storm"), "-e", backups)

    def passed(self) -> float:
        return time.monotonic() - self.began

    def drawn(self, name: str) -> random.Random:
        """The luck of one who acts."""
        return random.Random(f"{self.seed} {name}")

    def say(self, text: str) -> None:
        line = f"{self.passed():7.1f} {text}"
        print(line, flush=True)
        with (self.place / "log").open("a") as file:
            file.write(f"{line}\n")

    def table(self) -> str:
        """What was done how often, and how it ended."""
        counts: dict[str, Counter[str]] = {}
        for what, how in list(self.events):
            counts.setdefault(what, Counter())[how] += 1
        lines = (
            f"{what}: {', '.join(f'{times} {how}' for how, times in ends.items())}"
            for what, ends in sorted(counts.items())
        )
        return "\n".join(lines)


def begin_watch(storm: Storm) -> None:
    """Who may write is watched from now on, through every boot; and every compute host tries to."""
    program(storm.storage, "writers_watch", *(f"{storm.target}:{lun}" for lun in LUNS))
    wwids = [wwid_of_lio(serial_of(storm.target, lun)) for lun in LUNS]
    for own, host in enumerate(storm.computes, 1):
        program(host, "writers_try", str(own), *wwids)


def program(host: Host, name: str, *arguments: str) -> None:
    for file in (name, "reading"):
        host.write(f"{WATCH}/{file}.py", (HERE / f"{file}.py").read_text())
    host.write("/etc/systemd/system/storm-watch.service", UNIT.format(name, " ".join(arguments)))
    host.run("systemctl daemon-reload && systemctl enable --quiet --now storm-watch && sync")


def watched(host: Host) -> list[dict[str, Any]]:
    """What was seen; a line that a power cut broke off is none."""
    lines = host.read(f"{WATCH}/seen").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def changes(seen: list[dict[str, Any]]) -> int:
    """How often another one became the writer."""
    writers = [one["running"] for one in seen if one["running"]]
    return sum(one != other for one, other in zip(writers, writers[1:]))


def could(host: Host) -> dict[str, list[tuple[float, float]]]:
    """By LUN, from when to when a host could surely write to it."""
    runs: dict[tuple[str, float], float] = {}
    for one in watched(host):
        runs[one["wwid"], one["first"]] = one["last"]
    found: dict[str, list[tuple[float, float]]] = {}
    for (wwid, first), last in runs.items():
        found.setdefault(wwid, []).append((first, last))
    return found
