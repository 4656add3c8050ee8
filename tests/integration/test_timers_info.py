# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the timers, held against what sysfs says and against a path that really goes silent."""

from __future__ import annotations

import time

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import (
    IQN,
    mapped,
    portals_of,
)
from ansible_collections.lunworks.iscsi.tests.integration.harness import same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import reported

LATE = 15  # seconds that a busy machine may add
# Reads past the page cache, over whichever path is next, and says how long the longest read took.
READER = r"""
import mmap, os, sys, time
handle, block, longest = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT), mmap.mmap(-1, 4096), 0
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    began = time.monotonic()
    os.preadv(handle, [block], 0)
    longest = max(longest, time.monotonic() - began)
print(longest)
"""


@pytest.fixture(scope="module")
def disk(storage, compute):
    """A LUN on two paths under a map, its records made with the timers of a single path."""
    with mapped(storage, compute, "timers", "direct") as found:
        yield found


def told(compute, **options):
    return succeeded(compute, compute.module("timers_info", **options))


def only(answer):
    (found,) = (one for one in answer["disks"] if one["paths"][0]["session"].startswith(f"'{IQN}:timers'"))
    return found


def sysfs(compute, pattern):
    return sorted(int(text) for text in compute.run(f"cat {pattern}").out.split())


def test_what_counts_is_told_and_added_up(compute, disk):
    before = compute.fingerprint()
    answer = told(compute, max_stall=10)
    same(before, compute.fingerprint(), "timers_info")
    found = only(answer)
    assert found["map"] in compute.run("multipath -ll").out
    assert sysfs(compute, "/sys/class/iscsi_session/*/recovery_tmo") == [
        path["replacement_timeout"] for path in found["paths"]
    ]
    assert sysfs(compute, "/sys/class/iscsi_connection/*/recv_tmo") == [
        path["noop_out_interval"] for path in found["paths"]
    ]
    names = " ".join(f"/sys/block/{path['device']}/device/timeout" for path in found["paths"])
    assert sysfs(compute, names) == sorted(path["command_timeout"] for path in found["paths"])
    queue = found["queueing"]
    assert found["worst_stall"] == found["path_stall"] + queue["no_path_retry"] * queue["polling_interval"]
    assert f"{found['worst_stall']} s" in found["arithmetic"]
    assert any("at most 10 s are allowed" in fault for fault in answer["faults"])


def test_the_report_says_it_beside_the_lun(lab, compute, disk):
    lines = reported(lab, compute)
    at = lines.index(next(line for line in lines if line.startswith("LUN ") and found_wwid(compute) in line))
    assert any(f"Worst stall {stall(compute)}" in line for line in lines[at : at + 8]), lines


def found_wwid(compute):
    return only(told(compute))["wwid"].replace("naa.", "3")


def stall(compute):
    return f"{only(told(compute))['worst_stall']} s"


def test_records_that_contradict_sessions_are_named(lab, compute, storage, disk):
    faults = told(compute)["faults"]
    assert not any("replacement_timeout" in fault for fault in faults), (
        faults
    )  # multipath overrides that of the records
    settings = {"node.conn[0].timeo.noop_out_timeout": 9}
    node = {
        "target": f"{IQN}:timers",
        "portals": portals_of(storage),
        "preset": "multipath",
        "settings": settings,
    }
    succeeded(compute, compute.module("nodes", nodes=[node]))
    faults = [fault for fault in told(compute)["faults"] if f"{IQN}:timers" in fault]
    assert (
        sum("has noop_out_timeout 5, its record says 9: that takes effect" in fault for fault in faults) == 2
    )
    assert (
        sum("noop_out_timeout is 9 in the record of" in fault and "and 1 more" in fault for fault in faults)
        == 1
    )
    said = [line for line in reported(lab, compute) if "noop_out_timeout" in line]
    assert len(said) == 2, said  # each of the two once, and not for each portal


def test_a_path_that_goes_silent_holds_io_no_longer_than_was_told(lab, compute, storage, disk):
    one = only(told(compute))["path_stall"]
    compute.write("/tmp/reader.py", READER)
    read = f"python3 /tmp/reader.py {disk['device']} {one + 3}"
    compute.run(f"setsid {read} >/tmp/longest 2>&1 </dev/null & sleep 1")
    lab.link(storage, "san1", False)
    try:
        end = time.monotonic() + one + 60
        while not compute.read("/tmp/longest"):
            assert time.monotonic() < end, "a read still hangs"
            time.sleep(1)
    finally:
        lab.link(storage, "san1", True)
    assert 1 < float(compute.read("/tmp/longest")) < one + LATE
    here(compute, 2)


def test_io_fails_when_it_was_told_that_it_would_after_all_paths_went(
    lab, compute, storage, disk, long_story
):
    conf = {"name": "zz-timers", "overrides": {"no_path_retry": 3}}
    succeeded(compute, compute.module("multipath_conf", **conf))
    found = only(told(compute))
    assert (found["queueing"]["no_path_retry"], found["worst_stall"]) == (3, found["path_stall"] + 15)
    try:
        for network in ("san1", "san2"):
            lab.link(storage, network, False)
        limit = found["worst_stall"] + 2 * LATE
        ran = compute.run(
            f"time -p dd if={disk['device']} of=/dev/null bs=4k count=1 iflag=direct", False, limit
        )
        assert "Input/output error" in ran.err, ran.err
        took = float(ran.err.split("real ")[1].split()[0])
        assert found["path_stall"] - 6 < took < found["worst_stall"] + LATE, ran.err
    finally:
        for network in ("san1", "san2"):
            lab.link(storage, network, True)
        succeeded(compute, compute.module("multipath_conf", name="zz-timers", state="absent"))
    here(compute, 2)


def here(compute, paths):
    """Wait until so many paths are active."""
    end = time.monotonic() + 90
    while compute.run("multipathd show paths format '%t %T'").out.split().count("active") != paths:
        assert time.monotonic() < end, "the paths do not come back"
        time.sleep(1)


def test_bad_input_is_refused(compute):
    for options, said in (
        ({"max_stall": 0}, "it must be a number of seconds, 1 or more"),
        ({"max_stall": -1}, "it must be a number of seconds, 1 or more"),
        ({"max_stall": "a minute"}, "cannot be converted to an int"),
        ({"longest": 5}, "Unsupported parameters"),
    ):
        result = compute.module("timers_info", **options)
        assert result["failed"] and said in result["msg"], result
