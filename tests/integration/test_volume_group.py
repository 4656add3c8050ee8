# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from contextlib import contextmanager

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.own_disks import converged, left_alone, says_no

OTHER = '--config \'local/system_id="db-b" global/system_id_source="lvmlocal"\''


def told(host, name):
    """What the info module says of the groups of this name."""
    return succeeded(host, host.module("volume_group_info", names=[name]))["groups"]


def group(part, name="vg_t", **options):
    """A case of left_alone."""
    return "volume_group", part, {"name": name, **options}


def test_a_group_lives_from_its_first_disk_to_its_end(compute, disks):
    first, second = disks.make("a", 64), disks.make("b", 64)
    made = converges(
        compute, "volume_group", {"name": "vg_t", "devices": [first], "extent_size": "1m", "tags": ["db"]}
    )
    assert made["steps"] == [f"Create the volume group 'vg_t' on '{first}'"]
    assert made["state"]["groups"][0]["extent_size"] == 1 << 20
    converged(compute, "volume_groups", {"groups": [{"name": "vg_t", "devices": [first, second]}]}, True)
    disks.grow("b", 96)
    more = {"name": "vg_t", "tags": ["db", "left"], "autoactivation": False, "state": "active"}
    assert [step.split(" ")[0] for step in converged(compute, "volume_group", more, True)] == ["Grow", "Add"]
    now = told(compute, "vg_t")[0]
    assert now["size"] > 140 << 20 and now["tags"] == ["db", "left"] and now["autoactivation"] is False
    assert [one["wwid"] for one in now["physical_volumes"]] == [disks.wwid("a"), disks.wwid("b")]
    converged(compute, "volume_group", {"name": "vg_t", "state": "absent"}, True)
    assert compute.run(f"wipefs {first} {second}").out == ""


def test_a_group_leaves_and_comes_back(compute, disks):
    disk = disks.make("a", 64)
    compute.run(f"vgcreate vg_t {disk} && lvcreate -y -n data -L 8m vg_t && lvcreate -y -n log -L 8m vg_t")
    left = converges(compute, "volume_group", {"name": "vg_t", "state": "exported"})
    assert left["steps"] == ["Deactivate the volume group 'vg_t'", "Export the volume group 'vg_t'"]
    assert told(compute, "vg_t")[0]["state"] == "exported"
    left_alone(
        compute,
        group("The volume group 'vg_t' is exported", devices=[disk]),
        group("is exported", state="absent", force=True),
        (
            "logical_volume",
            "is exported",
            {"group": "vg_t", "name": "data", "state": "absent", "force": True},
        ),
    )
    converged(compute, "volume_group", {"name": "vg_t", "state": "imported"}, True)
    converged(compute, "volume_group", {"name": "vg_t", "state": "active"}, True)
    says_no(compute, group("it contains the logical volumes 'data' and 'log'", state="absent"))
    converged(compute, "volume_group", {"name": "vg_t", "state": "absent", "force": True})
    assert told(compute, "vg_t") == []


def test_many_groups_leave_and_come_back_together_and_one_that_does_not_is_named(compute, disks):
    names = ["vg_t", "vg_u"]
    for name, disk in zip(names, (disks.make("a", 64), disks.make("b", 64))):
        compute.run(f"vgcreate {name} {disk} && lvcreate -y -n data -L 8m {name}")

    def asked(**options):
        return {"groups": [{"name": name, **options} for name in names]}

    left = converges(compute, "volume_groups", asked(state="exported"))
    assert left["steps"] == [
        f"{step} the volume group '{name}'" for step in ("Deactivate", "Export") for name in names
    ]
    assert [one["exported"] for name in names for one in told(compute, name)] == [True, True]
    converged(compute, "volume_groups", asked(state="active", imported=True, tags=["back"]), True)
    converged(compute, "volume_groups", asked(state="inactive", tags=[]), True)
    own = compute.read("/etc/lvm/lvmlocal.conf")
    try:
        compute.write(
            "/etc/lvm/lvmlocal.conf", own + 'activation { volume_list=["vg_t", "@mine"] }\n'
        )  # lvm.conf(5)
        half = compute.module("volume_groups", **asked(state="active"))
        compute.write("/etc/lvm/lvmlocal.conf", own + 'activation { volume_list=["vg_t"] }\n')
        left_alone(compute, ("volume_groups", "'vg_u/data' would not be activated", asked(state="active")))
    finally:
        compute.write("/etc/lvm/lvmlocal.conf", own)
    assert half["failed"] and half["steps_left"] == ["Activate the volume group 'vg_u'"]
    assert [one["state"] for name in names for one in told(compute, name)] == ["active", "inactive"]
    converged(compute, "volume_groups", asked(state="absent", force=True))


def test_a_group_in_use_stays_and_its_users_are_named(compute, disks):
    disk = disks.make("a", 64)
    compute.run(
        f"vgcreate vg_t {disk} && lvcreate -y -n data -L 16m vg_t && mkfs.ext4 -q /dev/vg_t/data && mkdir -p /mnt/vg"
        " && mount /dev/vg_t/data /mnt/vg"
    )
    left_alone(
        compute,
        *(group("is mounted on '/mnt/vg'", state=state) for state in ("inactive", "exported", "absent")),
        group("it is active", system_id="db-b"),
    )
    volume = told(compute, "vg_t")[0]["logical_volumes"][0]
    assert (volume["filesystem"], volume["mounts"]) == ("ext4", ["/mnt/vg"])
    saved = compute.module("volume_group_info", names=["vg_t"], metadata=True)["groups"][0]["metadata"]
    compute.write("/tmp/vg_t.vg", saved)
    assert "vg_t" in compute.run("vgcfgrestore --list -f /tmp/vg_t.vg").out
    assert "is mounted on '/mnt/vg'" in volume["users"][0]


def test_no_disk_with_anything_on_it_becomes_a_physical_volume(compute, disks):
    full, clean, sister = disks.make("a", 64), disks.make("b", 64), disks.make("c", 64)
    node = compute.run(f"readlink -f {clean}").out.strip()
    compute.run(f"mkfs.ext4 -q {full} && vgcreate -q vg_o {sister} && mkdir -p /mnt/vg && udevadm settle")
    left_alone(
        compute,
        group(f"Name it by its identity, '{clean}'", devices=[node]),
        group("there is no such device", devices=[disks.path("never")]),
        group("it is not a block device", devices=["/dev/mapper/control"]),
        group("are the same disk", devices=[clean, clean.replace("scsi-3", "wwn-0x")]),
        group("it is not blank (ext4)", devices=[clean, full]),
        group("it belongs to the volume group 'vg_o'", devices=[sister]),
        group("on other disks", name="vg_o", devices=[clean]),
    )
    compute.run(f"mount {full} /mnt/vg")
    says_no(compute, group("is mounted on '/mnt/vg'", devices=[full]))
    compute.run(f"umount /mnt/vg && wipefs -qa {full} && parted -s {full} mklabel gpt && udevadm settle")
    says_no(compute, group("it is not blank (gpt", devices=[full]))
    compute.run(f"wipefs -qa {full} && pvcreate -q {full} && udevadm settle")
    says_no(compute, group("it is not blank (LVM2_member)", devices=[full]))


def test_a_promised_disk_is_predicted_and_still_needed(compute, disks):
    path = disks.path("late")
    options = {"name": "vg_t", "devices": [path], "assume_present": [path]}
    checked = succeeded(compute, compute.module("volume_group", check=True, **options))
    assert checked["steps"] == [f"Create the volume group 'vg_t' on '{path}'"]
    failed = compute.module("volume_group", **options)
    assert failed["failed"] and not failed["changed"] and "there is no such device" in failed["msg"]
    assert told(compute, "vg_t") == []


def test_what_belongs_to_another_host_is_named_and_left_alone(compute, disks):
    disk, clean = disks.make("a", 64), disks.make("b", 64)
    compute.run(f"vgcreate {OTHER} vg_f {disk}")
    assert (told(compute, "vg_f")[0]["state"], told(compute, "vg_f")[0]["system_id"]) == ("foreign", "db-b")
    attempts = [
        {"devices": [disk, clean]},
        {"state": "active"},
        {"state": "absent", "force": True},
        {"state": "imported"},
        {"tags": ["mine"]},
        {"system_id": ""},
    ]
    left_alone(
        compute,
        *(group("belongs to the host with the system ID 'db-b'", name="vg_f", **one) for one in attempts),
        group("belongs to the volume group 'vg_f'", devices=[disk]),
        ("logical_volume", "system ID 'db-b'", {"group": "vg_f", "name": "data", "size": "4m"}),
    )


def test_a_group_is_handed_over(compute, disks):
    disk = disks.make("a", 64)
    compute.run(f"vgcreate vg_t {disk} && lvcreate -y -n data -L 8m vg_t")
    converged(compute, "volume_group", {"name": "vg_t", "state": "inactive", "system_id": "db-b"}, True)
    assert told(compute, "vg_t")[0]["state"] == "foreign"


def test_a_group_that_the_devices_file_hides_is_seen_and_listed(compute, disks):
    disk, clean = disks.make("a", 64), disks.make("b", 64)
    compute.run(
        f"vgcreate -q vg_t {disk} && lvcreate -q -y -n data -L 8m vg_t && vgchange -an vg_t && vgexport vg_t"
    )
    compute.run(
        "mkdir -p /etc/lvm/devices && touch /etc/lvm/devices/system.devices &&"
        " echo 'devices/use_devicesfile=1' >>/etc/lvm/lvmlocal.conf"
    )
    try:
        assert compute.run("vgs --noheadings").out == ""
        assert told(compute, "vg_t")[0]["hidden"] and told(compute, "vg_t")[0]["exported"]
        says_no(compute, group("it belongs to the volume group 'vg_t'", name="vg_o", devices=[disk]))
        steps = converged(compute, "volume_group", {"name": "vg_t", "state": "imported"})
        assert steps == [
            "Add the disks of the volume group 'vg_t' to LVM's devices file",
            "Import the volume group 'vg_t'",
        ]
        converged(compute, "volume_group", {"name": "vg_t", "devices": [disk, clean]})
        assert compute.run("grep -c PVID= /etc/lvm/devices/system.devices").out.strip() == "2"
        converged(compute, "volume_group", {"name": "vg_t", "state": "absent", "force": True})
    finally:
        compute.run("rm -rf /etc/lvm/devices")


def test_a_group_that_misses_a_disk_may_only_let_go(compute, disks):
    first, second = disks.make("a", 64), disks.make("b", 64)
    compute.run(f"vgcreate vg_t {first} {second} && lvcreate -y -n data -L 8m vg_t {first}")
    disks.hide("b")
    assert told(compute, "vg_t")[0]["state"] == "partial"
    attempts = (
        {"devices": [first]},
        {"tags": ["x"]},
        {"state": "exported"},
        {"state": "absent", "force": True},
    )
    left_alone(
        compute,
        *(group("lacks 1 of its 2 physical volumes", **one) for one in attempts),
        ("logical_volume", "lacks 1 of its 2", {"group": "vg_t", "name": "data", "size": "16m"}),
    )
    converged(compute, "volume_group", {"name": "vg_t", "state": "inactive"})
    disks.show("b")
    converged(compute, "volume_group", {"name": "vg_t", "state": "active"})


def test_copies_and_namesakes_are_named_and_nobody_guesses(compute, disks):
    first, copy, third = disks.make("a", 64), disks.make("b", 64), disks.make("c", 64)
    compute.run(
        f"vgcreate vg_t {first} && dd if={first} of={copy} bs=1M count=64 status=none && udevadm settle"
    )
    now = told(compute, "vg_t")[0]
    assert now["state"] == "duplicate" and len(now["copies"]) == 1
    left_alone(
        compute,
        group("with copies", state="active"),
        group("with copies", devices=[first, third]),
    )
    node = compute.run(f"readlink -f {third}").out.strip()
    only = f'--config \'devices/filter=["a|{node}|","r|.*|"]\''
    compute.run(f"wipefs -qa {copy} && vgcreate {only} vg_t {third}")
    assert len(told(compute, "vg_t")) == 2
    says_no(
        compute,
        group("There are 2 volume groups named 'vg_t'", state="active"),
        ("logical_volume", "There are 2 volume groups", {"group": "vg_t", "name": "data", "size": "4m"}),
    )


def test_a_path_of_a_map_is_refused_and_the_map_is_taken(compute, disks):
    disks.paths = 2
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    try:
        path = disks.make("a", 64)
        compute.run(f"multipath -a {disks.wwid('a')}; multipathd add map {disks.wwid('a')}; udevadm settle")
        node = compute.run(f"readlink -f {path}").out.strip()
        slave = compute.run(f"ls /sys/class/block/$(basename {node})/slaves | head -1").out.strip()
        compute.run(f"mkdir -p /dev/disk/by-test && ln -sfn /dev/{slave} /dev/disk/by-test/slave")
        left_alone(
            compute,
            group(f"Name it by its identity, '{path}'", devices=[node]),
            group(f"/dev/{slave} is a path of the multipath map", devices=["/dev/disk/by-test/slave"]),
        )
        converged(compute, "volume_group", {"name": "vg_t", "devices": [path]})
        assert told(compute, "vg_t")[0]["physical_volumes"][0]["wwid"] == disks.wwid("a")
    finally:
        compute.run(
            f"multipath -f {disks.wwid('a')}; multipath -w {disks.wwid('a')}; rm -rf /dev/disk/by-test;"
            " systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath",
            check=False,
        )


@contextmanager
def right_before(host, program, act, nth=1):
    """Somebody else acts when a module calls this program for the nth time, before the program begins."""
    path = f"/usr/local/sbin/{program}"
    host.write(
        path,
        f"""#!/bin/sh
echo >>/run/meanwhile
[ "$(wc -l </run/meanwhile)" != {nth} ] || {{ {act}; }} >/dev/null 2>&1
exec /usr/sbin/{program} "$@"
""",
        0o755,
    )
    try:
        yield
    finally:
        host.run(f"rm -f {path} /run/meanwhile")


@pytest.mark.parametrize(
    "program, options",
    [
        ("vgs", {"state": "inactive", "system_id": "db-b"}),
        ("vgs", {"devices": ["extend"]}),
        ("vgs", {"tags": []}),
        ("vgremove", {"state": "absent", "force": True}),
    ],
    ids=["handed over", "extended", "grown", "removed"],
)
def test_what_somebody_changes_right_before_is_found_and_nothing_is_done(compute, disks, program, options):
    disk, more = disks.make("a", 64), disks.make("b", 64)
    compute.run(f"vgcreate -q vg_t {disk} && lvcreate -q -y -n data -L 8m vg_t")
    if "tags" in options:
        disks.grow("a", 96)
    if "devices" in options:
        options = {"devices": [disk, more]}
    seqno = told(compute, "vg_t")[0]["seqno"]
    with right_before(compute, program, "/usr/sbin/vgchange --addtag somebody vg_t"):
        failed = compute.module("volume_group", name="vg_t", **options)
    number = seqno + 1
    assert failed["failed"], failed
    assert f"with the sequence number {seqno} of its metadata, found {number}: somebody else" in failed["msg"]
    (left,) = told(compute, "vg_t")
    assert (left["tags"], left["seqno"], left["system_id"]) == (["somebody"], number, None)
    assert len(left["physical_volumes"]) == 1 and left["size"] < 64 << 20
    assert [one["name"] for one in left["logical_volumes"]] == ["data"]
    converged(compute, "volume_group", {"name": "vg_t", **options})


def test_the_group_of_a_dead_host_that_came_back_is_not_taken_over(compute, disks):
    disk = disks.make("a", 64)
    compute.run("cp -a /etc/lvm/lvmlocal.conf /run/lvmlocal.conf")
    compute.run(
        'echo \'local { system_id = "db-a" }\nglobal { system_id_source = "lvmlocal" }\' >>/etc/lvm/lvmlocal.conf'
    )
    try:
        compute.run(f"vgcreate {OTHER} -q vg_f {disk}")
        seqno = told(compute, "vg_f")[0]["seqno"]
        options = {"name": "vg_f", "state": "imported", "take_over_from": "db-b"}
        with right_before(compute, "vgs", f"/usr/sbin/vgchange {OTHER} --addtag back vg_f"):
            failed = compute.module("volume_group", **options)
        assert f"number {seqno} of its metadata, found {seqno + 1}" in failed["msg"]
        assert told(compute, "vg_f")[0]["system_id"] == "db-b"
        converged(compute, "volume_group", options)
        assert told(compute, "vg_f")[0]["system_id"] == "db-a"
        converged(compute, "volume_group", {"name": "vg_f", "state": "absent"})
    finally:
        compute.run("mv /run/lvmlocal.conf /etc/lvm/lvmlocal.conf")


def test_a_disk_that_somebody_takes_right_before_joins_no_group(compute, disks):
    """The module asks wipefs once when it looks, and again right before."""
    disk = disks.make("a", 64)
    with right_before(compute, "wipefs", f"/usr/sbin/vgcreate -q vg_o {disk}", nth=2):
        failed = compute.module("volume_group", name="vg_t", devices=[disk])
    assert f"'{disk}' was empty and unused when this was planned" in failed["msg"]
    assert "it is not blank (LVM2_member)" in failed["msg"]
    assert told(compute, "vg_o") and not told(compute, "vg_t")
    converged(compute, "volume_group", {"name": "vg_o", "state": "absent"})


def test_a_volume_that_bears_the_name_of_one_that_shall_go_stays(compute, disks):
    compute.run(f"vgcreate -q vg_t {disks.make('a', 64)} && lvcreate -q -y -n data -L 8m vg_t")
    gone = {"group": "vg_t", "name": "data", "state": "absent", "force": True}
    renamed = "/usr/sbin/lvrename vg_t/data vg_t/old && /usr/sbin/lvcreate -q -y -n data -L 12m vg_t"
    with right_before(compute, "lvremove", renamed):
        failed = compute.module("logical_volume", **gone)
    assert (
        "still differs from what was requested: Remove the logical volume 'data' in 'vg_t'" in failed["msg"]
    )
    volumes = {one["name"]: one["size"] >> 20 for one in told(compute, "vg_t")[0]["logical_volumes"]}
    assert volumes == {"data": 12, "old": 8}
    converged(compute, "logical_volume", gone)
    assert [one["name"] for one in told(compute, "vg_t")[0]["logical_volumes"]] == ["old"]
