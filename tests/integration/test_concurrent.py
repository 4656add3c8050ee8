# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at work at the same time: records are never torn, no session is made twice, the next run tells the truth."""

from __future__ import annotations

import json
import threading
import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    given,
    portals_of,
    records,
    sessions,
    target,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import succeeded

NAMES = ("shared1", "shared2")
RESTORED = """
for n in $(seq 60); do
    grep -L LOGGED_IN /sys/class/iscsi_session/*/state | grep -q . || exit 0
    sleep 1
done
exit 1
"""
RECORDS = """
import glob, json
found = {}
for path in glob.glob("/etc/iscsi/nodes/*/*/*") + glob.glob("/var/lib/iscsi/nodes/*/*/*"):
    with open(path) as file:
        found[path] = file.read()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def san(storage, compute):
    with given(storage, compute, *(target(name, storage, compute) for name in NAMES)):
        yield portals_of(storage)


@pytest.fixture(autouse=True)
def logged_out(san, compute):
    yield
    gone = [{"target": f"{IQN}:{name}", "state": "absent"} for name in NAMES]
    succeeded(compute, compute.module("nodes", nodes=gone))


def nodes(portals, **more):
    return [{"target": f"{IQN}:{name}", "portals": portals, **more} for name in NAMES]


def torn(text):
    return not (text.startswith("# BEGIN RECORD") and text.rstrip().endswith("# END RECORD"))


def whole_records(compute):
    """The records on the host, each of them whole: what iscsiadm is writing at this moment, it writes to its end."""
    end = time.monotonic() + 10
    while True:
        found = json.loads(compute.python(RECORDS).out)
        halves = {path: text for path, text in found.items() if torn(text)}
        if not halves:
            return found
        assert time.monotonic() < end, halves


def one_session_each(compute, portals):
    for name in NAMES:
        assert sessions(compute, name) == sorted(f"{portal}:3260" for portal in portals)


@pytest.fixture
def meddling(compute, san):
    """Somebody runs iscsiadm all the time: discovery, and updates of one record, which rewrite it in place."""
    update = f"iscsiadm -m node -T {IQN}:shared1 -p {san[0]} -o update -n node.session.queue_depth -v"
    discover = f"iscsiadm -m discoverydb -t st -p {san[1]} -o new --discover"
    loops = [f"{update} 64; {update} 32", f"{update} 48", discover]
    compute.run("touch /run/meddling")
    for loop in loops:
        text = f"while [ -e /run/meddling ]; do {loop}; done"
        compute.run(f"systemd-run --quiet --collect sh -c '{text}'")
    yield
    compute.run("rm /run/meddling; while pgrep -x iscsiadm >/dev/null; do sleep 0.1; done")


def test_iscsiadm_at_work_at_the_same_time(compute, san, meddling):
    asked = {"nodes": nodes(san, startup="automatic")}
    succeeded(compute, compute.module("nodes", **asked))
    for number in range(6):
        again = succeeded(compute, compute.module("nodes", check=True, **asked))
        assert not again["changed"], f"a record was read while it was written: {again['steps']}"
        timeout = {"node.session.timeo.replacement_timeout": 20 + number}
        asked = {"nodes": nodes(san, startup="automatic", settings=timeout, logged_in=number % 2 == 0)}
        succeeded(compute, compute.module("nodes", **asked))
    texts = [text for path, text in whole_records(compute).items() if ":shared1/" in path]
    assert len(texts) == len(san)
    for text in texts:
        assert "node.startup = automatic" in text and "replacement_timeout = 25" in text
    assert any(f"node.session.queue_depth = {depth}" in texts[0] + texts[1] for depth in (32, 48, 64))


def test_two_runs_at_once(compute, san):
    results = []
    asked = {"nodes": nodes(san, startup="automatic", logged_in=True)}
    runs = [
        threading.Thread(target=lambda: results.append(compute.module("nodes", **asked)))
        for number in range(3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(results) == 3
    for result in results:
        succeeded(compute, result)
    one_session_each(compute, san)
    whole_records(compute)
    assert not succeeded(compute, compute.module("nodes", **asked))["changed"]


def test_iscsid_is_killed_in_the_middle(compute, san):
    asked = {"nodes": nodes(san, startup="automatic", logged_in=True)}
    results = []
    run = threading.Thread(target=lambda: results.append(compute.module("nodes", **asked)))
    run.start()
    compute.run("until pgrep -x iscsiadm >/dev/null; do :; done; pkill -KILL -x iscsid", check=False)
    run.join()
    said = json.dumps(results[0].get("problems", []))
    assert not results[0].get("failed") or "iscsid" in said, f"another failure: {said}"
    whole_records(compute)
    succeeded(compute, compute.module("nodes", **asked))
    one_session_each(compute, san)
    compute.run(RESTORED, timeout=90)
    assert not succeeded(compute, compute.module("nodes", **asked))["changed"]
    assert sorted(records(compute, "shared1")) == sorted(f"{portal}:3260" for portal in san)


def test_the_lock_of_open_iscsi_is_honoured(compute, san):
    """A record is not written while somebody holds the lock, and is when he lets go."""
    compute.run(
        "mkdir -p /run/lock/iscsi && touch /run/lock/iscsi/lock && ln /run/lock/iscsi/lock /run/lock/iscsi/lock.write"
    )
    results = []
    asked = {"nodes": nodes(san[:1])}
    run = threading.Thread(target=lambda: results.append(compute.module("nodes", **asked)))
    run.start()
    try:
        run.join(5)
        assert run.is_alive(), f"written in spite of the lock: {results}"
        assert not [path for path in whole_records(compute) if ":shared" in path]
    finally:
        compute.run("rm /run/lock/iscsi/lock.write")
    run.join()
    assert succeeded(compute, results[0])["changed"]
    assert len([path for path in whole_records(compute) if ":shared" in path]) == len(NAMES)
