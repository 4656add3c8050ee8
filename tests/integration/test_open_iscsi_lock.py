# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""open-iscsi's lock ends with its holder: a module that was killed while it held it stops nobody; one that lives is waited for.

A module is held in the middle of its work by freezing the file system of the records (fsfreeze(8)): it waits where it writes,
with the lock, until that is thawed.
"""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import IQN, given, portals_of, target
from ansible_collections.lunworks.iscsi.tests.integration.harness import settled, succeeded

LOCKS = "/run/lock/iscsi"
HELD = f"test -e {LOCKS}/lock.write"
ROOT = "$([ -d /var/lib/iscsi ] && echo /var/lib/iscsi || echo /etc/iscsi)"  # of the database, on this distribution
APART = f"""
set -e
truncate -s 16m /var/tmp/records.img && mkfs.ext4 -q /var/tmp/records.img
mkdir -p {ROOT}/nodes /mnt/records && mount -o loop /var/tmp/records.img /mnt/records
cp -a {ROOT}/nodes/. /mnt/records/ && rmdir /mnt/records/lost+found
umount /mnt/records && mount -o loop /var/tmp/records.img {ROOT}/nodes
"""


@pytest.fixture(scope="module")
def nodes(storage, compute):
    """What the module is asked for; the records have a file system of their own."""
    with given(storage, compute, target("locked", storage, compute)):
        compute.run(APART)
        yield {"nodes": [{"target": f"{IQN}:locked", "portals": portals_of(storage)}]}
        compute.run(f"fsfreeze -u {ROOT}/nodes; rm -rf {ROOT}/nodes/*; umount {ROOT}/nodes", check=False)


def ask(compute, results, asked):
    with contextlib.suppress(AssertionError):  # its answer, where it is killed
        results.append(compute.module("nodes", **asked))


@contextlib.contextmanager
def standing(compute, asked):
    """A module that holds the lock, and its process."""
    results = []
    compute.run(f"fsfreeze -f {ROOT}/nodes")
    run = threading.Thread(target=ask, args=(compute, results, asked))
    run.start()
    try:
        settled(compute, HELD, 30)
        process, began = compute.run(f"ls {LOCKS}").out.split("lunworks.")[1].split()[0].split(".")
        yield process, began, results
    finally:
        compute.run(f"fsfreeze -u {ROOT}/nodes", check=False)
        run.join()


@pytest.mark.parametrize("_time", range(5))
def test_a_module_that_was_killed_while_it_held_the_lock_stops_nobody(compute, nodes, _time):
    succeeded(compute, compute.module("nodes", nodes=[{"target": f"{IQN}:locked", "state": "absent"}]))
    with standing(compute, nodes) as (process, began, _results):
        compute.run(f"kill -9 {process}")
    settled(compute, f"! test -e /proc/{process}", 30)
    compute.run(HELD)
    compute.run(f"echo secret >{ROOT}/.lunworks.default.{process}.{began}")
    asked = time.monotonic()
    assert succeeded(compute, compute.module("nodes", **nodes))["changed"]
    assert time.monotonic() - asked < 10, "the lock of the dead was waited for"
    left = compute.run(f"ls {LOCKS}; ls -A {ROOT}; find {ROOT}/nodes -name '.*'").out.split()
    assert "lock.write" not in left and not [name for name in left if "lunworks." in name], left
    assert compute.run("timeout 5 iscsiadm -m node").out.count(":locked") == 2


def test_a_module_that_lives_keeps_the_lock(compute, nodes):
    succeeded(compute, compute.module("nodes", nodes=[{"target": f"{IQN}:locked", "state": "absent"}]))
    with standing(compute, nodes) as (process, _began, results):
        others = []
        beside = threading.Thread(target=ask, args=(compute, others, nodes))
        beside.start()
        settled(compute, "test $(grep -c 'FLOCK.*WRITE' /proc/locks) -ge 1", 30)
        told = compute.run("timeout 3 iscsiadm -m discoverydb -t st -p 192.0.2.1 -o new", check=False)
        assert told.rc == 124, "iscsiadm has not waited"
        compute.run(f"{HELD} && test -e /proc/{process}")
        assert beside.is_alive() and not others
    beside.join()
    assert [succeeded(compute, one)["changed"] for one in results + others] == [True, True], (
        "both found no record"
    )
    assert compute.run(f"{HELD}", check=False).rc != 0
    compute.run("timeout 5 iscsiadm -m discoverydb -t st -p 192.0.2.1 -o delete", check=False)
