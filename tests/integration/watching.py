# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk under I/O that proves itself, a sampler of its working paths, and a watcher of every process list."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host

ENOUGH = "/run/enough"
READING = Path(__file__).resolve().with_name("reading.py")
# Writes blocks past the cache, each of which says where and when it was written, and reads others back on the way;
# in the end reads all of them.
WRITER = """
import hashlib, json, mmap, os, random, sys, time
disk, size, block = sys.argv[1], 24 << 20, 1 << 16
handle = os.open(disk, os.O_RDWR | os.O_DIRECT)
buffer, written, differ, errors, longest, count = mmap.mmap(-1, block), {}, 0, [], 0.0, 0
def text(place, number):
    return hashlib.sha256(f"{place} {number}".encode()).digest() * (block // 32)
def check(place):
    os.preadv(handle, [buffer], place * block)
    return buffer[:] != text(place, written[place])
while not os.path.exists("ENOUGH"):
    place = random.randrange(size // block)
    began = time.monotonic()
    try:
        buffer[:] = text(place, count)
        os.pwritev(handle, [buffer], place * block)
        written[place] = count
        differ += check(random.choice(list(written)))
    except OSError as error:
        errors.append(str(error))
    longest = max(longest, time.monotonic() - began)
    count += 1
differ += sum(check(place) for place in written)
print(json.dumps({"written": count, "differ": differ, "errors": errors, "longest": longest}))
""".replace("ENOUGH", ENOUGH)
# How many paths of a map work: active in the kernel's map and for multipathd, the disk running, its session logged in.
SAMPLER = """
import glob, json, os, re, subprocess, sys, time
from reading import read
name, counts, last, changes = sys.argv[1], {}, None, []
def logged_in(device):
    session = re.search(r"/(session\\d+)/", os.path.realpath(f"/sys/class/block/{device}/device") + "/")
    return bool(session) and read(f"/sys/class/iscsi_session/{session[1]}/state") == "LOGGED_IN"
began = time.monotonic()
while not os.path.exists("ENOUGH"):
    status = subprocess.run(["dmsetup", "status", "--noflush", name], stdout=subprocess.PIPE).stdout.decode()
    numbers = [number for number, state in re.findall(r"(\\d+:\\d+) ([AF])\\b", status) if state == "A"]
    devices = [os.path.basename(os.path.realpath(f"/sys/dev/block/{number}")) for number in numbers]
    working = [d for d in devices if read(f"/sys/class/block/{d}/device/state") == "running"]
    found = (len(numbers), sum(logged_in(device) for device in working))
    counts[str(found[1])] = counts.get(str(found[1]), 0) + 1
    if found != last:
        changes.append((round(time.monotonic() - began, 2), *found))
        last = found
    time.sleep(0.2)
print(json.dumps({"counts": counts, "changes": changes}))
""".replace("ENOUGH", ENOUGH)
# Every command line, again and again; itself aside.
WATCHER = """
import glob, json, os, sys
secrets, seen, rounds = sys.argv[1:], set(), 0
while not os.path.exists("ENOUGH"):
    rounds += 1
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                text = file.read().decode(errors="replace")
        except OSError:
            continue
        if "THE-WATCHER" not in text and any(secret in text for secret in secrets):
            seen.add(text.replace("\\0", " "))
print(json.dumps({"seen": sorted(seen), "rounds": rounds}))
""".replace("ENOUGH", ENOUGH)


@dataclass
class Told:
    """What the programs said when they ended."""

    writer: dict[str, Any] = field(default_factory=dict)
    sampler: dict[str, Any] = field(default_factory=dict)
    watcher: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def watched(host: Host, disk: str, secrets: tuple[str, ...] = ()) -> Iterator[Told]:
    """While something is done: I/O on the disk (a map's name), its working paths sampled, the process lists watched."""
    told = Told()
    programs = {
        "writer": (WRITER, f"/dev/mapper/{disk}"),
        "sampler": (SAMPLER, disk),
        **({"watcher": (WATCHER, " ".join(["THE-WATCHER", *secrets]))} if secrets else {}),
    }
    host.run(f"rm -f {ENOUGH}")
    host.write("/run/reading.py", READING.read_text())
    for name, (source, given) in programs.items():
        host.write(f"/run/{name}.py", source)
        host.run(
            f"setsid -f sh -c 'exec python3 /run/{name}.py {given} >/run/{name}.out 2>/run/{name}.err' </dev/null >&- 2>&-"
        )
    try:
        yield told
    finally:
        host.run(f"touch {ENOUGH}")
        for name in programs:
            setattr(told, name, _said(host, name))


def _said(host: Host, name: str) -> dict[str, Any]:
    end = time.monotonic() + 90
    while not host.run(f"pgrep -f /run/{name}[.]py", check=False).rc:
        assert time.monotonic() < end, f"the {name} does not end"
        time.sleep(0.5)
    out = host.read(f"/run/{name}.out")
    assert out, f"the {name} ended with: {host.read(f'/run/{name}.err')}"
    return dict(json.loads(out))


def unharmed(told: Told, least: int = 1) -> None:
    """Not one error, not one byte that differs, and never fewer working paths."""
    print(json.dumps({"writer": told.writer, "sampler": told.sampler}))
    assert told.writer["errors"] == [] and told.writer["differ"] == 0, told.writer
    assert told.writer["written"] > 50, told.writer
    counts = {int(count): number for count, number in told.sampler["counts"].items()}
    assert sum(counts.values()) > 10 and min(counts) >= least, told.sampler
