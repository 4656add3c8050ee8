# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any fstab and any mount table that people, installers and other tools leave: read as their readers do, and kept.

The host here has a kernel of a kind: 'mount', 'umount' and systemd change its mount table, so a whole run can be judged.
"""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._block import mountinfo
from ansible_collections.lunworks.iscsi.plugins.module_utils._fs import fstab
from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.mount import MountIt, ReloadUnits
from ansible_collections.lunworks.iscsi.plugins.module_utils._fs.mounts import MountsResource
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem, Ran
from ansible_collections.lunworks.iscsi.tests.unit.documents import many
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

DISKS = {"/dev/vg_db/data": 64768, "/dev/vg_db/log": 64769, "/dev/disk/by-id/scsi-36001405aaa": 2064}
NAMES = [*DISKS, "/dev/mapper/vg_db-data", "UUID=1a-2b", 'UUID="1a-2b"', "LABEL=my\\040disk", "/dev/sdb"]
OTHERS = [
    "//nas/share",
    "server:/x",
    "sshfs#u@h:/",
    "tmpfs",
    "/home/db",
    "none",
    "/dev/sdz9",
    "/dev/zvol/p/v",
]
POINTS = [
    "/srv/db",
    "/srv/db/",
    "//srv//db",
    "/data",
    "/srv/db/log",
    "/srv/a#1",
    "/srv/my\\040db",
    "/srv/\\303\\251",
]
ELSEWHERE = ["/", "none", "swap", "/mnt/x", "/srv", "/data/log", "/srv/\\134x", "relative", "/srv/a\\000b"]
KINDS = ["ext4", "xfs", "auto", "btrfs", "none", "nfs", "swap", "ext4,xfs"]
SAID = [
    "defaults",
    "noauto",
    "_netdev,nofail",
    "x-systemd.automount,nofail",
    "password=a#b",
    "subvol=/@",
    "rw,noatime",
]
RESTS = ["", "0", "0 0", "1 2", "0\t2", "0 2 # old", "# old", "0 x", "2  1  more"]
REMARKS = [
    "",
    "   ",
    "\t",
    "# a",
    "   # b",
    "#/dev/sda1 /srv/db ext4",
    "# \f \x85 \u2028 \udcff ü",
    "word",
    "#",
]

gaps = st.sampled_from([" ", "\t", "   ", " \t "])


@st.composite
def one_line(draw):
    """A line of fstab without its end."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(REMARKS))
    fields = [
        draw(st.sampled_from(NAMES + OTHERS)),
        draw(st.sampled_from(POINTS + ELSEWHERE)),
        draw(st.sampled_from(KINDS)),
        draw(st.sampled_from(SAID)),
        draw(st.sampled_from(RESTS)),
    ][: draw(st.sampled_from([2, 3, 4, 5, 5, 5, 5]))]
    begin = draw(st.sampled_from(["", "", "", " ", "\t"]))
    return begin + "".join(field + draw(gaps) for field in fields).rstrip(draw(st.sampled_from([" \t", ""])))


@st.composite
def files(draw):
    """An fstab."""
    lines = draw(st.lists(one_line(), max_size=6))
    ends = draw(st.lists(st.sampled_from(["\n", "\n", "\r\n"]), min_size=len(lines), max_size=len(lines)))
    text = "".join(line + end for line, end in zip(lines, ends))
    return text if draw(st.booleans()) else text.rstrip("\n")


@st.composite
def tables(draw):
    """What is mounted: the root, and some on it or on each other."""
    rows = ["25 1 98:0 / / rw,relatime shared:1 - ext4 /dev/root rw"]
    points, idents = ["/"], ["25"]
    for number in range(draw(st.integers(0, 4))):
        point = draw(
            st.sampled_from(["/srv/db", "/srv/db/log", "/srv/a#1", "/srv/my\\040db", "/mnt/x", "/srv"])
        )
        under = max(
            (one for one in range(len(points)) if is_on(point, points[one])), key=lambda one: len(points[one])
        )
        parent = draw(st.sampled_from([idents[under], "25"]))
        device, source, kind = draw(
            st.sampled_from(
                [
                    ("253:0", "/dev/mapper/vg_db-data", "ext4"),
                    ("253:1", "/dev/mapper/vg_db-log", "xfs"),
                    ("8:16", "/dev/sdb", "ext4"),
                    ("0:45", "/dev/mapper/vg_db-data", "btrfs"),
                    ("0:40", "systemd-1", "autofs"),
                    ("0:41", "/etc/auto.direct", "autofs"),
                    ("0:50", "server:/x", "nfs4"),
                    ("0:51", "", "tmpfs"),
                ]
            )
        )
        if source == "systemd-1" and point in points:
            continue  # systemd makes no trigger on a mount point (src/core/automount.c)
        shared = draw(st.sampled_from(["", " shared:7", " shared:7 master:3"]))
        rows.append(f"{60 + number} {parent} {device} / {point} rw{shared} - {kind} {source} rw,x=-")
        points.append(point)
        idents.append(str(60 + number))
    return "".join(f"{row}\n" for row in rows)


def is_on(point, other):
    return point.startswith(other.rstrip("/") + "/") or point == other


@st.composite
def requests(draw):
    """What a user asks for."""
    paths = draw(
        st.lists(
            st.sampled_from(
                ["/srv/db", "//srv/db/", "/data", "/srv/db/log", "/srv/a#1", "/srv/my db", "/srv/é"]
            ),
            unique=True,
            min_size=1,
            max_size=3,
        )
    )
    return [
        {
            "path": path,
            "device": draw(st.sampled_from([*DISKS, "/dev/mapper/vg_db-data"])),
            "filesystem": draw(st.sampled_from([None, None, "ext4", "xfs", "btrfs"])),
            "options": draw(
                st.sampled_from([None, None, "_netdev", "noatime,x-systemd.automount", "a=b\\c#d"])
            ),
            "state": draw(st.sampled_from(["mounted", "mounted", "absent"])),
        }
        for path in paths
    ]


class Kernel(ScriptedHost):
    """A host whose mount table follows what is done."""

    def __init__(self, text, table):
        files_there = {
            "/etc/fstab": text,
            "/proc/self/mountinfo": table,
            "/run/systemd/system": {"kind": "directory"},
            "/srv/db": {"kind": "directory"},
            "/data": {"link": "/srv/db"},
            "/dev/mapper/vg_db-data": {"link": "/dev/dm-0"},
            "/dev/disk/by-uuid/1a-2b": {"link": "/dev/dm-0"},
            "/dev/disk/by-label/my\\x20disk": {"link": "/dev/dm-1"},
            "/dev/vg_db/data": {"link": "/dev/dm-0"},
            "/dev/vg_db/log": {"link": "/dev/dm-1"},
            "/dev/disk/by-id/scsi-36001405aaa": {"link": "/dev/sdb"},
            "/dev/dm-0": {"kind": "block", "rdev": 64768},
            "/dev/dm-1": {"kind": "block", "rdev": 64769},
            "/dev/sdb": {"kind": "block", "rdev": 2064},
        }
        super().__init__(files_there)

    def _follow(self, path):
        """Links on the way, too."""
        done = ""
        for name in path.split("/")[1:]:
            done = super()._follow(f"{done}/{name}")
        return done

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        self.did.append(" ".join(argv))
        rows = mountinfo.look_mounted(self)
        table = self.files["/proc/self/mountinfo"]
        if argv[0] == "mount":
            device, point = argv[-2:]
            covers = [one for one in rows if is_on(point, one.path) and not mountinfo.hidden(rows, one)]
            ranked = sorted(enumerate(covers), key=lambda pair: (len(pair[1].path), pair[0]))
            parent = ranked[-1][1].ident if ranked else "1"
            number = self.stat(device).st_rdev
            escaped = fstab.escaped(point)
            kind = argv[2] if argv[1] == "-t" else "ext4"
            row = f"{100 + len(self.did)} {parent} {os.major(number)}:{os.minor(number)} / {escaped} rw - {kind} {device} rw\n"
            self.files["/proc/self/mountinfo"] = table + row
        elif argv[0] == "umount":
            self._forget(mountinfo.seen_at(rows, argv[1])[-1])
        elif argv[:2] == ("systemctl", "stop"):
            (found,) = [one for one in rows if one.trigger and unit(one.path) == argv[2]][-1:]
            self._forget(found)
        else:
            assert argv == ("systemctl", "daemon-reload")
        return Ran(0, "", "")

    def _forget(self, mount):
        rows = self.files["/proc/self/mountinfo"].split("\n")
        self.files["/proc/self/mountinfo"] = "\n".join(
            row for row in rows if row.split(" ")[0] != mount.ident
        )


def unit(path):
    """systemd-escape --path --suffix=automount, told independently."""

    def coded(byte):
        letter = chr(byte)
        if byte == 47:
            return "-"
        return letter if byte < 128 and (letter.isalnum() or letter in ":_.") else f"\\x{byte:02x}"

    return "".join(map(coded, path.strip("/").encode())) + ".automount"


def reference(text):
    """mount(8)'s reading, told independently: bytes, one line after the other, the first of a mount point counts."""
    found = {}
    for raw in text.encode(errors="surrogateescape").split(b"\n"):
        raw = raw[:-1] if raw.endswith(b"\r") else raw
        fields = [octal(one) for one in raw.replace(b"\t", b" ").split(b" ") if one]
        if len(fields) >= 2 and not fields[0].startswith(b"#") and fields[1].startswith(b"/"):
            path = re.sub(b"/+", b"/", fields[1].split(b"\0")[0]).rstrip(b"/") or b"/"
            path = re.sub(b"^/data(?=/|$)", b"/srv/db", path)
            found.setdefault(
                path, (fields + [b"", b"defaults"])[:4] if len(fields) == 2 else (fields + [b"defaults"])[:4]
            )
    return found


def octal(field):
    parts = field.split(b"\\")
    done = parts[0]
    for part in parts[1:]:
        digits = part[:3]
        if len(digits) == 3 and all(one in b"01234567" for one in digits):
            done += bytes([int(digits, 8) & 255]) + part[3:]
        else:
            done += b"\\" + part
    return done


def run(host, asked):
    """The one sentence; None where it was refused."""
    resource = MountsResource(asked)
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    assert steps or seen == want, "a plan is empty only where all is as wanted"
    assert resource.plan(want, want) == []
    for step in steps:
        step.take(host)
    after = resource.look(host)
    again = resource.want(after)
    assert resource.plan(after, again) == [], "the host is as wanted"
    resource.refuse(after, again, [])
    assert again == after
    return steps


@many
@given(text=files(), table=tables(), asked=requests())
def test_a_run_leads_where_it_should_and_changes_only_what_was_asked_for(text, table, asked):
    host = Kernel(text, table)
    try:
        run(host, asked)
    except Problem as problem:
        assert "  " not in str(problem)
        assert host.did == [] or "failed" in str(problem), (
            "what is refused is refused before anything is done"
        )
        assert host.files["/etc/fstab"] == text
        return
    written = host.read("/etc/fstab")
    if written == text:
        return
    named = {real(one["path"]) for one in asked}
    kept = [line for line in lines(text) if path_of(line) not in named]
    assert [line for line in lines(written) if path_of(line) not in named] == kept, (
        "other lines are as they were"
    )
    for one in asked:
        line = reference(written).get(real(one["path"]))
        if one["state"] == "absent":
            assert line is None
        else:
            assert line is not None and (one["options"] is None or line[3] == one["options"].encode())
            assert one["filesystem"] is None or line[2] == one["filesystem"].encode()


def lines(text):
    """The lines with their CR, the last one as if it had its end."""
    found = text.split("\n")
    return [line.rstrip("\r") for line in (found if found[-1] else found[:-1])]


def path_of(line):
    return next(iter(reference(line)), None)


def real(path):
    path = "/" + "/".join(one for one in path.split("/") if one)
    return re.sub("^/data(?=/|$)", "/srv/db", path).encode()


@many
@given(text=files())
def test_every_line_is_read_as_its_real_readers_read_it(text):
    host = Kernel(text, "")
    found = fstab.entries(text)
    named = fstab.paths(host, found, [])
    ours = {}
    for entry, name in zip(found, named):
        ours.setdefault(name, [entry.line.device, entry.path, entry.line.filesystem, entry.line.options])
    theirs = {path.decode(errors="surrogateescape"): said for path, said in reference(text).items()}
    assert {
        path: [one.encode(errors="surrogateescape") for one in said] for path, said in ours.items()
    } == theirs


@many
@given(text=files(), data=st.data())
def test_a_line_that_is_written_as_it_is_stays_byte_for_byte(text, data):
    found = fstab.entries(text)
    for entry in [one for one in found if one.line.filesystem]:
        assert fstab.written(text, entry.number, entry.line) == text
    assert fstab.dropped(text, []) == text
    path = "/" + data.draw(
        st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1).filter(lambda t: t.strip("/"))
    )
    line = fstab.Line(
        "/dev/x y", "ext4", data.draw(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
    )
    longer = fstab.added(text, path, line)
    assert (
        longer.startswith(text)
        and fstab.entries(longer)[-1].line == line
        and fstab.entries(longer)[-1].path == path
    )


@many
@given(table=st.one_of(tables(), st.text(st.sampled_from("0123456789:/ -\n\\srvdb"), max_size=200)))
def test_no_mount_table_ends_in_a_traceback(table):
    mounts = mountinfo.parse(table)
    for one in mounts:
        assert isinstance(mountinfo.hidden(mounts, one), bool)


class Failing(Kernel):
    """On which nothing can be mounted."""

    def run(self, *argv, **options):
        if argv[0] == "mount":
            self.did.append(" ".join(argv))
            return Ran(32, "", "wrong fs type\n")
        return super().run(*argv, **options)


@pytest.mark.parametrize(
    "line",
    [
        "/dev/vg_db/data\t/srv/db ext4   noatime 0 2",
        "/dev/vg_db/gone /srv/db xfs noatime 0 2",
        "LABEL=old\\011disk\t /data",
        " /dev/vg_db/\\147one /srv/db/ ext4 defaults # an old disk\r",
    ],
)
@pytest.mark.parametrize("gone", [False, True])
def test_a_mount_that_fails_puts_the_changed_line_back_byte_for_byte(line, gone):
    text = f"# mine\n{line}\n"
    host = Failing(text, "")
    asked = {
        "path": "/srv/db",
        "device": "/dev/vg_db/log",
        "filesystem": None,
        "options": None,
        "state": "mounted",
    }
    resource = MountsResource([asked])
    seen = resource.look(host)
    steps = resource.plan(seen, resource.want(seen))
    assert [type(step) for step in steps[1:]] == [ReloadUnits, MountIt]
    for step in steps[:2]:
        step.take(host)
    assert fstab.entries(host.read("/etc/fstab"))[0].line.device == "/dev/vg_db/log"
    if gone:
        del host.files["/dev/vg_db/log"]
    why = "The device '/dev/vg_db/log' did not appear within 15 seconds."
    why = why if gone else "mount failed with exit code 32: wrong fs type."
    with pytest.raises(Problem) as failed:
        steps[2].take(host)
    assert str(failed.value) == f"{why} Its line in /etc/fstab is as it was before."
    assert host.read("/etc/fstab") == text
    assert host.did[-1] == "systemctl daemon-reload"


def test_a_line_that_somebody_changes_meanwhile_is_not_put_back():
    old = fstab.entries("/dev/vg_db/gone /srv/db xfs noatime 0 2")[0]
    host = Failing("/dev/vg_db/log /srv/db ext4 ro 0 2\n", "")
    line = fstab.Line("/dev/vg_db/log", "ext4", "noatime")
    with pytest.raises(Problem, match="wrong fs type.$"):
        MountIt("/srv/db", "/srv/db", "/dev/vg_db/log", line, old).take(host)
    assert host.read("/etc/fstab") == "/dev/vg_db/log /srv/db ext4 ro 0 2\n"
