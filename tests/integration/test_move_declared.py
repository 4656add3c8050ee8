# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a volume group names another host: site.yml shows the move, refuses it, and with 'allow_move' makes it.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import same
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played

SITE = "lunworks.iscsi.site"
HERE = Path(__file__).resolve().parent
TREE = "cd /srv/decl && find . -type f -exec sha256sum {} + | sort"
WRITE = "mkdir -p /srv/decl/tree && for n in $(seq 20); do head -c ${n}0000 /dev/urandom >/srv/decl/tree/file$n; done; sync"


@pytest.fixture(scope="module")
def data(lab):
    """The inventory, and where backups go."""
    backups = f"move_volume_group_backup_dir={lab.place.directory}/backups"
    return ("-i", str(HERE / "declared"), "-e", backups)


@pytest.fixture(scope="module")
def hosts(long_story, lab, storage, compute, spare, data):
    """site.yml has put the group on the first compute host; there are files in it."""
    hosts = [storage, compute, spare]
    if compute.run("findmnt /srv/decl", check=False).rc:
        lab.fresh(*hosts)
        played(lab, SITE, *data, hosts=hosts, owner=compute.name)
        compute.run(WRITE)
    return hosts


def fingerprints(hosts):
    """All but how full the files of the LUNs are: mounted file systems write."""
    seen = {host: host.fingerprint() for host in hosts}
    return {host: {key: text for key, text in one.items() if key != "luns"} for host, one in seen.items()}


def plan_of(ran) -> list[str]:
    return [
        line for _host, task, result in ran.results if task.endswith(": The plan") for line in result["msg"]
    ]


@pytest.mark.parametrize("options", [(), ("--check", "--diff")], ids=["run", "check"])
def test_data_that_names_another_host_shows_the_plan_and_is_refused(
    lab, hosts, compute, spare, options, data
):
    before = fingerprints(hosts)
    ran = play(lab, SITE, *data, *options, hosts=hosts, owner=spare.name)
    assert ran.rc != 0
    assert f"'vg_decl' is on '{compute.name}', and the inventory wants it on '{spare.name}'" in ran.messages()
    assert "allow_move=vg_decl" in ran.messages() and "volume_groups of" in ran.messages()
    told = plan_of(ran)
    assert len(told) > 8 and all(any(host.name in line for host in hosts) for line in told)
    for host, seen in before.items():
        same(seen, host.fingerprint(), f"The refused move on {host.name}")


def test_the_storage_host_alone_gives_the_luns_to_no_second_host(lab, hosts, storage, spare, data):
    before = fingerprints(hosts)
    ran = play(lab, SITE, *data, hosts=hosts, limit=[storage], owner=spare.name)
    assert ran.rc != 0
    assert "carries 'vg_decl' and is mapped to" in ran.messages()
    for host, seen in before.items():
        same(seen, host.fingerprint(), f"The refused run on {host.name}")


def test_a_check_of_an_allowed_move_mutates_nothing(lab, hosts, spare, data):
    before = fingerprints(hosts)
    ran = played(lab, SITE, "--check", "--diff", *data, hosts=hosts, owner=spare.name, allow_move=True)
    assert len(plan_of(ran)) > 8
    for host, seen in before.items():
        same(seen, host.fingerprint(), f"The check on {host.name}")


def test_an_allowed_move_is_made_and_the_next_run_changes_nothing(lab, hosts, compute, spare, data):
    tree = compute.run(TREE).out
    played(lab, SITE, *data, hosts=hosts, owner=spare.name, allow_move="vg_decl")
    assert spare.run(TREE).out == tree
    assert spare.run("findmnt -n -o SOURCE /srv/decl").out.strip() == "/dev/mapper/vg_decl-data"
    assert "/srv/decl" not in compute.read("/etc/fstab")
    for options in ((), ("--check",)):
        again = played(lab, SITE, *data, *options, hosts=hosts, owner=spare.name)
        assert again.changed() == {}


def test_data_that_still_names_the_old_host_is_told_which_of_it_must_change(lab, hosts, compute, spare, data):
    ran = play(lab, SITE, *data, hosts=hosts, owner=compute.name)
    assert ran.rc != 0
    assert f"If it is to stay, write it into volume_groups of '{spare.name}'" in ran.messages()


def test_it_comes_back_when_that_is_allowed(lab, hosts, compute, spare, data):
    tree = spare.run(TREE).out
    played(lab, SITE, *data, hosts=hosts, owner=compute.name, allow_move=True)
    assert compute.run(TREE).out == tree
    assert played(lab, SITE, *data, hosts=hosts, owner=compute.name).changed() == {}
