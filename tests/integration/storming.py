# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm over a SAN: two controllers act at random, others do beside them, and whoever works is killed or loses its power.

What each of them does, and how long it waits, is drawn from the seed. What meets whom is not: that is time's.
"""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ansible_collections.lunworks.iscsi.tests.integration.cutting import NOTICED
from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab, settled
from ansible_collections.lunworks.iscsi.tests.integration.moving import MOVE
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import ENVIRONMENT, ROOT, command

HERE = Path(__file__).resolve().parent
SITE, ROTATE = "lunworks.iscsi.site", "lunworks.iscsi.rotate_chap"
GROUP = "vg_storm"
PATIENCE = 900  # seconds for one run; what takes longer hangs
TRACEBACK = "Traceback (most recent call last)"
WATCH = "/var/lib/storm"
# Before anything serves: what the restore does at boot is watched too.
UNIT = f"""[Unit]
DefaultDependencies=no
After=local-fs.target
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/python3 {WATCH}/watch.py {WATCH}/seen {{luns}}
StandardError=append:{WATCH}/errors
Restart=always
[Install]
WantedBy=sysinit.target
"""
LOOPS = {  # what others do, and at most how many seconds they pause
    "storage": {"targetcli saveconfig": 6.0, "udevadm trigger": 9.0},
    "compute": {
        "iscsiadm -m session": 1.0,
        "iscsiadm -m node": 1.0,
        "vgs": 3.0,
        "pvscan": 4.0,
        "udevadm trigger --subsystem-match=block": 6.0,
    },
}
MODULES = "^[^ ]*/python3[.0-9]*$"  # the command line of a module that Ansible gives to Python by its standard input
KILL = """
for n in $(seq 60); do
    if pgrep -f '{0}' >/dev/null; then sleep {1:.2f}; pkill -KILL -f '{0}' && exit 0; fi
    sleep 0.1
done
exit 1
"""


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
    over: threading.Event = field(default_factory=threading.Event)
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        self.say(f"seed {self.seed}, {self.seconds:g} seconds")

    @property
    def hosts(self) -> list[Host]:
        return [self.storage, self.home, self.away]

    @property
    def data(self) -> tuple[str, ...]:
        backups = f"move_volume_group_backup_dir={self.lab.place.directory}/backups"
        return ("-i", str(HERE / "storm"), "-e", backups)

    def left(self) -> float:
        """For how many seconds it goes on."""
        return max(0.0, self.began + self.seconds - time.monotonic())

    def drawn(self, name: str) -> random.Random:
        """The luck of one who acts."""
        return random.Random(f"{self.seed} {name}")

    def say(self, text: str) -> None:
        line = f"{time.monotonic() - self.began:7.1f} {text}"
        self.told.append(line)
        print(line, flush=True)
        with (self.place / "log").open("a") as file:
            file.write(f"{line}\n")

    def rage(self) -> None:
        """All of them at once, for as long as it lasts; then what they have begun has ended."""
        self.began = time.monotonic()
        for host in self.hosts:
            begin_loops(self, host)
        controllers = [Controller(self, name) for name in ("alice", "bob")]
        actors = [*controllers, threading.Thread(target=lambda: weather(self, controllers))]
        for actor in actors:
            actor.start()
        try:
            self.over.wait(self.seconds)
        finally:
            self.over.set()
            for actor in actors:
                actor.join()
        for host in self.hosts:
            host.run("rm -f /run/storm")
            settled(host, "! pgrep -f '/run/[s]torm'")
        self.say("is over")


@dataclass(frozen=True)
class Act:
    """What a controller runs."""

    say: str
    argv: list[str]


def playbook(storm: Storm, name: str, /, **variables: Any) -> Act:
    argv = command(storm.lab, name, *storm.data, hosts=storm.hosts, variables=variables)
    said = {key: value for key, value in variables.items() if key != "storage"}
    return Act(f"{name.rpartition('.')[2]} {said}", argv)


def module(storm: Storm, host: Host, name: str, /, **options: Any) -> Act:
    """A module of ours by itself, on one host, with the data of the inventory."""
    inventories = [word for one in storm.hosts for word in ("-i", f"{storm.lab.inventory}/{one.name}.json")]
    argv = [str(Path(sys.executable).parent / "ansible"), host.name, *inventories, *storm.data]
    argv += ["-m", f"lunworks.iscsi.{name}", "-a", json.dumps(options)]
    return Act(f"{name} on {host.name}: {json.dumps(options)[:120]}", argv)


def site(storm: Storm, luck: random.Random) -> Act:
    owner, allowed = luck.choice([storm.home, storm.away]).name, luck.random() < 0.7
    return playbook(storm, SITE, owner=owner, allow_move=allowed, secret=luck.randrange(2))


def move(storm: Storm, luck: random.Random) -> Act:
    source, destination = luck.sample([storm.home.name, storm.away.name], 2)
    here = {"from": source, "to": destination, "owner": destination, "storage": storm.storage.name}
    return playbook(storm, MOVE, vg=GROUP, **here)


def rotate_chap(storm: Storm, luck: random.Random) -> Act:
    return playbook(storm, ROTATE, owner=storm.home.name, secret=luck.randrange(2))


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
    return module(storm, luck.choice([storm.home, storm.away]), "nodes", nodes=[node])


def relogin(storm: Storm, luck: random.Random) -> Act:
    names = ["{{ san_moving }}", "{{ san_own }}"]
    host = luck.choice([storm.home, storm.away])
    return module(storm, host, "relogin", targets=[luck.choice(names)], stale_only=luck.random() < 0.5)


def mounts(storm: Storm, luck: random.Random) -> Act:
    """The host's own file system goes; a run of site brings it back."""
    host = luck.choice([storm.home, storm.away])
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


class Controller(threading.Thread):
    """A person at a controller of his own, who runs one thing after the other."""

    def __init__(self, storm: Storm, name: str) -> None:
        super().__init__(name=name)
        self.storm, self.luck = storm, storm.drawn(name)
        self.running: subprocess.Popen[bytes] | None = None
        self.ended: list[int] = []  # with what

    def run(self) -> None:
        while not self.storm.over.is_set():
            (choose,) = self.luck.choices(list(ACTS), list(ACTS.values()))
            pause = self.luck.uniform(0, 3)
            try:
                self.act(choose(self.storm, self.luck))
            except Exception as error:  # the storm goes on, and in the end the test fails
                self.storm.faults.append(f"{self.name}: {error!r}")
            self.storm.over.wait(pause)

    def act(self, act: Act) -> None:
        number, began = len(self.ended), time.monotonic()
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
        rc = self.running.returncode
        self.ended.append(rc)
        self.storm.say(f"{self.name} {number}: ended with {rc} after {time.monotonic() - began:.0f} s")
        if TRACEBACK in output.read_text(errors="replace"):
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


def begin_loops(storm: Storm, host: Host) -> None:
    """Others are at work on a host that has booted."""
    luck = storm.drawn(f"loops of {host.name}")
    host.run("touch /run/storm")
    for command_line, longest in LOOPS["storage" if host is storm.storage else "compute"].items():
        pause = luck.uniform(longest / 3, longest)
        text = f"while [ -e /run/storm ]; do {command_line} >/dev/null 2>&1; sleep {pause:.1f}; done"
        host.run(f"systemd-run --quiet --collect sh -c '{text}'")


def weather(storm: Storm, controllers: list[Controller]) -> None:
    """Kills, and a power cut every minute or two."""
    luck = storm.drawn("weather")
    cut = luck.uniform(15, 45)
    while not storm.over.wait(luck.uniform(3, 20)):
        try:
            if time.monotonic() - storm.began > cut:
                power_cut(storm, luck.choice(storm.hosts))
                cut = time.monotonic() - storm.began + luck.uniform(40, 150)
            elif luck.random() < 0.3:
                one = luck.choice(controllers)
                storm.say(f"kills {one.name}: {one.kill()}")
            else:
                host, later = luck.choice(storm.hosts), luck.uniform(0, 0.8)
                hit = host.run(KILL.format(MODULES, later), check=False).rc == 0
                storm.say(f"kills modules on {host.name}: {hit}")
        except Exception as error:  # the storm goes on, and in the end the test fails
            storm.faults.append(f"weather: {error!r}")


def power_cut(storm: Storm, host: Host) -> None:
    storm.say(f"cuts the power of {host.name}")
    storm.lab.power_cut(host)
    storm.lab.boot(host)
    storm.say(f"{host.name} is back")
    begin_loops(storm, host)


def begin_watch(storage: Host, backstores: list[str]) -> None:
    """Who may write is watched from now on, through every boot."""
    storage.write(f"{WATCH}/watch.py", (HERE / "writers_watch.py").read_text())
    storage.write("/etc/systemd/system/storm-watch.service", UNIT.format(luns=" ".join(backstores)))
    storage.run("systemctl daemon-reload && systemctl enable --quiet --now storm-watch")


def watched(storage: Host) -> list[dict[str, Any]]:
    """What was seen; a line that a power cut broke off is none."""
    lines = storage.read(f"{WATCH}/seen").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
