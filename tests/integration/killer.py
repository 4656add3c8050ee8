# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of a lab host that are killed (SIGKILL) at a point of their choice: right before a change, or while a command runs.

No list says where the points are. Python itself tells of every file that is opened to be written, every rename, link and
removal, and every command (sys.addaudithook, PEP 578); what a point changes is done when the next one is reached.
"""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Callable

from ansible_collections.lunworks.iscsi.plugins.module_utils._host_file import PLACES
from ansible_collections.lunworks.iscsi.tests.integration.harness import (
    MODULES,
    Host,
    arguments,
    same,
    succeeded,
)

SEED = os.environ.get("LUNWORKS_KILL_SEED", f"{time.time_ns() % 10**8}")
SOME = 1  # points of each way in a short run
RUNNER = """\
import os, runpy, signal, subprocess, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = INPUT, "legacy"
sys.argv, sys.dont_write_bytecode = ["MODULE"], True
seen, end, process = 0, POINT, os.getpid()
started = False

class Popen(subprocess.Popen):
    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        point()

def point():
    global seen
    if started and os.getpid() == process:
        if seen == end:
            os.kill(process, signal.SIGKILL)
        seen += 1

def hook(event, given):
    if event == "open":
        if isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            point()
    elif event == "subprocess.Popen" or event in CHANGING:
        point()

CHANGING = {"os." + name for name in "rename link remove mkdir rmdir symlink truncate chmod chown setxattr".split()}
subprocess.Popen = Popen
sys.addaudithook(hook)
started = True
try:
    runpy.run_module("ansible_collections.lunworks.iscsi.plugins.modules.MODULE", run_name="__main__")
finally:
    started = False
    sys.stderr.write(f"points: {seen}")
"""
# Nothing of a killed run is there when another one has run.
LEFT = (
    f"find {' '.join(place for place in PLACES if '*' not in place)} /etc/systemd/system/*.d -maxdepth 1 -name '.lunworks.*';"
    " ls -d /run/lock/iscsi/lock.write /run/lock/iscsi/lunworks.* 2>/dev/null; true"
)


@dataclass(frozen=True)
class Way:
    """Two tasks of one module, each leading from what the other one leaves to something else, and how that is looked at. Where
    no task of the module leads back, this test does."""

    module: str
    there: dict[str, Any]
    back: dict[str, Any] | Callable[[Host], object]
    look: Callable[[Host], str]
    back_heals: bool = True


def killed_at(host: Host, module: str, options: dict[str, Any], point: int) -> int | None:
    """Run a module until this point; None: it was killed there. Else how many points there are."""
    source = RUNNER.replace("MODULE", module).replace("POINT", str(point))
    given = arguments(module, False, False, options).decode()
    ran = host.python(source, given, timeout=600, imports=(MODULES + module,))
    if ran.rc == 128 + 9:
        return None
    told = json.loads([line for line in ran.out.splitlines() if line.startswith("{")][-1])
    succeeded(host, told)
    return int(ran.err.rpartition("points: ")[2])


def some(count: int, every: bool, rng: random.Random) -> list[int]:
    return list(range(count)) if every else sorted(rng.sample(range(count), min(SOME, count)))


def heals(host: Host, way: Way, every: bool) -> int:
    """Kill it everywhere, there and back; each time the next run makes of it what an undisturbed one does."""
    rng = random.Random(f"{SEED} {way}")
    succeeded(host, host.module(way.module, **way.there))
    undone(host, way)
    ends = {}
    ways = []
    for options in (way.there, way.back):
        if callable(options):
            options(host)
            continue
        count = killed_at(host, way.module, options, -1)
        assert count, "a task that changes nothing"
        ends[id(options)] = way.look(host)
        ways.append(some(count, every, rng) if options is way.there or way.back_heals else [])
    assert ends[id(way.there)] != way.look(host)
    tried = 0
    for pair in zip_longest(*ways):
        for options, point in zip((way.there, way.back), pair):
            tried += healed(host, way, options, point, ends[id(options)])
        if callable(way.back):
            way.back(host)
    return tried


def undone(host: Host, way: Way) -> None:
    """What the way there has made goes again."""
    if callable(way.back):
        way.back(host)
    else:
        succeeded(host, host.module(way.module, **way.back))


def healed(host: Host, way: Way, options: dict[str, Any], point: int | None, end: str) -> int:
    """One kill, and the run that heals. Where a point is not reached, since less was to do, the run was undisturbed."""
    killed = killed_at(host, way.module, options, -1 if point is None else point)
    told = f"{way.module} {options}, killed at point {point} (LUNWORKS_KILL_SEED={SEED})"
    result = host.module(way.module, **options)
    assert not result.get("failed"), f"{told}: {result.get('msg')}"
    same({"state": end}, {"state": way.look(host)}, told)
    assert host.run(LEFT).out == "", told
    again = host.module(way.module, **options)
    assert not again.get("failed") and not again["changed"], f"{told}: {again}"
    return killed is None
