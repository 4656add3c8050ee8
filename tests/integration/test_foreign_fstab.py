# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts on a host that somebody set up by hand, and our reading of fstab beside that of mount(8) and of systemd."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.lunworks.iscsi.plugins.module_utils._fs import fstab
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._fs.test_foreign_fstab import (
    files,
    reference,
)

FILES = 60
A, B = "/dev/disk/by-test/a", "/dev/disk/by-test/b"
AT = {"path": "/srv/one", "device": A, "filesystem": "ext4"}
READ = r"""
import json, os, re, shutil, signal, subprocess
texts, told = json.loads(INPUT), []
for text in texts:
    with open("/run/fstab", "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
    shutil.rmtree("/run/units", ignore_errors=True)
    for name in "abc":
        os.makedirs(f"/run/units/{name}")
    found = subprocess.run(["findmnt", "-F", "/run/fstab", "-J", "-l", "-o", "source,target,fstype,options"], capture_output=True)
    env = {"SYSTEMD_FSTAB": "/run/fstab", "PATH": os.environ["PATH"]}
    generator = "/usr/lib/systemd/system-generators/systemd-fstab-generator"
    subprocess.run([generator, *(f"/run/units/{name}" for name in "abc")], env=env, capture_output=True)
    units = []
    for name in os.listdir("/run/units/a"):
        if name.endswith(".mount") and not os.path.islink(f"/run/units/a/{name}"):
            with open(f"/run/units/a/{name}", errors="surrogateescape") as file:
                units.append(dict(re.findall("^(What|Where|Type|Options)=(.*)$", file.read(), re.M)))
    rows = json.loads(found.stdout or b'{"filesystems": []}')["filesystems"]
    rows = [[row["source"], row["target"], row["fstype"], row["options"]] for row in rows]
    told.append([None if found.returncode == -signal.SIGSEGV else rows, units])
print(json.dumps(told))
"""


@pytest.fixture
def disks(compute):
    """Two small file systems on devices with stable names, and an fstab to come back to."""
    compute.run(
        "cp -a /etc/fstab /run/fstab.before; mkdir -p /dev/disk/by-test; for name in a b; do"
        " truncate -s 16M /var/tmp/$name.img && mkfs.ext4 -q /var/tmp/$name.img &&"
        " ln -sfn $(losetup -f --show /var/tmp/$name.img) /dev/disk/by-test/$name; done"
    )
    yield compute
    compute.run(
        "systemctl stop 'srv-*.automount'; for point in $(grep -o ' /srv/[^ ]*' /proc/self/mountinfo | sort -r); do"
        " umount $(printf %b $point); done; cp -a --remove-destination /run/fstab.before /etc/fstab; systemctl daemon-reload;"
        " dmsetup remove lunworks-test; losetup -d $(readlink /dev/disk/by-test/a) $(readlink /dev/disk/by-test/b);"
        " rm -rf /dev/disk/by-test /var/tmp/[ab].img /srv/one /srv/two /srv/link /srv/a#1 /etc/fstab.real",
        check=False,
    )


def mounted(host, path):
    """What is mounted on a path, the uppermost last."""
    return host.run(f"findmnt -rn -o SOURCE '{path}'", check=False).out.split()


def source(host, device):
    return host.run(f"readlink -f {device}").out.strip()


def test_of_two_lines_for_one_mount_point_none_is_guessed(disks):
    disks.write("/etc/fstab", f"{B} /srv/one ext4 noauto 0 2\n{A} /srv/one/ ext4 _netdev,nofail 0 2\n")
    refused(disks, "mounts", "2 lines for '/srv/one': line 1", mounts=[AT])
    assert mounted(disks, "/srv/one") == []
    converges(disks, "mounts", {"mounts": [{"path": "/srv/one", "state": "absent"}]})
    assert disks.read("/etc/fstab") == ""


def test_lines_and_mount_points_of_others_are_known_by_what_they_are(disks):
    """A slash at the end, a link, '#', an fstab that is a link, fields and remarks that are kept."""
    disks.run("mkdir -p /srv/one '/srv/a#1'; ln -s /srv/one /srv/link")
    disks.run("mv /etc/fstab /etc/fstab.real; ln -s fstab.real /etc/fstab")
    disks.write(
        "/etc/fstab.real",
        f"# \u2028 mine\r\n{A}\t/srv/one/ ext4 noatime 1 2 # the database\n{B} /srv/a#1 ext4 nofail\n",
    )
    both = [{"path": "/srv/link", "device": A, "options": "nofail"}, {"path": "/srv/a#1", "device": B}]
    converges(disks, "mounts", {"mounts": both})
    text = f"# \u2028 mine\r\n{A}\t/srv/one/ ext4 nofail 1 2 # the database\n{B} /srv/a#1 ext4 nofail\n"
    assert disks.read("/etc/fstab.real") == text
    assert disks.run("readlink /etc/fstab").out == "fstab.real\n"
    assert mounted(disks, "/srv/one") == [source(disks, A)] and mounted(disks, "/srv/a#1") == [
        source(disks, B)
    ]
    again = disks.module("mounts", mounts=[{"path": "//srv/one/", "device": A}])
    assert not succeeded(disks, again)["changed"]
    refused(disks, "mounts", "must have the file system 'xfs'", mounts=[{**both[1], "filesystem": "xfs"}])
    refused(disks, "mounts", "is mounted on '/srv/one'", mounts=[{"path": "/srv/two", "device": A}])
    converges(disks, "mounts", {"mounts": [{"path": one["path"], "state": "absent"} for one in both]})
    assert disks.read("/etc/fstab") == "# \u2028 mine\r\n"
    assert mounted(disks, "/srv/one") == mounted(disks, "/srv/a#1") == []


def test_mounts_in_each_other_come_and_go_in_their_order(disks):
    inner = {"path": "/srv/one/deep/two", "device": B, "filesystem": "ext4"}
    converges(disks, "mounts", {"mounts": [inner, AT]})
    assert mounted(disks, "/srv/one/deep/two") == [source(disks, B)]
    assert disks.run("touch /srv/one/deep/two/file && ls /srv/one/deep/two/file && mount -a").out
    converges(disks, "mounts", {"mounts": [{"path": one["path"], "state": "absent"} for one in (AT, inner)]})
    assert mounted(disks, "/srv/one") == [] and "by-test" not in disks.read("/etc/fstab")


def test_an_automount_waits_is_touched_and_goes(disks):
    uuid = disks.run(f"udevadm settle; blkid -p -s UUID -o value {A}").out.strip()
    disks.write("/etc/fstab", f"UUID={uuid} /srv/one ext4 _netdev,nofail,x-systemd.automount,noatime 0 2\n")
    disks.run("mkdir -p /srv/one; systemctl daemon-reload; systemctl start srv-one.automount")
    assert mounted(disks, "/srv/one") == ["systemd-1"]
    assert not succeeded(disks, disks.module("mounts", mounts=[{"path": "/srv/one", "device": A}]))["changed"]
    disks.run("ls /srv/one/lost+found")
    assert mounted(disks, "/srv/one") == ["systemd-1", source(disks, A)]
    assert not succeeded(disks, disks.module("mounts", mounts=[AT]))["changed"]
    converges(disks, "mounts", {"mounts": [{"path": "/srv/one", "state": "absent"}]})
    assert mounted(disks, "/srv/one") == []
    assert disks.run("systemctl is-active srv-one.automount", check=False).out == "inactive\n"


@pytest.mark.parametrize("told", ["by the module", "by hand, and systemd not"])
def test_a_line_that_is_no_automount_any_more_is_mounted(disks, told):
    """The trigger of a unit that is gone answers nobody: the mount point would be dead."""
    disks.write("/etc/fstab", f"{A} /srv/one ext4 noauto,x-systemd.automount 0 2\n")
    disks.run("mkdir -p /srv/one; systemctl daemon-reload; systemctl start srv-one.automount")
    assert mounted(disks, "/srv/one") == ["systemd-1"]
    wanted = {"path": "/srv/one", "device": A, "options": "nofail"}
    if told != "by the module":
        disks.write("/etc/fstab", f"{A} /srv/one ext4 nofail 0 2\n")
        del wanted["options"]
    converges(disks, "mounts", {"mounts": [wanted]})
    disks.run("systemctl daemon-reload && ls /srv/one/lost+found")
    assert mounted(disks, "/srv/one") == [source(disks, A)]
    assert not succeeded(disks, disks.module("mounts", mounts=[wanted]))["changed"]


def test_what_cannot_be_mounted_leaves_no_line(disks):
    """A path of a map, and a disk that holds something else."""
    before = disks.read("/etc/fstab")
    disks.run(f'dmsetup create lunworks-test -u mpath-test --table "0 32768 linear {source(disks, A)} 0"')
    refused(disks, "mounts", "is a path of the multipath map 'lunworks-test'", mounts=[AT])
    disks.run("dmsetup remove lunworks-test")
    told = disks.module("mounts", mounts=[{**AT, "filesystem": "xfs"}])
    assert told["failed"] and "mount failed with exit code 32" in told["msg"]
    assert disks.read("/etc/fstab") == before


def test_fstab_is_read_as_mount_and_systemd_read_it(compute):
    texts: list[str] = []

    @settings(
        max_examples=FILES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=files())
    def collect(text):
        texts.append(re.sub("[\udc80-\udcff]", "?", text))

    collect()
    compute.run("mkdir -p /srv/db; ln -sfn /srv/db /data")
    try:
        ran = compute.python(READ, json.dumps(texts), timeout=120)
    finally:
        compute.run("rm -rf /data /srv/db /run/units /run/fstab")
    assert ran.rc == 0, ran.err
    compared = 0
    for text, (rows, units) in zip(texts, json.loads(ran.out)):
        if rows is not None:  # findmnt of util-linux 2.41 dies of a line that it cannot parse
            compared += 1
            ours = [one.line for one in fstab.entries(text) if not ignored(text, one)]
            paths = [one.path.split("\0")[0] for one in fstab.entries(text) if not ignored(text, one)]
            read = [[line.device, path, line.filesystem, line.options] for line, path in zip(ours, paths)]
            theirs = [row for row in rows if row[1].startswith("/")]
            assert read == [[*row[:3], row[3] or "defaults"] for row in theirs], text
        first = reference(text)
        for unit in units:
            where = unit["Where"].encode(errors="surrogateescape")
            if b"\\" in where or where not in first or "\r" in str(unit):
                continue  # glibc knows four octal numbers and no CR at the end of a line
            assert fstab.device_path(first[where][0].decode()) == unit["What"].replace("%%", "%"), text
    assert compared > len(texts) / 4


def ignored(text, entry):
    """What mount(8) says is a parse error: too few fields, or a number that is none."""
    raw = text.split("\n")[entry.number - 1].rstrip("\r")
    numbers = raw.replace("\t", " ").split()[4:6]
    return not entry.line.filesystem or any(not re.fullmatch(r"[+-]?\d+", one) for one in numbers)
