# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What controllers do in a storm: runs of playbooks and modules, one after the other."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ansible_collections.lunworks.iscsi.tests.integration.cutting import NOTICED
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host
from ansible_collections.lunworks.iscsi.tests.integration.moving import MOVE
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import ENVIRONMENT, ROOT, command
from ansible_collections.lunworks.iscsi.tests.integration.storming import GROUP, Storm, dealt

SITE, ROTATE = "lunworks.iscsi.site", "lunworks.iscsi.rotate_chap"
PATIENCE = 900  # seconds for one run; what takes longer hangs
TRACEBACK = "Traceback (most recent call last)"
STRUCK = ("UNREACHABLE!", "MODULE FAILURE", "deserialization failed")  # a host, or what ran there, was gone


@dataclass(frozen=True)
class Act:
    """What a controller runs."""

    kind: str
    say: str
    argv: list[str]
    owner: str = ""  # who has the group when it succeeds, if it says so


def playbook(storm: Storm, name: str, /, **variables: Any) -> Act:
    argv = command(storm.lab, name, *storm.data, hosts=storm.hosts, variables=variables)
    said = {key: value for key, value in variables.items() if key != "storage"}
    kind = name.rpartition(".")[2]
    return Act(kind, f"{kind} {said}", argv, variables["owner"])


def module(storm: Storm, host: Host, name: str, /, **options: Any) -> Act:
    """A module of ours by itself, on one host, with the data of the inventory."""
    inventories = [word for one in storm.hosts for word in ("-i", f"{storm.lab.inventory}/{one.name}.json")]
    argv = [str(Path(sys.executable).parent / "ansible"), host.name, *inventories, *storm.data]
    argv += ["-m", f"lunworks.iscsi.{name}", "-a", json.dumps(options)]
    return Act(name, f"{name} on {host.name}: {json.dumps(options)[:120]}", argv)


def site(storm: Storm, luck: random.Random) -> Act:
    _source, owner = sides(storm, luck)
    return playbook(storm, SITE, owner=owner, allow_move=luck.random() < 0.7, secret=luck.randrange(2))


def sides(storm: Storm, luck: random.Random) -> list[str]:
    """From where the group is believed to be to the other host; at times the other way, as one would who does not know."""
    return sorted(
        (host.name for host in storm.computes),
        key=lambda name: name != storm.owner,
        reverse=luck.random() < 0.2,
    )


def move(storm: Storm, luck: random.Random) -> Act:
    source, destination = sides(storm, luck)
    here = {"from": source, "to": destination, "owner": destination, "storage": storm.storage.name}
    return playbook(storm, MOVE, vg=GROUP, **here)


def rotate_chap(storm: Storm, luck: random.Random) -> Act:
    return playbook(storm, ROTATE, owner=storm.owner, secret=luck.randrange(2))


def targets(storm: Storm, luck: random.Random) -> Act:
    """A target beside those of the data, with an igroup or none."""
    number = luck.randrange(3)
    target: dict[str, Any] = {"name": f"iqn.2026-01.com.example:scratch{number}"}
    if luck.random() < 0.3:
        return module(storm, storm.storage, "targets", targets=[{**target, "state": "absent"}])
    lun = {"name": "scratch", "path": f"/srv/luns/scratch{number}.img", "size": "8m"}
    igroups = [{"name": "all", "initiators": [stranger(luck)], "luns": ["scratch"]}]
    target.update(portals="{{ san_portals }}", luns=[lun], igroups=igroups)
    return module(storm, storm.storage, "targets", targets=[target])


def igroup(storm: Storm, luck: random.Random) -> Act:
    """One who may log in to the target of the group and sees nothing there."""
    name = f"stranger{luck.randrange(3)}"
    told = {"initiators": [stranger(luck)]} if luck.random() < 0.6 else {"state": "absent"}
    return module(storm, storm.storage, "igroup", target="{{ san_moving }}", name=name, **told)


def stranger(luck: random.Random) -> str:
    return f"iqn.2026-01.com.example:stranger{luck.randrange(4)}"


def nodes(storm: Storm, luck: random.Random) -> Act:
    settings = {"node.session.timeo.replacement_timeout": luck.choice([20, 30])}
    node = {"target": "{{ san_moving }}", "portals": "{{ san_portals }}", "settings": settings}
    return module(storm, luck.choice(storm.computes), "nodes", nodes=[node])


def relogin(storm: Storm, luck: random.Random) -> Act:
    names = ["{{ san_moving }}", "{{ san_own }}"]
    host = luck.choice(storm.computes)
    return module(storm, host, "relogin", targets=[luck.choice(names)], stale_only=luck.random() < 0.5)


def mounts(storm: Storm, luck: random.Random) -> Act:
    """The host's own file system goes; a run of site brings it back."""
    host = luck.choice(storm.computes)
    return module(storm, host, "mounts", mounts=[{"path": "/srv/own", "state": "absent"}])


ACTS: dict[Callable[[Storm, random.Random], Act], int] = {
    site: 4,
    move: 5,
    targets: 2,
    igroup: 2,
    nodes: 1,
    relogin: 1,
    mounts: 1,
    rotate_chap: 1,
}


def outcome(rc: int, told: str) -> str:
    """How a run ended."""
    if rc <= 0:
        return "killed" if rc else "succeeded"
    return "struck" if any(word in told for word in STRUCK) else "refused"


class Controller(threading.Thread):
    """A person at a controller of his own, who runs one thing after the other."""

    def __init__(self, storm: Storm, name: str) -> None:
        super().__init__(name=name)
        self.storm, self.luck = storm, storm.drawn(name)
        self.running: subprocess.Popen[bytes] | None = None
        self.ended: list[int] = []  # with what

    def run(self) -> None:
        for choose in dealt(self.luck, ACTS):
            pause = self.luck.uniform(0, 3)
            try:
                self.act(choose(self.storm, self.luck))
            except Exception as error:  # the storm goes on, and in the end the test fails
                self.storm.faults.append(f"{self.name}: {error!r}")
            if self.storm.over.wait(pause):
                return

    def end(self) -> None:
        """Killed, whatever it does."""
        while self.is_alive():
            self.kill()
            self.join(0.5)

    def act(self, act: Act) -> None:
        number, began = len(self.ended), time.monotonic()
        self.storm.events.append((act.kind, "begun"))
        output = self.storm.place / f"{self.name}-{number:03}"
        self.storm.say(f"{self.name} {number}: {act.say}")
        with tempfile.TemporaryDirectory() as place, output.open("wb") as file:
            file.write(f"{act.say}\n\n".encode())
            file.flush()
            self.running = subprocess.Popen(
                act.argv,
                cwd=ROOT,
                env={
                    **ENVIRONMENT,
                    "ANSIBLE_STDOUT_CALLBACK": "default",
                    "ANSIBLE_SSH_EXTRA_ARGS": NOTICED.format(place=place),
                    "LOGNAME": self.name,
                },
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.wait(act)
        rc, told = self.running.returncode, output.read_text(errors="replace")
        self.ended.append(rc)
        self.storm.events.append((act.kind, outcome(rc, told)))
        self.storm.owner = act.owner if act.owner and not rc else self.storm.owner
        self.storm.say(f"{self.name} {number}: {outcome(rc, told)} after {time.monotonic() - began:.0f} s")
        if TRACEBACK in told:
            self.storm.faults.append(f"{output}: {act.say}: died with a traceback")

    def wait(self, act: Act) -> None:
        assert self.running
        try:
            self.running.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self.running.wait()
            self.storm.faults.append(f"{self.name}: {act.say}: hung for {PATIENCE} seconds")

    def kill(self) -> bool:
        """The controller is gone, and what it has on hosts may go on. Whether one was there."""
        running = self.running
        if running is None or running.poll() is not None:
            return False
        os.killpg(running.pid, signal.SIGKILL)
        return True
