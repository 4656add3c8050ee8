# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A map that lost all its paths while multipathd hangs: stopped here, as it is by a thin pool on Debian 13."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import mapped
from ansible_collections.lunworks.iscsi.tests.integration.harness import settled, succeeded

NETWORKS = ("san1", "san2")


@pytest.fixture(scope="module")
def disk(storage, compute):
    """A LUN on two paths under a map that queues."""
    with mapped(storage, compute, "revival", "multipath") as found:
        assert "queue_if_no_path" in compute.run(f"dmsetup table {found['name']}").out
        yield found


@pytest.fixture
def stopped(lab, compute):
    """multipathd answers nobody; the host's cables can be pulled."""
    compute.run("kill -STOP $(pidof multipathd)")
    yield
    for network in NETWORKS:
        lab.link(compute, network, up=True)
    compute.run("kill -CONT $(pidof multipathd)")


def in_use(compute, disk):
    """How many paths the kernel sends I/O to."""
    told = compute.run(f"dmsetup status --noflush {disk['name']}").out
    return sum(word == "A" for word in told.split()[12:])


def test_paths_that_answer_again_are_brought_back(lab, compute, disk, stopped):
    for network in NETWORKS:
        lab.link(compute, network, up=False)
    compute.run(
        f"setsid dd if=/dev/zero of={disk['device']} oflag=direct bs=4k count=1 >/run/written 2>&1 </dev/null & echo $! >/run/dd"
    )
    settled(compute, f"dmsetup status --noflush {disk['name']} | grep -q 'F .* F '")
    down = succeeded(compute, compute.module("multipath_paths", wait=0))
    assert not down["changed"]
    assert f"The multipath map '{disk['name']}' has no path that answers" in str(down["warnings"])
    for network in NETWORKS:
        lab.link(compute, network, up=True)
    checked = succeeded(compute, compute.module("multipath_paths", check=True, wait=90))
    assert len(checked["steps"]) == 1 and f"of the multipath map '{disk['name']}'" in checked["steps"][0]
    assert in_use(compute, disk) == 0, "a check changes nothing"
    assert compute.run("kill -0 $(cat /run/dd)").rc == 0, "what was written still waits"
    ran = succeeded(compute, compute.module("multipath_paths"))
    assert ran["changed"] and [one["has_active_path"] for one in ran["state"]] == [True]
    assert in_use(compute, disk) > 0
    settled(compute, "! kill -0 $(cat /run/dd)")
    assert "4096 bytes" in compute.read("/run/written")
    assert not succeeded(compute, compute.module("multipath_paths"))["changed"]
