# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes from the kernel's side."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.volume.use import (
    PIECE,
    PIECES,
    look_tables,
    look_uses,
    offsets,
    sample,
    split_name,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

BLOCK = "/sys/class/block"
FILES = {
    f"{BLOCK}/dm-1/dm/uuid": "LVM-aaaa\n",
    f"{BLOCK}/dm-1/dm/name": "vg--db-data\n",
    f"{BLOCK}/dm-1/dev": "253:1\n",
    f"{BLOCK}/dm-0/dm/uuid": "mpath-36001405\n",
    f"{BLOCK}/dm-0/dm/name": "36001405\n",
    f"{BLOCK}/dm-0/dev": "253:0\n",
    "/etc/fstab": "/dev/ubda / ext4 defaults 0 1\n/dev/vg-db/data /srv/db xfs nofail 0 0\nUUID=12 /srv/u xfs nofail 0 0\n"
    "/dev/mapper/vg--db-log /srv/log ext4 nofail 0 0\n",
    "/proc/self/mountinfo": "25 1 98:0 / / rw - ext4 /dev/root rw\n60 25 253:1 / /srv/db rw - xfs /dev/mapper/vg--db-data rw\n"
    "61 25 253:1 /pub /srv/pub rw - xfs /dev/mapper/vg--db-data rw\n",
    "/dev/disk/by-uuid/12": {"kind": "block", "rdev": (253 << 8) | 1},
}


@pytest.mark.parametrize(
    "title, parts",
    [("vg-lv", ("vg", "lv")), ("vg--db-data--1", ("vg-db", "data-1")), ("a----b-c", ("a--b", "c"))],
)
def test_a_name_of_the_device_mapper_is_taken_apart(title, parts):
    assert split_name(title) == parts


def test_mounts_and_lines_are_told_with_their_volumes_also_where_nothing_is_active():
    host = ScriptedHost(files=FILES)
    tables = look_tables(host)
    assert tables == {"253:1": ("vg-db", "data")}
    used = {
        one.path: (one.group, one.volume, one.in_fstab, one.mounted, one.root)
        for one in look_uses(host, tables)
    }
    assert used == {
        "/": ("", "", True, True, "/"),
        "/srv/db": ("vg-db", "data", True, True, "/"),
        "/srv/log": ("vg-db", "log", True, False, "/"),
        "/srv/pub": ("vg-db", "data", False, True, "/pub"),
        "/srv/u": ("vg-db", "data", True, False, "/"),
    }


def test_what_is_directly_on_a_disk_is_told_with_its_wwid():
    files = {
        "/etc/fstab": "/dev/mapper/36001405 /srv/here ext4 _netdev 0 0\n/dev/mapper/36001405 /srv/later ext4 noauto 0 0\n",
        "/proc/self/mountinfo": "60 25 253:0 / /srv/here rw - ext4 /dev/mapper/36001405 rw\n",
        "/dev/mapper/36001405": {"kind": "block", "rdev": 253 << 8},
    }
    host = ScriptedHost(files={**FILES, **files})
    used = look_uses(host, look_tables(host))
    assert [(one.path, one.wwid, one.partition, one.volume, one.mounted) for one in used] == [
        ("/srv/here", "36001405", False, "", True),
        ("/srv/later", "36001405", False, "", False),
    ]


def test_of_two_lines_for_a_mount_point_the_first_counts_and_a_label_may_have_a_blank():
    files = {
        **FILES,
        "/etc/fstab": "LABEL=my\\040data /srv/db xfs nofail 0 0\n/dev/vg-db/log /srv/db xfs nofail 0 0\n",
        "/dev/disk/by-label/my\\x20data": {"kind": "block", "rdev": (253 << 8) | 1},
        "/proc/self/mountinfo": "",
    }
    host = ScriptedHost(files=files)
    used = look_uses(host, look_tables(host))
    assert [(one.path, one.group, one.volume, one.device) for one in used] == [
        ("/srv/db", "vg-db", "data", "LABEL=my data")
    ]


@pytest.mark.parametrize(
    "size", [0, 512, PIECE, PIECE * PIECES, PIECE * PIECES + 512, 10 << 30, (1 << 40) + 512]
)
def test_samples_begin_at_the_first_and_end_at_the_last_piece(size):
    found = offsets(size)
    assert len(set(found)) == len(found) <= PIECES + 2
    assert all(0 <= one < size for one in found)
    if size:
        assert found[0] == 0 and found[-1] + PIECE >= size - PIECE


def test_a_sample_is_of_the_size_and_the_pieces():
    data = bytes(range(256)) * 4
    files = {
        "/dev/vg/lv": {"link": "/dev/dm-1"},
        "/dev/dm-1": {"bytes": data},
        f"{BLOCK}/dm-1/size": "2\n",
    }
    host = ScriptedHost(files=files)
    host.block = lambda path, offset, size: data[offset : offset + size]
    assert sample(host, "vg", "lv") == hashlib.sha256(b"1024" + data).hexdigest()[:32]


def test_a_volume_that_is_not_active_has_no_sample():
    with pytest.raises(Problem, match="'vg/lv' is not active here"):
        sample(ScriptedHost(), "vg", "lv")
