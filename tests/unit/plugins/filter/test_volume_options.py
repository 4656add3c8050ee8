# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.volume_options import volume_options

DB = "iqn.2026-01.com.example:store1.db"
GROUPS = [
    {
        "name": "vg_db",
        "luns": [{"target": DB, "name": "db0"}, {"wwid": "3600a0980", "paths": 4}],
        "tags": ["db"],
        "volumes": [
            {
                "name": "data",
                "size": "30g",
                "filesystem": "xfs",
                "mount": "/srv/db",
                "mount_options": "noatime",
            },
            {"name": "raw", "size": "1g"},
            {"name": "old", "mount": "/srv/old", "state": "absent", "force": True},
        ],
    },
    {"name": "vg_empty", "luns": [{"target": DB, "name": "db1"}]},
]
FOUND = [
    {"device": "/dev/mapper/one", "paths": [{"device": "/dev/sda"}]},
    {"device": "/dev/mapper/two", "paths": []},
    {"device": "/dev/mapper/three", "paths": []},
]


def test_each_module_gets_all_that_is_its_own():
    options = volume_options(GROUPS, 2, FOUND)
    assert options == {
        "disks": [
            {"target": DB, "lun": "db0", "paths": 2},
            {"wwid": "3600a0980", "paths": 4},
            {"target": DB, "lun": "db1", "paths": 2},
        ],
        "groups": [
            {
                "name": "vg_db",
                "devices": ["/dev/mapper/one", "/dev/mapper/two"],
                "state": "active",
                "tags": ["db"],
            },
            {"name": "vg_empty", "devices": ["/dev/mapper/three"], "state": "active"},
        ],
        "volumes": [
            {"group": "vg_db", "name": "data", "size": "30g", "filesystem": "xfs"},
            {"group": "vg_db", "name": "raw", "size": "1g"},
            {"group": "vg_db", "name": "old", "state": "absent", "force": True},
        ],
        "filesystems": [],
        "mounts": [
            {"path": "/srv/db", "device": "/dev/vg_db/data", "filesystem": "xfs", "options": "noatime"}
        ],
        "absent_mounts": [{"path": "/srv/old", "state": "absent"}],
        "claimed": [{"target": DB, "lun": "db0"}, {"wwid": "3600a0980"}, {"target": DB, "lun": "db1"}],
        "assume_present": ["/dev/mapper/two", "/dev/mapper/three"],
    }


def test_what_is_used_without_multipath_is_not_claimed():
    group = {
        "name": "vg",
        "luns": [{"wwid": "3600a", "multipath": False}, {"wwid": "3600b", "multipath": True}],
    }
    assert volume_options([group])["claimed"] == [{"wwid": "3600b"}]


def test_a_disk_too_few_is_no_group_with_the_wrong_disks():
    with pytest.raises(AnsibleFilterError, match="3 disks must be there, and 2 were found"):
        volume_options(GROUPS, 2, FOUND[:2])


def test_data_in_another_form_is_refused():
    with pytest.raises(AnsibleFilterError, match="not have the form"):
        volume_options([{"name": "vg_db"}])


DIRECT = [
    {
        "target": DB,
        "name": "backup",
        "filesystem": "xfs",
        "label": "backup",
        "mount": "/srv/backup",
        "paths": 2,
    },
    {"wwid": "3600a0981", "filesystem": "ext4", "filesystem_options": ["-m", "0"]},
    {"target": DB, "name": "gone", "mount": "/srv/gone", "state": "absent"},
]


def test_file_systems_have_the_disks_after_those_of_the_groups():
    found = [
        *FOUND,
        {"device": "/dev/mapper/four", "paths": [1]},
        {"device": "/dev/mapper/five", "paths": []},
    ]
    options = volume_options(GROUPS, 1, found, DIRECT)
    assert options["disks"][3:] == [
        {"target": DB, "lun": "backup", "paths": 2},
        {"wwid": "3600a0981", "paths": 1},
    ]
    assert options["filesystems"] == [
        {"device": "/dev/mapper/four", "filesystem": "xfs", "label": "backup"},
        {"device": "/dev/mapper/five", "filesystem": "ext4", "filesystem_options": ["-m", "0"]},
    ]
    assert [one["devices"] for one in options["groups"]] == [
        ["/dev/mapper/one", "/dev/mapper/two"],
        ["/dev/mapper/three"],
    ]
    assert options["mounts"][1:] == [
        {"path": "/srv/backup", "device": "/dev/mapper/four", "filesystem": "xfs"}
    ]
    assert options["absent_mounts"] == [
        {"path": "/srv/old", "state": "absent"},
        {"path": "/srv/gone", "state": "absent"},
    ]
    assert options["assume_present"] == ["/dev/mapper/two", "/dev/mapper/three", "/dev/mapper/five"]


def test_a_lun_that_is_wanted_for_two_things_is_named_with_both():
    twins = [*DIRECT, {"target": DB, "name": "db1", "filesystem": "xfs", "mount": "/srv/x"}]
    with pytest.raises(AnsibleFilterError) as refused:
        volume_options(GROUPS, 1, None, twins)
    assert str(refused.value) == (
        f"The LUN 'db1' of '{DB}' is requested for the volume group 'vg_empty' and for the file system on '/srv/x'. "
        "A LUN can only be used for one thing."
    )
