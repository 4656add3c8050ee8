# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers at once, killed anywhere, beside others at work: never two writers, no byte lost, and one run heals it all.

The gate's storm is short and has a seed of its own; 'make stories' has long ones. LUNWORKS_STORM_SECONDS says how long,
LUNWORKS_STORM_SEED repeats one. What each run said is in .cache/storm/SEED.
"""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host_file import ASIDE
from ansible_collections.lunworks.iscsi.tests.integration.harness import settled
from ansible_collections.lunworks.iscsi.tests.integration.moving import TREE
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import ROOT, play, played
from ansible_collections.lunworks.iscsi.tests.integration.storm_acts import SITE
from ansible_collections.lunworks.iscsi.tests.integration.storm_weather import TORN, missing, rage
from ansible_collections.lunworks.iscsi.tests.integration.storming import (
    GROUP,
    WATCH,
    Storm,
    begin_watch,
    changes,
    could,
    watched,
)

SHORT, GATE = "180", "289"  # seconds, and the seed
SECONDS = os.environ.get("LUNWORKS_STORM_SECONDS", SHORT)
SEED = os.environ.get("LUNWORKS_STORM_SEED") or (GATE if SECONDS == SHORT else f"{time.time_ns() % 10**8}")
FILL = (
    "mkdir -p {0}/tree && cd {0}/tree && for n in $(seq 20); do head -c ${{n}}0000 /dev/urandom >file$n; done; "
    "sync -f {0}"
)
LOCKS = "/run/lock/iscsi"  # of open-iscsi; 'lunworks' is ours to queue at
QUICK = 40  # seconds for the first run of site where nothing else runs
LOCKED = "/run/targetcli.lock /run/lock/iscsi/lunworks /run/lunworks-volumes.lock"
FREE = f"for lock in {LOCKED}; do [ ! -e $lock ] || flock -n $lock true || exit 1; done"
MADE_ASIDE = f"find /etc /run /srv /var /usr/local /root -xdev -name '{ASIDE}*' -o -path /run/lunworks-grow"


@pytest.fixture
def storm(request, lab, storage, compute, spare):
    """The SAN stands, the group is at home, and there are files on every file system."""
    storm = Storm(
        lab, storage, compute, spare, SEED, float(SECONDS), ROOT / f".cache/storm/{SEED}-{storage.suite}"
    )
    lab.fresh(*storm.hosts)
    began = time.monotonic()
    played(lab, SITE, *storm.data, hosts=storm.hosts, owner=compute.name)
    storm.pace = max(1.0, (time.monotonic() - began) / QUICK)
    begin_watch(storm)
    for host, mount in places(storm):
        host.run(FILL.format(mount))
    yield storm
    if not request.config.getoption("--keep-lab"):  # else somebody wants to look
        lab.fresh(*storm.hosts)


def places(storm):
    """Where what is mounted, as the data says."""
    return [(storm.home, "/srv/storm"), (storm.home, "/srv/own"), (storm.away, "/srv/own")]


def sums(storm):
    """The checksums of every file, as they are on the disks."""
    for host in (storm.home, storm.away):
        host.run("sync; echo 3 >/proc/sys/vm/drop_caches")
    return {(host.name, mount): host.run(TREE.format(mount)).out for host, mount in places(storm)}


def test_a_storm_harms_nothing_and_one_run_brings_all_to_what_the_data_says(storm):
    before = sums(storm)
    try:
        rage(storm)
    finally:
        for host in storm.hosts:
            (storm.place / f"seen-{host.name}").write_text(host.read(f"{WATCH}/seen"))
    never_two_writers(storm)
    site = {"hosts": storm.hosts, "owner": storm.home.name, "allow_move": GROUP}
    healed = play(storm.lab, SITE, *storm.data, **site)
    (storm.place / "healed").write_text(healed.output)
    assert healed.rc == 0, healed.messages() or healed.output
    storm.say(f"healed by {len(healed.changed())} tasks")
    assert played(storm.lab, SITE, *storm.data, **site).changed() == {}
    assert sums(storm) == before
    never_two_writers(storm)
    mounted_once(storm)
    saved_as_running(storm)
    for host in storm.hosts:
        tidy(host)
    assert storm.faults == []
    assert missing(storm) == [], f"no storm:\n{storm.table()}"


def never_two_writers(storm):
    """As the kernel and the saved file of the storage host say, and as the hosts have tried."""
    seen = watched(storm.storage)
    looks, moved = sum(one["looks"] for one in seen), changes(seen)
    storm.say(f"watched: {looks} times, {len(seen)} times something new; the writer changed {moved} times")
    assert looks > storm.seconds, "the watcher hardly looked"
    assert moved, f"no move ended:\n{storm.table()}"
    for one in seen:
        assert one["saved"] is not None or TORN in storm.events, f"the saved file was torn: {one}"
        assert len(one["running"]) <= 1 and len(one["saved"] or []) <= 1, f"two may write: {one}"
    here, there = map(could, storm.computes)
    assert len(here) == 2, f"who tried to write: {here}, {there}"
    for wwid, times in here.items():
        for first, last in times:
            both = [one for one in there.get(wwid, []) if max(first, one[0]) < min(last, one[1])]
            assert both == [], f"{wwid} was written from both sides between {first} and {last}: {both}"
    for host in storm.hosts:
        assert host.run(f"cat {WATCH}/errors", check=False).out == "", host.name


def mounted_once(storm):
    for host in (storm.home, storm.away):
        wanted = sorted(mount for one, mount in places(storm) if one is host)
        listed = host.run("findmnt -ln -o TARGET | grep ^/srv/ | sort", check=False).out.split()
        lines = [line.split() for line in host.read("/etc/fstab").splitlines()]
        fstab = sorted(fields[1] for fields in lines if fields[1:] and fields[1].startswith("/srv/"))
        assert listed == wanted and fstab == wanted, f"{host.name}: {listed}, {fstab}"
    assert storm.home.run(f"vgs --noheadings -o vg_tags {GROUP}").out.strip() == ""
    assert storm.away.run("dmsetup ls | grep vg_storm", check=False).rc != 0


def saved_as_running(storm):
    luns = storm.storage.module("lun_info")["luns"]
    assert len(luns) >= 4
    for lun in luns:
        assert sorted(lun["initiators"]) == sorted(lun["saved_initiators"]), lun
        assert sorted(lun["read_only_initiators"]) == sorted(lun["saved_read_only_initiators"]), lun


def tidy(host):
    """Nothing is locked, nothing waits, and nothing lies about that was made for a moment."""
    settled(host, FREE, 10)
    left = host.run(f"ls {LOCKS} 2>/dev/null", check=False).out.split()
    assert set(left) <= {"lock", "lunworks"}, f"{host.name}: {left}"
    assert host.run(MADE_ASIDE, check=False).out == "", host.name
    assert "Suspended" not in host.run("dmsetup info -c --noheadings -o suspended", check=False).out
