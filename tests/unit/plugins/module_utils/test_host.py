# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils import _host as host_module
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Problem, lines_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._host_file import abandoned, clear
from ansible_collections.lunworks.iscsi.plugins.module_utils._host_lock import started


def test_a_command_gives_its_exit_code_and_both_outputs():
    ran = Host().run("sh", "-c", "cat; echo wrong >&2; exit 3", ok=(3,), stdin="right")
    assert (ran.rc, ran.out, ran.err) == (3, "right", "wrong\n")


def test_an_exit_code_that_was_not_expected_is_a_problem_with_the_words_of_the_command():
    with pytest.raises(Problem, match=r"'sh -c .*' failed with exit code 5: no such thing"):
        Host().run("sh", "-c", "echo no such thing >&2; exit 5")


def test_a_command_that_hangs_is_ended_with_all_its_children():
    began = time.monotonic()
    with pytest.raises(Problem, match=r"did not end within 0.2 seconds"):
        Host().run("sh", "-c", "sleep 60 & sleep 60", timeout=0.2)
    assert time.monotonic() - began < 10


def test_a_command_that_is_not_there():
    with pytest.raises(Problem, match="Cannot run 'no-such-command'"):
        Host().run("no-such-command")


def test_commands_speak_english():
    assert "LC_ALL=C\n" in Host().run("env").out


def test_what_is_not_there_is_none_or_empty(tmp_path):
    host = Host()
    gone = str(tmp_path / "gone")
    assert (host.read(gone), host.list(gone), host.stat(gone)) == (None, [], None)


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "deep" / "file"
    Host().write(str(path), "one", 0o600)
    Host().write(str(path), "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(Problem, match="no path and no file can hold such characters"):
        Host().write(str(path), "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_bytes_of_others_come_back_as_they_were(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) + b"\r\n\xc2\x85\xe2\x80\xa8")
    Host().write(str(path), Host().read(str(path)))
    assert path.read_bytes() == bytes(range(256)) + b"\r\n\xc2\x85\xe2\x80\xa8"


def test_lines_end_at_a_line_feed_and_nowhere_else():
    assert lines_of("a\x0cb\x85c\u2028d\r\ne") == ["a\x0cb\x85c\u2028d\r", "e"]
    assert lines_of("a\n\nb\n") == ["a", "", "b"]
    assert lines_of("") == lines_of(None) == []


def test_a_link_stays_and_its_file_is_replaced_beside_itself(tmp_path):
    shared, etc = tmp_path / "shared", tmp_path / "etc"
    shared.mkdir()
    etc.mkdir()
    (shared / "real").write_text("old")
    (shared / "real").chmod(0o640)
    (etc / "near").symlink_to("../shared/real")
    (etc / "far").symlink_to(etc / "near")
    Host().write(str(etc / "far"), "new")
    assert [os.readlink(etc / name) for name in ("near", "far")] == ["../shared/real", str(etc / "near")]
    assert (shared / "real").read_text() == "new"
    assert (shared / "real").stat().st_mode & 0o777 == 0o640
    assert (sorted(os.listdir(shared)), sorted(os.listdir(etc))) == (["real"], ["far", "near"])


def test_a_link_to_a_file_that_is_not_there_yet_leads_to_it(tmp_path):
    (tmp_path / "link").symlink_to("real")
    Host().write(str(tmp_path / "link"), "new")
    assert (tmp_path / "real").read_text() == "new" and (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    "target, said",
    [
        ("link", "Too many levels of symbolic links"),
        ("/dev/null", "'/dev/null' is not a regular file. Was '.*link' masked on purpose"),
        ("away/real", "it is a link to '.*away/real', whose directory is not there. Is it mounted"),
        ("directory", "is not a regular file"),
    ],
)
def test_a_link_that_leads_to_no_file_is_left_alone(tmp_path, target, said):
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(Problem, match=f"Cannot write '.*link': .*{said}"):
        Host().write(str(tmp_path / "link"), "new")
    assert os.readlink(tmp_path / "link") == target
    assert sorted(os.listdir(tmp_path)) == ["directory", "link"]
    assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")


def test_a_label_and_notes_of_users_are_kept(tmp_path, monkeypatch):
    labels = {
        "security.selinux": b"system_u:object_r:etc_t:s0",
        "user.note": b"mine",
        "security.ima": b"hash",
    }
    given = {}
    monkeypatch.setattr(os, "listxattr", lambda path: list(labels))
    monkeypatch.setattr(os, "getxattr", lambda path, name: labels[name])
    monkeypatch.setattr(os, "setxattr", lambda handle, name, value: given.update({name: value}))
    (tmp_path / "file").write_text("old")
    Host().write(str(tmp_path / "file"), "new")
    assert given == {"security.selinux": labels["security.selinux"], "user.note": b"mine"}


def test_what_killed_runs_were_writing_goes_and_nothing_else(tmp_path, monkeypatch):
    own, above = ((number, started(number)) for number in (os.getpid(), os.getppid()))
    kept = [
        "file",
        ".lunworks.file.x",
        ".lunworks.file.1.x",
        "lunworks.file.1.1",
        ".lunworks.{}.{}".format(*above),
    ]
    kept += [".lunworks.file.{}.{}".format(*one) for one in (own, above)]
    gone = [
        ".lunworks.file.999999999.5",
        ".lunworks.other\n.2.999999999.5",
        f".lunworks.file.{above[0]}.{above[1] + 1}",
    ]
    for name in [*kept, *gone]:
        (tmp_path / name).write_text("secret")
    monkeypatch.setattr(host_module, "PLACES", (str(tmp_path / "no"), f"{tmp_path.parent}/*"))
    Host().tidy()
    assert sorted(os.listdir(tmp_path)) == sorted(kept)


def test_a_write_clears_where_it_writes(tmp_path):
    place = tmp_path / "[a]*"
    place.mkdir()
    (place / ".lunworks.other.999999999.5").write_text("secret")
    Host().write(str(place / "file"), "new")
    assert os.listdir(place) == ["file"]


def test_a_write_that_is_killed_anywhere_leaves_the_old_file_or_the_new_one_and_the_next_clears(tmp_path):
    path, at, seen = tmp_path / "file", 0, set()
    while "done" not in seen:
        path.write_text("old")
        path.chmod(0o600)
        seen.add(killed_at(at, lambda: Host().write(str(path), "new", 0o640)))
        assert (path.read_text(), path.stat().st_mode & 0o777) in (("old", 0o600), ("new", 0o640))
        assert all(name == "file" or abandoned(name) for name in os.listdir(tmp_path))
        clear(str(tmp_path))
        assert os.listdir(tmp_path) == ["file"]
        at += 1
    assert seen >= {"open", "os.chmod", "os.rename"}


def killed_at(number, act):
    """What a child was about to do when it was killed: at its event of this number ('sys.addaudithook'); 'done' at its end."""
    mine, theirs = os.pipe()
    child = os.fork()
    if not child:
        left = [number]

        def die(event):
            os.write(theirs, event.encode())
            os.kill(os.getpid(), signal.SIGKILL)

        def hook(event, _given):
            if event == "open" or event.startswith("os."):
                left[0] -= 1
                if left[0] == -1:
                    die(event)

        sys.addaudithook(hook)
        act()
        left[0] = -9
        die("done")
    os.close(theirs)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with open(mine, encoding="ascii") as told:
        return told.read()


def test_a_file_may_be_written_aside_elsewhere(tmp_path, monkeypatch):
    renamed = []
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda old, new: (renamed.append((old, new)), rename(old, new)))
    (tmp_path / "read_whole").mkdir()
    Host().write(str(tmp_path / "read_whole" / "file"), "new", directory=str(tmp_path))
    assert renamed == [
        (f"{tmp_path}/.lunworks.file.{os.getpid()}.{started(os.getpid())}", f"{tmp_path}/read_whole/file")
    ]


@pytest.mark.parametrize(
    "number, said",
    [
        (errno.ENOSPC, "The file system '/.*' \\(.+\\) is full. Make room there"),
        (errno.EDQUOT, "The file system '/.*' \\(.+\\) has a quota that is used up"),
        (errno.EROFS, "The file system '/.*' \\(.+\\) is mounted read-only"),
    ],
)
def test_a_file_system_that_takes_nothing_is_named_with_what_to_do(tmp_path, monkeypatch, number, said):
    def refused(*given, **options):
        raise OSError(number, os.strerror(number))

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(Problem, match=f"Cannot write '.*file': {os.strerror(number)}. {said}"):
        Host().write(str(tmp_path / "file"), "new")
    assert (tmp_path / "file").read_text() == "old" and os.listdir(tmp_path) == ["file"]
    monkeypatch.setattr(os, "makedirs", refused)
    with pytest.raises(Problem, match=f"Cannot make the directory '.*new': .* {said}"):
        Host().mkdir(str(tmp_path / "new"))


def test_a_kernel_that_says_no_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="refused to set"):
        Host().poke(str(tmp_path / "no" / "attribute"), "1")


def test_until_asks_again_and_gives_up_in_time():
    answers = iter([False, False, "yes"])
    assert Host().until(lambda: next(answers), 5, every=0) == "yes"
    assert Host().until(lambda: None, 0.05, every=0.01) is None


ASKING = {
    "real": lambda host, path: host.real(path),
    "list": lambda host, path: host.list(path),
    "stat": lambda host, path: host.stat(path),
    "room": lambda host, path: host.room(path),
    "link": lambda host, path: host.link(path),
    "read": lambda host, path: host.read(path),
}


def failing(monkeypatch, error):
    def fails(*given, **options):
        raise error

    for name in ("listdir", "stat", "statvfs", "readlink", "open"):
        monkeypatch.setattr(os, name, fails)
    monkeypatch.setattr(os.path, "realpath", fails)


@pytest.mark.parametrize("asked", ASKING)
@pytest.mark.parametrize("number", [errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE, errno.EIO, errno.EACCES])
def test_what_cannot_be_looked_at_is_a_problem_with_its_path(monkeypatch, asked, number):
    failing(monkeypatch, OSError(number, os.strerror(number)))
    with pytest.raises(Problem, match=f"Cannot .* '/srv/it': {os.strerror(number)}"):
        ASKING[asked](Host(), "/srv/it")


@pytest.mark.parametrize("asked", ASKING)
def test_who_is_not_root_is_told_so(monkeypatch, asked):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    failing(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    with pytest.raises(Problem, match="Permission denied. The modules of this collection run as root"):
        ASKING[asked](Host(), "/srv/it")


@pytest.mark.parametrize("asked", ["list", "stat", "room", "link", "read"])
@pytest.mark.parametrize("path", ["/srv/a\0b", "/srv/\ud800"])
def test_characters_that_no_path_has_are_no_traceback(asked, path):
    with pytest.raises(Problem, match="no path and no file can hold such characters"):
        ASKING[asked](Host(), path)
    with pytest.raises(Problem, match="no path and no file can hold such characters"):
        Host().mkdir(path)
    with pytest.raises(Problem, match="no path and no file can hold such characters"):
        Host().run("true", path)


@pytest.mark.parametrize("asked", ["list", "stat", "room", "link", "read"])
def test_a_loop_of_links_and_a_name_without_end_are_no_traceback(tmp_path, asked):
    (tmp_path / "loop").symlink_to("loop")
    for path in (f"{tmp_path}/loop/x", f"{tmp_path}/{'x' * 260}"):
        with pytest.raises(Problem, match="Too many levels of symbolic links|File name too long"):
            ASKING[asked](Host(), path)


HOLDS = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


def test_a_lock_is_waited_for_and_its_holder_is_named_until_it_ends(tmp_path):
    path, script = str(tmp_path / "lock"), str(tmp_path / "holder.py")
    (tmp_path / "holder.py").write_text(HOLDS)
    with subprocess.Popen([sys.executable, script, path, "a secret"], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            with pytest.raises(Problem) as raised, Host().lock(path, 0.2):
                raise AssertionError("it was not locked")
        finally:
            other.kill()
    said = rf"locked for 0.2 seconds by 'holder.py' \(process {other.pid}, which has been running for \d+ seconds\)"
    assert re.search(said, str(raised.value)) and "secret" not in str(raised.value)
    with Host().lock(path, 5):
        assert (tmp_path / "lock").exists()


def test_a_lock_ends_with_its_block_also_when_a_child_is_left_behind(tmp_path):
    path = str(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), Host().lock(path, 1):
        Host().scsi([("/dev/null", bytes(6), 96)], 0)  # its child is not waited for
        raise ZeroDivisionError
    with Host().lock(path, 10), pytest.raises(Problem, match="has been locked"), Host().lock(path, 0.1):
        raise AssertionError("two hold it")


def test_a_process_is_known_by_its_number_and_when_it_began():
    with subprocess.Popen(["sleep", "60"]) as other:
        began = started(other.pid)
        assert began == started(other.pid) and began >= started(os.getpid())
        other.kill()
    assert started(other.pid) is None


def test_a_read_with_a_time_limit_reads_the_same(tmp_path):
    assert Host().block(__file__, 700, 900, 30) == Host().block(__file__, 700, 900)
    with pytest.raises(Problem, match="Cannot read 4096 bytes at 0 of '.*/gone': No such file or directory"):
        Host().block(f"{tmp_path}/gone", 0, 4096, 30)


def test_a_disk_that_never_answers_holds_nobody(tmp_path):
    """A pipe that nobody writes to holds whoever opens it, as a disk whose paths are all gone holds its reader."""
    os.mkfifo(tmp_path / "dead")
    before = time.monotonic()
    with pytest.raises(
        Problem, match="Cannot read 4096 bytes at 0 of '.*/dead': no answer within 0.2 seconds"
    ):
        Host().block(f"{tmp_path}/dead", 0, 4096, 0.2)
    assert time.monotonic() - before < 20
