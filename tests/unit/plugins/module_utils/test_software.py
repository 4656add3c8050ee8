# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._software import missing, missing_programs, units
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

DPKG = "dpkg-query --show --showformat=${Package} ${db:Status-Status}\n "
RPM = "rpm --query --queryformat=%{NAME}\n "


@pytest.mark.parametrize(
    ("files", "runs", "asked", "left"),
    [
        (
            {"/var/lib/dpkg/status": "", "/usr/bin/rpm": ""},
            {
                f"{DPKG}lvm2 xfsprogs e2fsprogs lvm2=2.03": {
                    "rc": 1,
                    "out": "e2fsprogs installed\nlvm2 installed\nxfsprogs config-files\n",
                    "err": "dpkg-query: no packages found matching lvm2=2.03\n",
                }
            },
            ["lvm2", "xfsprogs", "e2fsprogs", "lvm2=2.03"],
            ["xfsprogs", "lvm2=2.03"],
        ),
        (
            {"/usr/bin/rpm": ""},
            {f"{RPM}lvm2 targetcli": {"rc": 1, "out": "lvm2\npackage targetcli is not installed\n"}},
            ["lvm2", "targetcli"],
            ["targetcli"],
        ),
        ({}, {}, ["open-iscsi"], ["open-iscsi"]),
        ({"/var/lib/dpkg/status": ""}, {}, [], []),
    ],
    ids=["dpkg", "rpm", "neither", "nothing"],
)
def test_what_is_not_installed_is_told_in_its_order(files, runs, asked, left):
    assert missing(ScriptedHost(files, runs), asked) == left


SHOWN = (
    "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
    "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
)


def test_a_unit_starts_at_boot_runs_now_or_is_not_there():
    host = ScriptedHost(
        {"/run/systemd/system/x": ""},
        {
            "systemctl show --property=LoadState,UnitFileState,ActiveState multipathd.service tgt.service": SHOWN
        },
    )
    assert units(host, ["multipathd.service", "tgt.service"]) == {
        "multipathd.service": {"found": True, "enabled": True, "active": True},
        "tgt.service": {"found": False, "enabled": False, "active": False},
    }


def test_a_program_is_looked_for_where_programs_are():
    host = ScriptedHost({"/usr/sbin/iscsid": "", "/bin/iscsiadm": ""})
    assert missing_programs(host, ["iscsid", "targetctl", "iscsiadm"]) == ["targetctl"]


def test_without_systemd_nothing_is_told_of_units():
    assert units(ScriptedHost(), ["multipathd.service"]) == {}
