# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The weather of a storm: kills and power cuts, and others at work beside."""

from __future__ import annotations

import random
import threading
import time
from typing import Callable

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, settled
from ansible_collections.lunworks.iscsi.tests.integration.storm_acts import Controller
from ansible_collections.lunworks.iscsi.tests.integration.storming import Storm, changes, dealt, watched

LATE = 420  # seconds after its time until which a storm waits for what has not happened yet
LOOPS = {  # what others do, and at most how many seconds they pause
    "storage": {"targetcli saveconfig": 9.0, "udevadm trigger": 15.0},
    "compute": {
        "iscsiadm -m session": 3.0,
        "iscsiadm -m node": 3.0,
        "vgs": 6.0,
        "pvscan": 9.0,
        "udevadm trigger --subsystem-match=block": 15.0,
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


# What our message says to do where a power cut has torn the saved file, which rtslib writes in place: 0 when that was so.
MEND = """
directory=$(ls -d /etc/rtslib-fb-target /etc/target 2>/dev/null | head -n 1)
file=$directory/saveconfig.json
python3 -m json.tool $file >/dev/null 2>&1 && exit 3
for copy in $file.temp $(ls -t $directory/backup/*); do
    zcat -f $copy >/run/mended 2>/dev/null && python3 -m json.tool /run/mended >/dev/null 2>&1 || continue
    install -m 600 /run/mended $file && sync && targetctl restore $file && exit 0
done
exit 1
"""
Strike = Callable[[Storm, random.Random, "list[Controller]"], bool]


def begin_loops(storm: Storm, host: Host) -> None:
    """Others are at work on a host that has booted."""
    luck = storm.drawn(f"loops of {host.name}")
    host.run("touch /run/storm")
    for command_line, longest in LOOPS["storage" if host is storm.storage else "compute"].items():
        pause = luck.uniform(longest / 3, longest)
        text = f"while [ -e /run/storm ]; do {command_line} >/dev/null 2>&1; sleep {pause:.1f}; done"
        host.run(f"systemd-run --quiet --collect sh -c '{text}'")


def end_loops(host: Host) -> None:
    """They have ended, and so has what controllers that are gone had begun on a host."""
    host.run("rm -f /run/storm")
    settled(host, f"! pgrep -f '/run/[s]torm' && ! pgrep -f '{MODULES}'", 300)


def power_cut(storm: Storm, host: Host) -> bool:
    storm.say(f"cuts the power of {host.name}")
    storm.lab.power_cut(host)
    storm.lab.boot(host)
    if host is storm.storage:
        mend(storm)
    begin_loops(storm, host)
    storm.say(f"{host.name} is back")
    return True


def mend(storm: Storm) -> None:
    mended = storm.storage.run(MEND, check=False)
    assert mended.rc in (0, 3), f"the saved file is torn, and there is no copy: {mended}"
    if mended.rc == 0:
        storm.events.append(TORN)
        storm.say("the saved file was torn by others, and is restored from a copy")


def cut_storage(storm: Storm, luck: random.Random, controllers: list[Controller]) -> bool:
    return power_cut(storm, storm.storage)


def cut_compute(storm: Storm, luck: random.Random, controllers: list[Controller]) -> bool:
    return power_cut(storm, luck.choice(storm.computes))


def kill_controller(storm: Storm, luck: random.Random, controllers: list[Controller]) -> bool:
    one = luck.choice(controllers)
    storm.say(f"kills {one.name}")
    return one.kill()


def kill_modules(storm: Storm, luck: random.Random, controllers: list[Controller]) -> bool:
    """Those that run on one host, or come to run there within seconds."""
    host, later = luck.choice(storm.hosts), luck.uniform(0, 0.8)
    hit = host.run(KILL.format(MODULES, later), check=False).rc == 0
    storm.say(f"kills modules on {host.name}: {hit}")
    return hit


HIT = "hit"
TORN = "saved file", "torn by others and a power cut"
STRIKES: dict[str, tuple[Strike, int]] = {  # and how often in every round
    "power cut of a storage host": (cut_storage, 1),
    "power cut of a compute host": (cut_compute, 1),
    "kill of a controller": (kill_controller, 2),
    "kill of modules": (kill_modules, 3),
}


def weather(storm: Storm, controllers: list[Controller]) -> None:
    """Strike upon strike; when the time is over, only what has not hit yet."""
    luck = storm.drawn("weather")
    for name in dealt(luck, {name: times for name, (_strike, times) in STRIKES.items()}):
        late, still = storm.passed() - storm.seconds, missing(storm)
        if storm.over.is_set() or late > (LATE if still else 0):
            return
        if late < 0 or name in still:
            storm.over.wait(luck.uniform(5, 15) * storm.pace)
            try:
                hit = STRIKES[name][0](storm, luck, controllers)
                storm.events.append((name, HIT if hit else "missed"))
            except Exception as error:  # the storm goes on, and in the end the test fails
                storm.faults.append(f"{name}: {error!r}")


def missing(storm: Storm) -> list[str]:
    """The strikes that have not hit yet."""
    return [name for name in STRIKES if (name, HIT) not in storm.events]


def rage(storm: Storm) -> None:
    """All of them at once, for as long as it lasts, and until all has happened that makes a storm."""
    storm.began = time.monotonic()
    for host in storm.hosts:
        begin_loops(storm, host)
    controllers = [Controller(storm, name) for name in ("alice", "bob")]
    sky = threading.Thread(target=lambda: weather(storm, controllers))
    for actor in (*controllers, sky):
        actor.start()
    try:
        sky.join()
        while not changes(watched(storm.storage)) and storm.passed() < storm.seconds + LATE:
            storm.over.wait(5)
    finally:
        storm.over.set()
        for controller in controllers:
            controller.end()
        sky.join()
    for host in storm.hosts:
        end_loops(host)
    storm.say(f"is over\n{storm.table()}")
