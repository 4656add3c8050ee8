# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that may only be read until the kernel asks again."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._block import write_protect as disk_access
from ansible_collections.lunworks.iscsi.plugins.module_utils._block.write_protect import (
    is_read_only,
    make_writable,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

B = "/sys/class/block"
HEARD = "run udevadm settle --timeout=12"  # 10 seconds, and one for each path
SETTLED = "run udevadm settle --timeout=11"
TOLD = "run multipathd -k"
LINK = "/dev/disk/by-id/dm-uuid-mpath-3600"


class Scanned(ScriptedHost):
    """A path changes as 'after' says when it is scanned. The map is loaded again when it is looked at for the third time, when
    multipathd, if it runs, was told to for the second time, or when it is recreated, which a user of it may prevent.
    """

    def __init__(self, after, loads=True, told=True, runs=True, free=True):
        super().__init__(
            files={
                f"{B}/dm-0/slaves/sda": {"link": "/sys/devices/sda"},
                f"{B}/dm-0/slaves/sdb": {"link": "/sys/devices/sdb"},
                f"{B}/dm-0/ro": "1\n",
                f"{B}/dm-0/dm/name": "mpatha\n",
                f"{B}/dm-0/dm/uuid": "mpath-3600\n",
                LINK: {"link": "/dev/dm-0"},
                **{f"{B}/{name}/ro": "1\n" for name in ("sda", "sdb")},
                **{f"{B}/{name}/device/wwid": "naa.1\n" for name in ("sda", "sdb")},
                **{f"{B}/{name}/device/rescan": "" for name in ("sda", "sdb")},
                **{f"{B}/{name}/device/state": "running\n" for name in ("sda", "sdb")},
            },
            runs={
                "systemctl show -p ActiveState multipathd.service": f"ActiveState={'active' if runs else 'inactive'}\n",
                "udevadm settle --timeout=11": "",
                "udevadm settle --timeout=12": "",
            },
            changing=["tee", "blockdev", "multipathd", "udevadm settle"],
        )
        self.after, self.loads, self.told, self.free, self.looks = after, loads, told, free, 0

    def run(self, *argv, **options):
        ran = super().run(*argv, **options)
        place, verb = argv[1].rpartition("/device/")[::2]
        if verb == "rescan":
            name = place.rpartition("/")[2]
            after = self.after.get(name, self.after)
            self.files.update({f"{place}/{key}": text for key, text in after.items()})
        if self.told and self.did.count(TOLD) == 2:
            self.files[f"{B}/dm-0/ro"] = "0\n"
        if self.free and argv == ("multipathd", "remove", "map", "mpatha"):
            self.files = {
                path: text for path, text in self.files.items() if "dm-0" not in path and path != LINK
            }
        if (
            argv == ("multipathd", "add", "map", "3600")
            and self.did.count("run multipathd add map 3600") == 2
        ):
            self.files.update({f"{B}/dm-1/slaves/sda": {"link": "/sys/devices/sda"}, f"{B}/dm-1/ro": "0\n"})
            self.files.update({LINK: {"link": "/dev/dm-1"}, "/dev/dm-1": ""})
        if verb == "delete":
            self.files = {path: text for path, text in self.files.items() if not path.startswith(place)}
            del self.files[f"{B}/dm-0/slaves/{place.rpartition('/')[2]}"]
        return ran

    def until(self, test, seconds, every=0.1):
        for _look in range(5):
            self.looks += 1
            if self.looks == 3 and self.loads:
                self.files[f"{B}/dm-0/ro"] = "0\n"
            if test():
                return True
        return False


def test_every_path_is_asked_again_then_the_map_is_waited_for_and_what_is_cached_dropped():
    host = Scanned({"ro": "0\n"})
    assert is_read_only(host, "dm-0")
    make_writable(host, ["dm-0"])
    assert not is_read_only(host, "dm-0") and host.looks == 3
    assert sorted(host.did[:2]) == [f"run tee {B}/{name}/device/rescan" for name in ("sda", "sdb")]
    assert host.did[2:] == [
        HEARD,
        "run blockdev --flushbufs /dev/dm-0",
        SETTLED,
    ]


def test_a_map_that_multipathd_has_not_loaded_again_is_loaded_when_it_is_told_to():
    host = Scanned({"ro": "0\n"}, loads=False)
    make_writable(host, ["dm-0"])
    assert not is_read_only(host, "dm-0")
    assert host.did[3:] == [TOLD] * 2 + [
        "run blockdev --flushbufs /dev/dm-0",
        SETTLED,
    ]


def test_a_map_that_multipathd_keeps_read_only_is_recreated():
    host = Scanned({"ro": "0\n"}, loads=False, told=False)
    make_writable(host, ["dm-0"])
    assert host.real(LINK) == "/dev/dm-1" and not is_read_only(host, "dm-1")
    assert host.did[3 : 3 + 5] == [TOLD] * 5
    assert host.did[8:] == ["run multipathd remove map mpatha"] + ["run multipathd add map 3600"] * 2 + [
        SETTLED
    ]


@pytest.mark.parametrize(
    "after, more, said",
    [
        ({}, {}, "'/dev/sda' is read-only"),
        ({"ro": "0\n", "device/wwid": "naa.2\n"}, {}, "'/dev/sda' answers as a different disk than before"),
        (
            {"ro": "0\n"},
            {"loads": False, "told": False, "free": False},
            "'mpatha' is read-only and was not reloaded",
        ),
        ({"ro": "0\n"}, {"loads": False, "runs": False}, "multipathd does not run. Start it"),
        ({"device/state": "blocked\n"}, {}, "No path of '/dev/dm-0' answers: '/dev/sda', '/dev/sdb'"),
    ],
)
def test_what_stays_read_only_or_is_another_disk_is_named(after, more, said):
    host = Scanned(after, **more)
    with pytest.raises(Problem) as told:
        make_writable(host, ["dm-0"])
    assert said in str(told.value)
    assert not [did for did in host.did if "blockdev" in did]


def test_a_path_that_does_not_answer_is_taken_away_beside_another_one():
    host = Scanned({"sda": {"device/state": "transport-offline\n"}, "sdb": {"ro": "0\n"}})
    make_writable(host, ["dm-0"])
    assert sorted(host.did[:2]) == [f"run tee {B}/{name}/device/rescan" for name in ("sda", "sdb")]
    assert host.did[2:] == [
        f"run tee {B}/sda/device/delete",
        HEARD,
        "run blockdev --flushbufs /dev/dm-0",
        SETTLED,
    ]


def test_a_disk_without_a_map_is_its_own_path():
    host = ScriptedHost(files={f"{B}/vdb/ro": "1\n"})
    assert disk_access.paths_of(host, "vdb") == ["vdb"] and is_read_only(host, "vdb")
    with pytest.raises(Problem, match="'/dev/vdb' is read-only"):
        make_writable(host, ["vdb"])
