# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person would look for on a compute host, with the distribution's own tools."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def sessions(host):
    return [line.split() for line in host.check_output("iscsiadm -m session").splitlines()]


def test_there_is_a_session_by_ipv4_and_one_by_ipv6(sessions):
    portals = sorted(fields[2].split(",")[0] for fields in sessions)
    assert len(portals) == 2
    assert portals[0].startswith("10.77.1.") and portals[1].startswith("[fd77:2::")


def test_every_map_has_two_good_paths(host):
    maps = json.loads(host.check_output("multipathd show maps json"))["maps"]
    assert [one["paths"] for one in maps] == [2]


def test_the_volume_group_stands_on_the_map_and_not_on_a_path(host):
    devices = host.check_output("pvs --noheadings -o pv_name -S vg_name=vg_data").split()
    assert len(devices) == 1 and devices[0].startswith("/dev/mapper/3600")


def test_the_file_system_is_mounted_and_holds_what_is_written(host):
    mount = host.mount_point("/srv/data")
    assert mount.exists and mount.filesystem == "ext4"
    host.check_output("echo kept >/srv/data/file && sync -f /srv/data && echo 3 >/proc/sys/vm/drop_caches")
    assert host.file("/srv/data/file").content_string == "kept\n"


def test_it_comes_back_at_boot_and_lets_a_host_boot_without_it(host):
    line = next(line for line in host.file("/etc/fstab").content_string.splitlines() if "/srv/data" in line)
    assert "_netdev" in line and "nofail" in line
    assert host.service("multipathd").is_enabled and host.service("open-iscsi").is_enabled


def test_nobody_but_root_reads_a_secret(host):
    for path in host.check_output("grep -rlE 'secret of store' /etc /var/lib 2>/dev/null || true").split():
        assert host.file(path).mode & 0o077 == 0, path
