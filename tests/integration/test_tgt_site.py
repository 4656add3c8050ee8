# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the main story, served with tgt: one word in it is another, and the compute host is told nothing of that."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import same, settled
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import played

SITE = "lunworks.iscsi.site"
MOUNTS = ["/srv/db", "/srv/log", "/srv/plain"]
DISKS = "lunworks.iscsi.volume : The disks are here, proved on every path"
TGT = {"target_provider": "tgt", "multipath_presets": ["tgt"]}


@pytest.fixture(scope="module", autouse=True)
def gone_afterwards(lab, storage, compute):
    """These hosts are bare before, and know nothing of this SAN afterwards."""
    lab.fresh(storage, compute)
    yield
    lab.fresh(storage, compute)


@pytest.fixture
def site(lab, storage, compute):
    """site.yml on the two hosts of a suite."""
    return lambda *options, **more: played(lab, SITE, *options, hosts=[storage, compute], **{**TGT, **more})


def mounted(host):
    return host.run("findmnt -ln -o TARGET -t ext4,xfs | grep ^/srv | sort", check=False).out.split()


def test_a_bare_lab_is_converged_in_one_run_and_the_check_has_said_how(storage, compute, site):
    before = {host.name: host.fingerprint() for host in (storage, compute)}
    checked = site("--check", "--diff")
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml --check on the bare host {host.name}")
    ran = site()
    announced, done = checked.changed(), ran.changed()
    disks = (compute.name, DISKS)  # what a login brings is seen only after it
    assert announced.pop(disks)
    done.pop(disks, None)
    assert announced == done
    assert mounted(compute) == MOUNTS
    assert "secret of" not in ran.output + checked.output
    compute.run("head -c 1000000 /dev/urandom | tee /srv/db/file | sha256sum >/root/sum; sync")


def test_a_second_run_and_its_check_change_nothing(storage, compute, site):
    before = {host.name: host.fingerprint() for host in (storage, compute)}
    for options in (["--check", "--diff"], []):
        assert site(*options).changed() == {}
    for host in (storage, compute):
        same(before[host.name], host.fingerprint(), f"site.yml on the converged host {host.name}")


def test_power_cuts_of_either_side_heal(lab, storage, compute, site):
    for host in (storage, compute):
        lab.power_cut(host)
        lab.boot(host)
        settled(storage, "systemctl is-active tgt.service", 120)
        settled(compute, "test $(findmnt -ln -o TARGET -t ext4,xfs | grep -c ^/srv) = 3", 180)
        settled(compute, "! multipathd show maps format '%n %N' | grep -q ' 0$'", 180)
        assert compute.run("timeout 120 sha256sum </srv/db/file", timeout=150).out == compute.read(
            "/root/sum"
        )
        compute.run("timeout 120 dd if=/dev/zero of=/srv/log/after bs=64k count=4 oflag=direct", timeout=150)
        assert storage.module("target_info", provider="tgt")["drift"] == []
    assert site().changed() == {}


def test_more_room_is_refused_while_the_disk_is_used(lab, storage, compute, site):
    """LIO grows it; tgtd would have to take the disk away."""
    with pytest.raises(AssertionError, match="removed and served anew"):
        site(san_db_size="256m", san_data_size="160m")
    assert mounted(compute) == MOUNTS
