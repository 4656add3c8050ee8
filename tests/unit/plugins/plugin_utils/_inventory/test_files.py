# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in files and Ansible leaves out: keys that come again, and the variables of no host."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory import files
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.files import of_nobody, repeated

OURS = {"target_targets", "volume_groups", "san_portals"}


def again(tmp_path, text, groups=False):
    file = tmp_path / "file.yml"
    file.write_text(text)
    return [(place, line) for place, _said, line in repeated(str(file), OURS.__contains__, groups)]


@pytest.mark.parametrize(
    "text, found",
    [
        ("volume_groups: []\nother: 1\nvolume_groups: [1]\n", [("volume_groups", 3)]),
        ("san_portals: a\nsan_portals: b\nsan_portals: c\n", [("san_portals", 2), ("san_portals", 3)]),
        ("volume_groups:\n  - {name: vg, luns: [],\n     luns: [1]}\n", [("volume_groups[0] 'vg', luns", 3)]),
        ("other: 1\nother: 2\nvolume_groups: [{name: a}, {name: b}]\n", []),
        ("volume_groups: [&x {name: a}, {<<: *x, <<: *x, name: b}]\n", []),
        ("volume_groups: &x [{name: a, name: b}]\nmine: *x\n", [("volume_groups[0] 'b', name", 1)]),
        ("volume_groups: !vault |\n  abc\nother: !unsafe x\n", []),
        ("volume_groups: [{\n", []),
        ("", []),
        ("just a text", []),
    ],
)
def test_a_key_of_ours_that_comes_again_is_found(tmp_path, text, found):
    assert again(tmp_path, text) == found


@pytest.mark.parametrize(
    "text, found",
    [
        ("compute:\n  hosts: {a: , b: }\ncompute:\n  hosts: {a: }\n", [("compute", 3)]),
        ("compute:\n  hosts:\n    a:\n    a:\n", [("compute, hosts, a", 4)]),
        ("all:\n  children:\n    x: {hosts: {a: }, hosts: {b: }}\n", [("all, children, x, hosts", 3)]),
        ("compute:\n  hosts: {a: {x: 1, x: 2}}\n  vars: {y: 1, y: 2, z: {hosts: 1, hosts: 2}}\n", []),
        (
            "compute:\n  vars:\n    volume_groups: 1\n    volume_groups: 2\n",
            [("compute, vars, volume_groups", 4)],
        ),
    ],
)
def test_in_an_inventory_so_is_a_group_or_a_host(tmp_path, text, found):
    assert again(tmp_path, text, groups=True) == found


def inventory(tmp_path, **files):
    for name, text in {"hosts.yml": "compute: {hosts: {db-a: }}\n", **files}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def nobodys(place, *sources, hosts=("db-a",)):
    asked = [str(one) for one in sources or [place]]
    return [said for _file, said in of_nobody(asked, hosts, ("all", "ungrouped", "compute"), OURS)]


MINE = "volume_groups: []\n"


@pytest.mark.parametrize("name", ["db_a.yml", "db_a.yaml", "db_a", "db_a/one.yml"])
def test_the_variables_of_a_host_that_does_not_exist_are_found(tmp_path, name):
    place = inventory(tmp_path, **{f"host_vars/{name}": MINE})
    said = "the inventory has no host 'db_a', so nobody reads this file; did you mean 'db-a'?"
    assert nobodys(place) == nobodys(place, place / "hosts.yml") == [said]


@pytest.mark.parametrize("name", ["computes.yml", "Compute", "computes/one.yml"])
def test_the_variables_of_a_group_that_does_not_exist_are_found(tmp_path, name):
    group = name.partition(".")[0].partition("/")[0]
    said = f"the inventory has no group '{group}', so nobody reads this file; did you mean 'compute'?"
    assert nobodys(inventory(tmp_path, **{f"group_vars/{name}": MINE})) == [said]


@pytest.mark.parametrize(
    "files",
    [
        {"group_vars/all.yml": MINE, "group_vars/compute/san.yml": MINE, "group_vars/ungrouped": MINE},
        {"group_vars/databases.yml": "ntp: 1\n"},
        {"group_vars/os_Debian.yml": MINE},  # a run may make it (group_by)
        {"group_vars/compute.yml.example": MINE, "group_vars/compute.yml.j2": MINE},
        {"host_vars/db-a.yml.example": MINE, "staging/hosts": "[databases]\nother-host\n"},
        {"host_vars/other-host.yml": MINE, "staging/hosts": "[databases]\nother-host\n"},
        {"group_vars/os_Debian.yml": MINE, "groups.yml": "plugin: ansible.builtin.constructed\n"},
        {"group_vars/databases.yml": MINE, "script": "#!/bin/sh\n"},
    ],
)
def test_the_variables_of_a_group_that_there_is_or_may_be_are_not_named(tmp_path, files):
    place = inventory(tmp_path, **files)
    if "script" in files:
        (place / "script").chmod(0o755)
    assert nobodys(place) == []


def test_a_folder_that_several_inventories_share_may_be_of_another(tmp_path):
    place = inventory(tmp_path / "staging", **{"../shared/one.yml": MINE})
    for kind in ("host_vars", "group_vars"):
        (place / kind).symlink_to("../shared")
    assert nobodys(place) == []


def test_where_no_host_is_like_it_the_message_says_what_to_do(tmp_path):
    (said,) = nobodys(inventory(tmp_path, **{"host_vars/www.example.com": MINE}))
    assert said.endswith("so nobody reads this file; add it to its groups, or remove the file")


@pytest.mark.parametrize(
    "files",
    [
        {"host_vars/db-a.yml": MINE},
        {"host_vars/localhost.yml": MINE},
        {"host_vars/db_a.yml": "ntp: 1\n"},
        {"host_vars/db_a.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"},
        {"host_vars/db_a.yml~": MINE, "host_vars/.db_a.yml.swp": "x"},
        {"host_vars/db_a.yml": MINE, "hosts.yml": "plugin: somewhere.cloud.hosts\n"},
    ],
)
def test_what_is_right_or_cannot_be_known_is_not_named(tmp_path, files):
    assert nobodys(inventory(tmp_path, **files)) == []


@pytest.mark.parametrize(
    "other", ["[compute]\ndb_a ansible_host=10.0.0.1\n", "[compute]\ndb[01:20]\n", "plugin: x.y.z\n"]
)
def test_another_inventory_beside_it_may_have_the_host(tmp_path, other):
    place = inventory(tmp_path, **{"host_vars/db_a.yml": MINE, "staging": other})
    assert nobodys(place, place / "hosts.yml") == []
    place = inventory(tmp_path, **{"staging": "[compute]\nanother\n"})
    assert len(nobodys(place, place / "hosts.yml")) == 1


def unreadable(file, monkeypatch):
    """As for somebody who may not read it; root may."""
    read = Path.read_bytes

    def refuse(self):
        if self == file:
            raise PermissionError(13, "Permission denied", str(self))
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)


def test_a_file_that_cannot_be_read_or_is_too_large_may_have_the_host(tmp_path, monkeypatch):
    place = inventory(tmp_path, **{"host_vars/db_a.yml": MINE, "vault.pass": "x"})
    assert len(nobodys(place, place / "hosts.yml")) == 1
    with monkeypatch.context() as patched:
        unreadable(place / "vault.pass", patched)
        assert nobodys(place, place / "hosts.yml") == []
    monkeypatch.setattr(files, "MOST", 100)
    (place / "vault.pass").write_text("x" * 101)
    assert nobodys(place, place / "hosts.yml") == []


def test_the_inventory_itself_may_be_unreadable_here(tmp_path, monkeypatch):
    place = inventory(tmp_path, **{"host_vars/db_a.yml": MINE})
    unreadable(place / "hosts.yml", monkeypatch)
    assert nobodys(place, place / "hosts.yml") == []
    assert list(repeated(str(place / "hosts.yml"), OURS.__contains__, True)) == []


def test_what_is_no_file_or_no_text_is_passed_over(tmp_path, monkeypatch):
    place = inventory(tmp_path, **{"host_vars/db_a.yml": MINE, "host_vars/db_b/one.yml": "volume_groups: 1"})
    for folder in (place, place / "host_vars", place / "host_vars/db_b"):
        os.mkfifo(folder / "pipe.yml")
        with socket.socket(socket.AF_UNIX) as opened:
            monkeypatch.chdir(folder)  # an address of a socket has room for 107 bytes
            opened.bind("socket.yml")
        (folder / "loop.yml").symlink_to("loop.yml")
        (folder / "around").symlink_to(".")
        (folder / "latin").write_bytes(b"volume_groups: \xe4\xff\0")
    found = nobodys(place, place / "hosts.yml", hosts=("db-a", "around"))
    assert [said.split("'")[1] for said in found] == ["db_a", "db_b"]
    assert list(repeated(str(place / "pipe.yml"), OURS.__contains__, True)) == []


def test_variables_beside_no_inventory_say_nothing_of_who_there_is(tmp_path):
    place = inventory(tmp_path / "one", **{"host_vars/db_a.yml": MINE})
    (place / "hosts.yml").rename(tmp_path / "hosts.yml")
    assert nobodys(place, place, tmp_path / "hosts.yml") == []
