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
        "mounts": [
            {"path": "/srv/db", "device": "/dev/vg_db/data", "filesystem": "xfs", "options": "noatime"}
        ],
        "leaving": [{"path": "/srv/old", "state": "absent"}],
        "claimed": [{"target": DB, "lun": "db0"}, {"wwid": "3600a0980"}, {"target": DB, "lun": "db1"}],
        "promised": ["/dev/mapper/two", "/dev/mapper/three"],
    }


def test_what_is_used_without_multipath_is_not_claimed():
    group = {
        "name": "vg",
        "luns": [{"wwid": "3600a", "multipath": False}, {"wwid": "3600b", "multipath": True}],
    }
    assert volume_options([group])["claimed"] == [{"wwid": "3600b"}]


def test_a_disk_too_few_is_no_group_with_the_wrong_disks():
    with pytest.raises(AnsibleFilterError, match="3 disks are wanted, and 2 were found"):
        volume_options(GROUPS, 2, FOUND[:2])


def test_data_in_another_form_is_refused():
    with pytest.raises(AnsibleFilterError, match="not in the form"):
        volume_options([{"name": "vg_db"}])
