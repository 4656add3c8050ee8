# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file system whose disks are gone: its mount point does not answer, and goes all the same."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost


class Dead(ScriptedHost):
    """xfs that has shut itself down answers EIO to every call (Linux, fs/xfs/xfs_iops.c, xfs_vn_getattr)."""

    def stat(self, path):
        if path == "/srv/db":
            raise Problem(f"Cannot look at '{path}': Input/output error.")
        return super().stat(path)


def test_a_dead_file_system_is_unmounted_without_asking_it():
    mounts = "25 1 98:0 / / rw shared:1 - ext4 /dev/root rw\n"
    mounts += "31 25 253:0 / /srv/db rw shared:2 - xfs /dev/mapper/vg_db-data rw\n"
    host = Dead(
        {
            "/run/systemd/system": {"kind": "directory"},
            "/etc/fstab": "/dev/ubda / ext4 defaults 0 1\n",
            "/proc/self/mountinfo": mounts,
            "/dev/mapper/vg_db-data": {"kind": "block", "rdev": 64768},
        },
        changing=("umount", "mount", "systemctl"),
    )
    (resource,) = resources_of("mounts", {"mounts": [{"path": "/srv/db", "state": "absent"}]})
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    assert any("/srv/db" in str(step) and "nmount" in str(step) for step in steps)
