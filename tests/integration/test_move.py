# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume group on two LUNs, with a thin pool, moves from one host to another and back, and no byte of it differs.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import same
from ansible_collections.lunworks.iscsi.tests.integration.moving import THIN, Group, San

GROUP = Group("vg_db", volumes=THIN)
HOOKS = Path(__file__).resolve().parent / "hooks"


@pytest.fixture(scope="module")
def san(lab, storage, compute, spare):
    standing = San.standing(lab, storage, compute, spare, GROUP)
    yield standing
    standing.clear()


def fingerprints(san: San) -> dict[str, dict[str, str]]:
    """All that a move could change. How full the files of the LUNs are is not part of it: mounted file systems write."""
    seen = {host.name: host.fingerprint() for host in san.hosts}
    return {name: {key: text for key, text in one.items() if key != "luns"} for name, one in seen.items()}


def test_a_check_shows_the_whole_plan_and_touches_nothing(san):
    before = fingerprints(san)
    told = san.move("--check", "--diff", vg="vg_db", source=san.first, destination=san.second)
    assert told.rc == 0, told.messages()
    sentences = [
        line for _host, task, result in told.results if task.endswith(": The plan") for line in result["msg"]
    ]
    assert len(sentences) > 10
    assert all(any(host.name in sentence for host in san.hosts) for sentence in sentences)
    for host in san.hosts:
        same(before[host.name], host.fingerprint(), f"The check on {host.name}")


@pytest.mark.parametrize(
    "command, said",
    [
        ("cd /srv/vg_db/data && exec sleep 1000", "uses '/srv/vg_db/data'"),
        ("exec sleep 1000 </srv/vg_db/log/tree/0/file1", "uses '/srv/vg_db/log/tree/0/file1'"),
        ("exec sleep 1000 </dev/vg_db/data", "is open in the process"),
    ],
    ids=["directory", "file", "device"],
)
def test_who_uses_it_is_named_and_nothing_is_touched(san, command, said):
    san.first.run(f"({command}) >/dev/null 2>&1 & echo $! >/run/user.pid")
    try:
        before = fingerprints(san)
        told = san.move(vg="vg_db", source=san.first, destination=san.second)
        assert told.rc != 0
        assert said in told.messages()
        for host in san.hosts:
            same(before[host.name], host.fingerprint(), f"The refused move on {host.name}")
    finally:
        san.first.run("kill $(cat /run/user.pid)")


def test_a_group_that_is_not_there_is_refused(san):
    told = san.move(vg="vg_none", source=san.first, destination=san.second)
    assert told.rc != 0
    assert "There is no volume group 'vg_none' on any LUN" in told.messages()


def test_a_group_moves(san):
    told = san.move(vg="vg_db", source=san.first, destination=san.second)
    assert told.rc == 0, told.messages()
    san.owned(GROUP, san.second, san.first)
    assert san.first.run("iscsiadm -m session", check=False).rc != 0
    assert san.first.run("lsscsi | grep LIO", check=False).rc != 0


def test_moved_once_more_it_changes_nothing(san):
    told = san.move(vg="vg_db", source=san.first, destination=san.second)
    assert told.rc == 0, told.messages()
    assert told.changed() == {}


def test_the_status_tells_the_owner_and_changes_nothing(san):
    before = fingerprints(san)
    told = san.move("--tags", "status", vg="vg_db", source=san.first, destination=san.second)
    assert told.rc == 0, told.messages()
    (lines,) = [result["msg"] for _host, task, result in told.results if task.endswith("Where things stand")]
    assert f"is owned by '{san.second.name}'" in lines[0]
    for host in san.hosts:
        same(before[host.name], host.fingerprint(), f"The status on {host.name}")


def test_it_moves_back_with_what_is_written_when_the_destination_has_the_disks_already(san):
    told = san.move(
        vg="vg_db",
        source=san.second,
        destination=san.first,
        move_volume_group_hooks_before=[str(HOOKS / "write.yml")],
    )
    assert told.rc == 0, told.messages()
    late = [f"{mount}/late" for mount in GROUP.mounts]
    written = san.second.read("/run/written")
    assert len(written.splitlines()) == len(late)
    assert san.first.run(f"sha256sum {' '.join(late)} && rm {' '.join(late)} && sync").out == written
    san.owned(GROUP, san.first, san.second)


def test_it_comes_back_after_a_boot_of_its_owner(long_story, san):
    san.lab.power_cut(san.first)
    san.lab.boot(san.first)
    mounted = " && ".join(f"findmnt {mount}" for mount in GROUP.mounts)
    san.first.run(f"for n in $(seq 90); do {mounted} && exit; sleep 1; done; exit 1", timeout=120)
    san.owned(GROUP, san.first, san.second)


@pytest.mark.parametrize("number", range(1, 21))
def test_twenty_moves_to_and_fro(long_story, san, number):
    source, destination = (san.first, san.second) if number % 2 else (san.second, san.first)
    if number % 4 == 1:  # twenty times as many would not fit
        san.add_files(GROUP, source)
    told = san.move(vg="vg_db", source=source, destination=destination)
    assert told.rc == 0, told.messages()
    san.owned(GROUP, destination, source)
