# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A map that lost all its paths while multipathd hangs: stopped here, as it is by a thin pool on Debian 13.

The check that monitoring runs answers all the time, and says what is wrong.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import IQN, mapped, portals_of
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, same, settled, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

NETWORKS = ("san1", "san2")
TARGET = f"{IQN}:revival"
SLOW = 5  # seconds; on an idle machine it takes a tenth of one
CHECK, NUMBERS = "/usr/local/sbin/check_san", "/var/lib/prometheus/node-exporter/lunworks_iscsi.prom"
PLAY = """
- hosts: all
  gather_facts: false
  roles: [lunworks.iscsi.monitoring]
"""


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


@pytest.fixture(scope="module")
def monitored(lab, storage, compute, disk, tmp_path_factory):
    """The role has been run, as far as it says what it does: checked first, and again."""
    play = tmp_path_factory.mktemp("monitoring") / "play.yml"
    play.write_text(PLAY)
    data = {
        "initiator_nodes": [{"target": TARGET, "portals": portals_of(storage), "preset": "multipath"}],
        "volume_groups": [],
        "volume_filesystems": [{"target": TARGET, "name": "revival"}],
        "monitoring_interval": 3600,
    }

    def run(*options, **more):
        return played(lab, str(play), *options, hosts=[compute], **data, **more)

    before = compute.fingerprint()
    assert run("--check").changed()
    same(before, compute.fingerprint(), "the check run of the role monitoring")
    assert run().changed()
    yield run
    assert run(monitoring_textfile_directory="").changed()
    assert compute.run("systemctl is-active lunworks-check-san.timer", False).out != "active\n"
    compute.run(f"rm -rf {CHECK} /etc/lunworks {NUMBERS}")


def check_san(compute, *options):
    """What the check says, and its exit status."""
    ran = compute.run(f"bash -c 'time -p {CHECK} {' '.join(options)}'", False, 30)
    took = float(ran.err.split("real ")[1].split()[0])
    assert took < SLOW, ran.err
    return ran.rc, ran.out


def numbers(compute):
    """The numbers that the unit writes, started by hand."""
    compute.run("systemctl start lunworks-check-san.service", timeout=30)
    rows = (line.rpartition(" ") for line in compute.read(NUMBERS).splitlines() if line[0] != "#")
    return {name.partition("{")[0].replace("lunworks_iscsi_", ""): int(value) for name, _blank, value in rows}


def test_the_role_makes_a_timer_and_finds_nothing_to_do_afterwards(compute, monitored):
    assert not monitored().changed()
    assert compute.run("systemctl is-active lunworks-check-san.timer").out == "active\n"
    settled(compute, f"test -s {NUMBERS}")
    assert "exposure level" in compute.run("systemd-analyze security lunworks-check-san.service").out


def test_a_healthy_host_and_one_whose_map_is_read_only(compute, disk, monitored):
    rc, said = check_san(compute)
    assert (rc, said.partition(" |")[0]) == (0, "SAN OK - 2 of 2 sessions, 2 of 2 paths")
    found = numbers(compute)
    assert (found["lun_paths_wanted"], found["lun_paths_up"], found["check_answered"]) == (2, 2, 1)
    compute.run(f"blockdev --setro {disk['device']}")
    try:
        rc, said = check_san(compute)
        assert rc == 2 and f"the LUN 'revival' ({disk['name']}) is read-only" in said
        assert numbers(compute)["lun_read_only"] == 1
    finally:
        compute.run(f"blockdev --setrw {disk['device']}")
    assert check_san(compute, "--checkmk")[1].startswith('0 "iSCSI SAN" sessions=2|paths=2|')


def test_what_was_done_is_in_the_journal_and_nothing_of_a_check_run(compute, monitored):
    said = compute.run("journalctl --no-pager -o cat -g 'lunworks.iscsi step: Log in to'").out
    assert f"lunworks.iscsi step: Log in to '{TARGET}' at" in said, said
    since = compute.run("date +%s").out.strip()
    options = {"command_timeout": 45, "max_retries": 2}
    asked = f"journalctl --no-pager -o cat --since @{since} -g 'lunworks.iscsi step: Set'"
    assert succeeded(compute, compute.module("disk_timers", check=True, **options))["changed"]
    assert "step: Set" not in compute.run(asked, False).out
    converges(compute, "disk_timers", options)
    assert compute.run(asked).out.count("to 45 (it is ") == 2
    converges(compute, "disk_timers", {"state": "absent"})


def in_use(compute, disk):
    """How many paths the kernel sends I/O to."""
    told = compute.run(f"dmsetup status --noflush {disk['name']}").out
    return sum(word == "A" for word in told.split()[12:])


def test_paths_that_answer_again_are_brought_back(lab, compute, disk, monitored, stopped):
    lab.link(compute, NETWORKS[0], up=False)
    settled(compute, f"{CHECK} | grep -q 'has 1 of 2 paths'")
    rc, said = check_san(compute)
    assert rc == 1 and f"the session with '{TARGET}' at " in said and " is down (FAILED)" in said, said
    lab.link(compute, NETWORKS[1], up=False)
    compute.run(
        f"setsid dd if=/dev/zero of={disk['device']} oflag=direct bs=4k count=1 >/run/written 2>&1 </dev/null & echo $! >/run/dd"
    )
    settled(compute, f"dmsetup status --noflush {disk['name']} | grep -q 'F .* F '")
    rc, said = check_san(compute)
    assert rc == 2 and f"the LUN 'revival' ({disk['name']}) has no path of 2;" in said, said
    found = numbers(compute)
    assert (found["lun_paths_up"], found["session_up"], found["check_answered"]) == (0, 0, 1)
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
    settled(compute, f"{CHECK} | grep -q '^SAN OK - 2 of 2 sessions, 2 of 2 paths'")


def test_the_lost_connections_of_the_cut_cables_are_explained(compute, disk):
    """After the test above: multipathd, which timers_info asks too, runs again."""
    told = succeeded(compute, compute.module("timers_info"))["connection_errors"]
    ours = [one for one in told if one["session"] and TARGET in one["session"]]
    assert [one["name"] for one in ours if one["code"] == 1022] == ["ISCSI_ERR_NOP_TIMEDOUT"] * 2
    assert any("did not answer a ping in time" in one["text"] for one in ours)
