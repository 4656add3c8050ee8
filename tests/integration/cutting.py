# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves in which something fails at every step: a machine's power, a cable, the controller.

A run is stopped at the begin of each step. What fails there is whole again before the next step begins, so a run that can bear
it goes on, and one that cannot ends by itself and is started again, as a person would do it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab
from ansible_collections.lunworks.iscsi.tests.integration.moving import MOVE, San, writers
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import (
    ENVIRONMENT,
    ROOT,
    Played,
    command,
    heard,
)

HERE = Path(__file__).resolve().parent
PATIENCE = 900  # seconds that a run may take from one step to the next; what takes longer hangs
INSIDE = 1.0  # seconds after the begin of a step: how far it comes meanwhile is chance, as in life
# A host that is gone is noticed within ten seconds (ssh_config(5)); the place is that of the run.
NOTICED = "-o ControlPath={place}/%n -o ControlPersist=20s -o ServerAliveInterval=3 -o ServerAliveCountMax=3"
HOOKS = {f"move_volume_group_hooks_{when}": [str(HERE / f"hooks/{when}.yml")] for when in ("before", "after")}


@dataclass(frozen=True)
class PowerCut:
    """A host loses its power, and boots."""

    host: Host

    def strike(self, lab: Lab, run: subprocess.Popen[bytes]) -> None:
        lab.power_cut(self.host)

    def meanwhile(self, lab: Lab) -> None:
        lab.boot(self.host)

    def end(self, lab: Lab) -> None:
        pass


@dataclass(frozen=True)
class Kill:
    """The controller is gone: the run is killed with all that belongs to it."""

    def strike(self, lab: Lab, run: subprocess.Popen[bytes]) -> None:
        os.killpg(run.pid, signal.SIGKILL)

    def meanwhile(self, lab: Lab) -> None:
        pass

    def end(self, lab: Lab) -> None:
        pass


@dataclass(frozen=True)
class Pull:
    """A host's cables to some networks are pulled during a whole step."""

    host: Host
    networks: tuple[str, ...]

    def strike(self, lab: Lab, run: subprocess.Popen[bytes]) -> None:
        for network in self.networks:
            lab.link(self.host, network, up=False)

    def meanwhile(self, lab: Lab) -> None:
        pass

    def end(self, lab: Lab) -> None:
        for network in self.networks:
            lab.link(self.host, network, up=True)


Failure = PowerCut | Kill | Pull


@dataclass
class Cut:
    """What failed at a step, and how the run bore it: '' for one that went on."""

    step: str
    direction: str
    said: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.direction} {self.step} ({self.seconds:.0f} s): {self.said or 'went on'}"


@dataclass
class Journey:
    """Moves to and fro until something has failed at each of the steps."""

    san: San
    fail: str  # 'source', 'destination', 'storage' or 'controller'
    networks: tuple[str, ...] = ()
    cuts: list[Cut] = field(default_factory=list)
    runs: int = 0
    arrived: bool = True  # at the source, that is: it rests

    def __post_init__(self) -> None:
        self.group = self.san.groups[0]
        self.source, self.destination = self.san.sides(self.group)

    def failure(self) -> Failure:
        """What fails, in the direction of the run."""
        hosts = {"source": self.source, "destination": self.destination, "storage": self.san.storage}
        if self.fail == "controller":
            return Kill()
        host = hosts[self.fail]
        return Pull(host, self.networks) if self.networks else PowerCut(host)

    def go(self, steps: list[str]) -> None:
        """Run after run until all steps have been struck and the group has arrived."""
        left, limit, self.san.rests = list(steps), 3 * len(steps) + 3, False
        while left:
            assert self.runs < limit, f"After {limit} runs nothing has failed at {left} yet."
            self.runs += 1
            self.run(left)
        self.arrive()
        self.san.rests = True

    def arrive(self) -> None:
        """The same command once more, where the last run was cut off: it ends well, and every byte is there."""
        if not self.arrived:
            told = self.san.move(
                vg=self.group.name, source=self.source, destination=self.destination, **HOOKS
            )
            assert told.rc == 0, told.messages()
            self.turn()
        one_owner(self.san)
        self.san.owned(self.group, self.source, self.destination)

    def turn(self) -> None:
        """The next move goes the other way."""
        self.source, self.destination, self.arrived = self.destination, self.source, True

    def run(self, left: list[str]) -> None:
        """One run; the steps at which something failed are taken out of 'left'."""
        failure, failing, begun, self.arrived = self.failure(), None, time.monotonic(), False
        with running(self.san, self.source, self.destination) as run:
            while (call := run.called()) is not None:
                step, caller = call
                if failing:
                    self.ended(failure, failing, begun)
                    failing = None
                if step in left:
                    left.remove(step)
                    failing = Cut(step, f"{self.source.name}>{self.destination.name}")
                    begun = time.monotonic()
                    self.cuts.append(failing)
                    if len(self.cuts) % 2:
                        caller.close()
                        time.sleep(INSIDE)
                    failure.strike(self.san.lab, run.process)
                    caller.close()
                    failure.meanwhile(self.san.lab)
                caller.close()
            told = run.told()
        if failing:
            failing.said = told.messages() or f"ended with {told.rc}"
            self.ended(failure, failing, begun)
        elif told.rc:
            raise AssertionError(f"Nothing failed, and still: {told.messages() or told.output}")
        if told.rc == 0:
            self.turn()

    def ended(self, failure: Failure, failing: Cut, begun: float) -> None:
        """What failed is whole again: nobody has taken what another still has."""
        failing.seconds = time.monotonic() - begun
        print(failing, flush=True)
        failure.end(self.san.lab)
        one_owner(self.san)


@dataclass
class Running:
    """A run that stops at each step."""

    process: subprocess.Popen[bytes]
    server: socket.socket
    output: Path

    def called(self) -> tuple[str, socket.socket] | None:
        """The step that begins now, and the caller who waits; None when the run has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                caller = self.server.accept()[0]
            except TimeoutError:
                if self.process.poll() is not None:
                    return None
                continue
            caller.settimeout(10)
            return caller.makefile().readline().strip(), caller
        raise AssertionError(f"The run hangs: no next step and no end within {PATIENCE} seconds.")

    def told(self) -> Played:
        """What it said; a run that was killed says nothing."""
        text = self.output.read_text()
        return (
            heard(self.process.returncode, text)
            if "{\n" in text
            else Played(self.process.returncode, [], {}, text)
        )


@contextmanager
def running(san: San, source: Host, destination: Host, hooks: bool = True) -> Iterator[Running]:
    """The playbook in a process group of its own."""
    variables = san.variables(
        vg=",".join(group.name for group in san.groups),
        source=source,
        destination=destination,
        **(HOOKS if hooks else {}),
    )
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{place}/socket")
        server.listen()
        server.settimeout(0.2)
        output = Path(place) / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command(san.lab, MOVE, hosts=san.hosts, variables=variables),
                cwd=ROOT,
                env={
                    **ENVIRONMENT,
                    "ANSIBLE_SSH_EXTRA_ARGS": NOTICED.format(place=place),
                    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
                    "ANSIBLE_CALLBACKS_ENABLED": "at_step",
                    "AT_STEP_SOCKET": f"{place}/socket",
                },
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Running(process, server, output)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def planned(san: San, source: Host, destination: Host) -> list[str]:
    """The names of the steps that a move would take now."""
    told = san.move("--check", vg=san.groups[0].name, source=source, destination=destination, **HOOKS)
    assert told.rc == 0, told.messages()
    (plan,) = [result for _host, task, result in told.results if task.endswith("Plan what is left")]
    return [step["name"] for step in plan["ansible_facts"]["move_volume_group_plan"]["steps"]]


def one_owner(san: San) -> None:
    """At no moment two hosts may write to a LUN, or have a group active."""
    for lun in san.luns():
        for state in ("running", "saved"):
            names = writers(lun, state)
            assert len(names) <= 1, f"The LUN '{lun['name']}' is {state} to write to for {sorted(names)}."
    active = {host.name: host.module("volume_use_info")["active"] for host in (san.first, san.second)}
    for group in san.groups:
        owners = [name for name, groups in active.items() if group.name in groups]
        assert len(owners) <= 1, f"'{group.name}' is active on {owners}."
