# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LVM and file systems as others have them: their lvm.conf, their labels, their partitions, their file systems."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, same, succeeded
from ansible_collections.lunworks.iscsi.tests.integration.own_disks import converged, left_alone
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import AREA, pv_bytes

LOCAL = "/etc/lvm/lvmlocal.conf"
ODD = """
report { output_format="json" compact_output=1 compact_output_cols="vg_tags,vg_exported" binary_values_as_numeric=1
  list_item_separator=";" prefixes=1 quoted=0 headings=2 separator="|" columns_as_rows=1 }
log { command_names=1 prefix="lvm: " verbose=2 report_command_log=1 silent=1 }
global { units="r" suffix=1 }
"""
GROUP = (
    'vg {{\nid = "u"\nseqno = {0}\nphysical_volumes {{\npv0 {{\nid = "p"\n}}\n}}\nlogical_volumes{1}\n}}\n'
)
TARGET = "iqn.2026-01.com.example:labels"


def told(host):
    return succeeded(host, host.module("volume_group_info", names=["vg_t", "vg_u"], metadata=True))


def test_what_lvm_conf_makes_reports_print_changes_nothing(compute, disks):
    first, second = disks.make("a", 64), disks.make("b", 64)
    own = compute.read(LOCAL)
    before = told(compute)
    compute.write(LOCAL, own + ODD)
    try:
        assert told(compute) == before
        converges(
            compute, "volume_groups", {"groups": [{"name": "vg_t", "devices": [first], "tags": ["a", "b"]}]}
        )
        volume = {"group": "vg_t", "name": "data", "size": "12m", "filesystem": "ext4"}
        converges(compute, "logical_volumes", {"volumes": [volume, {**volume, "name": "log"}]})
        wanted = [
            {"name": "vg_t", "devices": [first, second], "state": "active", "tags": ["a", "b"]},
        ]
        converged(compute, "volume_groups", {"groups": wanted}, True)
        odd = told(compute)
        compute.write(LOCAL, own)
        assert odd == told(compute)
        compute.write(LOCAL, own + ODD)
        group = odd["groups"][0]
        assert (group["state"], group["tags"], group["missing"], len(group["physical_volumes"])) == (
            "active",
            ["a", "b"],
            [],
            2,
        )
        left = converged(compute, "volume_groups", {"groups": [{"name": "vg_t", "state": "exported"}]})
        assert left == ["Deactivate the volume group 'vg_t'", "Export the volume group 'vg_t'"]
        left_alone(
            compute, ("volume_group", "is exported", {"name": "vg_t", "state": "absent", "force": True})
        )
        converged(
            compute, "volume_groups", {"groups": [{"name": "vg_t", "state": "active", "imported": True}]}
        )
        converged(compute, "volume_groups", {"groups": [{"name": "vg_t", "state": "absent", "force": True}]})
    finally:
        compute.write(LOCAL, own)


def test_a_volume_that_cannot_get_its_file_system_is_not_left_behind(compute, disks):
    compute.run(f"vgcreate -q vg_t {disks.make('a', 64)}")
    before = compute.fingerprint()
    small = {"group": "vg_t", "name": "data", "size": "10m", "filesystem": "xfs"}
    failed = compute.module("logical_volume", **small)
    assert failed["failed"] and "too small" in failed["msg"] and "is removed again" in failed["msg"]
    assert "Usage" not in failed["msg"] and len(failed["msg"]) < 300
    assert compute.run("lvs --noheadings vg_t").out == ""
    left_alone(
        compute,
        *(
            ("logical_volume", part, {**small, "filesystem": "ext4", "filesystem_options": words})
            for words, part in (
                ("-L data", "[-L, 'data']"),
                ("-E stride=16,stripe_width=64", "[-E, 'stride=16']"),
                (["/srv/other"], "is neither an option"),
                (["-qF"], "is not accepted"),
                (["-n"], "is not accepted"),
            )
        ),
        ("logical_volume", "it needs 1 TiB more, and 60 MiB are free", {**small, "size": "1t"}),
        ("logical_volume", "no disk or file has more than", {**small, "size": "9" * 400}),
    )
    after = compute.fingerprint()
    assert {name for name in before if before[name] != after.get(name)} <= {"lvm", "lvm files"}, (
        "only LVM counts its changes"
    )
    made = {**small, "filesystem": "ext4", "filesystem_options": ["-L", "my data", "-m0"], "size": "1.1g"}
    assert "needs 1.1 GiB more" in compute.module("logical_volume", **made)["msg"]
    converged(compute, "logical_volume", {**made, "size": "10.3m"}, True)
    assert compute.run("e2label /dev/vg_t/data").out == "my data\n"


def test_a_file_system_directly_on_a_disk(compute, disks):
    blank, other, theirs = disks.make("a", 64), disks.make("b", 64), disks.make("c", 320)
    compute.run(f"udevadm settle && mkfs.xfs -q -L theirs {theirs} && pvcreate -q {other} && udevadm settle")

    def asked(device, **more):
        return "filesystems", {"filesystems": [{"device": device, "filesystem": "ext4", **more}]}

    made = converges(compute, *asked(blank, label="backup", filesystem_options=["-m", "0"]))
    assert made["steps"] == [f"Make the ext4 file system on '{blank}'"]
    assert compute.run(f"blkid -p -o value -s LABEL {blank}").out == "backup\n"
    node = compute.run(f"readlink -f {blank}").out.strip()
    left_alone(
        compute,
        *(
            ("filesystems", part, asked(device, **more)[1])
            for device, part, more in (
                (theirs, "holds xfs and must hold ext4. It is not overwritten", {}),
                (
                    theirs,
                    "has the label 'theirs' and must have 'ours'",
                    {"filesystem": "xfs", "label": "ours"},
                ),
                (other, "holds LVM2_member", {}),
                (node, f"Name it by its identity, '{blank}'", {}),
                (disks.path("never"), "there is no such device", {}),
            )
        ),
    )
    kept = succeeded(compute, compute.module("filesystems", **asked(theirs, filesystem="xfs")[1]))
    assert not kept["changed"] and kept["state"]["filesystems"][0]["label"] == "theirs"
    disks.grow("a", 96)
    unmounted = succeeded(compute, compute.module("filesystems", **asked(blank)[1]))
    assert not unmounted["changed"] and "It grows once it is mounted" in str(unmounted["warnings"])
    mount = {"mounts": [{"path": "/mnt/vg", "device": blank, "filesystem": "ext4"}]}
    converged(compute, "mounts", mount, True)
    compute.run("echo kept >/mnt/vg/file")
    grown = converges(compute, *asked(blank))
    assert grown["steps"] == [f"Grow the ext4 file system on '{blank}' to the size of its device"]
    assert int(compute.run("df --output=size -B1M /mnt/vg | tail -1").out) > 80
    assert compute.read("/mnt/vg/file") == "kept\n"
    succeeded(compute, compute.module("mounts", mounts=[{"path": "/mnt/vg", "state": "absent"}]))


def test_a_physical_volume_on_a_partition_of_a_map_stays_there(compute, disks):
    disks.paths = 2
    compute.run("systemctl reset-failed multipathd; systemctl start multipathd")
    try:
        whole = disks.make("a", 96)
        wwid = disks.wwid("a")
        compute.run(
            f"multipath -a {wwid}; multipathd add map {wwid}; udevadm settle; parted -s {whole} mklabel gpt mkpart p 1MiB "
            f"64MiB && kpartx -as {whole} && udevadm settle && vgcreate -q vg_t /dev/mapper/{wwid}-part1 && lvcreate -qq -y "
            "-n data -L 8m vg_t && udevadm settle"
        )
        before = compute.fingerprint()
        wanted = {"groups": [{"name": "vg_t", "devices": [whole], "state": "active"}]}
        kept = succeeded(compute, compute.module("volume_groups", **wanted))
        assert not kept["changed"]
        assert [one["wwid"] for one in kept["state"]["groups"][0]["physical_volumes"]] == [wwid]
        left_alone(
            compute,
            ("volume_group", "it belongs to the volume group 'vg_t'", {"name": "vg_u", "devices": [whole]}),
            ("filesystems", "holds gpt", {"filesystems": [{"device": whole, "filesystem": "ext4"}]}),
        )
        same(before, compute.fingerprint(), "Asking for what is there")
    finally:
        compute.run(
            f"vgremove -qffy vg_t; kpartx -d {disks.path('a')}; multipath -f {disks.wwid('a')}; multipath -w "
            f"{disks.wwid('a')};"
            " systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath",
            check=False,
        )


def test_a_volume_that_was_activated_on_a_path_is_put_onto_the_map_while_it_is_mounted(compute, disks):
    disks.paths = 2
    compute.run("multipath -W; systemctl reset-failed multipathd; systemctl start multipathd", check=False)
    try:
        map_name = disks.make("a", 64)
        wwid = disks.wwid("a")
        path = f"/dev/disk/by-id/scsi-{wwid}"
        compute.run(
            f"vgcreate -q vg_t {path} && udevadm settle && lvcreate -q --devices $(readlink -f {path}) -y -n data -L 8m vg_t"
            " && mkfs.ext4 -q /dev/vg_t/data && mkdir -p /mnt/vg && mount /dev/vg_t/data /mnt/vg && echo kept >/mnt/vg/file"
        )
        compute.run(f"multipath -a {wwid} && multipathd add map {wwid} && udevadm settle")
        bare = compute.run("dmsetup deps -o devname vg_t-data").out
        assert "(sd" in bare and told(compute)["groups"][0]["bypasses_multipath"]
        wanted = {"groups": [{"name": "vg_t", "devices": [map_name], "state": "active"}]}
        assert [step[:30] for step in converged(compute, "volume_groups", wanted, True)] == [
            "Have the volumes of 'vg_t' use"
        ]
        assert wwid in compute.run("dmsetup deps -o devname vg_t-data").out
        assert (
            compute.read("/mnt/vg/file") == "kept\n" and not told(compute)["groups"][0]["bypasses_multipath"]
        )
    finally:
        compute.run(
            f"umount /mnt/vg; vgremove -qffy vg_t; multipath -f {disks.wwid('a')}; multipath -w {disks.wwid('a')};"
            " systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath",
            check=False,
        )


def test_one_damaged_label_does_not_hide_the_others(storage):
    texts = {
        "good": GROUP.format(7, " {\n}"),
        "seqno": GROUP.format('"x"', " {\n}"),
        "shape": GROUP.format(7, " = 3"),
        "deep": "a {" * 3000,
        "flipped": GROUP.format(7, " {\n}"),
    }
    luns = [{"name": name, "path": f"/srv/luns/label-{name}.img", "size": "1m"} for name in texts]
    succeeded(
        storage,
        storage.module(
            "targets", targets=[{"name": TARGET, "portals": [storage.address("san1")], "luns": luns}]
        ),
    )
    try:
        for name, text in texts.items():
            data = bytearray(pv_bytes(text, size=32768))
            data[AREA + 540] ^= name == "flipped"
            storage.run(f"dd of=/srv/luns/label-{name}.img conv=notrunc,fsync status=none", stdin=bytes(data))
        found = succeeded(storage, storage.module("lun_info"))["luns"]
        labels = {one["name"]: one for one in found if one["target"] == TARGET}
        assert (labels["good"]["label"]["group"], labels["good"]["unreadable_reason"]) == ("vg", None)
        said = {
            "seqno": "'seqno' is not a number",
            "shape": "'logical_volumes' is not a list of sections",
            "deep": "'a' is in the wrong place",
            "flipped": "the checksum of the metadata is wrong",
        }
        for name, why in said.items():
            assert labels[name]["label"] is None
            assert (
                why in labels[name]["unreadable_reason"]
                and f"label-{name}.img" in labels[name]["unreadable_reason"]
            )
    finally:
        succeeded(storage, storage.module("target", name=TARGET, state="absent"))
        storage.run("rm -f /srv/luns/label-*.img")
